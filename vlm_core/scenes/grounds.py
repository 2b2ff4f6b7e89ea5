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


@dataclass(frozen=True)
class Ground:
    """A ground: one colour, perhaps changing across the picture, perhaps under noise or grain."""

    color: Color = (255, 255, 255)
    slope: tuple[int, int] = (0, 0)
    """By how much it brightens from left to right and from top to bottom (0 to 255)."""
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
        if ground.noise == 1 or all(contrast(shade, seen) >= LEAST_CONTRAST for shade in shades for seen in _ends(ground)):
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
        slope = tuple(int(rng.uniform(-40, 40)) for _ in range(2))
        return Ground(rgb(rng.random() * 360, rng.uniform(0, 0.2), rng.uniform(0.6, 0.95)), slope, grain=grain, seed=seed)
    if kind < 0.87:
        return Ground(rgb(rng.random() * 360, rng.uniform(0, 0.6), rng.uniform(0.05, 0.35)), grain=grain, seed=seed)
    noise = 1.0 if rng.random() < 0.5 else rng.uniform(0.15, 0.6)
    return Ground(rgb(rng.random() * 360, rng.uniform(0, 0.2), rng.uniform(0.3, 1)), noise=noise, seed=seed)


def _tint(rng: Random) -> Color:
    return rgb(rng.random() * 360, rng.uniform(0, 0.1), rng.uniform(0.9, 1))


def _ends(ground: Ground) -> list[Color]:
    """The colours in the four corners, between which all others lie."""
    across, down = ground.slope
    shifts = [(a + b) / 2 for a in (-across, across) for b in (-down, down)] if across or down else [0]
    return [tuple(min(max(channel + shift, 0), 255) for channel in ground.color) for shift in shifts]


def paint_ground(ground: Ground) -> Image.Image:
    """The empty ground, without its grain: an RGB picture, 224×224."""
    if ground.noise == 1:
        return Image.fromarray(_cut(_uniform_noise(), ground.seed))
    if any(ground.slope):
        across, down = (np.linspace(-end / 2, end / 2, IMAGE_SIZE) for end in ground.slope)
        shades = np.add.outer(down, across)[..., None] + np.array(ground.color)
        plain = Image.fromarray(shades.clip(0, 255).astype(np.uint8))
    else:
        plain = Image.new("RGB", (IMAGE_SIZE, IMAGE_SIZE), ground.color)
    if ground.noise:
        return Image.blend(plain, Image.fromarray(_cut(_uniform_noise(), ground.seed)), ground.noise)
    return plain


def add_grain(image: Image.Image, ground: Ground) -> Image.Image:
    """The finished picture under the ground's grain."""
    if not ground.grain:
        return image
    return ImageChops.add(image, Image.fromarray(_cut(_grain(ground.grain), ground.seed)), offset=-128)


def _cut(tile: np.ndarray, seed: int) -> np.ndarray:
    """One of the 51,842 ways to cut and mirror a picture's worth of noise out of a larger tile."""
    places = _TILE - IMAGE_SIZE + 1
    x, y, mirrored = seed % places, seed // places % places, seed // places**2 % 2
    cut = tile[y : y + IMAGE_SIZE, x : x + IMAGE_SIZE]
    return cut[:, ::-1] if mirrored else cut


@cache
def _uniform_noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (_TILE, _TILE, 3), dtype=np.uint8)


@cache
def _grain(deviation: int) -> np.ndarray:
    noise = np.random.default_rng(deviation).normal(128, deviation, (_TILE, _TILE, 3))
    return noise.round().clip(0, 255).astype(np.uint8)
