"""Caption: word by word, and for each word where the model looked. The lens itself is drawn by static/lens.js."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import gradio as gr
import numpy as np
from PIL import Image

from vlm_core.app.heads import say_head
from vlm_core.app.images import as_data, data_uri
from vlm_core.app.texts import LANGUAGE_NAMES, Labels, choices, table, text
from vlm_core.app.truth import Truth, as_far_as_true, truth_of
from vlm_core.scenes import Scene

if TYPE_CHECKING:
    from vlm_core.insight.certainty import Certainty
    from vlm_core.insight.exam import Exam

SPEAKERS = {"run": "model_run", "bundled": "model_bundled"}
ATTENTION_STEPS = 10_000
"""Attention is sent in whole ten-thousandths."""
UNSURE_BELOW = 0.7
"""Words of less probability are underlined. Whether the model is sure of a picture is another question: see
`insight.certainty`."""
UNSURE = {"word": "unsure_word", "differs": "unsure_differs", "nonsense": "unsure_nonsense"}
"""Why the model is not sure of a picture, in the page's words."""
MOST_TOLD = 60
"""Characters of a caption that a warning quotes."""
LENS_WORDS = (
    "lens_hint", "layer_head", "mean", "layer", "head", "instead", "null_mass", "uniform", "attention", "entropy",
    "truth", "truth_box", "truth_hit", "truth_miss", "truth_mass", "all_heads", "own_scale", "own_scale_on",
    "brightest", "box_draw", "box_remove", "box_hint", "box_keys",
)  # fmt: skip


@dataclass(frozen=True)
class CaptionPanel:
    ask: gr.Button
    language: gr.Radio
    speaker: gr.Radio
    note: gr.HTML
    picture_data: gr.HTML
    caption_data: gr.HTML
    lens_words: gr.HTML
    labels: Labels


def build(language: str) -> CaptionPanel:
    with gr.Row(elem_classes="tight", elem_id="asking"):
        ask = gr.Button(text(language, "caption"), variant="primary", elem_id="ask")
        spoken = gr.Radio(
            choices(language, LANGUAGE_NAMES), value=language, label=text(language, "caption_language"),
            elem_id="spoken",
        )  # fmt: skip
    note = gr.HTML("", elem_id="note")
    gr.HTML('<div id="lens-root"></div>', elem_id="lens")
    speaker = gr.Radio(choices(language, SPEAKERS), value="run", label=text(language, "model"), elem_id="speaker")
    # What the server sends, for lens.js to draw; never seen itself.
    picture_data = gr.HTML("", elem_id="picture-data", elem_classes="data-only")
    caption_data = gr.HTML("", elem_id="caption-data", elem_classes="data-only")
    lens_words = gr.HTML(words_data(language), elem_id="lens-words", elem_classes="data-only")
    labels: Labels = [
        (ask, {"value": "caption"}),
        (spoken, {"label": "caption_language", "choices": LANGUAGE_NAMES}),
        (speaker, {"label": "model", "choices": SPEAKERS}),
    ]
    return CaptionPanel(ask, spoken, speaker, note, picture_data, caption_data, lens_words, labels)


def words_data(language: str) -> str:
    return as_data({key: table(language)[key] for key in LENS_WORDS})


def caption_as_data(vlm, tokens: list, language: str, head: str, truth: Truth, done: bool) -> str:
    """All that the lens shows of the words so far; `head` names the maps it shows until somebody picks others."""
    config = vlm.config
    words = [
        {
            "text": token.text,
            "probability": round(token.probability, 4),
            "alternatives": [(name, round(share, 4)) for name, share in token.alternatives],
            "maps": _whole_steps(token.attention),
            "null": token.null_mass.round(4).tolist(),
            "touched": touched,
        }
        for token, touched in zip(tokens, as_far_as_true(tokens, truth), strict=True)
    ]
    return as_data(
        {
            "words": words,
            "language": language,
            "grid": config.grid,
            "steps": ATTENTION_STEPS,
            "keys": config.keys,
            "head": head,
            "unsure": UNSURE_BELOW,
            "done": done,
        }
    )


def _whole_steps(maps: np.ndarray) -> list:
    """Maps (layers, heads, grid, grid) as nested lists (layers, heads, patches) of whole numbers."""
    return (maps * ATTENTION_STEPS).round().astype(int).reshape(*maps.shape[:2], -1).tolist()


def speak(
    vlm,
    picture: Image.Image,
    language: str,
    head: str = "mean",
    scene: Scene | None = None,
    word_by_word: bool = True,
) -> Iterator[tuple[str, str, Certainty | None]]:
    """(picture data, caption data, None) anew for each word, if that is wanted; at the end, with how sure a model is
    that has learned anything.

    `scene` is what the picture shows, if that is known.
    """
    from vlm_core.insight.certainty import certainty_of

    shown = as_data(data_uri(picture))
    tokens: list = []
    truth = truth_of(scene, vlm, language)
    for token in vlm.stream(picture, language):
        tokens.append(token)
        if word_by_word:
            yield shown, caption_as_data(vlm, tokens, language, head, truth, done=False), None
    certainty = certainty_of(vlm, picture, tokens, language) if vlm.trained_steps else None
    yield shown, caption_as_data(vlm, tokens, language, head, truth, done=True), certainty


def introduce(
    vlm, speaker: str, spoken: str, language: str, exam: Exam | None = None, learning: bool = False
) -> str:
    """Who speaks, how far to trust it, and which maps are shown and why, in the page's language."""
    if vlm.trained_steps == 0:
        return f'<p class="untrained" role="alert">{escape(text(language, "speaker_untrained"))}</p>'
    key = "speaker_bundled" if speaker == "bundled" else "speaker_learning" if learning else "speaker_run"
    told = text(language, key, step=vlm.trained_steps, steps=f"{vlm.trained_steps:,}")
    if lessons := vlm.run.get("taught"):
        told += " " + text(language, "speaker_taught", words=", ".join(lesson["word"] for lesson in lessons))
    config = vlm.run.get("config", {})
    if config.get("sabotage"):
        told += " " + text(language, "sabotage_warning")
    if spoken not in vlm.languages:
        told += " " + text(language, "speaker_untaught", spoken=text(language, LANGUAGE_NAMES[spoken]))
    grounded = config.get("objective") == "grounded"
    taught = text(language, "grounded_note" if grounded else "captions_note")
    pointing = "" if exam is None else f" {escape(tell_head(exam, language))}"
    return (
        f'<details class="speaker"><summary>{escape(told)}</summary>'
        f"<p>{escape(taught)}{pointing}</p></details>"
    )


def tell_head(exam: Exam, language: str) -> str:
    """Which head's maps are shown, and how well they point."""
    name = say_head(exam.layer_head, language)
    return text(language, "points", name=name, hit=f"{exam.hit:.0%}", chance=f"{exam.chance:.0%}")


def doubt(certainty: Certainty, language: str) -> str:
    """A warning beside a caption that the model is not sure of, in the page's language; "" if it is."""
    if certainty.reason is None:
        return ""
    said = certainty.text if len(certainty.text) <= MOST_TOLD else f"{certainty.text[:MOST_TOLD]}…"
    told = text(
        language, UNSURE[certainty.reason], spoken=text(language, LANGUAGE_NAMES[certainty.language]), said=said,
        share=f"{certainty.probability:.0%}",
    )  # fmt: skip
    whole = ("" if language == "zh" else " ").join((told, text(language, "unsure_why")))
    return f'<p class="doubt" role="alert">{escape(whole)}</p>'
