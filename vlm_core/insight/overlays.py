"""Attention painted on the picture, for files and slides; the page paints its own, on the same scale.

A color always means the same share of a word's attention, in every map: a weak map looks weak. The colors are
viridis, even in lightness and readable with any color vision.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

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
