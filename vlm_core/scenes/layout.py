"""Where objects stand: never so that a caption could be doubted.

Sizes are given and never changed to make objects fit, so that no position has a say in what is said of them.
A position is the centre (x, y) of a bounding box, an extent its longer side, both in px.
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

EXTENTS = {
    1: {"small": (34, 56), "large": (76, 120)},
    2: {"small": (34, 56), "large": (76, 100)},
    3: {"small": (34, 52), "large": (76, 88)},
    4: {"small": (34, 48), "large": (76, 82)},
}
"""Extents by the number of objects (px): between small and large lies a clear gap."""
LARGEST = 190
"""Extent that a large object may reach alone in the middle, where people fill the whole canvas (px)."""

Point = tuple[float, float]
Standing = tuple[Point, float]
"""Where an object stands, and its extent."""


def arrange(rng: Random, sizes: tuple[str, ...]) -> tuple[Standing, ...]:
    """Places for one to four objects of these sizes, in the order of the caption."""
    if len(sizes) == 1:
        return (_stand_alone(rng, sizes[0]),)
    extents = tuple(rng.uniform(*EXTENTS[len(sizes)][size]) for size in sizes)
    centers = _stand_as_pair(rng, extents) if len(sizes) == 2 else _stand_in_row(rng, extents)
    return tuple(zip(centers, extents, strict=True))


def _stand_alone(rng: Random, size: str) -> Standing:
    """Somewhere in one of the nine places, each as likely."""
    column, row = int(rng.random() * 3), int(rng.random() * 3)
    least, most = EXTENTS[1][size]
    extent = rng.uniform(least, LARGEST if size == "large" and column == row == 1 else most)
    return (_in_third(rng, column, extent), _in_third(rng, row, extent)), extent


def _stand_as_pair(rng: Random, extents: tuple[float, float]) -> tuple[Point, Point]:
    """The first clearly left of the second or clearly above it, each as likely."""
    first, second = extents
    apart = max(PAIR_DISTANCE, (first + second) / 2 + GAP)
    low, high = BORDER + first / 2, IMAGE_SIZE - BORDER - second / 2
    distance = rng.uniform(apart, high - low)
    start = rng.uniform(low, high - distance)
    slant = PAIR_SLANT * distance
    first_across = rng.uniform(BORDER + first / 2, IMAGE_SIZE - BORDER - first / 2)
    second_across = rng.uniform(
        max(BORDER + second / 2, first_across - slant),
        min(IMAGE_SIZE - BORDER - second / 2, first_across + slant),
    )
    places = (start, first_across), (start + distance, second_across)
    if rng.random() < 0.5:
        return places
    (x, y), (later_x, later_y) = places
    return (y, x), (later_y, later_x)


def _stand_in_row(rng: Random, extents: tuple[float, ...]) -> tuple[Point, ...]:
    """Three or four from left to right at any heights, none touching another: tries until they fit, some 60 times."""
    random, low = rng.random, BORDER + max(extents) / 2
    slack = IMAGE_SIZE - 2 * low - ROW_STEP * (len(extents) - 1)
    while True:
        shares = sorted([random() for _ in extents])
        placed: list[tuple[float, float, float]] = []
        for step, extent in enumerate(extents):
            x = low + ROW_STEP * step + slack * shares[step]
            top = BORDER + extent / 2
            y = top + (IMAGE_SIZE - 2 * top) * random()
            for a, b, other in placed:
                apart = (extent + other) / 2 + GAP
                if abs(x - a) < apart and abs(y - b) < apart:
                    break
            else:
                placed.append((x, y, extent))
                continue
            break  # they touch: all anew
        else:
            return tuple((x, y) for x, y, _ in placed)


def _in_third(rng: Random, index: int, extent: float) -> float:
    third = IMAGE_SIZE / 3
    low = max(index * third + PLACE_MARGIN, BORDER + extent / 2)
    high = min((index + 1) * third - PLACE_MARGIN, IMAGE_SIZE - BORDER - extent / 2)
    return rng.uniform(low, high)
