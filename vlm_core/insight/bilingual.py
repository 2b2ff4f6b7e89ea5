"""The same picture told in two languages: which words speak of the same thing, and did they look at the same place?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from vlm_core.learning.teaching import words_taught
from vlm_core.model.generation import GeneratedToken
from vlm_core.model.vlm import VLM
from vlm_core.scenes.language import caption_words, parse
from vlm_core.scenes.tokenizer import Tokenizer
from vlm_core.scenes.world import CHINESE, COLORS, PLACES, RELATIONS, SHAPES, SIZES

_TABLES = {"size": SIZES, "color": COLORS, "shape": SHAPES, "relation": RELATIONS, "place": PLACES}


@dataclass(frozen=True)
class SaidWord:
    """A word of a caption that speaks of something to be seen: 红色, "red", "top left"."""

    slot: str
    """"size", "color", "shape", "place" or "relation"."""
    turn: int
    """0 for the first word of its slot in the caption, 1 for the second. The caption of either language tells the same
    objects in the same order, so words of the same slot and turn speak of the same thing."""
    value: str
    """What it says, by its English name, whatever the language."""
    first: int
    """Its first token among those of the caption. That one decides the word: after 圆 nothing but 形 can follow."""
    count: int
    """How many tokens it has."""


@dataclass(frozen=True)
class Told:
    words: tuple[SaidWord, ...]
    caption: bool
    """Whether the tokens are a caption of this world; if not, words are what its tables know, wherever they stand."""


@dataclass(frozen=True)
class Pair:
    """Two words that speak of the same thing; None where the other language has no such word."""

    english: SaidWord | None
    chinese: SaidWord | None

    @property
    def agree(self) -> bool:
        return bool(self.english and self.chinese and self.english.value == self.chinese.value)


@dataclass(frozen=True)
class Likeness:
    """How alike two maps over the same patches are, however much attention either has in all."""

    cosine: float
    """Of the maps as vectors: 0 nothing in common, 1 the same but for strength."""
    overlap: float
    """Share of the attention on patches that lies on the same ones: 0 to 1."""


def tell(tokens: list[str], language: str, tokenizer: Tokenizer, taught: tuple[str, ...] = ()) -> Told:
    """What the tokens of a caption in "en" or "zh" say, as far as it can be made out; `taught` are words for shapes
    that the world does not have."""
    try:
        facts = parse(tokenizer.join(tokens), language, taught)
    except ValueError:
        return Told(_in_turn(_find(tokens, language, tokenizer, taught)), caption=False)
    spoken = [
        (word, token) for word in caption_words(facts, language) for token in tokenizer.split(word.text, language)
    ]
    found, place = [], 0
    # "top left" and "left of" are two words to the caption, and one here: they tell one thing.
    for (slot, thing), group in groupby(spoken, key=lambda pair: (pair[0].slot, pair[0].object)):
        count = len(list(group))
        if slot != "function":
            value = facts.relation if slot == "relation" else getattr(facts.objects[thing], slot)
            found.append((slot, value, place, count))
        place += count
    return Told(_in_turn(found), caption=True)


def tell_caption(vlm: VLM, tokens: Sequence[GeneratedToken], language: str) -> Told:
    """The same of what a model said, with the words that it has been taught."""
    return tell([token.text for token in tokens], language, vlm.tokenizer, words_taught(vlm))


def align(english: Told, chinese: Told) -> list[Pair]:
    """The words of both captions in pairs, in the order of the English one; what only the Chinese has comes last."""
    theirs = {(word.slot, word.turn): word for word in chinese.words}
    pairs = [Pair(word, theirs.pop((word.slot, word.turn), None)) for word in english.words]
    return pairs + [Pair(None, word) for word in theirs.values()]


def compare(first: np.ndarray, second: np.ndarray) -> Likeness:
    """Compare two maps of the same shape; one without any attention is like no other."""
    lengths, totals = np.linalg.norm(first) * np.linalg.norm(second), first.sum() * second.sum()
    if not lengths or not totals:
        return Likeness(0.0, 0.0)
    overlap = np.minimum(first / first.sum(), second / second.sum()).sum()
    return Likeness(float((first * second).sum() / lengths), float(overlap))


def _find(
    tokens: list[str], language: str, tokenizer: Tokenizer, taught: tuple[str, ...]
) -> Iterator[tuple[str, str, int, int]]:
    """(slot, value, first token, tokens) of each word of the world's tables among the tokens, the longest first."""
    known = [
        (tokenizer.split(CHINESE.get(value, value) if language == "zh" else value, language), slot, value)
        for slot, values in (*_TABLES.items(), ("shape", taught))
        for value in values
    ]
    place, after_of = 0, False
    while place < len(tokens):
        here = [word for word in known if tokens[place : place + len(word[0])] == word[0]]
        # 左边 and 上方 are a place, and a relation after a 的 that belongs to no size.
        here = [word for word in here if language != "zh" or word[1] != "relation" or after_of]
        if not here:
            after_of = tokens[place] == "的"
            place += 1
            continue
        name, slot, value = max(here, key=lambda word: (len(word[0]), word[1] == "relation"))
        yield slot, value, place, len(name)
        place, after_of = place + len(name), False


def _in_turn(found) -> tuple[SaidWord, ...]:
    words: list[SaidWord] = []
    for slot, value, first, count in found:
        words.append(SaidWord(slot, sum(word.slot == slot for word in words), value, first, count))
    return tuple(words)
