"""The bilingual lens: one picture in both languages, words that speak of the same thing and their maps side by side.

bilingual.js asks while the panel can be seen, and not otherwise; going from pair to pair asks nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from vlm_core.app.canvas import read_picture
from vlm_core.app.images import as_data, data_uri
from vlm_core.app.messages import telling
from vlm_core.app.runs import Runs
from vlm_core.app.shared import Shared
from vlm_core.app.speakers import speaking
from vlm_core.app.texts import Labels, table
from vlm_core.errors import UserError
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


@dataclass(frozen=True)
class BilingualPanel:
    asked: gr.Textbox
    """Changes when bilingual.js wants the captions; never seen itself."""
    data: gr.HTML
    labels: Labels


def build(language: str) -> BilingualPanel:
    gr.HTML('<div id="bilingual-root"></div>', elem_id="bilingual")
    asked = gr.Textbox("", label="JSON", elem_id="bilingual-asked", elem_classes="data-only")
    data = gr.HTML("", elem_id="bilingual-data", elem_classes="data-only")
    words = {each: {key: table(each)[key] for key in WORDS} for each in LANGUAGES}
    gr.HTML(as_data(words), elem_id="bilingual-words", elem_classes="data-only")
    return BilingualPanel(asked, data, [])


def wire(panel: BilingualPanel, shared: Shared) -> None:
    def show(drawn: str, speaker: str, run_id: str, language: str) -> str:
        return show_both(shared.runs, drawn, speaker, run_id, language)

    panel.asked.change(
        telling(show, 1),
        [shared.drawn, shared.speaker, shared.run_id, shared.language],
        [panel.data, shared.message],
        show_progress="hidden", trigger_mode="always_last", queue=False, api_name=False,
    )  # fmt: skip


def show_both(runs: Runs, drawn: str, speaker: str, run_id: str, language: str) -> str:
    """Both captions with their pairs of words, for bilingual.js; {} for an empty canvas.

    Raises UserError if the model that speaks knows one of the languages only.
    """
    from vlm_core.insight.bilingual import align, tell

    try:
        picture = read_picture(drawn, language)
    except UserError:
        return as_data({})
    vlm, exam, name, _ = speaking(runs, speaker, run_id)
    captions = {each: vlm.caption(picture, each) for each in LANGUAGES}
    told = {
        each: tell([token.text for token in caption.tokens], each, vlm.tokenizer) for each, caption in captions.items()
    }
    pairs = align(told["en"], told["zh"])
    layer_head = exam.layer_head if exam else None
    taught = vlm.run.get("config", {}).get("languages", LANGUAGES)
    return as_data(
        {
            "picture": data_uri(picture),
            "grid": vlm.config.grid,
            "keys": vlm.config.patches + bool(vlm.config.null_key),
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
    )


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
