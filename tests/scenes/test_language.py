"""Captions: exactly the canonical texts, and back to exactly the same facts."""

from itertools import product

import pytest

from vlm_core.scenes.language import Facts, ObjectFacts, caption, caption_words, parse
from vlm_core.scenes.scene import sample_scene
from vlm_core.scenes.world import CHINESE, COLORS, LANGUAGES, LEVELS, PLACES, RELATIONS, SHAPES, SIZES

CIRCLE = ObjectFacts("circle", "red", "large")
STAR = ObjectFacts("star", "blue", "small")
HEART = ObjectFacts("heart", "green", "small")
CANONICAL = [
    (
        Facts((ObjectFacts("circle", "red", "large", "top left"),)),
        "a large red circle at the top left",
        "左上角有一个大的红色圆形",
    ),
    (
        Facts((CIRCLE, STAR), "left of"),
        "a large red circle left of a small blue star",
        "大的红色圆形在小的蓝色星形的左边",
    ),
    (
        Facts((CIRCLE, STAR), "above"),
        "a large red circle above a small blue star",
        "大的红色圆形在小的蓝色星形的上方",
    ),
    (
        Facts((CIRCLE, STAR, HEART)),
        "a large red circle, a small blue star and a small green heart",
        "有大的红色圆形、小的蓝色星形和小的绿色心形",
    ),
    (
        Facts((CIRCLE, STAR, HEART, ObjectFacts("moon", "orange", "large"))),
        "a large red circle, a small blue star, a small green heart and a large orange moon",
        "有大的红色圆形、小的蓝色星形、小的绿色心形和大的橙色月亮",
    ),
]


@pytest.mark.parametrize(("facts", "english", "chinese"), CANONICAL)
def test_captions_are_the_canonical_ones(facts, english, chinese):
    assert caption(facts, "en") == english
    assert caption(facts, "zh") == chinese


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_caption_parses_back_to_its_facts_and_no_two_facts_share_one(language):
    things = [ObjectFacts(*traits) for traits in product(SHAPES, COLORS, SIZES)]
    alone = [
        Facts((ObjectFacts(thing.shape, thing.color, thing.size, place),))
        for thing in things
        for place in PLACES
    ]
    pairs = [Facts((first, HEART), relation) for first in things for relation in RELATIONS]
    pairs += [Facts((HEART, second), relation) for second in things for relation in RELATIONS]
    rows = [Facts((CIRCLE, thing, STAR)) for thing in things] + [
        Facts((thing, CIRCLE, STAR, HEART)) for thing in things
    ]
    every = {*alone, *pairs, *rows}
    assert {caption(facts, language): facts for facts in every}.keys() == {
        text for facts in every if parse(text := caption(facts, language), language) == facts
    }
    assert len({caption(facts, language) for facts in every}) == len(every)


@pytest.mark.parametrize("level", LEVELS)
def test_captions_of_sampled_scenes_parse_back(level):
    for seed in range(300):
        scene = sample_scene(seed, level)
        for language in LANGUAGES:
            assert parse(scene.caption(language), language) == scene.facts


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "en"),
        ("a large red circle", "en"),
        ("A large red circle at the top left", "en"),
        ("a large red circle at the top left ", "en"),
        ("a large red circle at the top left\n", "en"),
        ("a large  red circle at the top left", "en"),
        ("an large orange circle at the top left", "en"),
        ("a red large circle at the top left", "en"),
        ("a large crimson circle at the top left", "en"),
        ("a large red circle right of a small blue star", "en"),
        ("a large red circle and a small blue star", "en"),
        ("a large red circle, a small blue star, a small green heart", "en"),
        ("a large red circle, a small blue star, and a small green heart", "en"),
        ("a large red circle left of a small blue star left of a small green heart", "en"),
        ("左上角有一个大的红色圆形", "en"),
        ("", "zh"),
        ("大的红色圆形", "zh"),
        ("左上角有一个大的红色圆形。", "zh"),
        ("左上角有一个红色圆形", "zh"),
        ("左上角 有一个大的红色圆形", "zh"),
        ("大的红色圆形在小的蓝色星形的右边", "zh"),
        ("有大的红色圆形和小的蓝色星形", "zh"),
        ("有大的红色圆形、小的蓝色星形、小的绿色心形", "zh"),
        ("a large red circle at the top left", "zh"),
        ("a large red circle at the top left", "de"),
    ],
)
def test_whatever_is_not_exactly_a_caption_is_refused(text, language):
    with pytest.raises(ValueError):
        parse(text, language)


@pytest.mark.parametrize(
    ("objects", "relation"),
    [
        ((), None),
        ((CIRCLE,), None),
        ((CIRCLE, STAR), None),
        ((CIRCLE, STAR), "below"),
        ((ObjectFacts("circle", "red", "large", "top"), STAR), "above"),
        ((CIRCLE, STAR, HEART), "above"),
        ((CIRCLE,) * 5, None),
    ],
)
def test_facts_that_no_caption_tells_cannot_be_made(objects, relation):
    with pytest.raises(ValueError):
        Facts(objects, relation)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_word_says_what_it_tells_and_of_which_object(language):
    def say(name):
        return name if language == "en" else CHINESE[name]

    for seed in range(200):
        facts = sample_scene(seed, level=3).facts
        words = caption_words(facts, language)
        for index, thing in enumerate(facts.objects):
            for slot in ("size", "color", "shape"):
                told = [word.text for word in words if word.object == index and word.slot == slot]
                assert told == [say(getattr(thing, slot))]
        places = [word.text for word in words if word.slot == "place"]
        relations = [word.text for word in words if word.slot == "relation"]
        place = facts.objects[0].place
        assert " ".join(places) == (say(place) if place else "")
        assert " ".join(relations) == (say(facts.relation) if facts.relation else "")
        assert all(word.object is None for word in words if word.slot in ("function", "relation"))
