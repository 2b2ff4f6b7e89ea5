"""Pictures of attention tell the truth: one fixed scale, the uniform level visible, every character drawn."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.ft2font import FT2Font
from PIL import Image

from vlm_core.insight.overlays import FONT, FULL, colors, paint
from vlm_core.scenes.tokenizer import WordTokenizer
from vlm_core.scenes.world import CHINESE

UNIFORM = 1 / 196
WHITE = Image.new("RGB", (224, 224), "white")


def map_with(peak: float, row: int = 4, column: int = 9) -> np.ndarray:
    attention = np.full((14, 14), (1 - peak) / 195)
    attention[row, column] = peak
    return attention


def patch_color(image: Image.Image, row: int, column: int) -> np.ndarray:
    return np.asarray(image, dtype=int)[16 * row + 8, 16 * column + 8]


def test_a_uniform_map_paints_every_patch_alike_at_its_level_and_draws_no_outline():
    painted = np.asarray(paint(WHITE, np.full((14, 14), UNIFORM), UNIFORM), dtype=int)
    red, green, blue, opacity = colors(UNIFORM)
    expected = 255 * (1 - opacity) + 255 * np.array([red, green, blue]) * opacity
    assert np.abs(painted - expected).max() <= 1
    assert opacity < 0.1


def test_the_patch_with_the_most_attention_is_changed_most_and_outlined():
    peak = paint(WHITE, map_with(0.2), UNIFORM)
    changed = np.array([[np.abs(patch_color(peak, r, c) - 255).sum() for c in range(14)] for r in range(14)])
    assert np.unravel_index(changed.argmax(), changed.shape) == (4, 9)
    black = np.argwhere((np.asarray(peak) == 0).all(axis=2))
    assert len(black)
    assert {(y // 16, x // 16) for y, x in black} == {(4, 9)}


@pytest.mark.parametrize("share", [0.01, 0.05, 0.12])
def test_twice_the_attention_is_another_color_so_the_scale_is_not_the_maps_own(share):
    once, twice = paint(WHITE, map_with(share), UNIFORM), paint(WHITE, map_with(2 * share), UNIFORM)
    assert np.abs(patch_color(once, 4, 9) - patch_color(twice, 4, 9)).max() > 5


def test_beyond_the_end_of_the_scale_the_color_stays():
    assert np.array_equal(colors(FULL), colors(2 * FULL))
    assert not np.array_equal(colors(FULL), colors(0.9 * FULL))


def test_no_attention_leaves_the_picture_as_it_is():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8))
    assert np.array_equal(np.asarray(paint(image, np.zeros((14, 14)), UNIFORM)), np.asarray(image))


def test_the_font_has_every_character_a_caption_or_a_figure_can_show():
    known = FT2Font(str(FONT)).get_charmap()
    shown = set("".join([*CHINESE.values(), *WordTokenizer().vocabulary, "0123456789%'.;"]))
    assert not {character for character in shown if ord(character) not in known}


def test_importing_it_does_not_import_matplotlib():
    code = "import sys, vlm_core.insight.overlays; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
