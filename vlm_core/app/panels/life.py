"""The time machine: one slider through a run's whole life, for the person's own picture, and a film of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape

import gradio as gr

from vlm_core.app.canvas import read_picture
from vlm_core.app.downloads import on_click
from vlm_core.app.heads import head_named
from vlm_core.app.runs import Run, Runs
from vlm_core.app.shared import ASK_LENS, Shared
from vlm_core.app.texts import LANGUAGE_NAMES, Labels, choices, table, text
from vlm_core.errors import UserError

SHOWN_IN_FILM = {"chosen": "film_chosen", "every": "film_every"}


@dataclass(frozen=True)
class LifePanel:
    slider: gr.Slider
    more: gr.Column
    """What else there is once a run has a life."""
    moment: gr.HTML
    film: gr.Button
    shown: gr.Radio
    """What the film shows, one of SHOWN_IN_FILM."""
    lens: gr.Textbox
    """What ASK_LENS finds; never seen."""
    labels: Labels


def build(language: str) -> LifePanel:
    """Play moves the slider through the run by itself: static/life.js."""
    with gr.Column(elem_id="life"):
        slider = gr.Slider(
            0, 1, 0, step=1, label=text(language, "life"), elem_id="life-slider", visible=False, buttons=[]
        )
        with gr.Column(visible=False, elem_id="life-more") as more:
            moment = gr.HTML("", elem_id="life-moment")
            with gr.Row(elem_classes="tight"):
                play = gr.Button(text(language, "play"), elem_id="play", min_width=90)
                film = gr.Button(text(language, "film"), elem_id="film", min_width=150)
            shown = gr.Radio(
                choices(language, SHOWN_IN_FILM), value="chosen", label=text(language, "film_shows"),
                elem_id="film-shows",
            )  # fmt: skip
    lens = gr.Textbox("", label="lens", elem_classes="data-only")
    labels: Labels = [
        (slider, {"label": "life"}),
        (play, {"value": "play"}),
        (film, {"value": "film"}),
        (shown, {"label": "film_shows", "choices": SHOWN_IN_FILM}),
    ]
    return LifePanel(slider, more, moment, film, shown, lens, labels)


def wire(panel: LifePanel, shared: Shared) -> None:
    def tell(moment: int | None, run_id: str, language: str) -> str:
        return tell_moment(shared.runs.get(run_id), moment, language)

    def film(*asked) -> tuple[str, bytes]:
        return make_film(shared.runs, *asked)

    gr.on(
        [shared.moment.change, shared.run_id.change, shared.language.change],
        tell, [shared.moment, shared.run_id, shared.language], panel.moment,
        show_progress="hidden", trigger_mode="always_last", concurrency_limit=8, api_name=False,
    )  # fmt: skip
    asked = [shared.drawn, shared.spoken, panel.shown, shared.run_id, shared.language, panel.lens]
    on_click(panel.film, film, asked, shared.message, js=ASK_LENS)


def updates(run: Run | None, moment: int | None) -> list:
    """Of slider and all else: there once a run has a life to look back on. Unless the page looks back to a `moment`,
    the slider stands at the newest one."""
    moments = len(run.life) if run else 0
    if moments < 2:
        return [gr.update(visible=False), gr.update(visible=False)]
    places = [place for place, then in enumerate(run.life) if then.step == moment]
    place = places[0] if places else moments - 1
    return [gr.update(visible=True, maximum=moments - 1, value=place), gr.update(visible=True)]


def moment_at(run: Run | None, place: float, language: str) -> int | None:
    """The step of the snapshot at a place of the slider; None for the last one of a run that goes on, which is now.

    Raises UserError if the run's life is no longer kept.
    """
    if run is None or not run.life:
        raise UserError(text(language, "life_gone"))
    place = min(max(int(place), 0), len(run.life) - 1)
    return None if run.live and place == len(run.life) - 1 else run.life[place].step


def tell_moment(run: Run | None, moment: int | None, language: str) -> str:
    """When a snapshot was, and the scores of the evaluation nearest to it; empty if that is not kept, or for now."""
    then = next((then for then in run.life if then.step == moment), None) if run else None
    if then is None:
        return ""
    told = [text(language, "step", step=then.step), text(language, "elapsed", seconds=f"{then.seconds:.1f}")]
    told += tell_scores(run, then.step, language)
    return f'<p data-step="{then.step}">{escape(" · ".join(told))}</p>'


def tell_scores(run: Run, step: int, language: str) -> list[str]:
    """The held-out exact match of the evaluation nearest to a step, and when that was; nothing before the first."""
    if not run.scores:
        return []
    nearest = min(run.scores, key=lambda score: abs(score["step"] - step))
    shares = [f"{text(language, LANGUAGE_NAMES[name])} {share:.0%}" for name, share in nearest["exact_match"].items()]
    return [text(language, "life_scores", shares=", ".join(shares), step=nearest["step"])]


def make_film(
    runs: Runs, drawn: str, spoken: str, shown: str, run_id: str, language: str, lens: str
) -> tuple[str, bytes]:
    """The run's life with the picture on the canvas: (file name, animated GIF).

    `lens` is what ASK_LENS gives. Raises UserError if there is no picture, or no life of the run.
    """
    from vlm_core.insight.film import Moment, draw_film, relive

    picture, run = read_picture(drawn, language), runs.get(run_id)
    moment_at(run, 0, language)  # or a sentence
    looked_at = json.loads(lens)
    place, word = looked_at["chosen"]
    layers, heads = run.life[0].vlm.config.decoder_layers, run.life[0].vlm.config.heads
    moments = []
    for moment in relive(list(run.life), picture, spoken):
        score = next(iter(tell_scores(run, moment.step, language)), "")
        moments.append(Moment(moment.step, moment.seconds, moment.caption, score))
    words = {"silent": text(language, "film_silent"), **{key: table(language)[key] for key in ("step", "elapsed")}}
    chosen = (max(int(place), 0), str(word)) if shown == "chosen" else None
    return "life.gif", draw_film(picture, moments, words, chosen, head_named(looked_at["head"], layers, heads))

