"""Train: a model learns from random weights while you watch, steer, pause and go step by step."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import gradio as gr

from vlm_core.app.curves import draw_curves, draw_spark, words_of_curves
from vlm_core.app.faults import FAULTS, warn_of_faults
from vlm_core.app.runs import Run
from vlm_core.app.settings import CHOICES
from vlm_core.app.shared import Shared
from vlm_core.app.texts import Labels, choices, table, text

STAGES = {
    "language": ("stage_language", "stage_language_means"),
    "visual": ("stage_visual", "stage_visual_means"),
    "association": ("stage_association", "stage_association_means"),
    "fine_tuning": ("stage_fine_tuning", "stage_fine_tuning_means"),
}
"""Each stage of learning with the keys of its name and of what must be measured for it."""
SLOTS = {
    "color": "slot_color", "shape": "slot_shape", "size": "slot_size", "place": "slot_place",
    "relation": "slot_relation", "function": "slot_function",
}  # fmt: skip
MAPS = {"hit": "pointing_game", "mass": "mass_in_mask"}
NOTHING_SEEN = ("", -1, "", -1, -1, False)
"""What `seen` gives for a page that shows nothing yet."""


@dataclass(frozen=True)
class TrainingPanel:
    start: gr.Button
    pause: gr.Button
    resume: gr.Button
    one_step: gr.Button
    stop: gr.Button
    steer: gr.Slider
    progress: gr.HTML
    curves: gr.HTML
    said: gr.HTML
    measures: gr.HTML
    measuring: gr.Accordion
    unfolded: gr.State
    """Whether the measurements are looked at: what nobody sees is not sent."""
    settings: tuple
    """In the order of `settings.KINDS`."""
    labels: Labels

    @property
    def shown(self) -> list:
        """What `updates` changes, in its order."""
        return [
            self.progress, self.curves, self.said, self.measures, self.start, self.pause, self.resume, self.one_step,
            self.stop, self.steer,
        ]  # fmt: skip


def build(language: str) -> TrainingPanel:
    def words(key: str) -> str:
        return text(language, key)

    def radio(name: str, value) -> gr.Radio:
        return gr.Radio(choices(language, CHOICES[name]), value=value, label=words(name), elem_id=name)

    with gr.Row(elem_classes="tight", elem_id="train-buttons"):
        start = gr.Button(words("train"), variant="primary", elem_id="train", min_width=150)
        hidden = {"visible": False, "min_width": 70}
        pause = gr.Button(words("pause"), elem_id="pause", **hidden)
        resume = gr.Button(words("resume"), elem_id="resume", **hidden)
        one_step = gr.Button(words("one_step"), elem_id="one-step", **hidden)
        stop = gr.Button(words("stop"), elem_id="stop", **hidden)
    with gr.Column(elem_id="status", elem_classes="tight"):
        progress = gr.HTML(show_progress(None, language))
        curves = gr.HTML("")
        said = gr.HTML("")
    steer = gr.Slider(0, 10, 1, step=0.1, label=words("steer"), elem_id="steer", visible=False, buttons=[])
    unfolded = gr.State(False)
    with gr.Accordion(words("measures"), open=False, elem_id="measuring") as measuring:
        measures = gr.HTML(show_measures(None, language), elem_id="measures")
    with gr.Accordion(words("settings"), open=False, elem_id="settings") as accordion, gr.Row():
        seconds = gr.Number(60, label=words("seconds"), elem_id="seconds", min_width=110)
        seed = gr.Number(0, label=words("seed"), precision=0, elem_id="seed", min_width=90)
        rate = gr.Number(1, label=words("learning_rate"), elem_id="rate", min_width=150)
        level = radio("level", 2)
        style = radio("style", "drawn")
        objective = radio("objective", "captions")
        preset = radio("preset", "lecture")
        sabotage = gr.CheckboxGroup(choices(language, FAULTS), label=words("sabotage"), elem_id="sabotage")
        optimizer = radio("optimizer", "muon")
        heads = radio("heads", 0)
        width = radio("width", 0)
        languages = radio("languages", "en,zh")
    labels: Labels = [
        (start, {"value": "train"}),
        (pause, {"value": "pause"}),
        (resume, {"value": "resume"}),
        (one_step, {"value": "one_step"}),
        (stop, {"value": "stop"}),
        (steer, {"label": "steer"}),
        (measuring, {"label": "measures"}),
        (accordion, {"label": "settings"}),
        (seconds, {"label": "seconds"}),
        (level, {"label": "level", "choices": CHOICES["level"]}),
        (style, {"label": "style", "choices": CHOICES["style"]}),
        (objective, {"label": "objective", "choices": CHOICES["objective"]}),
        (preset, {"label": "preset", "choices": CHOICES["preset"]}),
        (seed, {"label": "seed"}),
        (sabotage, {"label": "sabotage", "choices": FAULTS}),
        (rate, {"label": "learning_rate"}),
        (optimizer, {"label": "optimizer", "choices": CHOICES["optimizer"]}),
        (heads, {"label": "heads", "choices": CHOICES["heads"]}),
        (width, {"label": "width", "choices": CHOICES["width"]}),
        (languages, {"label": "languages", "choices": CHOICES["languages"]}),
    ]
    settings = (seconds, level, style, objective, preset, seed, sabotage, rate, optimizer, heads, width, languages)
    return TrainingPanel(
        start, pause, resume, one_step, stop, steer, progress, curves, said, measures, measuring, unfolded, settings,
        labels,
    )  # fmt: skip


def wire(panel: TrainingPanel, shared: Shared) -> None:
    """What the buttons do to a run that is there; starting one is the page's."""
    runs, quick = shared.runs, {"show_progress": "hidden", "queue": False, "api_name": False}
    panel.pause.click(runs.pause, shared.run_id, **quick)
    panel.resume.click(runs.resume, shared.run_id, **quick)
    panel.one_step.click(runs.step, shared.run_id, **quick)
    panel.stop.click(runs.stop, shared.run_id, **quick)
    panel.steer.input(runs.steer, [shared.run_id, panel.steer], trigger_mode="always_last", **quick)
    panel.measuring.expand(lambda: True, None, panel.unfolded, **quick)
    panel.measuring.collapse(lambda: False, None, panel.unfolded, **quick)


def seen_of(run: Run | None, unfolded: bool) -> tuple:
    """What a page that shows a run has seen of it: (id, version, state, evaluations and captions of the person's
    picture, moments of its life, measures)."""
    if run is None:
        return "", 0, "", 0, 0, unfolded
    return run.id, run.version, run.state, len(run.scores) + run.sampled, len(run.life), unfolded


def updates(run: Run | None, language: str, before: tuple, now: tuple) -> list:
    """Of `TrainingPanel.shown`, when a page that has seen `before` is to show `now`: only what has changed is sent."""
    new_run = before[0] != now[0]
    new_state = new_run or before[2] != now[2]
    new_scores = new_state or before[3] != now[3]
    steerable = bool(run and run.live and run.controls)
    slider = {"visible": steerable}
    if new_run and steerable:
        slider["value"] = run.config.learning_rate if run.controls.learning_rate is None else run.controls.learning_rate
    return [
        show_progress(run, language),
        show_curves(run, language),
        show_said(run, language) if new_scores else gr.skip(),
        show_measures(run, language) if now[5] else gr.skip(),
        *(buttons(run) if new_state else [gr.skip()] * 5),
        gr.update(**slider) if new_state else gr.skip(),
    ]


def buttons(run: Run | None) -> list:
    """Updates of start, pause, resume, one step and stop for the state of a run."""
    state = run.state if run else None
    return [
        gr.update(interactive=state not in ("running", "paused")),
        gr.update(visible=state == "running"),
        gr.update(visible=state == "paused"),
        gr.update(visible=state == "paused"),
        gr.update(visible=state in ("running", "paused")),
    ]


def show_progress(run: Run | None, language: str) -> str:
    """How far the run is, as HTML. Inert until there is one."""
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
    message = f'<p class="problem" role="alert">{escape(said)}</p>' if (said := _problem(run, language)) else ""
    return (
        f'<div class="run" data-run="{escape(run.id)}" data-state="{run.state}" data-step="{run.step}">'
        f"{warn_of_faults(run.config, language)}"
        f'<progress max="1" value="{run.share:.4f}" aria-label="{escape(words["budget"])}"></progress>'
        f'<p class="facts">{" · ".join(map(escape, facts))}</p>{message}{_steered(run, language)}</div>'
    )


def _problem(run: Run, language: str) -> str:
    """What went wrong with a run; empty if nothing did."""
    match run.state:
        case "diverged":
            return text(language, "diverged_told", step=run.step)
        case "failed":
            return run.chinese if language == "zh" and run.chinese else run.message
    return ""


def _steered(run: Run, language: str) -> str:
    """That a curve was steered by hand, and when: its settings alone do not repeat it."""
    steered = run.controls.steered if run.controls else ()
    if not steered:
        return ""
    steps = ", ".join(str(steering.step) for steering in steered[-4:])
    return f'<p class="steered">{escape(text(language, "steered", steps=steps))}</p>'


def show_curves(run: Run | None, language: str) -> str:
    """Loss and held-out captions right, with the stages of learning that were seen marked on them."""
    if run is None:
        return ""
    words = table(language)
    seen = [(run.stages[name], name, number) for number, name in enumerate(STAGES, 1) if name in run.stages]
    marks = [(moment.share, number) for moment, _, number in seen]
    items = "".join(
        f'<li value="{number}" data-stage="{name}" data-step="{moment.step}" title="{escape(words[STAGES[name][1]])}">'
        f"{escape(words[STAGES[name][0]])}</li>"
        for moment, name, number in seen
    )
    listed = f'<ol class="stages" aria-label="{escape(words["stages"])}">{items}</ol>' if items else ""
    return draw_curves(run.losses, run.scores, words_of_curves(language), marks) + listed


def show_said(run: Run | None, language: str) -> str:
    """What the model of the last evaluation says of the person's picture, and how it points."""
    if run is None:
        return ""
    words = table(language)
    lines = "".join(
        f'<li lang="{spoken}">{escape(caption.text) or "…"}</li>' for spoken, caption in run.captions.items()
    )
    says = f'<p class="says">{escape(words["says_now"])}:</p><ul class="says">{lines or "<li>…</li>"}</ul>'
    return says + _exam(run, language)


def _exam(run: Run, language: str) -> str:
    """How the model of the last evaluation points, and what it makes of colours and shapes it never saw together."""
    exam = run.exam
    if exam is None:
        return ""
    shares = {name: f"{getattr(exam, name):.0%}" for name in ("hit", "mass", "chance", "new_pairs")}
    return f'<p class="exam">{escape(text(language, "exam", **shares))}</p>'


def show_measures(run: Run | None, language: str) -> str:
    """Each kind of word and the maps, as small curves over the run and figures of now; then what the stages mean."""
    words = table(language)
    stages = _stage_table(run, words)
    if run is None or not run.signals:
        return f"<p>{escape(words['measures_none'])}</p>{stages}"
    rows = []
    for slot, key in SLOTS.items():
        known = [signals[slot] for _, signals in run.signals if slot in signals]
        if known:
            right, base = [signal.right for signal in known], [signal.commonest for signal in known]
            rows.append(_meter(words[key], right, base, f'data-slot="{slot}"'))
    maps = []
    for name, key in MAPS.items() if run.scores else ():
        base = [entry["chance"] for entry in run.scores]
        maps.append(_meter(words[key], [entry[name] for entry in run.scores], base, f'data-map="{name}"'))
    parts = [("measures_words", rows), ("measures_maps", maps)]
    tables = [
        f'<table class="meters"><caption>{escape(words[key])}</caption>{"".join(found)}</table>'
        for key, found in parts
        if found
    ]
    return "".join(tables) + stages


def _meter(name: str, heights: list[float], base: list[float], data: str) -> str:
    """A row: the name, the curve so far, a bar of the newest figure with a tick at what it is held against."""
    now, held = heights[-1], base[-1]
    return (
        f'<tr {data}><th scope="row">{escape(name)}</th><td>{draw_spark(heights, base, name)}</td>'
        f'<td><span class="bar" style="--now:{now:.3f};--base:{held:.3f}"></span></td>'
        f"<td>{100 * now:.0f} %</td></tr>"
    )


def _stage_table(run: Run | None, words: dict[str, str]) -> str:
    found = run.stages if run else {}
    rows = "".join(
        f'<li data-seen="{str(name in found).lower()}"><strong>{escape(words[title])}</strong> '
        f"{escape(words[means])}</li>"
        for name, (title, means) in STAGES.items()
    )
    return f'<p class="meaning">{escape(words["stages_meaning"])}</p><ol class="meaning">{rows}</ol>'
