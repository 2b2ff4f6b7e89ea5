"""How sure a model is of a whole picture, asked in every language it was taught.

Probabilities are shared out among the words a model knows, and "I do not know" is none of them: of a picture unlike all
it learned from, a caption in one language may sound as sure as any. Another language is another way through the same
model, and there it often hesitates, or names something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from vlm_core.insight.bilingual import tell_caption
from vlm_core.model.generation import GeneratedToken
from vlm_core.model.vlm import VLM

SURE_FROM = 0.8
"""Least probability of a colour or shape word, in each language, that counts as sure.

Places and sizes are left out: icons are read right with half a probability for "at the left", for nothing but training
says where that begins.
"""


@dataclass(frozen=True)
class Certainty:
    """The least sure colour or shape word of the captions, or what else speaks against them."""

    reason: str | None
    """None: the model is sure. "word": one has less than SURE_FROM. "differs": the caption in `language` names other
    colours or shapes than the one asked for. "nonsense": the one in `language` is no sentence of this world."""
    language: str
    text: str
    """The word, or the caption."""
    probability: float
    """Of the word, 0 to 1."""


def certainty_of(vlm: VLM, picture: Image.Image, tokens: Sequence[GeneratedToken], language: str) -> Certainty:
    """How sure `vlm` is of a picture that it described by these tokens; it is asked in its other languages as well."""
    said, told = {}, {}
    for each in (language, *(other for other in vlm.languages if other != language)):
        said[each] = tokens if each == language else vlm.caption(picture, each).tokens
        told[each] = tell_caption(vlm, said[each], each)
        if not told[each].caption:
            return Certainty("nonsense", each, _text(vlm, said[each]), 0.0)
    things = {each: [word for word in told[each].words if word.slot in ("color", "shape")] for each in told}
    spoken = [(each, said[each][word.first : word.first + word.count]) for each in things for word in things[each]]
    least, word = min(spoken, key=lambda pair: _chance(pair[1]))
    if _chance(word) < SURE_FROM:
        return Certainty("word", least, _text(vlm, word), _chance(word))
    names = {each: [(word.slot, word.value) for word in things[each]] for each in things}
    for each in names:
        if names[each] != names[language]:
            return Certainty("differs", each, _text(vlm, said[each]), _chance(word))
    return Certainty(None, least, _text(vlm, word), _chance(word))


def _chance(word: Sequence[GeneratedToken]) -> float:
    """Probability of the least sure token of a word."""
    return min(token.probability for token in word)


def _text(vlm: VLM, tokens: Sequence[GeneratedToken]) -> str:
    return vlm.tokenizer.join([token.text for token in tokens])
