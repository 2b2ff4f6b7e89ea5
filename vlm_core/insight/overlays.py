"""Attention painted on the picture, for files and slides; the page paints its own, on the same scale.

A color always means the same share of a word's attention, in every map: a weak map looks weak. The colors are
viridis, even in lightness and readable with any color vision.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vlm_core.model.generation import Caption

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.font_manager import FontProperties

FULL = 0.25
"""The share of attention on one patch that takes the last color; more looks the same."""
OPAQUE = 0.9
"""The most opacity a patch gets, from a good quarter of `FULL` on: the picture stays visible below."""
FONT = Path(__file__).parents[2] / "assets" / "fonts" / "noto-sans-sc.ttf"
"""Noto Sans SC cut down to this project's characters (SIL Open Font License)."""
COLUMNS = 5


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


def figure_strip(image: Image.Image, caption: Caption) -> Image.Image:
    """A figure of a whole caption, one panel a word and one legend for all, with the uniform level marked.

    A panel shows where the model looked for the word (mean of layers and heads), the word's probability, and
    the share of its attention that went to the null key, if the model has one.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    font = FontProperties(fname=FONT)
    tokens = caption.tokens
    null_key = any(token.null_mass.any() for token in tokens)
    columns = min(COLUMNS, len(tokens) + 1)
    rows = -(-(len(tokens) + 1) // columns)
    figure = Figure(figsize=(2.1 * columns, 2.75 * rows + 0.9), dpi=110, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    panels, legend = figure.subfigures(2, 1, height_ratios=(2.75 * rows, 0.9))
    axes = panels.subplots(rows, columns, squeeze=False).flatten()
    for axis in axes:
        axis.set_axis_off()
    axes[0].imshow(image)
    title = "the picture" if tokens else "the model said nothing"
    axes[0].set_title(title, fontproperties=font, fontsize=15)
    for axis, token in zip(axes[1:], tokens, strict=False):
        attention = token.attention.mean(axis=(0, 1))
        axis.imshow(paint(image, attention, 1 / (attention.size + null_key)))
        axis.set_title(token.text, fontproperties=font, fontsize=15)
        note = f"probability {token.probability:.0%}"
        if null_key:
            note += f"\nnull mass {token.null_mass.mean():.0%}"
        at = {"transform": axis.transAxes, "horizontalalignment": "center", "verticalalignment": "top"}
        axis.text(0.5, -0.04, note, fontproperties=font, fontsize=9, **at)
    if tokens:
        _draw_legend(legend.subplots(), 1 / (tokens[0].attention[0, 0].size + null_key), font)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _draw_legend(axis: Axes, uniform: float, font: FontProperties) -> None:
    shares = np.linspace(0, FULL, 256)[None]
    axis.imshow(np.ones((1, 1, 3)), extent=(0, FULL, 0, 1), aspect="auto")
    axis.imshow(colors(shares), extent=(0, FULL, 0, 1), aspect="auto")
    axis.axvline(uniform, color="black", linewidth=1.5)
    axis.set_yticks([])
    axis.set_xticks([uniform, 0.05, 0.1, 0.15, 0.2, FULL])
    names = [f"{uniform:.1%} if even", "5%", "10%", "15%", "20%", f"{FULL:.0%} or more"]
    axis.set_xticklabels(names, fontproperties=font, fontsize=9)
    label = "share of the word's attention on one patch; the outline holds what is above even"
    axis.set_xlabel(label, fontproperties=font, fontsize=9)


def _shrunk(mask: np.ndarray, by: int) -> np.ndarray:
    """`mask` without the pixels nearer than `by` to its outside; beyond the picture counts as inside."""
    padded = np.pad(mask, by, mode="edge")
    height, width = mask.shape
    shifts = [(down, right) for down in range(2 * by + 1) for right in range(2 * by + 1)]
    return np.all([padded[down : down + height, right : right + width] for down, right in shifts], axis=0)
