"""Race: two runs that differ in one setting learn side by side, turn by turn, each with the same budget."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import gradio as gr

from vlm_core.app.canvas import read_picture
from vlm_core.app.curves import SIGNS, Line, draw_chart, loss_line
from vlm_core.app.messages import telling
from vlm_core.app.runs import Run, Runs
from vlm_core.app.settings import CHOICES, KINDS, configure, recalled, say_settings, say_value, settings_of
from vlm_core.app.shared import Shared
from vlm_core.app.texts import LANGUAGE_NAMES, Labels, known, table, text
from vlm_core.errors import UserError

TITLE = "race"
VARIED = {
    "preset": ("classic", "lecture"),
    "optimizer": ("adamw", "muon"),
    "learning_rate": (0.3, 1.0),
    "objective": ("captions", "grounded"),
    "heads": (1, 4),
    "width": (32, 96),
    "languages": ("en", "en,zh"),
    "seed": (0, 1),
}
"""Settings that two runs may differ in, with what is compared first. Level and style are not among them: runs on other
pictures are examined on other pictures, and their scores say nothing about each other."""
NUMBERS = {"learning_rate": (0.1, 0.3, 1.0, 3.0, 10.0), "seed": (0, 1, 2, 3, 4)}
"""Values to choose from where a setting is a number."""
SERIES = ("a", "b")
SCORES = {"hit": "pointing_game", "mass": "mass_in_mask", "chance": "race_chance", "new_pairs": "race_new_pairs"}
SLOTS = {
    "color": "slot_color", "shape": "slot_shape", "size": "slot_size", "place": "slot_place",
    "relation": "slot_relation",
}  # fmt: skip
NO_RACE = ["", "", ""]
SECONDS = 1.0
"""Between looks at a race that goes on."""
AVERAGED = 5
"""Batches whose signals are averaged in the table: one alone has few words of each kind."""


@dataclass(frozen=True)
class RacePanel:
    intro: gr.HTML
    differs: gr.Dropdown
    first: gr.Dropdown
    second: gr.Dropdown
    start: gr.Button
    stop: gr.Button
    view: gr.HTML
    take_first: gr.Button
    take_second: gr.Button
    race: gr.State
    """[id of the first run, of the second, the setting in which they differ]; NO_RACE before there is one."""
    timer: gr.Timer
    """Ticks while a race goes on."""
    labels: Labels


def build(language: str) -> RacePanel:
    def words(key: str) -> str:
        return text(language, key)

    intro = gr.HTML(show_intro(language), elem_id="race-intro")
    with gr.Row(elem_classes="tight"):
        differs = gr.Dropdown(settings_to_vary(language), value="preset", label=words("race_differs"),
                              elem_id="race-differs", min_width=160)  # fmt: skip
        first, second = (
            gr.Dropdown(values_of("preset", language), value=value, label=words(key), elem_id=name, min_width=160)
            for value, key, name in zip(
                VARIED["preset"], ("race_first", "race_second"), ("race-first", "race-second"), strict=True
            )
        )
    with gr.Row(elem_classes="tight"):
        start = gr.Button(words("race_start"), variant="primary", elem_id="race-start", min_width=150)
        stop = gr.Button(words("stop"), elem_id="race-stop", visible=False, min_width=90)
    view = gr.HTML("", elem_id="race-view")
    with gr.Row(elem_classes="tight"):
        take_first = gr.Button(words("race_take_first"), elem_id="race-take-first", visible=False, min_width=150)
        take_second = gr.Button(words("race_take_second"), elem_id="race-take-second", visible=False, min_width=150)
    race = gr.State(NO_RACE)
    labels: Labels = [
        (differs, {"label": "race_differs"}),
        (first, {"label": "race_first"}),
        (second, {"label": "race_second"}),
        (start, {"value": "race_start"}),
        (stop, {"value": "stop"}),
        (take_first, {"value": "race_take_first"}),
        (take_second, {"value": "race_take_second"}),
    ]
    timer = gr.Timer(SECONDS, active=False)
    return RacePanel(intro, differs, first, second, start, stop, view, take_first, take_second, race, timer, labels)


def wire(panel: RacePanel, shared: Shared) -> None:
    runs, quick = shared.runs, {"show_progress": "hidden", "queue": False, "api_name": False}
    watched = [panel.view, panel.start, panel.stop, panel.take_first, panel.take_second, panel.timer]

    def start(*asked) -> tuple:
        race = start_race(runs, *asked)
        return race, *watch(runs, race, asked[3])

    panel.differs.input(offer, [panel.differs, shared.language], [panel.first, panel.second], **quick)
    panel.start.click(
        telling(start, 1 + len(watched)),
        [panel.differs, panel.first, panel.second, shared.language, shared.drawn, *shared.settings],
        [panel.race, *watched, shared.message],
        show_progress="hidden", queue=False, api_name=False,
    )  # fmt: skip

    def stop(race: list[str]) -> None:
        for run_id in race[:2]:
            runs.stop(run_id)

    def look(*asked) -> list:
        return watch(runs, *asked)

    panel.stop.click(stop, panel.race, None, **quick)
    def restore(request: gr.Request) -> tuple:
        race = race_asked(request.query_params.get("race", ""))
        return race, *watch(runs, race, known(request.query_params.get("lang")))

    for told in (panel.timer.tick, shared.language.change):
        told(look, [panel.race, shared.language], watched, **quick)
    shared.page.load(restore, None, [panel.race, *watched], **quick)
    shared.language.change(
        speak, [panel.differs, panel.first, panel.second, shared.language],
        [panel.intro, panel.differs, panel.first, panel.second], **quick,
    )  # fmt: skip
    taken = [shared.run_id, shared.speaker, *shared.settings]
    for place, button in enumerate((panel.take_first, panel.take_second)):
        button.click(
            telling(lambda race, language, place=place: recalled(runs, race[place], language), len(taken)),
            [panel.race, shared.language], [*taken, shared.message],
            show_progress="hidden", concurrency_limit=8, api_name=False,  # through the queue: see page.py
        )  # fmt: skip


def settings_to_vary(language: str) -> list[tuple[str, str]]:
    return [(text(language, name), name) for name in VARIED]


def values_of(name: str, language: str) -> list[tuple[str, object]]:
    """What a setting may be in a race, as choices."""
    values = NUMBERS.get(name) or CHOICES[name]
    return [(say_value(name, value, language), value) for value in values]


def offer(differs: str, language: str) -> list:
    """Updates of both values when another setting is to differ."""
    return [gr.update(choices=values_of(differs, language), value=value) for value in VARIED[differs]]


def speak(differs: str, first, second, language: str) -> list:
    """Intro and choices in another language."""
    values = values_of(differs, language)
    return [
        show_intro(language), gr.update(choices=settings_to_vary(language), value=differs),
        gr.update(choices=values, value=first), gr.update(choices=values, value=second),
    ]  # fmt: skip


def start_race(
    runs: Runs, differs: str, first, second, language: str, drawn: str, *settings
) -> list[str]:
    """Begin two runs at once; their race. Raises UserError if it would be none, or if there is no room for it."""
    if first == second:
        raise UserError(text(language, "race_same"))
    try:
        shown = read_picture(drawn, language)
    except UserError:
        shown = None
    place = list(KINDS).index(differs)
    configs = tuple(configure(*settings[:place], value, *settings[place + 1 :]) for value in (first, second))
    return [*(run.id for run in runs.start_all(configs, shown)), differs]


def race_asked(address: str) -> list[str]:
    """A race as ledger.js puts it into the address: "first.second.setting"; NO_RACE for whatever else."""
    parts = address.split(".")
    return parts if len(parts) == 3 and parts[2] in VARIED else NO_RACE


def watch(runs: Runs, race: list[str], language: str) -> list:
    """Updates of the view, start, stop, both buttons that take one, and the timer, for the state of a race."""
    racers = [runs.get(run_id) for run_id in race[:2]]
    if not all(racers):
        return ["", gr.update(interactive=True), *[gr.update(visible=False)] * 3, gr.update(active=False)]
    live = any(run.live for run in racers)
    ready = all(run.scores for run in racers)
    return [
        show_race(racers, race[2], language), gr.update(interactive=not live), gr.update(visible=live),
        gr.update(visible=ready), gr.update(visible=ready), gr.update(active=live),
    ]  # fmt: skip


def show_intro(language: str) -> str:
    return f"<p>{escape(text(language, 'race_intro'))}</p>"


def show_race(racers: list[Run], differs: str, language: str) -> str:
    """Both runs on the same axes, and their newest scores beside each other."""
    words = table(language)
    place = list(KINDS).index(differs)
    names = [say_value(differs, settings_of(run.config)[place], language) for run in racers]
    loss = draw_chart(
        [loss_line(run.losses, series) for run, series in zip(racers, SERIES, strict=True)],
        _label(words["loss"], names, [f"{run.losses[-1][1]:.2f}" if run.losses else "" for run in racers]),
        losses_left=True,
    )
    exact = [[(entry["share"], _mean(entry["exact_match"])) for entry in run.scores] for run in racers]
    right = draw_chart(
        [Line(series, dots, marked=True) for series, dots in zip(SERIES, exact, strict=True)],
        _label(words["exact_match"], names, [f"{100 * dots[-1][1]:.0f} %" if dots else "" for dots in exact]),
        shares_right=True,
    )
    legend = "".join(
        f'<span class="{series}" data-run="{escape(run.id)}" data-state="{run.state}" data-step="{run.step}">'
        f"{SIGNS[series]} {escape(name)}: {escape(_progress(run, language))}</span>"
        for run, series, name in zip(racers, SERIES, names, strict=True)
    )
    others = text(language, "race_others", settings=say_settings(racers[0].config, language, without=(differs,)))
    charts = "".join(
        f"<figure><figcaption>{escape(words[key])}</figcaption>{chart}</figure>"
        for key, chart in (("loss", loss), ("exact_match", right))
    )
    return (
        f'<p class="legend" data-race="{escape(".".join([*(run.id for run in racers), differs]))}">{legend}</p>'
        f'<div class="race-charts">{charts}</div>'
        f"<p>{escape(others)}</p>{_scores(racers, names, language)}"
    )


def _label(title: str, names: list[str], figures: list[str]) -> str:
    return f"{title}: " + ", ".join(f"{name} {figure}" for name, figure in zip(names, figures, strict=True))


def _mean(shares: dict[str, float]) -> float:
    return sum(shares.values()) / len(shares)


def _progress(run: Run, language: str) -> str:
    said = [text(language, run.state), text(language, "step", step=run.step)]
    return " · ".join([*said, text(language, "elapsed", seconds=f"{run.seconds:.0f}")])


def _told(run: Run, slot: str, language: str) -> str:
    """How a kind of word comes out on the newest pictures, and what guessing would get; empty if none was asked for."""
    known = [signals[slot] for _, signals in run.signals[-AVERAGED:] if slot in signals]
    if not known:
        return ""
    right, commonest = (100 * sum(column) / len(known) for column in zip(*known, strict=True))
    return f"{right:.0f} % <small>({escape(text(language, 'race_guessing', share=f'{commonest:.0f}'))})</small>"


def _scores(racers: list[Run], names: list[str], language: str) -> str:
    """A table of the newest scores; empty until both have been examined."""
    if not all(run.scores for run in racers):
        return ""
    words = table(language)
    newest = [run.scores[-1] for run in racers]

    def percent(share: float | None) -> str:
        return "–" if share is None else f"{100 * share:.0f} %"

    rows = [
        (f"{words['exact_match']}, {words[key]}", [percent(scores["exact_match"].get(name)) for scores in newest])
        for name, key in LANGUAGE_NAMES.items()
        if any(name in scores["exact_match"] for scores in newest)
    ]
    for slot, key in SLOTS.items():
        told = [_told(run, slot, language) for run in racers]
        if any(told):
            rows.append((text(language, "race_slot", slot=words[key]), [cell or "–" for cell in told]))
    rows += [(words[key], [percent(scores[name]) for scores in newest]) for name, key in SCORES.items()]
    rows.append((words["race_steps"], [f"{scores['step']:,}" for scores in newest]))
    rows.append((words["race_parameters"], [f"{run.parameters:,}" for run in racers]))
    heads = "".join(
        f'<th scope="col"><span class="{series}">{SIGNS[series]}</span> {escape(name)}</th>'
        for series, name in zip(SERIES, names, strict=True)
    )
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
        for name, cells in rows
    )
    return (
        f'<table class="figures"><thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody></table>'
        f"<p>{escape(words['race_one_each'])}</p>"
    )
