"""A scene as pixels: the ground, then one object after the other, and which pixel belongs to which."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from vlm_core.scenes.drawings import redraw
from vlm_core.scenes.grounds import add_grain, paint_ground
from vlm_core.scenes.shapes import outline
from vlm_core.scenes.strokes import paint
from vlm_core.scenes.world import IMAGE_SIZE

if TYPE_CHECKING:
    from vlm_core.scenes.objects import SceneObject
    from vlm_core.scenes.scene import Scene

_ROOM = 3  # px around an object's box for blur and for the wandering of a brush


@dataclass(frozen=True)
class Rendering:
    """What a scene looks like and where its objects are."""

    image: Image.Image
    """RGB, 224×224."""
    owners: np.ndarray
    """(224, 224) uint8: 0 for the ground, i + 1 for object i."""


def render(scene: Scene) -> Rendering:
    """Draw a scene; always the same pixels for the same scene."""
    canvas = paint_ground(scene.ground)
    owners = Image.new("L", canvas.size)
    for index, thing in enumerate(scene.objects):
        left, top = (max(math.floor(value - thing.radius) - _ROOM, 0) for value in thing.center)
        right, bottom = (min(math.ceil(value + thing.radius) + _ROOM, IMAGE_SIZE) for value in thing.center)
        size = (right - left, bottom - top)
        if thing.drawing is not None:
            sheet = _redraw(thing, size, (left, top))
        else:
            points = outline(thing.shape, thing.variant, thing.deformation) * (thing.radius - thing.stroke / 2)
            points += np.array(thing.center) - (left, top)
            sheet = paint(
                points, size, thing.finish, thing.stroke, scene.antialias, scene.softness, Random(thing.seed)
            )
            if thing.finish != "filled":
                enclosed = points + np.array((left, top))
                ImageDraw.Draw(owners).polygon(enclosed.ravel().tolist(), fill=index + 1)
        canvas.paste(thing.rgb, (left, top), sheet)
        owners.paste(index + 1, (left, top), sheet.convert("1", dither=Image.Dither.NONE))
    return Rendering(add_grain(canvas, scene.ground), np.asarray(owners))


def _redraw(thing: SceneObject, size: tuple[int, int], corner: tuple[int, int]) -> Image.Image:
    """The object's drawing by the object's own hand, on a sheet of `size` whose corner (left, top) lies there."""
    drawn = redraw(thing.drawing, 2 * thing.radius, Random(thing.seed))
    (x, y), (left, top) = thing.center, corner
    sheet = Image.new("L", size)
    sheet.paste(drawn, (round(x - left - drawn.width / 2), round(y - top - drawn.height / 2)))
    return sheet
