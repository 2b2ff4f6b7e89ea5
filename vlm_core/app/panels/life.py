"""The time machine: one slider through a run's whole life, for the person's own picture."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from vlm_core.app.runs import Run
from vlm_core.app.texts import Labels, text
from vlm_core.errors import UserError


@dataclass(frozen=True)
class LifePanel:
    slider: gr.Slider
    play: gr.Button
    """Moves the slider through the run by itself: static/life.js."""
    labels: Labels


def build(language: str) -> LifePanel:
    with gr.Row(elem_classes="tight", elem_id="life"):
        slider = gr.Slider(
            0, 1, 0, step=1, label=text(language, "life"), elem_id="life-slider", visible=False, buttons=[], scale=5
        )
        play = gr.Button(text(language, "play"), elem_id="play", visible=False, min_width=90, scale=1)
    return LifePanel(slider, play, [(slider, {"label": "life"}), (play, {"value": "play"})])


def updates(run: Run | None) -> list:
    """Of slider and play: there once a run has a life to look back on."""
    moments = len(run.life) if run else 0
    if moments < 2:
        return [gr.update(visible=False), gr.update(visible=False)]
    return [gr.update(visible=True, maximum=moments - 1), gr.update(visible=True)]


def recall(run: Run | None, moment: float, language: str):
    """The snapshot at a place of the slider. Raises UserError if the run's life is no longer kept."""
    if run is None or not run.life:
        raise UserError(text(language, "life_gone"))
    return run.life[min(max(int(moment), 0), len(run.life) - 1)]
