"""Where objects stand: never so that a caption could be doubted.

Every function draws positions for objects whose extents (longer sides of their boxes, px) are given, so that no
position ever has a say in what the objects are. Positions are centres (x, y) of bounding boxes, px.
"""

from __future__ import annotations

from random import Random

from vlm_core.scenes.world import IMAGE_SIZE

BORDER = 2
"""Objects keep this far from the picture's edge (px)."""
PLACE_MARGIN = 8
"""A single object's centre keeps this far from the lines between the nine places (px)."""
GAP = 6
"""Boxes of two objects are at least this far apart along one axis (px)."""
PAIR_DISTANCE = 48
"""Two objects are at least this far apart along the axis that is told (px) …"""
PAIR_SLANT = 0.5
"""… and across it at most this share of that distance."""
ROW_STEP = 28
"""Objects told from left to right stand at least this far apart in x (px)."""

Point = tuple[float, float]


def stand_alone(rng: Random, extent: float) -> Point:
    """One object somewhere in one of the nine places, each as likely."""
    return _in_third(rng, extent), _in_third(rng, extent)


def stand_as_pair(rng: Random, extents: tuple[float, float]) -> tuple[Point, Point]:
    """Two objects, the first clearly left of the second or clearly above it, each as likely."""
    first, second = extents
    apart = max(PAIR_DISTANCE, (first + second) / 2 + GAP)
    low, high = BORDER + first / 2, IMAGE_SIZE - BORDER - second / 2
    distance = rng.uniform(apart, high - low)
    start = rng.uniform(low, high - distance)
    slant = PAIR_SLANT * distance
    first_across = rng.uniform(BORDER + first / 2, IMAGE_SIZE - BORDER - first / 2)
    second_across = rng.uniform(
        max(BORDER + second / 2, first_across - slant), min(IMAGE_SIZE - BORDER - second / 2, first_across + slant)
    )
    places = (start, first_across), (start + distance, second_across)
    if rng.random() < 0.5:
        return places
    (x, y), (later_x, later_y) = places
    return (y, x), (later_y, later_x)


def stand_in_row(rng: Random, extents: tuple[float, ...]) -> tuple[Point, ...]:
    """Three or four objects from left to right at any heights, none touching another.

    Tries until the boxes fit; the extents are never changed to make them fit.
    """
    while True:
        xs = _spread(rng, extents)
        placed: list[tuple[Point, float]] = []
        for x, extent in zip(xs, extents, strict=True):
            y = rng.uniform(BORDER + extent / 2, IMAGE_SIZE - BORDER - extent / 2)
            if any(max(abs(x - a), abs(y - b)) < (extent + other) / 2 + GAP for (a, b), other in placed):
                break
            placed.append(((x, y), extent))
        else:
            return tuple(point for point, _ in placed)


def _spread(rng: Random, extents: tuple[float, ...]) -> list[float]:
    low = BORDER + max(extents) / 2
    slack = IMAGE_SIZE - 2 * low - ROW_STEP * (len(extents) - 1)
    return [low + ROW_STEP * step + slack * share for step, share in enumerate(sorted(rng.random() for _ in extents))]


def _in_third(rng: Random, extent: float) -> float:
    third = IMAGE_SIZE / 3
    index = int(rng.random() * 3)
    low = max(index * third + PLACE_MARGIN, BORDER + extent / 2)
    high = min((index + 1) * third - PLACE_MARGIN, IMAGE_SIZE - BORDER - extent / 2)
    return rng.uniform(low, high)
