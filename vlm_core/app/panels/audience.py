"""Ask the class: a room whose phones guess where the model looks for its next word, and what came of it.

The rooms are kept by `vlm_core.app.audience`, what phones see is in static/audience.
"""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import gradio as gr
import numpy as np
from PIL import Image

from vlm_core.app.audience import PATCHES, ROOMS, Exhibit, Room, Rooms
from vlm_core.app.audience_routes import Reach, base_address, reach
from vlm_core.app.canvas import read_picture, what_it_shows
from vlm_core.app.heads import head_named, say_head
from vlm_core.app.maps import draw_map
from vlm_core.app.messages import telling
from vlm_core.app.shared import ASK_LENS, Shared
from vlm_core.app.speakers import speaking
from vlm_core.app.texts import Labels, known, text
from vlm_core.app.truth import as_far_as_true, truth_of
from vlm_core.errors import UserError

if TYPE_CHECKING:
    from vlm_core.insight.exam import Exam

TITLE = "audience_tab"
COUNT_SECONDS = 1.0
NO_REACH = ("", False, None)
FIND_ROOM = "() => [sessionStorage.getItem('audience') ?? '']"
"""The key of the room that this tab opened, so that a reloaded page finds it again."""
KEEP_ROOM = "(key) => { sessionStorage.setItem('audience', key); }"


@dataclass(frozen=True)
class AudiencePanel:
    open: gr.Button
    renew: gr.Button
    reveal: gr.Button
    forward: gr.Button
    close: gr.Button
    word: gr.Radio
    intro: gr.HTML
    count: gr.HTML
    board: gr.HTML
    key: gr.Textbox
    """Of the room that this page opened, "" for none; never seen."""
    lens: gr.Textbox
    """What ASK_LENS finds; never seen."""
    timer: gr.Timer
    labels: Labels

    @property
    def view(self) -> list:
        """What `Presenter.view` gives values for, in its order."""
        return [
            self.key, self.open, self.renew, self.reveal, self.forward, self.close, self.word, self.count, self.board,
            self.timer,
        ]  # fmt: skip


def build(language: str) -> AudiencePanel:
    def button(key: str, **properties) -> gr.Button:
        return gr.Button(text(language, key), elem_id=key.replace("_", "-"), min_width=110, **properties)

    intro = gr.HTML(show_intro(language))
    with gr.Row(elem_classes="tight"):
        start = button("audience_open", variant="primary")
        reveal = button("audience_reveal", variant="primary", visible=False)
        forward = button("audience_next", visible=False)
        renew = button("audience_renew", visible=False)
        close = button("audience_close", visible=False)
    word = gr.Radio([], label=text(language, "audience_word"), elem_id="audience-word", visible=False)
    count = gr.HTML("", elem_id="audience-count")
    board = gr.HTML("", elem_id="audience-board")
    key = gr.Textbox("", label="key", elem_id="audience-key", elem_classes="data-only")
    lens = gr.Textbox("", label="lens", elem_classes="data-only")
    timer = gr.Timer(COUNT_SECONDS, active=False)
    labels: Labels = [
        (start, {"value": "audience_open"}),
        (renew, {"value": "audience_renew"}),
        (reveal, {"value": "audience_reveal"}),
        (forward, {"value": "audience_next"}),
        (close, {"value": "audience_close"}),
        (word, {"label": "audience_word"}),
    ]
    return AudiencePanel(start, renew, reveal, forward, close, word, intro, count, board, key, lens, timer, labels)


def wire(panel: AudiencePanel, shared: Shared) -> None:
    presenter = Presenter(ROOMS, shared)
    way_in = gr.State(NO_REACH)
    held = [panel.key, shared.language, way_in]
    quick = {"outputs": panel.view, "show_progress": "hidden", "queue": False, "api_name": False}
    asked = [*held, shared.drawn, shared.spoken, shared.speaker, shared.run_id, shared.moment]
    for button in (panel.open, panel.renew):
        button.click(
            telling(presenter.open, len(panel.view)), asked, [*panel.view, shared.message],
            show_progress="hidden", concurrency_limit=8, concurrency_id="follow", api_name=False,
        )  # fmt: skip
    panel.reveal.click(presenter.reveal, [*held, panel.lens], js=ASK_LENS, **quick)
    panel.forward.click(presenter.forward, held, **quick)
    panel.word.input(presenter.ask, [*held, panel.word], **quick)
    panel.close.click(presenter.close, held, **quick)
    panel.timer.tick(
        presenter.count, held, [panel.count, panel.timer], show_progress="hidden", queue=False, api_name=False
    )
    panel.key.change(None, panel.key, None, js=KEEP_ROOM)
    shared.language.change(presenter.view, held, **quick)
    shared.language.change(show_intro, shared.language, panel.intro, queue=False, api_name=False)
    shared.page.load(
        presenter.arrive, panel.key, [way_in, *panel.view], js=FIND_ROOM, show_progress="hidden", queue=False,
        api_name=False,
    )  # fmt: skip


class Presenter:
    """What happens on the panel, as plain functions; each gives the whole panel anew (`AudiencePanel.view`)."""

    def __init__(self, rooms: Rooms, shared: Shared):
        self.rooms, self.shared = rooms, shared

    def arrive(self, key: str, request: gr.Request) -> tuple:
        """How phones get here, and the room that this tab had open before it was reloaded."""
        base = base_address(request.headers, request.request.url.scheme, self.shared.page.root_path)
        way_in = reach(base, getattr(self.shared.page, "server_name", None))
        language = known(request.query_params.get("lang"))
        return way_in, *self.view(key if self.rooms.look(key) else "", language, way_in)

    def open(self, key, language, way_in, drawn, spoken, speaker, run_id, moment) -> tuple:
        """A room that asks about the picture on the canvas, or another question in the room there is.

        Raises UserError if there is no picture, nothing said of it, or no room to be had.
        """
        picture = read_picture(drawn, language)
        vlm, exam, *_ = speaking(self.shared.runs, speaker, run_id, moment)
        exhibit = prepare(vlm, exam, picture, spoken, language)
        if self.rooms.look(key):
            self.rooms.show(key, exhibit)
        else:
            key = self.rooms.open(exhibit)
        return self.view(key, language, way_in)

    def ask(self, key: str, language: str, way_in: tuple, word: int) -> tuple:
        self.rooms.ask(key, word)
        return self.view(key, language, way_in)

    def forward(self, key: str, language: str, way_in: tuple) -> tuple:
        if room := self.rooms.look(key):
            self.rooms.ask(key, room.word + 1)
        return self.view(key, language, way_in)

    def reveal(self, key: str, language: str, way_in: tuple, lens: str) -> tuple:
        """`lens` is what ASK_LENS gives: the maps shown are those of the head that it shows."""
        if room := self.rooms.look(key):
            layers, heads = room.exhibit.maps.shape[1:3]
            self.rooms.reveal(key, head_named(json.loads(lens)["head"], layers, heads, otherwise=room.exhibit.head))
        return self.view(key, language, way_in)

    def close(self, key: str, language: str, way_in: tuple) -> tuple:
        self.rooms.close(key)
        return self.view(key, language, way_in)

    def count(self, key: str, language: str, way_in: tuple) -> tuple:
        """(count, timer): how many phones have tapped; the timer stops once the room is gone."""
        room = self.rooms.look(key)
        if room is None:
            return show_gone(language), gr.Timer(active=False)
        return gr.skip() if room.revealed else show_count(room, language), gr.skip()

    def view(self, key: str, language: str, way_in: tuple) -> tuple:
        """The panel for the room of that key, or for none."""
        room = self.rooms.look(key)
        there = room is not None
        last = there and room.word == len(room.exhibit.words) - 1
        words = [(f"{place + 1}. {word}", place) for place, word in enumerate(room.exhibit.words)] if there else []
        return (
            key if there else "",
            gr.update(visible=not there),
            gr.update(visible=there),
            gr.update(visible=there and not room.revealed),
            gr.update(visible=there and not last),
            gr.update(visible=there),
            gr.update(visible=there, choices=words, value=room.word if there else None),
            show_count(room, language) if there else show_gone(language) if key else "",
            show_board(room, language, Reach(*way_in)) if there else "",
            gr.Timer(active=there),
        )


def prepare(vlm, exam: Exam | None, picture: Image.Image, spoken: str, language: str) -> Exhibit:
    """What a model says of a picture, and where it looked. Raises UserError if it says nothing."""
    tokens = list(vlm.stream(picture, spoken))
    if not tokens:
        raise UserError(text(language, "audience_silent"))
    config = vlm.config
    maps = np.stack([token.attention for token in tokens])
    content = io.BytesIO()
    picture.save(content, "PNG")
    return Exhibit(
        png=content.getvalue(),
        language=spoken,
        words=tuple(token.text for token in tokens),
        maps=maps.reshape(*maps.shape[:3], PATCHES),
        keys=config.keys,
        head=exam.layer_head if exam else None,
        touched=tuple(as_far_as_true(tokens, truth_of(what_it_shows(picture), vlm, spoken))),
    )


def show_intro(language: str) -> str:
    return f'<p class="audience-intro">{escape(text(language, "audience_intro"))}</p>'


def show_gone(language: str) -> str:
    return f'<p role="status">{escape(text(language, "audience_gone"))}</p>'


def show_count(room: Room, language: str) -> str:
    return f'<p role="status">{escape(text(language, "audience_taps"))}: <strong>{len(room.taps)}</strong></p>'


def show_board(room: Room, language: str, way_in: Reach) -> str:
    """The way in, the sentence with its gap, and the answer once it is revealed."""
    words, spoken = room.exhibit.words, room.exhibit.language
    before = ("" if spoken == "zh" else " ").join(words[: room.word])
    gap = escape(words[room.word]) if room.revealed else "?"
    sentence = f'<p class="sentence" lang="{spoken}">{escape(before)} <span class="gap">{gap}</span></p>'
    answer = show_answer(room, language) if room.revealed else ""
    return f'<div class="question"><div>{sentence}{answer}</div>{show_way_in(room, language, way_in)}</div>'


def show_way_in(room: Room, language: str, way_in: Reach) -> str:
    """QR code and address; where phones cannot get here, what to do about it instead of the code."""
    import segno

    address = f"{way_in.base}/audience"
    if way_in.open:
        code = segno.make(f"{address}#{room.code}", error="m", micro=False)
        name = escape(text(language, "audience_qr"))
        scan = code.svg_inline(omitsize=True, border=3, light="#fff", svgclass="qr", title=name)
        same = f'<p class="small">{escape(text(language, "audience_same_network"))}</p>' if way_in.lan else ""
    else:
        there = way_in.lan or text(language, "audience_own_address")
        told = text(language, "audience_unreachable", address=there)
        scan, same = f'<p class="unreachable" role="alert">{escape(told)}</p>', ""
    short = escape(address.partition("://")[2])
    return (
        f'<div class="way-in" data-code="{room.code}">{scan}<p>{escape(text(language, "audience_scan"))} '
        f'<a href="{escape(address)}#{room.code}" target="_blank" rel="noopener">{short}</a> '
        f'{escape(text(language, "audience_code"))} <strong>{room.code}</strong></p>{same}</div>'
    )


def show_answer(room: Room, language: str) -> str:
    """Three maps, the class's, the model's and the truth, with how well the first two agree with the rest."""
    import torch

    from vlm_core.insight.grounding import overlap

    exhibit, counts = room.exhibit, room.counts()
    touched = exhibit.touched[room.word]
    maps = exhibit.maps[room.word]  # (layers, heads, N)
    model = maps.mean(axis=(0, 1)) if room.head is None else maps[room.head]
    taps = counts / max(counts.sum(), 1)
    picture = "data:image/png;base64," + base64.b64encode(exhibit.png).decode()

    def figure(name: str, told: str, shares: np.ndarray | None, uniform: float) -> str:
        drawn = draw_map(picture, name, shares, uniform, touched)
        return f"<figure><figcaption>{escape(name)}</figcaption>{drawn}{told}</figure>"

    nobody = not room.taps
    of_class = text(language, "audience_class", count=len(room.taps))
    of_model = text(language, "audience_machine", name=say_head(room.head, language))
    unknown = text(language, "audience_unknown" if touched is None else "audience_object")
    figures = [
        figure(of_class, _p(text(language, "audience_nobody")) if nobody else _scores(taps, touched, language), taps,
               1 / PATCHES),
        figure(of_model, _scores(model, touched, language), model, 1 / exhibit.keys),
        figure(text(language, "audience_truth"), _p(unknown), None, 0),
    ]  # fmt: skip
    common = "" if nobody else _common(overlap(torch.from_numpy(taps), torch.from_numpy(model)), language)
    return f'<div class="maps">{"".join(figures)}</div>{common}{_p(text(language, "audience_legend"), "small")}'


def _scores(shares: np.ndarray, touched: list[int] | None, language: str) -> str:
    """Does a map (196) point at the object, and how much of it lies there? Nothing where the object is not known."""
    import torch

    from vlm_core.insight.grounding import score_maps

    if touched is None:
        return ""
    mask = torch.zeros(1, PATCHES, dtype=torch.bool)
    mask[0, touched] = True
    scores = score_maps(torch.from_numpy(shares)[None], mask).means()
    tie = np.isclose(shares, shares.max(), rtol=1e-5, atol=0).sum() > 1
    pointing = "audience_tie" if tie else "audience_hit" if scores["hit"] else "audience_miss"
    mass = text(language, "audience_mass", mass=f"{scores['mass']:.0%}", chance=f"{scores['chance']:.0%}")
    return f'<p data-hit="{bool(scores["hit"])}"><strong>{escape(text(language, pointing))}</strong> {escape(mass)}</p>'


def _common(share: float, language: str) -> str:
    return _p(text(language, "audience_common", share=f"{share:.0%}"), "common")


def _p(told: str, name: str = "") -> str:
    return f'<p class="{name}">{escape(told)}</p>'
