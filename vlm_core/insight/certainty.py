"""How sure a model is of a whole picture, asked in every language it was taught.

Probabilities are shared out among the words a model knows, and "I do not know" is none of them: of a picture unlike all
it learned from, a caption in one language may sound as sure as any. Another language is another way through the same
model, and there it often hesitates, or names something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from vlm_core.insight.bilingual import Told, tell
from vlm_core.learning.teaching import words_taught
from vlm_core.model.generation import Caption
from vlm_core.model.vlm import VLM

SURE_FROM = 0.8
"""Least probability of a colour or shape word, in each language, that counts as sure.

Places and sizes are left out: icons are read right with half a probability for "at the left", for nothing but training
says where that begins.
"""
_THINGS = ("color", "shape")


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


def certainty_of(vlm: VLM, picture: Image.Image, caption: Caption) -> Certainty:
    """How sure `vlm` is of a picture that it gave this caption of; it is asked in its other languages as well."""
    others = (language for language in vlm.languages if language != caption.language)
    captions = {caption.language: caption} | {language: vlm.caption(picture, language) for language in others}
    taught = words_taught(vlm)
    told = {
        language: tell([token.text for token in said.tokens], language, vlm.tokenizer, taught)
        for language, said in captions.items()
    }
    for language, said in captions.items():
        if not told[language].caption:
            return Certainty("nonsense", language, said.text, 0.0)
    chances = [chance for language, said in captions.items() for chance in _chances(vlm, said, told[language])]
    language, word, probability = min(chances, key=lambda chance: chance[2])
    if probability < SURE_FROM:
        return Certainty("word", language, word, probability)
    for other, said in captions.items():
        if _things(told[other]) != _things(told[caption.language]):
            return Certainty("differs", other, said.text, probability)
    return Certainty(None, language, word, probability)


def _chances(vlm: VLM, caption: Caption, told: Told) -> Iterator[tuple[str, str, float]]:
    """(language, word, probability of its least sure token) of each colour and shape word."""
    for word in told.words:
        if word.slot in _THINGS:
            tokens = caption.tokens[word.first : word.first + word.count]
            text = vlm.tokenizer.join([token.text for token in tokens])
            yield caption.language, text, min(token.probability for token in tokens)


def _things(told: Told) -> list[tuple[str, str]]:
    """The colours and shapes a caption names, in its order."""
    return [(word.slot, word.value) for word in told.words if word.slot in _THINGS]
