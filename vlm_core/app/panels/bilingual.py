"""The bilingual lens: one picture in both languages, words that speak of the same thing and their maps side by side.

Drawn by static/bilingual.js; going from pair to pair asks nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlm_core.app import questions
from vlm_core.app.images import data_uri
from vlm_core.app.questions import AskingPanel, Question
from vlm_core.app.shared import Shared
from vlm_core.app.texts import table
from vlm_core.scenes.world import LANGUAGES

if TYPE_CHECKING:
    import numpy as np

    from vlm_core.insight.bilingual import Pair, SaidWord, Told
    from vlm_core.model.generation import Caption

TITLE = "bilingual"
WORDS = (
    "bilingual_empty", "bilingual_hint", "bilingual_agree", "bilingual_differ", "bilingual_broken",
    "bilingual_untaught", "bilingual_alone", "bilingual_no_pairs", "bilingual_english", "bilingual_chinese",
    "bilingual_difference", "bilingual_same", "bilingual_other", "bilingual_elsewhere", "bilingual_first",
    "bilingual_maps", "bilingual_more", "english", "chinese", "mean", "layer", "head", "null_mass", "uniform",
    "attention", "speaker_bundled", "speaker_run", "speaker_untrained",
)  # fmt: skip


def build(language: str) -> AskingPanel:
    return questions.build("bilingual", {each: {key: table(each)[key] for key in WORDS} for each in LANGUAGES})


def wire(panel: AskingPanel, shared: Shared) -> None:
    questions.wire(panel, shared, show_both)


def show_both(question: Question) -> dict:
    """Both captions with their pairs of words. Raises UserError if the model knows one of the languages only."""
    from vlm_core.insight.bilingual import align, tell_caption

    picture, (vlm, exam, name, _) = question.picture, question.speaker
    captions = {each: vlm.caption(picture, each) for each in LANGUAGES}
    told = {each: tell_caption(vlm, caption.tokens, each) for each, caption in captions.items()}
    pairs = align(told["en"], told["zh"])
    layer_head = exam.layer_head if exam else None
    taught = vlm.languages
    return {
        "picture": data_uri(picture),
        "grid": vlm.config.grid,
        "keys": vlm.config.keys,
        "null_key": vlm.config.null_key,
        "head": layer_head,
        "speaker": name,
        "steps": vlm.trained_steps,
        "taught": list(taught),
        "captions": {
            each: {"words": [token.text for token in caption.tokens], "caption": told[each].caption}
            for each, caption in captions.items()
        },
        "pairs": [show_pair(pair, captions, told["zh"], layer_head) for pair in pairs],
    }


def show_pair(pair: Pair, captions: dict[str, Caption], chinese: Told, layer_head: tuple[int, int] | None) -> dict:
    """Both words with their maps, and how alike these are beside those of words that speak of another object."""
    from vlm_core.insight.bilingual import compare

    shown = {"agree": pair.agree, "en": None, "zh": None, "like": None, "other": None}
    for language, word in (("en", pair.english), ("zh", pair.chinese)):
        if word:
            shown[language] = show_word(word, captions[language], layer_head)
    if pair.english and pair.chinese:
        first, second = (head_map(captions[each], word, layer_head)[0] for each, word in
                         (("en", pair.english), ("zh", pair.chinese)))  # fmt: skip
        like = compare(first, second)
        shown["like"] = {"cosine": round(like.cosine, 4), "overlap": round(like.overlap, 4)}
        others = [word for word in chinese.words if word.turn != pair.english.turn and word.slot in ("color", "shape")]
        if others and pair.english.slot in ("size", "color", "shape"):
            cosines = [compare(first, head_map(captions["zh"], word, layer_head)[0]).cosine for word in others]
            shown["other"] = round(sum(cosines) / len(cosines), 4)
    return shown


def show_word(word: SaidWord, caption: Caption, layer_head: tuple[int, int] | None) -> dict:
    cells, null = head_map(caption, word, layer_head)
    return {
        "first": word.first,
        "count": word.count,
        "probability": round(caption.tokens[word.first].probability, 4),
        "map": cells.round(5).tolist(),
        "null": round(null, 4),
    }


def head_map(caption: Caption, word: SaidWord, layer_head: tuple[int, int] | None) -> tuple[np.ndarray, float]:
    """The map (N) of a word's first token by one head, or the mean of all if None, and its null mass."""
    token = caption.tokens[word.first]
    where = (slice(None), slice(None)) if layer_head is None else layer_head
    cells = token.attention[where].reshape(-1, token.attention[0, 0].size).mean(axis=0)
    return cells.astype(float), float(token.null_mass[where].mean())
