"""The outlines of the eight shapes, as a careful or a careless hand would draw them.

An outline is a closed polygon of about 60 points, y down. Here are only its proportions; where it stands and
how large it is belongs to the scene.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

VARIANTS = 4
"""How many proportions each shape comes in (thick and thin crosses, moons that open left or right, …)."""
WOBBLES = 256
"""How many different hands there are."""
MOST_ROTATION = {
    "circle": 180.0,
    "square": 12.0,  # a square turned by 45° is a diamond
    "triangle": 25.0,
    "star": 25.0,
    "heart": 25.0,
    "diamond": 8.0,
    "cross": 14.0,  # further, and it is an x
    "moon": 25.0,
}
"""Degrees either way within which a shape keeps its name."""


@dataclass(frozen=True)
class Deformation:
    """How a drawn outline strays from the ideal one; the default does not."""

    rotation: float = 0.0
    """Degrees, clockwise on the screen."""
    stretch: float = 1.0
    """Width is multiplied by this, height divided by it."""
    shear: float = 0.0
    """How far it leans: sideways shift per unit of height."""
    wobble: float = 0.0
    """Largest share by which a point comes nearer to the middle or further from it."""
    hand: int = 0
    """Which way it wobbles, 0 to WOBBLES - 1."""


def outline(shape: str, variant: int, deformation: Deformation) -> np.ndarray:
    """The points (K, 2) of a shape, scaled so that the longer side of its bounding box goes from -1 to 1."""
    points = ideal_outline(shape, variant)
    if deformation.wobble:
        points = points * (1 + deformation.wobble * _wobbles(len(points))[deformation.hand])
    angle = math.radians(deformation.rotation)
    cosine, sine = math.cos(angle), math.sin(angle)
    wide, tall, lean = deformation.stretch, 1 / deformation.stretch, deformation.shear
    matrix = np.array(
        [[wide * cosine, wide * sine], [lean * cosine - tall * sine, lean * sine + tall * cosine]]
    )
    return _fit(points @ matrix)


@cache
def ideal_outline(shape: str, variant: int) -> np.ndarray:
    """One of the VARIANTS of a shape without deformation, fitted like `outline`; treat as read-only."""
    return _fit(np.array(_DRAW[shape](variant), dtype=float))


def _fit(points: np.ndarray) -> np.ndarray:
    low, high = points.min(axis=0), points.max(axis=0)
    return (points - (low + high) / 2) * (2 / (high - low).max())


@cache
def _wobbles(count: int) -> np.ndarray:
    """(WOBBLES, count, 1): smooth closed curves of a few waves, each at most 1 away from 0."""
    generator = np.random.default_rng(count)
    waves = np.arange(2, 7)
    weights = generator.normal(size=(WOBBLES, len(waves), 1)) / waves[:, None]
    phases = generator.uniform(0, 2 * np.pi, (WOBBLES, len(waves), 1))
    around = np.linspace(0, 2 * np.pi, count, endpoint=False)
    curves = (weights * np.sin(waves[:, None] * around + phases)).sum(axis=1)
    return (curves / np.abs(curves).max(axis=1, keepdims=True))[..., None]


def _circle(variant: int):
    return _arc(0, 0, 1, 0, 360, 60)


def _square(variant: int):
    return _along([(-1, -1), (1, -1), (1, 1), (-1, 1)], rounded=variant % 2)


def _triangle(variant: int):
    apex = (0, 0, -0.25, 0.25)[variant]
    height = (1.73, 2.0, 1.8, 1.8)[variant]
    return _along([(apex, -height / 2), (1, height / 2), (-1, height / 2)], rounded=variant == 1)


def _star(variant: int):
    inner = (0.38, 0.44, 0.48, 0.41)[variant]
    corners = []
    for corner in range(10):
        angle, reach = math.radians(36 * corner - 90), inner if corner % 2 else 1
        corners.append((reach * math.cos(angle), reach * math.sin(angle)))
    return _along(corners, rounded=variant == 3)


def _heart(variant: int):
    depth = (1.0, 0.9, 1.1, 1.0)[variant]  # how deep the notch is
    points = []
    for step in range(60):
        angle = 2 * math.pi * step / 60
        across = 16 * math.sin(angle) ** 3
        up = (
            13 * math.cos(angle)
            - 5 * depth * math.cos(2 * angle)
            - 2 * math.cos(3 * angle)
            - math.cos(4 * angle)
        )
        points.append((across, -up))
    return points


def _diamond(variant: int):
    width = (1.0, 0.88, 0.77, 0.66)[variant]
    return _along([(0, -1), (width, 0), (0, 1), (-width, 0)])


def _cross(variant: int):
    arm = (0.3, 0.36, 0.26, 0.33)[variant]
    corners = [(-arm, -1), (arm, -1), (arm, -arm), (1, -arm), (1, arm), (arm, arm)]
    corners += [(-x, -y) for x, y in corners]
    return _along(corners, rounded=variant == 3)


def _moon(variant: int):
    """The part of a circle that a second circle, shifted sideways, leaves."""
    shift, reach = ((0.5, 0.85), (0.5, 0.85), (0.62, 0.95), (0.62, 0.95))[variant]
    x = (1 - reach**2 + shift**2) / (2 * shift)  # where the two circles cross
    y = math.sqrt(1 - x**2)
    outer, inner = math.degrees(math.atan2(y, x)), math.degrees(math.atan2(y, x - shift))
    points = _arc(0, 0, 1, outer, 360 - outer, 36) + _arc(shift, 0, reach, 360 - inner, inner, 24)
    return [(-x, y) for x, y in points] if variant % 2 else points


_DRAW = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "heart": _heart,
    "diamond": _diamond,
    "cross": _cross,
    "moon": _moon,
}


def _arc(x: float, y: float, radius: float, start: float, stop: float, count: int):
    angles = (math.radians(start + (stop - start) * step / count) for step in range(count))
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]


def _along(corners, rounded: bool = False):
    """Points along straight edges, every corner among them; if `rounded`, the corners are worn off."""
    ends = np.array(corners, dtype=float)
    steps = np.arange(round(60 / len(ends)))[:, None] / round(60 / len(ends))
    points = np.concatenate(
        [a + (b - a) * steps for a, b in zip(ends, np.roll(ends, -1, axis=0), strict=True)]
    )
    return (np.roll(points, 1, axis=0) + points + np.roll(points, -1, axis=0)) / 3 if rounded else points
