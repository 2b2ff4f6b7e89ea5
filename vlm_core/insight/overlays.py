"""Attention painted on the picture, for files and slides; the page paints its own, on the same scale.

A color always means the same share of a word's attention, in every map: a weak map looks weak. The colors are
viridis, even in lightness and readable with any color vision.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

FULL = 0.25
"""The share of attention on one patch that takes the last color; more looks the same."""
OPAQUE = 0.9
"""The most opacity a patch gets, from a good quarter of `FULL` on: the picture stays visible below."""
FONT = Path(__file__).parents[2] / "assets" / "fonts" / "noto-sans-sc.ttf"
"""Noto Sans SC cut down to this project's characters (SIL Open Font License)."""


def colors(attention: np.ndarray) -> np.ndarray:
    """Shares of attention, any shape → RGBA (…, 4) in 0..1, never stretched to a map's own peak."""
    from matplotlib import colormaps

    share = np.asarray(attention, dtype=float) / FULL
    rgba = np.array(colormaps["viridis"](np.clip(share, 0, 1)))
    rgba[..., 3] = np.minimum(3.2 * share, OPAQUE)
    return rgba


def paint(image: Image.Image, attention_map: np.ndarray, uniform: float) -> Image.Image:
    """One map (rows, columns) over its picture, each patch a flat square, on the absolute scale of `colors`.

    `attention_map` holds each patch's share of the word's attention, 0 to 1; 0.25 takes the last color.
    A white line with a black one inside surrounds the patches that got more than `uniform`: what each would
    get if the word looked everywhere alike, the null key included (1/197 for a 14 × 14 grid with one).
    """
    attention_map = np.asarray(attention_map)
    rows, columns = attention_map.shape
    picture = np.asarray(image.convert("RGB"), dtype=float)
    height, width = picture.shape[:2]
    row = np.arange(height) * rows // height
    column = np.arange(width) * columns // width
    rgba = colors(attention_map)[row][:, column]  # (height, width, 4)
    painted = picture * (1 - rgba[..., 3:]) + 255 * rgba[..., :3] * rgba[..., 3:]
    # A value that rounding alone lifts above the uniform level is not above it.
    above = (attention_map > uniform * (1 + 1e-4))[row][:, column]
    rim = above & ~_shrunk(above, 1)
    painted[above & ~rim & ~_shrunk(above, 2)] = (0, 0, 0)
    painted[rim] = (255, 255, 255)
    return Image.fromarray(painted.round().astype(np.uint8))


def _shrunk(mask: np.ndarray, by: int) -> np.ndarray:
    """`mask` without the pixels nearer than `by` to its outside; beyond the picture counts as inside."""
    padded = np.pad(mask, by, mode="edge")
    height, width = mask.shape
    shifts = [(down, right) for down in range(2 * by + 1) for right in range(2 * by + 1)]
    return np.all([padded[down : down + height, right : right + width] for down, right in shifts], axis=0)
