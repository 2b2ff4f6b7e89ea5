"""How an outline is put to paper: filled, outlined, brushed or scribbled."""

from __future__ import annotations

import math
from random import Random

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

FINISHES = ("filled", "outlined", "brushed", "scribbled")
SUPERSAMPLING = 3
_HATCHES_TO_TELL = 14  # a shape that holds fewer strokes side by side cannot be told without its outline


def paint(
    outline: np.ndarray,
    size: tuple[int, int],
    finish: str,
    stroke: float,
    antialias: bool,
    softness: float,
    rng: Random,
) -> Image.Image:
    """Paint an outline (K, 2), px, on a sheet of `size`: an 'L' picture, 255 where there is paint.

    `stroke` is the width of the pen in px. `softness` blurs edges by that many px.
    """
    scale = SUPERSAMPLING if antialias else 1
    sheet = Image.new("L", (size[0] * scale, size[1] * scale))
    sheet = _PUT_TO_PAPER[finish](sheet, outline * scale, stroke * scale, rng)
    if antialias:
        sheet = sheet.reduce(SUPERSAMPLING)
    return sheet.filter(ImageFilter.BoxBlur(softness)) if softness else sheet


def _fill(sheet: Image.Image, points: np.ndarray, stroke: float, rng: Random) -> Image.Image:
    ImageDraw.Draw(sheet).polygon(_flat(points), fill=255)
    return sheet


def _outline(sheet: Image.Image, points: np.ndarray, stroke: float, rng: Random) -> Image.Image:
    _pull(ImageDraw.Draw(sheet), np.concatenate([points, points[:2]]), stroke)
    return sheet


def _brush(sheet: Image.Image, points: np.ndarray, stroke: float, rng: Random) -> Image.Image:
    """One pull of an uneven brush around the outline, which may end before or beyond where it began."""
    draw, count = ImageDraw.Draw(sheet), len(points)
    around = np.roll(points, int(rng.random() * count), axis=0)
    around = np.concatenate([around, around])[: count + int(rng.uniform(-3, 5))]
    drift = np.array([rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5)]) * stroke
    around = around + np.linspace(-1, 1, len(around))[:, None] * drift
    begin, width, lifts = 0, 1.0, rng.random() < 0.3
    while begin < len(around) - 1:
        end = min(begin + int(rng.uniform(5, 13)), len(around) - 1)
        width = min(max(width + rng.uniform(-0.25, 0.25), 0.65), 1.15)
        if lifts and begin > count / 3:  # the brush leaves the paper for a moment
            begin, lifts = begin + 3, False
        if begin < end:
            _pull(draw, around[begin : end + 1], width * stroke)
        begin = end
    return sheet


def _scribble(sheet: Image.Image, points: np.ndarray, stroke: float, rng: Random) -> Image.Image:
    """Hatching to and fro inside the outline, which is drawn as well or only felt."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle, reach = (low + high) / 2, math.hypot(*(high - low)) / 2
    step, angle = stroke * rng.uniform(0.9, 1.8), rng.uniform(0, math.pi)
    count = max(math.ceil(2 * reach / step), 2)
    along, across = np.linspace(-reach, reach, count), np.where(np.arange(count) % 2, reach, -reach)
    along = along + step * np.array([rng.uniform(-0.3, 0.3) for _ in range(count)])
    direction = np.array([math.cos(angle), math.sin(angle)])
    zigzag = middle + along[:, None] * direction + across[:, None] * np.array([-direction[1], direction[0]])
    ImageDraw.Draw(sheet).line(_flat(zigzag), fill=255, width=max(round(stroke), 1))
    inside = Image.new("L", sheet.size)
    edge = middle + (points - middle) * (1 + stroke / (high - low).max())
    ImageDraw.Draw(inside).polygon(_flat(edge), fill=255)
    sheet = ImageChops.darker(sheet, inside)
    legible = (high - low).max() > _HATCHES_TO_TELL * stroke
    return sheet if legible and rng.random() < 0.4 else _outline(sheet, points, stroke, rng)


_PUT_TO_PAPER = {"filled": _fill, "outlined": _outline, "brushed": _brush, "scribbled": _scribble}


def _pull(draw: ImageDraw.ImageDraw, points: np.ndarray, width: float) -> None:
    """A line through points with a round pen."""
    draw.line(_flat(points), fill=255, width=max(round(width), 1))
    reach = width / 2 - 0.5
    if reach > 1:  # Pillow leaves notches where segments meet
        boxes = np.concatenate([points - reach, points + reach], axis=1).tolist()
        for box in boxes:
            draw.ellipse(box, fill=255)


def _flat(points: np.ndarray) -> list[float]:
    return points.ravel().tolist()
