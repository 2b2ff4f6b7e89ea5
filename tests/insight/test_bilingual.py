"""Words of both languages meet by what they speak of, on every kind of scene and where a model gets it wrong."""

from dataclasses import replace

import numpy as np
import pytest

from vlm_core import sample_scene
from vlm_core.insight.bilingual import align, compare, tell
from vlm_core.scenes.language import Facts, ObjectFacts, caption
from vlm_core.scenes.tokenizer import WordTokenizer
from vlm_core.scenes.world import CHINESE, PLACES

TOKENIZER = WordTokenizer()


def told(text, language):
    return tell(TOKENIZER.split(text, language), language, TOKENIZER)


def spelled(word, text, language):
    tokens = TOKENIZER.split(text, language)[word.first : word.first + word.count]
    return (" " if language == "en" else "").join(tokens)


def objects(count):
    things = ["star red large", "moon blue small", "heart green small", "circle red large"]
    return [ObjectFacts(*thing.split()) for thing in things[:count]]


SCENES = [
    *(Facts((ObjectFacts("star", "red", "large", place),)) for place in PLACES),
    *(Facts(tuple(objects(2)), relation) for relation in ("left of", "above")),
    *(Facts(tuple(objects(count))) for count in (3, 4)),
]


@pytest.mark.parametrize("facts", SCENES, ids=lambda facts: caption(facts, "en"))
def test_every_word_finds_its_partner(facts):
    texts = {language: caption(facts, language) for language in ("en", "zh")}
    english, chinese = (told(text, language) for language, text in texts.items())
    assert english.caption and chinese.caption
    pairs = align(english, chinese)
    assert len(pairs) == 3 * len(facts.objects) + (len(facts.objects) < 3)
    for pair in pairs:
        assert pair.agree and pair.english.slot == pair.chinese.slot
        assert spelled(pair.english, texts["en"], "en") == pair.english.value
        assert spelled(pair.chinese, texts["zh"], "zh") == CHINESE[pair.english.value]


@pytest.mark.parametrize("seed", range(40))
def test_words_that_are_found_without_the_sentence_are_those_that_parsing_finds(seed):
    """Tokens that are no caption (here because more follows) still give the same words."""
    scene = sample_scene(seed, level=3, style="clean")
    for language in ("en", "zh"):
        whole = told(scene.caption(language), language)
        tokens = TOKENIZER.split(scene.caption(language), language)
        broken = tell([*tokens, tokens[0]], language, TOKENIZER)
        assert whole.caption and not broken.caption
        assert broken.words[: len(whole.words)] == whole.words


def test_captions_that_disagree_are_paired_by_what_they_speak_of():
    english = told("a large red circle left of a small blue star", "en")
    chinese = told("大的红色圆形在小的绿色星形的左边", "zh")
    differing = [pair for pair in align(english, chinese) if not pair.agree]
    assert [(pair.english.value, pair.chinese.value) for pair in differing] == [("blue", "green")]


def test_what_only_one_language_says_stays_alone():
    english = told("a large red circle at the top left", "en")
    chinese = told("大的红色圆形在小的绿色星形的左边", "zh")
    pairs = align(english, chinese)
    assert [pair.english.value for pair in pairs if pair.chinese is None] == ["top left"]
    alone = [pair.chinese.value for pair in pairs if pair.english is None]
    assert sorted(alone) == sorted(["small", "green", "star", "left of"])


def test_nonsense_gives_the_words_it_holds():
    nonsense = told("blue of blue at left", "en")
    assert not nonsense.caption
    assert [(word.slot, word.turn, word.value) for word in nonsense.words] == [
        ("color", 0, "blue"), ("color", 1, "blue"), ("place", 0, "left"),
    ]  # fmt: skip
    assert told("", "zh").words == ()


def test_likeness_is_one_for_the_same_map_and_nothing_for_maps_apart():
    first, second = np.zeros(196), np.zeros(196)
    first[:4], second[4:8] = 0.2, 0.1
    same = compare(first, first / 3)  # half the attention elsewhere is the same place all the same
    assert same.cosine == pytest.approx(1) and same.overlap == pytest.approx(1)
    apart = compare(first, second)
    assert apart.cosine == 0 and apart.overlap == 0
    half = np.zeros(196)
    half[2:6] = 0.2
    assert compare(first, half).overlap == pytest.approx(0.5)
    assert compare(first, np.zeros(196)).cosine == 0


@pytest.mark.parametrize("word", ["arrow", "箭头"])
@pytest.mark.parametrize("facts", SCENES, ids=lambda facts: caption(facts, "en"))
def test_a_word_that_was_taught_is_the_same_in_both(facts, word):
    first, *others = facts.objects
    facts = replace(facts, objects=(replace(first, shape=word), *others))
    both = []
    for language in ("en", "zh"):
        text = caption(facts, language)
        assert not told(text, language).caption  # without the lesson
        both.append(tell(TOKENIZER.split(text, language), language, TOKENIZER, (word,)))
    assert all(each.caption for each in both)
    pairs = align(*both)
    assert all(pair.agree for pair in pairs)
    assert next(pair.english.value for pair in pairs if pair.english.slot == "shape") == word
