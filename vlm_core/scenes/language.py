"""Captions in English and Chinese, and back: facts → words → text → facts.

There is one right caption for a scene, so that an exact match means something. Which object a word speaks of
is known, which is what makes it measurable where a model should look.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from vlm_core.scenes.world import CHINESE, COLORS, MOST_OBJECTS, PLACES, RELATIONS, SHAPES, SIZES


@dataclass(frozen=True)
class ObjectFacts:
    """What a caption says of one object; `place` only where it is alone in the picture."""

    shape: str
    color: str
    size: str
    place: str | None = None


@dataclass(frozen=True)
class Facts:
    """What a caption says: one object with its place, two with their relation, or three or four in a row.

    Objects stand in the order of the caption: left (or upper) one first. Raises ValueError if no caption says
    such a thing.
    """

    objects: tuple[ObjectFacts, ...]
    relation: str | None = None

    def __post_init__(self):
        count = len(self.objects)
        if not 1 <= count <= MOST_OBJECTS:
            raise ValueError(f"a caption speaks of one to {MOST_OBJECTS} objects, not of {count}")
        if any((thing.place in PLACES) != (count == 1) for thing in self.objects):
            raise ValueError("a single object is told with its place, several are told without")
        if (self.relation in RELATIONS) != (count == 2):
            raise ValueError("two objects are told with their relation, other numbers without")


@dataclass(frozen=True)
class Word:
    """One word of a caption, what it tells, and of which object."""

    text: str
    slot: str
    """"color", "shape", "size", "place", "relation" or "function"."""
    object: int | None = None
    """Index into the objects; None where the word speaks of no single one."""


def caption_words(facts: Facts, language: str) -> tuple[Word, ...]:
    """The words of the caption of `facts` in "en" or "zh"; raises ValueError for another language."""
    return tuple(_writer(language)(facts))


def caption(facts: Facts, language: str) -> str:
    """The one right caption of `facts` in "en" or "zh"; raises ValueError for another language."""
    return join_words([word.text for word in caption_words(facts, language)])


def join_words(words: list[str]) -> str:
    """Words as text: Latin ones with spaces around, none before a comma; Chinese ones without."""
    text = ""
    for word in words:
        text += f" {word}" if text and _stand_apart(text[-1], word[0]) else word
    return text


def _stand_apart(before: str, after: str) -> bool:
    if before.isascii() and after.isascii():
        return after != ","
    # A word of the other script, which somebody taught.
    return before.isascii() != after.isascii() and (before + after).isalnum()


def parse(text: str, language: str, taught: tuple[str, ...] = ()) -> Facts:
    """The facts that a caption tells; raises ValueError for any text that is not exactly a caption.

    `taught` are words for shapes that the world does not have.
    """
    if language not in _SAYING:
        raise ValueError(f"there are no captions in '{language}'")
    if language == "zh" and taught:
        text = text.replace(" ", "")  # around a word of Latin letters
    single, pair, row, each = _patterns(language, taught)
    english = _ENGLISH[language] | {word: word for word in taught}
    things = tuple(
        ObjectFacts(english[found["shape"]], english[found["color"]], english[found["size"]])
        for found in each.finditer(text)
    )
    if found := single.fullmatch(text):
        alone = ObjectFacts(
            things[0].shape, things[0].color, things[0].size, _PLACE_OF[language][found["place"]]
        )
        return Facts((alone,))
    if found := pair.fullmatch(text):
        return Facts(things, _RELATION_OF[language][found["relation"]])
    if row.fullmatch(text):
        return Facts(things)
    raise ValueError(f"not a caption in '{language}': {text!r}")


def _writer(language: str):
    if language not in _WRITERS:
        raise ValueError(f"there are no captions in '{language}'")
    return _WRITERS[language]


def _function(*texts: str) -> list[Word]:
    return [Word(text, "function") for text in texts]


def _english_object(thing: ObjectFacts, index: int) -> list[Word]:
    return [
        Word("a", "function"),
        Word(thing.size, "size", index),
        Word(thing.color, "color", index),
        Word(thing.shape, "shape", index),
    ]


def _english(facts: Facts) -> list[Word]:
    things = [_english_object(thing, index) for index, thing in enumerate(facts.objects)]
    if len(things) == 1:
        place = [Word(word, "place", 0) for word in facts.objects[0].place.split()]
        return things[0] + _function("at", "the") + place
    if len(things) == 2:
        return things[0] + [Word(word, "relation") for word in facts.relation.split()] + things[1]
    return _enumerate(things, ",", "and")


def _chinese_object(thing: ObjectFacts, index: int) -> list[Word]:
    names = [(slot, getattr(thing, slot)) for slot in ("size", "color", "shape")]
    return [Word(_SAYING["zh"](name), slot, index) for slot, name in names]


def _chinese(facts: Facts) -> list[Word]:
    things = [_chinese_object(thing, index) for index, thing in enumerate(facts.objects)]
    if len(things) == 1:
        return [Word(CHINESE[facts.objects[0].place], "place", 0), *_function("有", "一", "个"), *things[0]]
    if len(things) == 2:
        relation = Word(CHINESE[facts.relation], "relation")
        return [*things[0], *_function("在"), *things[1], *_function("的"), relation]
    return _function("有") + _enumerate(things, "、", "和")


def _enumerate(things: list[list[Word]], comma: str, conjunction: str) -> list[Word]:
    words = list(things[0])
    for thing in things[1:-1]:
        words += _function(comma) + thing
    return words + _function(conjunction) + things[-1]


_WRITERS = {"en": _english, "zh": _chinese}


def _one_of(names, say) -> str:
    return "|".join(sorted(map(say, names), key=len, reverse=True))


@cache
def _patterns(language: str, taught: tuple[str, ...]) -> tuple[re.Pattern, ...]:
    """Regular expressions of the three kinds of caption, and of one object inside a caption."""
    say = _SAYING[language]
    kinds = (("size", SIZES), ("color", COLORS), ("shape", (*SHAPES, *taught)))
    places, relations = _one_of(PLACES, say), _one_of(RELATIONS, say)
    plain = [f"(?:{_one_of(names, say)})" for _, names in kinds]
    named = [f"(?P<{slot}>{_one_of(names, say)})" for slot, names in kinds]
    if language == "en":
        thing, each = "a " + " ".join(plain), "a " + " ".join(named)
        single = f"{thing} at the (?P<place>{places})"
        pair = f"{thing} (?P<relation>{relations}) {thing}"
        row = f"{thing}(?:, {thing}){{1,2}} and {thing}"
    else:
        thing, each = "".join(plain), "".join(named)
        single = f"(?P<place>{places})有一个{thing}"
        pair = f"{thing}在{thing}的(?P<relation>{relations})"
        row = f"有{thing}(?:、{thing}){{1,2}}和{thing}"
    return tuple(map(re.compile, (single, pair, row, each)))


# A shape that was taught by a word of one language has that word in both.
_SAYING = {"en": lambda name: name, "zh": lambda name: CHINESE.get(name, name)}
_ENGLISH = {
    language: {say(name): name for name in (*SIZES, *COLORS, *SHAPES)} for language, say in _SAYING.items()
}
_PLACE_OF = {language: {say(place): place for place in PLACES} for language, say in _SAYING.items()}
_RELATION_OF = {
    language: {say(relation): relation for relation in RELATIONS} for language, say in _SAYING.items()
}
