"""A model is sure of a picture only if its colour and shape words are likely, and the same in every language."""

from types import SimpleNamespace

import pytest

from vlm_core.insight.certainty import SURE_FROM, certainty_of
from vlm_core.scenes.language import Facts, ObjectFacts, caption
from vlm_core.scenes.tokenizer import WordTokenizer

TOKENIZER = WordTokenizer()
VLM = SimpleNamespace(tokenizer=TOKENIZER, run={})
FACTS = Facts((ObjectFacts("star", "red", "large", "center"),))
OTHER = Facts((ObjectFacts("moon", "red", "large", "center"),))
ELSEWHERE = Facts((ObjectFacts("star", "red", "small", "left"),))


def said(text, language, **chances):
    tokens = TOKENIZER.split(text, language)
    return SimpleNamespace(
        text=text, tokens=[SimpleNamespace(text=token, probability=chances.get(token, 0.99)) for token in tokens]
    )


def certainty(english, chinese=FACTS, **chances):
    facts = {"en": english, "zh": chinese}
    return certainty_of(VLM, {each: said(caption(facts[each], each), each, **chances) for each in facts})


def test_captions_that_say_the_same_and_are_likely_are_sure():
    assert certainty(FACTS).reason is None


@pytest.mark.parametrize(
    ("token", "language", "word"), [("star", "en", "star"), ("星", "zh", "星形"), ("red", "en", "red")]
)
def test_an_unlikely_colour_or_shape_is_told_whatever_language_it_is_in(token, language, word):
    found = certainty(FACTS, **{token: 0.4})
    assert (found.reason, found.language, found.text, found.probability) == ("word", language, word, 0.4)
    assert certainty(FACTS, **{token: SURE_FROM}).reason is None


def test_sizes_and_places_may_be_in_doubt():
    assert certainty(FACTS, large=0.4, center=0.3).reason is None
    assert certainty(FACTS, ELSEWHERE).reason is None


def test_another_thing_in_another_language_is_told():
    found = certainty(FACTS, OTHER)
    assert (found.reason, found.language, found.text) == ("differs", "zh", caption(OTHER, "zh"))


def test_what_is_no_sentence_is_no_answer():
    captions = {"en": said("a red a red", "en"), "zh": said(caption(FACTS, "zh"), "zh")}
    assert certainty_of(VLM, captions).reason == "nonsense"


def test_a_model_of_one_language_is_asked_in_that():
    assert certainty_of(VLM, {"en": said(caption(FACTS, "en"), "en")}).reason is None
    assert certainty_of(VLM, {"en": said(caption(FACTS, "en"), "en", red=0.5)}).text == "red"
