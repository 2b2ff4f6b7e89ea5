"""What goes to the canvas and comes from it. The canvas itself lives in static/canvas.js."""

from __future__ import annotations

import base64
import binascii
import hashlib
import random
from collections import OrderedDict
from functools import cache

from PIL import Image

from vlm_core.app.images import as_data, data_uri
from vlm_core.app.texts import text
from vlm_core.errors import UserError
from vlm_core.pictures import is_blank, open_picture
from vlm_core.scenes import Scene, sample_scene

PREFIX = "data:image/png;base64,"
SAMPLE_SEEDS = ((2, 1), (7, 2), (11, 2), (19, 2), (23, 3), (31, 2), (42, 1), (58, 3))
"""(seed, level) of the ready pictures: evaluation scenes, which no training draws."""
MOST_KNOWN = 20_000
_known: OrderedDict[bytes, tuple[int, int, str]] = OrderedDict()
"""(seed, level, style) of the scenes that were handed out last, by a digest of their pixels."""


def on_canvas(picture: Image.Image) -> str:
    """A picture for canvas.js to put on the canvas."""
    return as_data({"image": data_uri(picture), "time": random.random()})  # the same one again is put there again


def random_scene() -> Scene:
    """A scene that nobody has seen; what it shows is remembered for a while."""
    return scene_of(random.randrange(1 << 30), level=2, style="drawn")


def scene_of(seed: int, level: int, style: str) -> Scene:
    """A scene of the world by its seed; what it shows is remembered for a while."""
    scene = sample_scene(seed, level, style)
    _known[_digest(scene.image)] = seed, level, style
    while len(_known) > MOST_KNOWN:
        _known.popitem(last=False)
    return scene


@cache
def sample_scenes() -> list[Scene]:
    return [sample_scene(seed, level, "drawn") for seed, level in SAMPLE_SEEDS]


def what_it_shows(picture: Image.Image) -> Scene | None:
    """The scene that a picture is, to the pixel; None for whatever a person drew or changed."""
    digest = _digest(picture)
    if found := _known.get(digest):
        return sample_scene(*found)
    return next((scene for scene in sample_scenes() if _digest(scene.image) == digest), None)


def _digest(picture: Image.Image) -> bytes:
    return hashlib.blake2b(picture.tobytes(), digest_size=16).digest()


def read_picture(drawn: str | None, language: str) -> Image.Image:
    """What is on the canvas, 224 × 224. Raises UserError if that is nothing, or no picture."""
    if not drawn:
        raise UserError(text(language, "empty_canvas"))
    try:
        content = base64.b64decode(drawn.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise UserError(text(language, "no_drawing")) from error
    picture = open_picture(content)
    if is_blank(picture):
        raise UserError(text(language, "empty_canvas"))
    return picture
