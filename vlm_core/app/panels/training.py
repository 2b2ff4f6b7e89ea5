"""Train: a model learns from random weights while you watch."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import gradio as gr

from vlm_core.app.curves import draw_curves
from vlm_core.app.runs import Run
from vlm_core.app.texts import Labels, choices, table, text
from vlm_core.config import TrainConfig

LEVELS = {1: "level_1", 2: "level_2", 3: "level_3"}
STYLES = {"clean": "style_clean", "drawn": "style_drawn"}
OBJECTIVES = {"captions": "objective_captions", "grounded": "objective_grounded"}
PRESETS = {"lecture": "preset_lecture", "classic": "preset_classic"}
KINDS = {"seconds": float, "level": int, "style": str, "objective": str, "preset": str, "seed": int}
"""The settings by the names an address uses, in the order of `configure`."""
EVALUATIONS = 12
SNAPSHOTS = 60
"""Copies of the model that a run keeps for the time machine."""


@dataclass(frozen=True)
class TrainingPanel:
    start: gr.Button
    pause: gr.Button
    resume: gr.Button
    stop: gr.Button
    status: gr.HTML
    settings: tuple
    """seconds, level, style, objective, preset, seed: in this order the arguments of `configure`."""
    labels: Labels


def build(language: str) -> TrainingPanel:
    def words(key: str) -> str:
        return text(language, key)

    with gr.Row(elem_classes="tight"):
        start = gr.Button(words("train"), variant="primary", elem_id="train")
        pause = gr.Button(words("pause"), elem_id="pause", visible=False, min_width=90)
        resume = gr.Button(words("resume"), elem_id="resume", visible=False, min_width=90)
        stop = gr.Button(words("stop"), elem_id="stop", visible=False, min_width=90)
    status = gr.HTML(show(None, language), elem_id="status")
    with gr.Accordion(words("settings"), open=False, elem_id="settings") as accordion, gr.Row():
        seconds = gr.Number(60, label=words("seconds"), minimum=1, maximum=3600, elem_id="seconds", min_width=110)
        level = gr.Radio(choices(language, LEVELS), value=2, label=words("level"), elem_id="level")
        style = gr.Radio(choices(language, STYLES), value="drawn", label=words("style"), elem_id="style")
        objective = gr.Radio(choices(language, OBJECTIVES), value="captions", label=words("objective"))
        preset = gr.Radio(choices(language, PRESETS), value="lecture", label=words("preset"))
        seed = gr.Number(0, label=words("seed"), minimum=0, precision=0, elem_id="seed", min_width=90)
    labels: Labels = [
        (start, {"value": "train"}),
        (pause, {"value": "pause"}),
        (resume, {"value": "resume"}),
        (stop, {"value": "stop"}),
        (accordion, {"label": "settings"}),
        (seconds, {"label": "seconds"}),
        (level, {"label": "level", "choices": LEVELS}),
        (style, {"label": "style", "choices": STYLES}),
        (objective, {"label": "objective", "choices": OBJECTIVES}),
        (preset, {"label": "preset", "choices": PRESETS}),
        (seed, {"label": "seed"}),
    ]
    return TrainingPanel(start, pause, resume, stop, status, (seconds, level, style, objective, preset, seed), labels)


def configure(seconds: float, level: int, style: str, objective: str, preset: str, seed: int) -> TrainConfig:
    """The panel's settings as a config. Raises UserError for what no run can do."""
    return TrainConfig(
        seconds=seconds or 0, level=level, style=style, objective=objective, preset=preset, seed=int(seed or 0),
        evaluations=EVALUATIONS, snapshots=SNAPSHOTS,
    )  # fmt: skip


def settings_of(config: TrainConfig) -> tuple:
    """A config as the panel's settings: the inverse of `configure`."""
    return config.seconds, config.level, config.style, config.objective, config.preset, config.seed


def settings_asked(asked: dict[str, str]) -> tuple:
    """Settings that an address asks for by name, None for the others; all None if no run could have them."""
    try:
        settings = [kind(asked[name]) if name in asked else None for name, kind in KINDS.items()]
        defaults = settings_of(TrainConfig())
        configure(*(default if value is None else value for default, value in zip(defaults, settings, strict=True)))
    except ValueError:  # a UserError is one, too
        return (None,) * len(KINDS)
    return tuple(settings)


def buttons(run: Run | None) -> list:
    """Updates of start, pause, resume and stop for the state of a run."""
    state = run.state if run else None
    return [
        gr.update(interactive=state not in ("running", "paused")),
        gr.update(visible=state == "running"),
        gr.update(visible=state == "paused"),
        gr.update(visible=state in ("running", "paused")),
    ]


def show(run: Run | None, language: str) -> str:
    """The run as HTML: progress bar, curves, what it says of the person's picture. Inert until there is one."""
    words = table(language)
    if run is None:
        return f'<p class="idle">{escape(words["idle"])}</p>'
    left = run.seconds / run.share - run.seconds if run.share > 0 else (run.config.seconds or 0)
    facts = [
        words[run.state],
        text(language, "step", step=run.step),
        text(language, "elapsed", seconds=f"{run.seconds:.0f}"),
    ]
    if run.live:
        facts += [text(language, "left", seconds=f"{left:.0f}"), text(language, "speed", speed=f"{run.speed:.0f}")]
    failed = run.state in ("failed", "diverged")
    message = f'<p class="problem" role="alert">{escape(run.message)}</p>' if failed else ""
    return (
        f'<div class="run" data-run="{escape(run.id)}" data-state="{run.state}" data-step="{run.step}">'
        f'<div><progress max="1" value="{run.share:.4f}" aria-label="{escape(words["budget"])}"></progress>'
        f'<p class="facts">{" · ".join(map(escape, facts))}</p>{message}{_says(run, words)}{_exam(run, language)}</div>'
        f"{draw_curves(run.losses, run.scores, words_of_curves(words))}</div>"
    )


def _exam(run: Run, language: str) -> str:
    """How the model of the last evaluation points, and what it makes of colours and shapes it never saw together."""
    exam = run.exam
    if exam is None:
        return ""
    shares = {name: f"{getattr(exam, name):.0%}" for name in ("hit", "mass", "chance", "new_pairs")}
    return f'<p class="exam">{escape(text(language, "exam", **shares))}</p>'


def words_of_curves(words: dict[str, str]) -> dict[str, str]:
    return {
        "loss": words["loss"],
        "exact_match": words["exact_match"],
        "en": words["english"],
        "zh": words["chinese"],
        "budget": words["budget"],
    }


def _says(run: Run, words: dict[str, str]) -> str:
    lines = "".join(
        f'<li lang="{language}">{escape(caption.text) or "…"}</li>' for language, caption in run.captions.items()
    )
    return f'<p class="says">{escape(words["says_now"])}:</p><ul class="says">{lines or "<li>…</li>"}</ul>'
