"""Pictures of attention tell the truth: one fixed scale, the uniform level visible, every character drawn."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.ft2font import FT2Font

from vlm_core.insight.overlays import FONT, FULL, colors
from vlm_core.scenes.tokenizer import WordTokenizer
from vlm_core.scenes.world import CHINESE


@pytest.mark.parametrize("share", [0.01, 0.05, 0.12])
def test_twice_the_attention_is_another_color_so_the_scale_is_not_the_maps_own(share):
    once, twice = colors(np.array([share, 0.2])), colors(np.array([2 * share, 0.2]))
    assert np.abs(once[0] - twice[0]).max() > 0.02 and np.array_equal(once[1], twice[1])


def test_looking_everywhere_alike_hardly_shows_and_nothing_shows_nothing():
    assert 0 < colors(1 / 196)[3] < 0.1
    assert colors(0.0)[3] == 0


def test_beyond_the_end_of_the_scale_the_color_stays():
    assert np.array_equal(colors(FULL), colors(2 * FULL))
    assert not np.array_equal(colors(FULL), colors(0.9 * FULL))


def test_the_font_has_every_character_a_caption_or_a_figure_can_show():
    known = FT2Font(str(FONT)).get_charmap()
    shown = set("".join([*CHINESE.values(), *WordTokenizer().vocabulary, "0123456789%'.;"]))
    assert not {character for character in shown if ord(character) not in known}


def test_importing_it_does_not_import_matplotlib():
    code = "import sys, vlm_core.insight.overlays; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
