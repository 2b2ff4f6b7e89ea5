"""The same picture with one of the world's colours turned into another."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from vlm_core.scenes.shades import names_of
from vlm_core.scenes.world import COLORS

LEAST = 60
"""A colour is there if so many pixels have it: the thinnest outline of the smallest object has some hundreds."""
SLACK = 0.02
"""How far a shade may lie outside of its colour's range: rounding and grain push some there."""
RIM = 2  # px around what has a colour, where paint and paper mix
AWAY = 6  # px around it, where there is paper alone
OFF = 60.0  # how far (RGB, 0 to 441) a mixture of paint and paper may lie from the line between the two


def colors_in(picture: Image.Image) -> tuple[str, ...]:
    """The world's colours that objects of a picture (RGB) have; that of its ground, most of its border, is not one."""
    pixels, names = np.asarray(picture), _names(picture)
    border = names_of(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]), SLACK)
    return tuple(
        name
        for place, name in enumerate(COLORS)
        if (border == place).mean() <= 0.5 and _solid(names == place).sum() >= LEAST
    )


def repaint(picture: Image.Image, old: str, new: str) -> Image.Image:
    """What has one of the world's colours gets another, its soft edges and its grain included; the rest stays."""
    pixels = np.asarray(picture).astype(np.float32)  # (height, width, 3)
    painted = _solid(_names(picture) == tuple(COLORS).index(old))
    if not painted.any():
        return picture
    shade = np.median(pixels[painted], axis=0)
    paper = _grown(painted, AWAY) & ~_grown(painted, RIM + 1)
    ground = np.median(pixels[paper], axis=0) if paper.any() else shade
    line = shade - ground
    share = ((pixels - ground) @ line / max(float(line @ line), 1.0)).clip(0, 1)  # of paint in each pixel
    off = np.linalg.norm(pixels - ground - share[..., None] * line, axis=-1)
    mixed = off < OFF
    share = np.where(_grown(painted, RIM) & mixed, share, 0)
    share[painted & (~mixed | ~_grown(~painted, RIM))] = 1
    turned = pixels + share[..., None] * (np.array(COLORS[new], np.float32) - shade)
    return Image.fromarray(turned.round().clip(0, 255).astype(np.uint8))


def _names(picture: Image.Image) -> np.ndarray:
    """(height, width): which colour's name each pixel has, grain smoothed."""
    return names_of(np.asarray(picture.filter(ImageFilter.MedianFilter(3))), SLACK)


def _solid(mask: np.ndarray) -> np.ndarray:
    """`mask` without specks, which noise has in every colour, and rims, where two colours mix to a third."""
    return np.asarray(Image.fromarray(mask.astype(np.uint8)).filter(ImageFilter.MedianFilter(3))) > 0


def _grown(mask: np.ndarray, by: int) -> np.ndarray:
    """`mask` and what is at most `by` pixels away from it; at most 7, or one pixel's part in a blur is lost."""
    return np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).filter(ImageFilter.BoxBlur(by))) > 0
