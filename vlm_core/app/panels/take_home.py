"""Take it home: a figure of the caption, the run as a file and back, a link, and code that does the same elsewhere."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr
import numpy as np

from vlm_core.app.canvas import read_picture, what_it_shows
from vlm_core.app.downloads import on_click
from vlm_core.app.heads import head_named
from vlm_core.app.homecoming import bring_back, pack_run
from vlm_core.app.messages import telling
from vlm_core.app.runs import Runs
from vlm_core.app.settings import configure
from vlm_core.app.shared import ASK_LENS, Shared
from vlm_core.app.snippets import ADDRESS, Shown, client_code, command_line, link, python_code
from vlm_core.app.texts import Labels, text
from vlm_core.config import TrainConfig
from vlm_core.errors import UserError
from vlm_core.pictures import open_picture
from vlm_core.scenes.world import GRID

if TYPE_CHECKING:
    from vlm_core.model.generation import Caption

TITLE = "take_title"
KINDS = ("png", "svg", "pdf")
MOST_WORDS, MOST_HEADS, MOST_TEXT = 80, 64, 60


@dataclass(frozen=True)
class TakeHomePanel:
    figure: gr.HTML
    """Headings and explanations; drawn anew with the language."""
    run: gr.HTML
    code: gr.HTML
    kind: gr.Radio
    save_figure: gr.Button
    save_run: gr.Button
    load_run: gr.UploadButton
    lens: gr.Textbox
    """What ASK_LENS finds; never seen."""
    watched: gr.Textbox
    """How the page's run stands, as static/take_home.js tells it: the code is written anew; never seen."""
    labels: Labels


def build(language: str) -> TakeHomePanel:
    with gr.Row(elem_id="take-home"):
        with gr.Column(min_width=300):
            figure = gr.HTML(tell(language, "take_figure", "take_figure_told"))
            kind = gr.Radio(
                [(name.upper(), name) for name in KINDS], value="pdf", label=text(language, "take_kind"),
                elem_id="figure-kind",
            )  # fmt: skip
            save_figure = gr.Button(text(language, "take_figure_save"), elem_id="save-figure")
        with gr.Column(min_width=300):
            run = gr.HTML(tell(language, "take_run", "take_run_told"))
            save_run = gr.Button(text(language, "take_run_save"), elem_id="save-run")
            load_run = gr.UploadButton(
                text(language, "take_run_load"), elem_id="load-run", file_types=[".zip"], type="filepath"
            )
    code = gr.HTML("", elem_id="take-code")
    lens = gr.Textbox("", label="lens", elem_classes="data-only")
    watched = gr.Textbox("", label="run", elem_id="take-watched", elem_classes="data-only")
    labels: Labels = [
        (kind, {"label": "take_kind"}),
        (save_figure, {"value": "take_figure_save"}),
        (save_run, {"value": "take_run_save"}),
        (load_run, {"label": "take_run_load"}),
    ]
    return TakeHomePanel(figure, run, code, kind, save_figure, save_run, load_run, lens, watched, labels)


def wire(panel: TakeHomePanel, shared: Shared) -> None:
    def show(drawn, spoken, speaker, run_id, language, *settings) -> str:
        return show_code(what_is_shown(shared, drawn, spoken, speaker, run_id, language, settings))

    def save(run_id: str, language: str) -> tuple[str, bytes]:
        return "simple-vlm-run.zip", pack_run(shared.runs.get(run_id), language)

    def load(path: str) -> tuple[str, str]:
        return load_run(shared.runs, path), "run"

    def retell(language: str) -> tuple[str, str]:
        return tell(language, "take_figure", "take_figure_told"), tell(language, "take_run", "take_run_told")

    on_click(panel.save_figure, draw_figure, [panel.kind, shared.language, panel.lens], shared.message, js=ASK_LENS)
    on_click(panel.save_run, save, [shared.run_id, shared.language], shared.message)
    quick = {"show_progress": "hidden", "queue": False, "api_name": False}
    panel.load_run.upload(
        telling(load, 2), panel.load_run, [shared.run_id, shared.speaker, shared.message], show_progress="hidden",
        api_name=False,
    )  # fmt: skip
    shared.language.change(retell, shared.language, [panel.figure, panel.run], **quick)
    on_page = [shared.drawn, shared.spoken, shared.speaker, shared.run_id, shared.language, *shared.settings]
    changed = [shared.page.load, panel.watched.change, *(component.change for component in on_page)]
    gr.on(changed, show, on_page, panel.code, trigger_mode="always_last", **quick)


def what_is_shown(
    shared: Shared, drawn: str, spoken: str, speaker: str, run_id: str, language: str, settings: tuple
) -> Shown:
    """What code has to reproduce: the page's run and who speaks, or the settings of a run that could be."""
    run = shared.runs.get(run_id)
    try:
        config = run.config if run else configure(*settings)
    except UserError:
        config = TrainConfig()
    try:
        scene = what_it_shows(read_picture(drawn, language))
    except UserError:
        scene = None
    story = run.vlm.run if run and run.vlm else {}
    repeatable = not (story.get("steered") or story.get("taught"))
    return Shown(config, speaker == "run" and run is not None, spoken, scene, language, repeatable)


def show_code(shown: Shown) -> str:
    """The link and the three snippets as HTML, each with a button that copies it (static/take_home.js)."""
    address = '<span data-address="">…/</span>'

    def block(key: str, code: str) -> str:
        name = escape(text(shown.language, key))
        lines = escape(code).replace(ADDRESS, address)
        copy = escape(text(shown.language, "take_copy"))
        return (
            f'<section class="snippet"><h3>{name}</h3>'
            f'<button type="button" data-copied="{escape(text(shown.language, "take_copied"))}">{copy}</button>'
            f'<pre tabindex="0" aria-label="{name}" id="{key.replace("_", "-")}"><code>{lines}</code></pre></section>'
        )

    names = {"save": "take_picture_save", "docs": "take_docs"}
    said = {name: escape(text(shown.language, key)) for name, key in names.items()}
    return (
        f"<h2>{escape(text(shown.language, 'take_code'))}</h2>"
        f'<p>{escape(text(shown.language, "take_code_told" if shown.trained_here else "take_code_bundled"))}</p>'
        f'<p><button type="button" id="save-picture">{said["save"]}</button> '
        f'<button type="button" id="api-docs">{said["docs"]}</button></p>'
        + block("take_link", link(shown))
        + block("take_python", python_code(shown))
        + block("take_client", client_code(shown))
        + block("take_command", command_line(shown))
    )


def draw_figure(kind: str, language: str, lens: str) -> tuple[str, bytes]:
    """(file name, content) of the caption that the lens shows. Raises UserError if it shows none."""
    from vlm_core.insight.figures import draw_strip

    shown = json.loads(lens)
    if not shown.get("caption") or not shown.get("picture"):
        raise UserError(text(language, "take_no_caption"))
    try:
        caption = read_caption(shown["caption"])
        picture = open_picture(base64.b64decode(shown["picture"].partition(",")[2], validate=True))
        layers, heads = caption.tokens[0].null_mass.shape if caption.tokens else (0, 0)
        layer_head = head_named(shown["head"], layers, heads)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(text(language, "take_no_caption")) from error
    return f"caption.{kind}", draw_strip(picture, caption, kind, layer_head)


def read_caption(told: dict) -> Caption:
    """The caption in what the lens was sent (`caption.caption_as_data`). Raises ValueError, TypeError or KeyError if
    it is none, as whoever sends it back may have changed it."""
    from vlm_core.model.generation import Caption, GeneratedToken

    words, language = told["words"], told["language"]
    if language not in ("en", "zh") or len(words) > MOST_WORDS or told["grid"] != GRID:
        raise ValueError("no caption")
    tokens = []
    for word in words:
        maps, null = np.array(word["maps"], dtype=np.float32), np.array(word["null"], dtype=np.float32)
        name, probability = str(word["text"])[:MOST_TEXT], float(word["probability"])
        if maps.ndim != 3 or maps.shape[2] != GRID**2 or maps.shape[:2] != null.shape or null.size > MOST_HEADS:
            raise ValueError("no maps")
        if not (0 <= probability <= 1 and np.isfinite(maps).all() and np.isfinite(null).all()):
            raise ValueError("no shares")
        maps = maps.reshape(*null.shape, GRID, GRID) / float(told["steps"])
        tokens.append(GeneratedToken(0, name, probability, (), maps, null))
    return Caption("".join(token.text for token in tokens), tuple(tokens), language)


def load_run(runs: Runs, path: str) -> str:
    """The run in an uploaded file, for nobody else; its id. Raises UserError if there is none in it."""
    return bring_back(runs, Path(path).read_bytes()).id


def tell(language: str, title: str, told: str) -> str:
    return f"<h2>{escape(text(language, title))}</h2><p>{escape(text(language, told))}</p>"
