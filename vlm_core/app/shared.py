"""What every panel may read of the page it stands on."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from vlm_core.app.runs import Runs

ASK_LENS = "(...values) => [...values.slice(0, -1), JSON.stringify(bridge.lens())]"
"""Script of an event: in the place of its last value, what the lens shows (static/lens.js), whoever said that:
{"chosen": [place, word], "head": as it names its choices, for `head_named`, "caption", "picture"}."""


@dataclass(frozen=True)
class Shared:
    """The page's common ground: panels know this and not each other."""

    page: gr.Blocks
    runs: Runs
    drawn: gr.Textbox
    """What is on the canvas; `canvas.read_picture` makes a picture of it."""
    canvas_data: gr.HTML
    """An output that takes `canvas.on_canvas(picture)` and puts it on the canvas."""
    spoken: gr.Radio
    """The language of captions, "en" or "zh"."""
    speaker: gr.Radio
    """Which model is wanted, "run" or "bundled": for `speakers.speaking`."""
    run_id: gr.State
    """The page's own run, "" before there is one."""
    moment: gr.State
    """The step of that run to which the page looks back: for `speakers.speaking`; None for now."""
    language: gr.State
    """The page's language, "en" or "zh"."""
    message: gr.HTML
    """The message line: the last output of a handler in `messages.telling`."""
    poll: gr.Timer
    """Ticks once in POLL_SECONDS."""
    settings: tuple
    """The components that hold the settings of the next run, in the order of `settings.configure`."""
