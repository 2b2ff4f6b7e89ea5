"""See the machine: one diagram of the model for the picture and the word looked at. Drawn by static/machine.js.

machine.js asks while its diagram can be seen, and not otherwise: strokes are followed no slower when it is closed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

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

TITLE = "machine"
WORDS = (
    "machine_empty", "machine_word", "machine_row", "machine_column", "machine_encoder_head",
    "machine_decoder_head", "machine_about", "machine_pick", "machine_open", "machine_shape", "machine_numbers",
    "machine_first", "machine_null", "machine_keys", "machine_values", "machine_said", "machine_lane_picture",
    "machine_lane_text", "machine_alike", "machine_pixels_wide", "strip_patch", "strip_position", "strip_token",
    "strip_query", "strip_context", "strip_hidden", "strip_added", "box_pixels", "box_patches", "box_glances",
    "box_embeddings", "box_positions", "box_encoder", "box_image_tokens", "box_text_tokens", "box_causal",
    "box_scores", "box_cross", "box_context", "box_feed_forward", "box_logits", "tell_pixels", "tell_patches",
    "tell_glances", "tell_embeddings", "tell_positions", "tell_encoder", "tell_image_tokens", "tell_text_tokens",
    "tell_causal", "tell_scores", "tell_cross", "tell_context", "tell_feed_forward", "tell_logits", "layer", "head",
    "speaker_bundled", "speaker_run", "speaker_untrained",
)  # fmt: skip


@dataclass(frozen=True)
class MachinePanel:
    asked: gr.Textbox
    """The word and the patch that machine.js wants to see, as JSON; never seen itself."""
    data: gr.HTML
    labels: Labels


def build(language: str) -> MachinePanel:
    gr.HTML('<div id="machine-root"></div>', elem_id="machine")
    asked = gr.Textbox("", label="JSON", elem_id="machine-asked", elem_classes="data-only")
    data = gr.HTML("", elem_id="machine-data", elem_classes="data-only")
    words = {each: {key: table(each)[key] for key in WORDS} for each in LANGUAGES}
    gr.HTML(as_data(words), elem_id="machine-words", elem_classes="data-only")
    return MachinePanel(asked, data, [])


def wire(panel: MachinePanel, shared: Shared) -> None:
    def show(*asked) -> str:
        return show_machine(shared.runs, *asked)

    panel.asked.change(
        telling(show, 1),
        [panel.asked, shared.drawn, shared.spoken, shared.speaker, shared.run_id, shared.language],
        [panel.data, shared.message],
        show_progress="hidden", trigger_mode="always_last", queue=False, api_name=False,
    )  # fmt: skip


def show_machine(
    runs: Runs, asked: str, drawn: str, spoken: str, speaker: str, run_id: str, language: str
) -> str:
    """The diagram's data for {"word": place in the caption, "patch": number or null}; {} for an empty canvas."""
    from vlm_core.app.diagram import draw_diagram

    wanted = json.loads(asked)
    try:
        picture = read_picture(drawn, language)
    except UserError:
        return as_data({})
    vlm, exam, name, _ = speaking(runs, speaker, run_id)
    patch = wanted["patch"]
    drawing = draw_diagram(vlm, picture, spoken, int(wanted["word"]), None if patch is None else int(patch))
    best = exam.layer_head if exam and exam.layer_head else (0, 0)
    told = {"picture": data_uri(picture), "speaker": name, "steps": vlm.trained_steps, "language": spoken}
    return as_data({**drawing, **told, "head": "{}.{}".format(*best)})
