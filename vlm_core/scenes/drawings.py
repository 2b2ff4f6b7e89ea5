"""A person's drawing of one thing: cut out of its picture, and drawn again as another hand would."""

from __future__ import annotations

import math
from functools import cache
from itertools import product
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from vlm_core.errors import UserError
from vlm_core.scenes.shapes import MOST_ROTATION, VARIANTS, Deformation, outline
from vlm_core.scenes.world import SHAPES

SIDE = 96
"""Longer side of a drawing that has been cut out, px."""
_STANDS_OUT = (24, 72)
"""From how far off its ground a pixel begins to belong to the drawing, and from how far it wholly does (0 to 255)."""
_LEAST_EXTENT, _LEAST_PAINT = 16, 60  # px, and px²
_MOST_ON_BORDER = 0.2  # share of the picture's border that is not ground
_MOST_ROTATION, _MOST_STRETCH, _MOST_SHEAR, _MOST_BEND = 18.0, 0.14, 0.12, 0.05
_HOLLOW = 1.15  # a silhouette that is so many times its paint has been drawn as a line
_LINE, _SOLID = 17, 0.3  # twice the width of a line, px, and what it must leave of a silhouette inside
_COARSE, _SAME = 40, 0.85  # px, and the overlap (intersection over union) above which two silhouettes are the same
_CELLS = 4  # along a side of the mesh that bends a drawing
_PENS = (0, 0, 1, 2, 3)
"""By how many px the pen is wider than what resizing makes of it."""


class Unfit(UserError):
    """A drawing or a word that cannot be taught; `reason` names why, for whoever tells it in another language."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


def cut_out(picture: Image.Image) -> Image.Image:
    """What stands out from its ground in a picture of one thing: an 'L' picture, 255 where there is paint, whose
    longer side is SIDE.

    Raises Unfit ("edge", "nothing", "small") if that is nothing that could be shown small or at another place.
    """
    pixels = np.asarray(picture.convert("RGB")).astype(np.int16)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    ground = np.median(border, axis=0)
    low, high = _STANDS_OUT
    if (np.abs(border - ground).max(axis=1) > high).mean() > _MOST_ON_BORDER:
        raise Unfit("edge", "The drawing runs over the edge; draw one thing with some room around it.")
    apart = np.abs(pixels - ground).max(axis=2)
    paint = ((apart - low) * (255 / (high - low))).clip(0, 255).astype(np.uint8)
    rows, columns = (np.flatnonzero((paint > 127).any(axis=axis)) for axis in (1, 0))
    if (paint > 127).sum() < _LEAST_PAINT:
        raise Unfit("nothing", "There is nothing in the picture that could be cut out; draw one thing on empty paper.")
    left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    if max(right - left, bottom - top) < _LEAST_EXTENT:
        raise Unfit("small", "The drawing is too small to learn from; draw it larger.")
    return _resize(Image.fromarray(paint[top:bottom, left:right]), SIDE)


def other_finishes(drawing: Image.Image) -> list[Image.Image]:
    """The same thing filled, if its lines enclose something, or as a line, if it is filled.

    None where that would look like one of the world's own shapes: a ring filled is a circle.
    """
    paint = np.asarray(drawing) > 127
    whole = _silhouette(paint)
    if _is_known(whole):
        return []
    finishes = []
    if whole.sum() > _HOLLOW * paint.sum():
        finishes.append(whole)
    inner = np.asarray(_sheet(whole).filter(ImageFilter.MinFilter(_LINE))) > 0
    if whole.sum() < _HOLLOW * paint.sum() and inner.sum() > _SOLID * whole.sum():
        finishes.append(whole & ~inner)
    return [_sheet(finish) for finish in finishes]


def _sheet(paint: np.ndarray) -> Image.Image:
    return Image.fromarray(paint.astype(np.uint8) * 255)


def _silhouette(paint: np.ndarray) -> np.ndarray:
    """Paint and all that it encloses."""
    room = _sheet(np.pad(paint, 1)).copy()  # what comes from an array can only be read
    ImageDraw.floodfill(room, (0, 0), 128)
    return np.asarray(room)[1:-1, 1:-1] != 128


def _is_known(whole: np.ndarray) -> bool:
    """Whether a silhouette is (nearly) that of one of the world's shapes."""
    seen = np.asarray(_sheet(whole).resize((_COARSE, _COARSE))) > 127
    return any((seen & known).sum() > _SAME * (seen | known).sum() for known in _known_silhouettes())


@cache
def _known_silhouettes() -> list[np.ndarray]:
    """The world's shapes, upright and turned both ways, each stretched to a square as `_is_known` does."""
    silhouettes = []
    for shape, variant, turn in product(SHAPES, range(VARIANTS), (-0.8, 0, 0.8)):
        points = outline(shape, variant, Deformation(rotation=turn * MOST_ROTATION[shape]))
        low, high = points.min(axis=0), points.max(axis=0)
        sheet = Image.new("L", (_COARSE, _COARSE))
        ImageDraw.Draw(sheet).polygon(((points - low) * (_COARSE - 1) / (high - low)).ravel().tolist(), fill=255)
        silhouettes.append(np.asarray(sheet) > 127)
    return silhouettes


def redraw(drawing: Image.Image, extent: float, rng: Random) -> Image.Image:
    """The same thing by another hand and perhaps another pen: an 'L' picture whose longer side is about `extent`."""
    bent = _bend(drawing, rng)
    sheet = bent.crop(bent.point(lambda value: 255 * (value > 127)).getbbox() or bent.getbbox())
    pen = _PENS[int(rng.random() * len(_PENS))]
    if not pen:
        return _resize(sheet, extent)
    sheet = _resize(sheet, extent - 2 * pen)
    room = Image.new("L", (sheet.width + 2 * pen, sheet.height + 2 * pen))
    room.paste(sheet, (pen, pen))
    # A blur, and then all of it that is not nearly white: lines get wider by about its radius.
    return room.filter(ImageFilter.BoxBlur(pen)).point(_swell(pen))


def _swell(pen: int) -> list[int]:
    line = 255 / (2 * pen + 1)  # what the blur makes of a line of one px
    return [round(min(max((value - 0.3 * line) / (0.7 * line), 0), 1) * 255) for value in range(256)]


def _bend(drawing: Image.Image, rng: Random) -> Image.Image:
    """Turned, stretched, sheared and bent a little, on a sheet with room for all of that."""
    angle = math.radians(rng.uniform(-1, 1) * _MOST_ROTATION)
    stretch, shear = 1 + rng.uniform(-1, 1) * _MOST_STRETCH, rng.uniform(-1, 1) * _MOST_SHEAR
    cosine, sine = math.cos(angle), math.sin(angle)
    # From the sheet back to the drawing; every corner of the mesh is off by a little more.
    matrix = np.array([[cosine * stretch, sine * stretch + shear], [-sine / stretch, cosine / stretch]])
    ends = np.linspace(0, 2 * SIDE, _CELLS + 1)
    corners = np.stack(np.meshgrid(ends, ends), axis=-1) - SIDE  # (rows, columns, 2) from the middle
    off = np.array([rng.uniform(-1, 1) for _ in range(corners.size)]).reshape(corners.shape) * _MOST_BEND * SIDE
    sources = (corners @ matrix.T + off + np.array(drawing.size) / 2).tolist()
    mesh = [
        (
            (int(ends[column]), int(ends[row]), int(ends[column + 1]), int(ends[row + 1])),
            (
                *sources[row][column], *sources[row + 1][column],
                *sources[row + 1][column + 1], *sources[row][column + 1],
            ),
        )
        for row in range(_CELLS)
        for column in range(_CELLS)
    ]  # fmt: skip
    return drawing.transform((2 * SIDE, 2 * SIDE), Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def _resize(sheet: Image.Image, extent: float) -> Image.Image:
    scale = extent / max(sheet.size)
    size = tuple(max(round(length * scale), 1) for length in sheet.size)
    return sheet.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC)
