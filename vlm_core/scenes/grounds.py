"""What objects are drawn on: paper, screens, blackboards, noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

import numpy as np
from PIL import Image, ImageChops

from vlm_core.scenes.shades import Color, contrast, rgb
from vlm_core.scenes.world import IMAGE_SIZE

LEAST_CONTRAST = 80.0
"""How far the ground's colour stays from that of every object (Euclidean RGB)."""
_TILE = 384  # side of the noise that pictures cut theirs from
_GRAINS = (5, 9, 14)  # standard deviations of grain that are kept ready
_ATTEMPTS = 20

Tiles = tuple[Image.Image, Image.Image]
"""A tile of noise, and its mirror image."""


@dataclass(frozen=True)
class Ground:
    """A ground: one colour, perhaps changing across the picture, perhaps under noise or grain."""

    color: Color = (255, 255, 255)
    slope: tuple[int, int] = (0, 0)
    """By how much it brightens from left to right and from top to bottom; no corner may leave 0 to 255."""
    noise: float = 0.0
    """Share of uniform noise over all colours, 0 to 1; 1 hides the colour. Lies behind the objects."""
    grain: int = 0
    """Standard deviation of grain over the whole picture, objects included: 0, 5, 9 or 14."""
    seed: int = 0
    """Which noise and which grain."""


def draw_ground(rng: Random, style: str, shades: list[Color]) -> Ground:
    """A ground on which every one of the objects' `shades` can be seen; white if chance finds no other."""
    for _ in range(_ATTEMPTS):
        ground = _clean(rng) if style == "clean" else _drawn(rng)
        seen = [] if ground.noise == 1 else _corners(ground)
        if all(contrast(shade, color) >= LEAST_CONTRAST for shade in shades for color in seen):
            return ground
    return Ground()


def _clean(rng: Random) -> Ground:
    return Ground() if rng.random() < 0.5 else Ground(_tint(rng))


def _drawn(rng: Random) -> Ground:
    kind, seed = rng.random(), int(rng.random() * 2**32)
    grain = _GRAINS[int(rng.random() * len(_GRAINS))] if rng.random() < 0.15 else 0
    if kind < 0.45:
        return Ground(grain=grain, seed=seed)
    if kind < 0.6:
        return Ground(_tint(rng), grain=grain, seed=seed)
    if kind < 0.75:
        slope = tuple(int(rng.uniform(-45, 45)) for _ in range(2))
        brightest = 1 - (abs(slope[0]) + abs(slope[1]) + 2) / 510
        color = rgb(rng.random() * 360, rng.uniform(0, 0.2), rng.uniform(0.6, 1) * brightest)
        return Ground(color, slope, grain=grain, seed=seed)
    if kind < 0.87:
        color = rgb(rng.random() * 360, rng.uniform(0, 0.6), rng.uniform(0.05, 0.35))
        return Ground(color, grain=grain, seed=seed)
    noise = 1.0 if rng.random() < 0.5 else rng.uniform(0.15, 0.6)
    color = rgb(rng.random() * 360, rng.uniform(0, 0.2), rng.uniform(0.3, 1))
    return Ground(color, noise=noise, seed=seed)


def _tint(rng: Random) -> Color:
    return rgb(rng.random() * 360, rng.uniform(0, 0.1), rng.uniform(0.9, 1))


def _corners(ground: Ground) -> list[Color]:
    """The colours in the four corners, between which all others lie."""
    across, down = ground.slope
    shifts = [(a + b) / 2 for a in (-across, across) for b in (-down, down)] if across or down else [0]
    return [tuple(channel + shift for channel in ground.color) for shift in shifts]


def paint_ground(ground: Ground) -> Image.Image:
    """The empty ground, without its grain: an RGB picture, 224×224."""
    if ground.noise == 1:
        return _cut(_uniform_noise(), ground.seed)
    if any(ground.slope):
        plain = Image.fromarray(_graded(ground))
    else:
        plain = Image.new("RGB", (IMAGE_SIZE, IMAGE_SIZE), ground.color)
    if ground.noise:
        return Image.blend(plain, _cut(_uniform_noise(), ground.seed), ground.noise)
    return plain


def _graded(ground: Ground) -> np.ndarray:
    """(224, 224, 3): bytes add up modulo 256, cheap and right because every sum is a colour again."""
    across, down = (np.linspace(-end / 2, end / 2, IMAGE_SIZE).round() for end in ground.slope)
    row = (across[:, None] + np.array(ground.color)).astype(np.int16).astype(np.uint8).ravel()  # (224 · 3)
    return np.add.outer(down.astype(np.int16).astype(np.uint8), row).reshape(IMAGE_SIZE, IMAGE_SIZE, 3)


def add_grain(image: Image.Image, ground: Ground) -> Image.Image:
    """The finished picture under the ground's grain."""
    if not ground.grain:
        return image
    return ImageChops.add(image, _cut(_grain(ground.grain), ground.seed), offset=-128)


def _cut(tiles: Tiles, seed: int) -> Image.Image:
    """One of the 51,842 ways to cut and mirror a picture's worth of noise out of a larger tile."""
    places = _TILE - IMAGE_SIZE + 1
    x, y, mirrored = seed % places, seed // places % places, seed // places**2 % 2
    left = places - 1 - x if mirrored else x
    return tiles[mirrored].crop((left, y, left + IMAGE_SIZE, y + IMAGE_SIZE))


def _tiles(noise: np.ndarray) -> Tiles:
    return Image.fromarray(noise), Image.fromarray(np.ascontiguousarray(noise[:, ::-1]))


@cache
def _uniform_noise() -> Tiles:
    return _tiles(np.random.default_rng(0).integers(0, 256, (_TILE, _TILE, 3), dtype=np.uint8))


@cache
def _grain(deviation: int) -> Tiles:
    noise = np.random.default_rng(deviation).normal(128, deviation, (_TILE, _TILE, 3))
    return _tiles(noise.round().clip(0, 255).astype(np.uint8))
