"""The bundled model reads what people bring: pictures that this project's renderer never made."""

from pathlib import Path

import gradio
import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.foreign import SOURCES, foreign_pictures
from vlm_core import VLM, sample_scene
from vlm_core.insight.certainty import certainty_of
from vlm_core.insight.exam import examine
from vlm_core.insight.overlays import FONT
from vlm_core.pictures import open_picture
from vlm_core.scenes.language import parse


@pytest.fixture(scope="module")
def vlm():
    return VLM.from_pretrained()


@pytest.fixture(scope="module")
def readings(vlm):
    """(picture, the one object its caption speaks of, or None) of every foreign picture."""
    read = []
    for picture in foreign_pictures():
        try:
            objects = parse(vlm.caption(picture.image).text, "en").objects
        except ValueError:
            objects = ()
        read.append((picture, objects[0] if len(objects) == 1 else None))
    return read


def share(readings, name: str) -> float:
    right = [said is not None and getattr(said, name) == getattr(true, name) for true, said in readings]
    return sum(right) / len(right)


def test_shapes_and_colours_of_all_of_them(readings):
    assert len(readings) == 280
    assert share(readings, "shape") >= 0.95
    assert share(readings, "color") >= 0.97


@pytest.mark.parametrize("source", SOURCES)
def test_no_source_is_a_blind_spot(readings, source):
    theirs = [(true, said) for true, said in readings if true.source == source]
    assert share(theirs, "shape") >= 0.9
    assert share(theirs, "color") >= 0.9


def tutorial_picture() -> Image.Image:
    """The tutorial's own: a 40 × 40 square of (0.8, 0.2, 0.2) in the middle of uniform noise."""
    pixels = np.random.default_rng(0).random((224, 224, 3))
    pixels[92:132, 92:132] = (0.8, 0.2, 0.2)
    return Image.fromarray((255 * pixels).astype(np.uint8))


def test_the_tutorials_picture_is_read_and_looked_at(vlm):
    caption = vlm.caption(tutorial_picture())
    assert caption.text == "a small red square at the center"
    assert vlm.caption(tutorial_picture(), "zh").text == "中央有一个小的红色方块"
    touched = np.zeros((14, 14), bool)
    touched[5:9, 5:9] = True  # rows and columns 92 to 131 lie in patches 5 to 8
    layer, head = examine(vlm, 2, "drawn").layer_head  # the one that the page shows
    for token in caption.tokens:
        if token.text in ("red", "square"):
            shown = token.attention[layer, head]
            assert touched.flat[shown.argmax()]
            assert shown[touched].sum() > 0.9


def blobs(seed: int) -> Image.Image:
    """Nothing the world has: soft blobs of many colours."""
    small = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((224, 224), Image.Resampling.BICUBIC)


def photographs() -> list[Image.Image]:
    """Those that come along with packages of the project."""
    samples = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    theirs = Path(gradio.__file__).parent / "media_assets" / "images"
    return [open_picture(path) for path in (samples, *sorted(theirs.glob("*.jp*g")))]


def written(words: str, size: int) -> Image.Image:
    """A text, a word or a letter, on white paper."""
    picture = Image.new("RGB", (224, 224), "white")
    ImageDraw.Draw(picture).multiline_text((16, 20), words, "black", ImageFont.truetype(str(FONT), size))
    return picture


def is_sure(vlm, picture: Image.Image) -> bool:
    return certainty_of(vlm, picture, vlm.caption(picture).tokens, "en").reason is None


@pytest.mark.parametrize(
    "strange",
    [
        *photographs(), *map(blobs, range(12)), written("Hello\nworld", 40), written("你好", 80), written("A", 150),
        written("7", 150), written("The quick\nbrown fox\njumps", 32),
        *(Image.new("RGB", (224, 224), paper) for paper in ("white", "black", "red")),
    ],
)  # fmt: skip
def test_it_is_not_sure_of_what_is_outside_the_world(vlm, strange):
    assert not is_sure(vlm, strange)


def test_it_is_sure_of_what_it_knows(vlm):
    assert sum(is_sure(vlm, picture.image) for picture in foreign_pictures()[::4]) >= 69  # of 70
    assert sum(is_sure(vlm, sample_scene(seed, 3).image) for seed in range(100)) >= 96
