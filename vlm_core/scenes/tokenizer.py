"""Text ↔ token ids. Special tokens mark padding, begin, end and the language.

A vocabulary may grow at its end, so that ids keep their meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from vlm_core.errors import UserError
from vlm_core.scenes.language import Word, join_words
from vlm_core.scenes.world import CHINESE, COLORS, PLACES, RELATIONS, SHAPES, SIZES

PAD, BEGIN, END, UNKNOWN = "<pad>", "<begin>", "<end>", "<unknown>"
_TABLES = (*SIZES, *COLORS, *SHAPES, *PLACES, *RELATIONS)


class Tokenizer:
    """What both tokenizers share: a vocabulary of unique tokens, whose places in it are the ids.

    A subclass says how a text falls into tokens (`split`) and how tokens join into a text (`join`).
    """

    kind: str
    specials: tuple[str, ...]

    def __init__(self, vocabulary: Iterable[str]):
        self._tokens: list[str] = []
        self._ids: dict[str, int] = {}
        for token in vocabulary:
            if token in self._ids:
                raise ValueError(f"the token {token!r} stands twice in the vocabulary")
            self.add_word(token)
        missing = [token for token in self.specials if token not in self._ids]
        if missing or self._ids[PAD] != 0:
            raise ValueError(f"a vocabulary begins with {PAD} and has all of {', '.join(self.specials)}")
        self.pad_id, self.begin_id, self.end_id = (self._ids[token] for token in (PAD, BEGIN, END))

    def __len__(self) -> int:
        return len(self._tokens)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        return tuple(self._tokens)

    def add_word(self, word: str) -> int:
        """The id of a token, which is added at the end of the vocabulary if it is new."""
        if word not in self._ids:
            self._ids[word] = len(self._tokens)
            self._tokens.append(word)
        return self._ids[word]

    def language_id(self, language: str) -> int:
        """The token that asks for "en" or "zh"; raises UserError for a language that it has no token for."""
        if f"<{language}>" not in self._ids:
            spoken = ", ".join(token[1:-1] for token in self.specials if token in ("<en>", "<zh>"))
            raise UserError(
                f"This model does not speak '{language}'; choose one of: {spoken}.",
                f"这个模型不会说 '{language}';可选:{spoken}。",
            )
        return self._ids[f"<{language}>"]

    def encode(self, text: str, language: str) -> list[int]:
        """Text → [begin, language, …, end]."""
        return [
            self.begin_id,
            self.language_id(language),
            *map(self._id, self.split(text, language)),
            self.end_id,
        ]

    def encode_words(
        self, words: Iterable[Word], language: str
    ) -> tuple[list[int], list[str], list[int | None]]:
        """The words of a caption → ids as `encode` gives, with the slot and the object of each token.

        Special tokens have the slot "special"; a token that speaks of no single object has object None.
        """
        ids, slots, objects = [self.begin_id, self.language_id(language)], ["special"] * 2, [None] * 2
        for token, slot, thing in self._tokens_of(words, language):
            ids.append(self._id(token))
            slots.append(slot)
            objects.append(thing)
        return [*ids, self.end_id], [*slots, "special"], [*objects, None]

    def decode(self, ids: Iterable[int]) -> str:
        """Ids → text, without the special tokens; a word that was unknown stays visible as <unknown>."""
        tokens = [self._tokens[i] for i in ids]
        return self.join([token for token in tokens if token not in self.specials or token == UNKNOWN])

    def token_text(self, token_id: int) -> str:
        return self._tokens[token_id]

    def to_dict(self) -> dict:
        return {"kind": self.kind, "vocabulary": list(self._tokens)}

    def split(self, text: str, language: str) -> list[str]:
        raise NotImplementedError

    def join(self, tokens: list[str]) -> str:
        raise NotImplementedError

    def _tokens_of(self, words: Iterable[Word], language: str) -> Iterator[tuple[str, str, int | None]]:
        for word in words:
            for token in self.split(word.text, language):
                yield token, word.slot, word.object

    def _id(self, token: str) -> int:
        if token in self._ids:
            return self._ids[token]
        if UNKNOWN not in self._ids:
            raise UserError(f"This tokenizer has no token for {token!r}.")
        return self._ids[UNKNOWN]


_TOKENS = {"en": re.compile(r"[^\s,\u4e00-\u9fff]+|\S"), "zh": re.compile(r"[a-z]+|\S")}
"""What a text falls into. Either language may hold a word of the other's script, which somebody taught."""


class WordTokenizer(Tokenizer):
    """English by word, Chinese by character; a word that is not in the vocabulary becomes <unknown>."""

    kind = "words"
    specials = (PAD, BEGIN, END, "<en>", "<zh>", UNKNOWN)

    def __init__(self, vocabulary: Iterable[str] | None = None):
        super().__init__(_world_vocabulary(self.specials) if vocabulary is None else vocabulary)

    def split(self, text: str, language: str) -> list[str]:
        return _TOKENS[language].findall(text)

    def join(self, tokens: list[str]) -> str:
        return join_words(tokens)


class CharacterTokenizer(Tokenizer):
    """The tutorial's own kind: the 25 characters of English captions and four special tokens, 29 in all.

    It speaks English only and has no <unknown>: `encode` raises UserError for other characters.
    """

    kind = "characters"
    specials = (PAD, BEGIN, END, "<en>")

    def __init__(self, vocabulary: Iterable[str] | None = None):
        english = sorted(set(" ".join((*_TABLES, *_ENGLISH_FUNCTION_WORDS))))
        super().__init__((*self.specials, *english) if vocabulary is None else vocabulary)

    def split(self, text: str, language: str) -> list[str]:
        return list(text)

    def join(self, tokens: list[str]) -> str:
        return "".join(tokens)

    def _tokens_of(self, words: Iterable[Word], language: str) -> Iterator[tuple[str, str, int | None]]:
        for place, word in enumerate(words):
            if place and word.text != ",":
                yield " ", "function", None
            yield from super()._tokens_of((word,), language)


_ENGLISH_FUNCTION_WORDS = ("a", "at", "the", ",", "and")
_CHINESE_FUNCTION_WORDS = "有一个在的、和"


def _world_vocabulary(specials: tuple[str, ...]) -> list[str]:
    english = " ".join((*_ENGLISH_FUNCTION_WORDS, *_TABLES)).split()
    chinese = "".join((_CHINESE_FUNCTION_WORDS, *map(CHINESE.__getitem__, _TABLES)))
    return list(dict.fromkeys((*specials, *english, *chinese)))


def tokenizer_from_dict(values: dict) -> Tokenizer:
    """The tokenizer that `to_dict` wrote; raises ValueError if it is none."""
    for tokenizer in (WordTokenizer, CharacterTokenizer):
        if values.get("kind") == tokenizer.kind:
            return tokenizer(values["vocabulary"])
    raise ValueError(f"there is no tokenizer of the kind {values.get('kind')!r}")
