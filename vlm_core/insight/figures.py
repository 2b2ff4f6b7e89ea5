"""A caption as a figure for a paper or a slide: one column a word, each map on the picture, in PNG, SVG or PDF."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vlm_core.errors import UserError
from vlm_core.insight.overlays import FONT, FULL, colors
from vlm_core.model.generation import Caption, GeneratedToken

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = ("png", "svg", "pdf")
COLUMNS = 7
"""The most columns side by side: a figure is then as wide as a page's text, 7 inches, and its words stay readable."""
COLUMN, ROW, SCALE = 1.0, 1.62, 0.62
"""Inches: the width of a column, the height of a row of words, that of the scale below."""
PIXELS_PER_INCH = 200
FIXED = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""The same caption gives the same file, whenever it is drawn."""
WORDS = {
    "en": {
        "picture": "the picture",
        "silent": "it says nothing",
        "null": "null {share}",
        "even": "{share} if even",
        "full": "{share} or more",
        "scale": "share of the word's attention on one patch; the line surrounds the patches above even",
    },
    "zh": {
        "picture": "图片",
        "silent": "什么也没说",
        "null": "空键 {share}",
        "even": "{share} 平均",
        "full": "{share} 或更高",
        "scale": "一块上的注意力;线内的块高于平均",
    },
}
_drawing = threading.Lock()
"""Matplotlib's settings are the whole process's: one figure at a time sets them."""


def draw_strip(
    image: Image.Image, caption: Caption, kind: str = "png", layer_head: tuple[int, int] | None = None
) -> bytes:
    """The content of a picture file of `kind` (one of KINDS): the picture, then every word with its map.

    A title gives the word and its probability, the note below the share of attention on the null key, if there is
    one. Maps are those of one layer and head, or the mean of all, on the one absolute scale of `overlays.colors`; a
    line surrounds the patches above what each would get if the word looked everywhere alike. The figure speaks the
    caption's language. Raises UserError for another kind.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if kind not in KINDS:
        raise UserError(f"A figure cannot be a '{kind}'; choose one of: {', '.join(KINDS)}.")
    content = io.BytesIO()
    # Fonts that journals accept (TrueType, not Type 3) in a PDF, outlines that look alike everywhere in an SVG.
    settings = {"pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "vlm_core"}
    with _drawing, matplotlib.rc_context(settings):
        figure = _draw(image, caption, layer_head)
        FigureCanvasAgg(figure)
        figure.savefig(content, format=kind, dpi=PIXELS_PER_INCH, metadata=FIXED[kind])
    return content.getvalue()


def _draw(image: Image.Image, caption: Caption, layer_head: tuple[int, int] | None) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    words, font = WORDS[caption.language], FontProperties(fname=FONT)
    tokens = caption.tokens
    columns = min(COLUMNS, len(tokens) + 1)
    rows = -(-(len(tokens) + 1) // columns)
    scale = SCALE if tokens else 0.0
    width, height = max(columns * COLUMN, 3.4 if tokens else 1.5), rows * ROW + scale
    figure = Figure(figsize=(width, height))
    grid = {"left": 0.01, "right": 0.99, "top": 1 - 0.46 / height, "bottom": (scale + 0.24) / height}
    axes = figure.subplots(rows, columns, squeeze=False, gridspec_kw={**grid, "wspace": 0.08, "hspace": 0.78}).flatten()
    for axis in axes[len(tokens) + 1 :]:
        axis.set_axis_off()
    _frame(axes[0])
    axes[0].imshow(image, interpolation="none")
    axes[0].set_title(words["picture"] if tokens else words["silent"], fontproperties=font, fontsize=9)
    null_key = any(token.null_mass.any() for token in tokens)
    for axis, token in zip(axes[1:], tokens, strict=False):
        attention, null = _shown(token, layer_head)
        _draw_map(axis, image, attention, 1 / (attention.size + null_key))
        axis.set_title(token.text, fontproperties=font, fontsize=11, pad=13)
        note = words["null"].format(share=percent(null)) if null_key else ""
        for place, side, said in ((1.03, "bottom", percent(token.probability)), (-0.04, "top", note)):
            axis.text(
                0.5, place, said, fontproperties=font, fontsize=8, transform=axis.transAxes,
                horizontalalignment="center", verticalalignment=side,
            )  # fmt: skip
    if tokens:
        bar = figure.add_axes((0.5 - 1.5 / width, 0.4 / height, 3.0 / width, 0.12 / height))
        _draw_scale(bar, 1 / (tokens[0].attention[0, 0].size + null_key), words, font)
    return figure


def percent(share: float) -> str:
    """As the page writes it: 100 % from 99.5 on, a decimal below 10."""
    return "100 %" if share >= 0.995 else f"{100 * share:.{1 if share < 0.1 else 0}f} %"


def _shown(token: GeneratedToken, layer_head: tuple[int, int] | None) -> tuple[np.ndarray, float]:
    """The map (rows, columns) and the null mass of one head, or the means of all."""
    if layer_head is None:
        return token.attention.mean(axis=(0, 1)), float(token.null_mass.mean())
    return token.attention[layer_head], float(token.null_mass[layer_head])


def _draw_map(axis: Axes, image: Image.Image, attention: np.ndarray, uniform: float) -> None:
    from matplotlib.collections import LineCollection

    _frame(axis)
    rows, columns = attention.shape
    whole = (0, columns, rows, 0)
    axis.imshow(image, extent=whole, interpolation="none")
    axis.imshow(colors(attention), extent=whole, interpolation="none")
    # A value that rounding alone lifts above the uniform level is not above it.
    lines = outline(attention > uniform * (1 + 1e-4))
    axis.add_collection(LineCollection(lines, colors="black", linewidths=1.5, capstyle="projecting"))
    axis.add_collection(LineCollection(lines, colors="white", linewidths=0.6, capstyle="projecting"))


def _frame(axis: Axes) -> None:
    """A thin line around a picture whose ground may be as white as the paper."""
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set(color="#999999", linewidth=0.4)


def outline(inside: np.ndarray) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Lines ((x, y), (x, y)) between patches that are inside and patches, or the rim, that are not."""
    padded = np.pad(inside, 1).astype(int)
    across = np.argwhere(np.diff(padded, axis=0)[:, 1:-1])  # (row of the line, column)
    down = np.argwhere(np.diff(padded, axis=1)[1:-1])  # (row, column of the line)
    return [((x, y), (x + 1, y)) for y, x in across.tolist()] + [((x, y), (x, y + 1)) for y, x in down.tolist()]


def _draw_scale(axis: Axes, uniform: float, words: dict[str, str], font) -> None:
    shares = np.linspace(0, FULL, 256)[None]
    axis.set_facecolor("white")
    axis.imshow(colors(shares), extent=(0, FULL, 0, 1), aspect="auto")
    axis.axvline(uniform, color="black", linewidth=1.5)
    axis.set_yticks([])
    even = words["even"].format(share=f"{100 * uniform:.1f} %")
    full = words["full"].format(share=percent(FULL))
    axis.set_xticks([uniform, 0.1, 0.15, 0.2, FULL], [even, "10 %", "15 %", "20 %", full])
    for label in axis.get_xticklabels():
        label.set_font_properties(font)
        label.set_fontsize(7)
    axis.tick_params(length=2, pad=2)
    axis.set_xlabel(words["scale"], fontproperties=font, fontsize=7, labelpad=2)
