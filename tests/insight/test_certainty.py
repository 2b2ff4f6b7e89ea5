"""A model is sure of a picture only if its colour and shape words are likely, and the same in every language."""

from types import SimpleNamespace

import pytest

from vlm_core.insight.certainty import SURE_FROM, certainty_of
from vlm_core.scenes.language import Facts, ObjectFacts, caption
from vlm_core.scenes.tokenizer import WordTokenizer

TOKENIZER = WordTokenizer()
FACTS = Facts((ObjectFacts("star", "red", "large", "center"),))
OTHER = Facts((ObjectFacts("moon", "red", "large", "center"),))
ELSEWHERE = Facts((ObjectFacts("star", "red", "small", "left"),))


def of_texts(texts, **chances):
    """Of a model that says these texts, per language; tokens have a probability of 0.99 unless given another."""

    def say(picture, language):
        words = TOKENIZER.split(texts[language], language)
        tokens = [SimpleNamespace(text=word, probability=chances.get(word, 0.99)) for word in words]
        return SimpleNamespace(text=texts[language], tokens=tokens, language=language)

    vlm = SimpleNamespace(tokenizer=TOKENIZER, run={}, languages=tuple(texts), caption=say)
    first = vlm.languages[0]
    return certainty_of(vlm, None, say(None, first).tokens, first)


def certainty(english, chinese=FACTS, **chances):
    return of_texts({"en": caption(english, "en"), "zh": caption(chinese, "zh")}, **chances)


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
    found = of_texts({"en": caption(FACTS, "en"), "zh": "红色红色"})
    assert (found.reason, found.language, found.text) == ("nonsense", "zh", "红色红色")


def test_a_model_of_one_language_is_asked_in_that():
    assert of_texts({"en": caption(FACTS, "en")}).reason is None
    assert of_texts({"en": caption(FACTS, "en")}, red=0.5).text == "red"
