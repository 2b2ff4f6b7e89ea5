"""The bilingual lens: both captions of the model that speaks, their words in pairs, what is measured between them."""

import json
import re
from html import unescape
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vlm_core.app import speakers
from vlm_core.app.images import data_uri
from vlm_core.app.panels import bilingual
from vlm_core.app.questions import answered
from vlm_core.app.runs import Runs
from vlm_core.errors import UserError
from vlm_core.insight.exam import Exam
from vlm_core.scenes.tokenizer import WordTokenizer


def data(html):
    return json.loads(unescape(re.search(r'data-json="([^"]*)"', html).group(1)))


def drawn():
    sheet = Image.new("RGB", (224, 224), "white")
    ImageDraw.Draw(sheet).rectangle((50, 50, 125, 125), fill="red")
    return data_uri(sheet)


class Speaker:
    """Says what it is told to, and looks at patch number n (head 0) or everywhere alike (head 1) for its n-th token."""

    trained_steps = 7
    config = SimpleNamespace(grid=14, patches=196, keys=197, null_key=True)
    tokenizer = WordTokenizer()

    def __init__(self, **texts):
        self.texts = texts
        self.languages, self.run = ("en",), {}

    def caption(self, picture, language):
        if language not in self.texts:
            raise UserError("This model does not speak it.")
        tokens = []
        for place, text in enumerate(self.tokenizer.split(self.texts[language], language)):
            attention = np.full((1, 2, 14, 14), 0.5 / 196)
            attention[0, 0] = 0
            attention[0, 0].flat[place] = 0.9
            null_mass = 1 - attention.sum(axis=(2, 3))
            tokens.append(SimpleNamespace(text=text, probability=0.8, attention=attention, null_mass=null_mass))
        return SimpleNamespace(tokens=tokens)


def shown(monkeypatch, speaker, head=(0, 0)):
    monkeypatch.setattr(speakers, "bundled_model", lambda: speaker)
    monkeypatch.setattr(speakers, "bundled_exam", lambda: Exam(head, 0.9, 0.8, 0.1, 0.5))
    return data(answered(Runs(), bilingual.show_both, "", drawn(), "en", "bundled", "", None, "en"))


def test_words_of_both_languages_meet_with_their_maps(monkeypatch):
    told = shown(monkeypatch, Speaker(en="a large red circle at the top left", zh="左上角有一个大的红色圆形"))
    assert told["captions"]["en"]["caption"] and told["captions"]["zh"]["caption"]
    red = told["pairs"][1]
    assert red["agree"] and red["en"]["first"] == 2 and red["zh"]["first"] == 8 and red["zh"]["count"] == 2
    assert np.argmax(red["en"]["map"]) == 2 and np.argmax(red["zh"]["map"]) == 8  # of 红, which decides 红色
    assert red["like"] == {"cosine": 0, "overlap": 0}
    assert red["en"]["null"] == pytest.approx(0.1)
    assert told["taught"] == ["en"]


def test_the_head_shown_is_the_one_that_points_best_or_the_mean_of_all(monkeypatch):
    speaker = Speaker(en="a large red circle at the top left", zh="左上角有一个大的红色圆形")
    flat = shown(monkeypatch, speaker, head=(0, 1))
    assert flat["head"] == [0, 1]
    assert flat["pairs"][0]["like"] == {"cosine": 1, "overlap": 1}
    assert flat["pairs"][0]["en"]["null"] == pytest.approx(0.5)
    mean = shown(monkeypatch, speaker, head=None)
    assert mean["head"] is None
    assert max(mean["pairs"][0]["en"]["map"]) == pytest.approx(0.45 + 0.25 / 196, abs=1e-4)


def test_likeness_stands_beside_that_of_another_objects_words(monkeypatch):
    both = Speaker(en="a large red circle left of a small blue star", zh="大的红色圆形在小的蓝色星形的左边")
    told = shown(monkeypatch, both, head=(0, 1))
    others = [pair["other"] for pair in told["pairs"]]
    assert others.count(None) == 1 and set(others) == {None, 1}  # a relation speaks of no single object
    one = shown(monkeypatch, Speaker(en="a large red circle at the top", zh="上方有一个大的红色圆形"))
    assert {pair["other"] for pair in one["pairs"]} == {None}


def test_captions_that_differ_or_are_none_are_told_as_such(monkeypatch):
    told = shown(monkeypatch, Speaker(en="red red circle", zh="上方有一个大的蓝色圆形"))
    assert not told["captions"]["en"]["caption"] and told["captions"]["zh"]["caption"]
    colors = [pair for pair in told["pairs"] if pair["en"] and pair["en"]["first"] < 2]
    assert [pair["agree"] for pair in colors] == [False, False]
    assert colors[1]["zh"] is None and colors[1]["like"] is None


def test_a_model_of_one_language_says_so_in_a_sentence(monkeypatch):
    with pytest.raises(UserError, match="does not speak"):
        shown(monkeypatch, Speaker(en="a large red circle at the top"))
