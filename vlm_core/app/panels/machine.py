"""See the machine: one diagram of the model for the picture and the word looked at. Drawn by static/machine.js."""

from __future__ import annotations

import json

from vlm_core.app import questions
from vlm_core.app.images import data_uri
from vlm_core.app.questions import AskingPanel, Question
from vlm_core.app.shared import Shared
from vlm_core.app.texts import table
from vlm_core.scenes.world import LANGUAGES

TITLE = "machine"
WORDS = (
    "machine_empty", "machine_word", "machine_row", "machine_column", "machine_encoder_head",
    "machine_decoder_head", "machine_about", "machine_pick", "machine_open", "machine_shape", "machine_numbers",
    "machine_first", "machine_null", "machine_keys", "machine_values", "machine_said", "machine_lane_picture",
    "machine_lane_text", "machine_alike", "machine_pixels_wide", "strip_patch", "strip_position", "strip_token",
    "strip_query", "strip_key", "strip_context", "strip_hidden", "strip_added", "box_pixels", "box_patches",
    "box_glances", "box_embeddings", "box_positions", "box_encoder", "box_image_tokens", "box_text_tokens",
    "box_causal", "box_scores", "box_cross", "box_context", "box_feed_forward", "box_logits", "tell_pixels",
    "tell_patches", "tell_glances", "tell_embeddings", "tell_positions", "tell_encoder", "tell_image_tokens",
    "tell_text_tokens", "tell_causal", "tell_scores", "tell_cross", "tell_context", "tell_feed_forward", "tell_logits",
    "layer", "head", "speaker_bundled", "speaker_run", "speaker_untrained",
)  # fmt: skip


def build(language: str) -> AskingPanel:
    return questions.build("machine", {each: {key: table(each)[key] for key in WORDS} for each in LANGUAGES})


def wire(panel: AskingPanel, shared: Shared) -> None:
    questions.wire(panel, shared, show_machine)


def show_machine(question: Question) -> dict:
    """The diagram's data for {"word": place in the caption, "patch": number or null}."""
    from vlm_core.app.diagram import draw_diagram

    wanted = json.loads(question.asked)
    vlm, exam, name, _ = question.speaker
    patch = None if wanted["patch"] is None else int(wanted["patch"])
    drawing = draw_diagram(vlm, question.picture, question.spoken, int(wanted["word"]), patch)
    best = exam.layer_head if exam and exam.layer_head else (0, 0)
    return {
        **drawing,
        "picture": data_uri(question.picture),
        "speaker": name,
        "steps": vlm.trained_steps,
        "language": question.spoken,
        "head": "{}.{}".format(*best),
    }
