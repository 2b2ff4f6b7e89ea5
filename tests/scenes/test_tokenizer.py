"""Tokenizers: captions survive the round trip, and every token knows what it speaks of."""

import json

import pytest

from vlm_core.config import CLASSIC_VOCABULARY, WORLD_VOCABULARY
from vlm_core.errors import UserError
from vlm_core.scenes.scene import sample_scene
from vlm_core.scenes.tokenizer import CharacterTokenizer, WordTokenizer, tokenizer_from_dict

SPEAKERS = [(WordTokenizer(), "en"), (WordTokenizer(), "zh"), (CharacterTokenizer(), "en")]


def test_vocabularies_have_the_sizes_that_the_presets_count_on():
    assert len(WordTokenizer()) == WORLD_VOCABULARY
    assert len(CharacterTokenizer()) == CLASSIC_VOCABULARY == 29


@pytest.mark.parametrize(("tokenizer", "language"), SPEAKERS)
def test_captions_survive_the_round_trip(tokenizer, language):
    for seed in range(200):
        text = sample_scene(seed, level=3).caption(language)
        ids = tokenizer.encode(text, language)
        assert ids[:2] == [tokenizer.begin_id, tokenizer.language_id(language)]
        assert ids[-1] == tokenizer.end_id
        assert tokenizer.decode([*ids, tokenizer.pad_id, tokenizer.pad_id]) == text


@pytest.mark.parametrize(("tokenizer", "language"), SPEAKERS)
def test_words_of_a_scene_give_the_tokens_of_its_caption_with_slot_and_object(tokenizer, language):
    for seed in range(200):
        scene = sample_scene(seed, level=3)
        ids, slots, objects = tokenizer.encode_words(scene.words(language), language)
        assert ids == tokenizer.encode(scene.caption(language), language)
        assert len(ids) == len(slots) == len(objects)
        assert (slots[0], slots[1], slots[-1]) == ("special",) * 3
        for index in range(len(scene.objects)):
            spoken = [
                i
                for i, slot, thing in zip(ids, slots, objects, strict=True)
                if (slot, thing) == ("color", index)
            ]
            word = next(
                word for word in scene.words(language) if (word.slot, word.object) == ("color", index)
            )
            assert tokenizer.decode(spoken) == word.text


def test_padding_is_zero_and_specials_are_all_different():
    tokenizer = WordTokenizer()
    specials = {
        tokenizer.begin_id,
        tokenizer.end_id,
        tokenizer.language_id("en"),
        tokenizer.language_id("zh"),
    }
    assert tokenizer.pad_id == 0
    assert len(specials) == 4


def test_english_falls_into_words_and_chinese_into_characters():
    tokenizer = WordTokenizer()
    assert tokenizer.split("a star, a heart", "en") == ["a", "star", ",", "a", "heart"]
    assert tokenizer.split("红色圆形", "zh") == ["红", "色", "圆", "形"]


def test_unknown_words_are_marked_and_stay_visible():
    tokenizer = WordTokenizer()
    ids = tokenizer.encode("a turquoise star", "en")
    assert tokenizer.decode(ids) == "a <unknown> star"


def test_an_added_word_keeps_every_other_id():
    tokenizer = WordTokenizer()
    before = tokenizer.vocabulary
    added = tokenizer.add_word("turquoise")
    assert tokenizer.vocabulary == (*before, "turquoise")
    assert tokenizer.add_word("turquoise") == added == len(before)
    assert tokenizer.decode(tokenizer.encode("a turquoise star", "en")) == "a turquoise star"


def test_characters_that_the_classic_tokenizer_lacks_are_refused():
    with pytest.raises(UserError):
        CharacterTokenizer().encode("a jazzy star", "en")


@pytest.mark.parametrize(("tokenizer", "language"), [(WordTokenizer(), "de"), (CharacterTokenizer(), "zh")])
def test_a_language_that_is_not_spoken_is_refused(tokenizer, language):
    with pytest.raises(UserError, match="choose one of: en"):
        tokenizer.language_id(language)


@pytest.mark.parametrize("tokenizer", [WordTokenizer(), CharacterTokenizer()])
def test_a_tokenizer_comes_back_from_json_the_same(tokenizer):
    tokenizer.add_word("7")
    restored = tokenizer_from_dict(json.loads(json.dumps(tokenizer.to_dict())))
    assert type(restored) is type(tokenizer)
    assert restored.vocabulary == tokenizer.vocabulary
    assert restored.encode("a red star 7", "en") == tokenizer.encode("a red star 7", "en")


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "syllables", "vocabulary": []},
        {"kind": "words", "vocabulary": ["a", "star"]},
        {"kind": "words", "vocabulary": ["a", "<pad>", "<begin>", "<end>", "<en>", "<zh>", "<unknown>"]},
        {"kind": "words", "vocabulary": [*WordTokenizer().vocabulary, "star"]},
    ],
)
def test_what_is_no_tokenizer_is_refused(values):
    with pytest.raises(ValueError):
        tokenizer_from_dict(values)
