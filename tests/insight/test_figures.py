"""Figures for papers: every word with its map, Chinese too, in three kinds of file."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from vlm_core.errors import UserError
from vlm_core.insight.figures import draw_strip, outline, percent
from vlm_core.model.generation import Caption, GeneratedToken

WHITE = Image.new("RGB", (224, 224), "white")


def token(text, row=4, null_mass=0.0, heads=1):
    """A word whose first head looks at one row of patches, and any other head at the first row."""
    maps = np.zeros((1, heads, 14, 14), np.float32)
    maps[0, :, 0, 5] = maps[0, 0, row, 5] = 0.2
    return GeneratedToken(7, text, 0.9, ((text, 0.9),), maps, np.full((1, heads), null_mass))


def caption(*tokens, language="zh"):
    return Caption("".join(token.text for token in tokens), tokens, language)


def pixels(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=int)


@pytest.mark.filterwarnings("error")  # matplotlib warns of a missing glyph
def test_another_map_changes_its_own_column_and_no_other():
    figure = pixels(draw_strip(WHITE, caption(token("红"), token("色"))))
    other = pixels(draw_strip(WHITE, caption(token("红"), token("色", row=9))))
    changed = np.argwhere((figure != other).any(axis=2))
    assert len(changed) and changed[:, 1].min() > 2 * figure.shape[1] / 3 - 2


def test_a_figure_shows_the_head_asked_for():
    words = caption(token("红", heads=2))
    first, second, mean = (pixels(draw_strip(WHITE, words, layer_head=head)) for head in ((0, 0), (0, 1), None))
    assert (first != second).any() and (first != mean).any() and (second != mean).any()


@pytest.mark.parametrize(("kind", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_each_kind_is_that_kind_and_the_same_every_time(kind, begins):
    content = draw_strip(WHITE, caption(token("红")), kind)
    assert content.startswith(begins)
    assert content == draw_strip(WHITE, caption(token("红")), kind)


def test_a_pdf_carries_its_font_as_journals_want_it():
    content = draw_strip(WHITE, caption(token("红")), "pdf")
    assert b"/Type3" not in content
    assert re.search(rb"/Subtype /(TrueType|Type0|CIDFontType2)", content)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.filterwarnings("error")
def test_a_caption_without_words_is_a_figure_that_says_so(language):
    assert pixels(draw_strip(WHITE, caption(language=language))).min() < 128


@pytest.mark.filterwarnings("error")
def test_the_longest_caption_fits():
    long = draw_strip(WHITE, caption(*[token("色", null_mass=0.1)] * 62))
    assert pixels(long).shape[1] == 1400 and pixels(long).shape[0] > 2000


def test_another_kind_is_refused_in_a_sentence():
    with pytest.raises(UserError, match="png, svg, pdf"):
        draw_strip(WHITE, caption(token("红")), "bmp")


def test_the_outline_surrounds_a_patch_and_runs_along_the_rim():
    inside = np.zeros((3, 3), bool)
    inside[0, 2] = True
    assert set(outline(inside)) == {((2, 0), (3, 0)), ((2, 1), (3, 1)), ((2, 0), (2, 1)), ((3, 0), (3, 1))}
    assert not outline(np.zeros((3, 3), bool))


@pytest.mark.parametrize(("share", "told"), [(0.9951, "100 %"), (0.994, "99 %"), (0.034, "3.4 %"), (0.0, "0.0 %")])
def test_a_probability_never_looks_surer_than_the_page_has_it(share, told):
    assert percent(share) == told
