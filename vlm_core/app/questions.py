"""What a panel's script asks for, and what it is told: of the canvas and of the model that speaks.

The script asks while its panel can be seen, and not otherwise (`whenSeen` in static/bridge.js): strokes are followed no
slower when it is closed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import gradio as gr
from PIL import Image

from vlm_core.app.canvas import read_picture
from vlm_core.app.images import as_data
from vlm_core.app.messages import telling
from vlm_core.app.runs import Runs
from vlm_core.app.shared import Shared
from vlm_core.app.speakers import Speaker, speaking
from vlm_core.app.texts import Labels
from vlm_core.errors import UserError


class Question(NamedTuple):
    asked: str
    """In the script's own words."""
    picture: Image.Image
    spoken: str
    """The language of captions, "en" or "zh"."""
    speaker: Speaker
    language: str
    """The page's language."""


Answer = Callable[[Question], dict]


@dataclass(frozen=True)
class AskingPanel:
    asked: gr.Textbox
    """Changes when the script asks; never seen itself."""
    data: gr.HTML
    """The answer, for the script to draw; never seen itself."""
    labels: Labels


def build(name: str, words: dict[str, dict]) -> AskingPanel:
    """A panel for static/*.js to draw in `#name-root`; `words` are all it says, by language."""
    gr.HTML(f'<div id="{name}-root"></div>', elem_id=name)
    asked = gr.Textbox("", label="JSON", elem_id=f"{name}-asked", elem_classes="data-only")
    data = gr.HTML("", elem_id=f"{name}-data", elem_classes="data-only")
    gr.HTML(as_data(words), elem_id=f"{name}-words", elem_classes="data-only")
    return AskingPanel(asked, data, [])


def wire(panel: AskingPanel, shared: Shared, answer: Answer) -> None:
    def tell(*asked) -> str:
        return answered(shared.runs, answer, *asked)

    panel.asked.change(
        telling(tell, 1),
        [
            panel.asked, shared.drawn, shared.spoken, shared.speaker, shared.run_id, shared.moment, shared.language,
        ],
        [panel.data, shared.message],
        show_progress="hidden", trigger_mode="always_last", queue=False, api_name=False,
    )  # fmt: skip


def answered(
    runs: Runs, answer: Answer, asked: str, drawn: str, spoken: str, speaker: str, run_id: str, moment: int | None,
    language: str,
) -> str:  # fmt: skip
    """The answer, for the script to read; {} for an empty canvas, which need not wait for PyTorch."""
    try:
        picture = read_picture(drawn, language)
    except UserError:
        return as_data({})
    return as_data(answer(Question(asked, picture, spoken, speaking(runs, speaker, run_id, moment), language)))
