"""Maps over the patches of a picture, drawn as SVG. No Gradio in here; static/lens.js paints the same in a browser."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import numpy as np

from vlm_core.scenes.world import GRID


def draw_map(picture: str, name: str, shares: np.ndarray | None, uniform: float, touched: Iterable[int] | None) -> str:
    """A picture (a data: address) with one map on it.

    `shares` (196): of attention or of taps, painted on the absolute scale of `insight.overlays.colors`, with a dashed
    line around patches above `uniform`; None for no map. `touched`: patches to outline. `name` is for whoever cannot
    see it.
    """
    return (
        f'<svg class="map" viewBox="0 0 {GRID} {GRID}" role="img" aria-label="{escape(name)}">'
        f'<image href="{picture}" width="{GRID}" height="{GRID}"/>'
        f"{'' if shares is None else _squares(shares, uniform)}"
        f"{'' if touched is None else _line(touched, 'object')}</svg>"
    )


def _squares(shares: np.ndarray, uniform: float) -> str:
    from vlm_core.insight.overlays import colors

    squares = "".join(
        f'<rect x="{patch % GRID}" y="{patch // GRID}" width="1" height="1" fill="rgb({r:.0f} {g:.0f} {b:.0f})" '
        f'fill-opacity="{alpha:.3f}" data-share="{share:.4f}"/>'
        for patch, (share, (r, g, b, alpha)) in enumerate(zip(shares, colors(shares) * (255, 255, 255, 1), strict=True))
        if share > 0
    )
    above = np.flatnonzero(shares > uniform * (1 + 1e-4)).tolist()
    return squares + _line(above, "contour under") + _line(above, "contour")


def _line(patches: Iterable[int], name: str) -> str:
    return f'<path class="{name}" d="{outline(patches)}"/>'


def outline(patches: Iterable[int]) -> str:
    """Path between patches that are among `patches` and patches that are not."""
    inside = {divmod(patch, GRID) for patch in patches}
    lines = []
    for row, column in sorted(inside):
        lines += [f"M{column} {row}h1"] if (row - 1, column) not in inside else []
        lines += [f"M{column} {row + 1}h1"] if (row + 1, column) not in inside else []
        lines += [f"M{column} {row}v1"] if (row, column - 1) not in inside else []
        lines += [f"M{column + 1} {row}v1"] if (row, column + 1) not in inside else []
    return "".join(lines)
