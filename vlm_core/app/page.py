"""The page: layout first, then what happens on each click. Panels meet only here."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from html import escape
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

from vlm_core.app import api
from vlm_core.app.audience import ROOMS
from vlm_core.app.audience_routes import routes
from vlm_core.app.canvas import read_picture, what_it_shows
from vlm_core.app.first_script import FirstScript
from vlm_core.app.heads import name_head
from vlm_core.app.messages import telling
from vlm_core.app.panels import (
    audience,
    bilingual,
    caption,
    ledger,
    lessons,
    life,
    machine,
    picture,
    race,
    sabotage,
    take_home,
    teach,
    training,
    what_if,
)  # fmt: skip
from vlm_core.app.runs import Runs
from vlm_core.app.settings import KINDS, configure, settings_asked, settings_of
from vlm_core.app.shared import Shared
from vlm_core.app.speakers import bundled_exam, speaking
from vlm_core.app.texts import Labels, known, text, translate
from vlm_core.errors import UserError

STATIC = Path(__file__).parent / "static"
SCRIPTS_FOR_ALL = (STATIC / "bridge.js", STATIC / "maps.js")
"""What every other script uses, so these come first."""
FIRST_SCRIPT = STATIC / "calm.js"
"""What must be there before Gradio's own scripts are."""
CHINESE_FONT = Path(__file__).resolve().parents[2] / "assets" / "fonts" / "noto-sans-sc.woff2"
"""For machines without Chinese glyphs; the page carries it, so that nothing is fetched from elsewhere."""
STUDIO = (what_if, machine, bilingual, race, ledger, teach, sabotage, audience, take_home)
"""Panels one step behind the three that are seen first, in the order of their tabs. Each has a TITLE, `build`, which
makes its components, and `wire`, which says what happens on them and knows of the page only what is shared."""
POLL_SECONDS = 1.0
"""How often the page looks at its run."""
QUEUE_SECONDS = 0.02
"""How often Gradio's queue looks for events."""
NOTHING_SEEN = training.NOTHING_SEEN


def build_page(runs: Runs) -> gr.Blocks:
    """The whole page over a registry of runs. Launch it with `launch_options()`."""
    handlers, language = Handlers(runs), "en"
    with gr.Blocks(title="Simple VLM", analytics_enabled=False, delete_cache=(600, 1800), fill_width=True) as page:
        api.offer(runs)
        page_language = gr.State(language)
        run_id = gr.State("")
        moment = gr.State(None)
        seen = gr.State(NOTHING_SEEN)
        poll = gr.Timer(POLL_SECONDS)
        with gr.Row(elem_id="header"):
            heading = gr.HTML(show_heading(language), elem_id="heading")
            lessons.build_menu()
            switch = gr.Radio(
                [("English", "en"), ("中文", "zh")], value=language, label="Language / 语言",
                show_label=False, container=False, elem_id="language", min_width=160,
            )  # fmt: skip
        tour = lessons.build_card()
        message = gr.HTML("", elem_id="message")
        with gr.Row(elem_id="columns"):
            with gr.Column(scale=5, min_width=330):
                drawing = picture.build(language)
                learning = training.build(language)
            with gr.Column(scale=7, min_width=330):
                speech = caption.build(language)
                past = life.build(language)

        shared = Shared(
            page, runs, drawing.drawn, drawing.canvas_data, speech.language, speech.speaker, run_id, moment,
            page_language, message, poll, learning.settings,
        )  # fmt: skip
        life.wire(past, shared)
        tabs: Labels = []
        with gr.Tabs(elem_id="studio", overflow_behavior="wrap"):
            for module in STUDIO:
                name = module.__name__.rpartition(".")[2]
                with gr.Tab(text(language, module.TITLE), elem_id=f"tab-{name}", id=name) as tab:
                    panel = module.build(language)
                    module.wire(panel, shared)
                tabs += [(tab, {"label": module.TITLE}), *panel.labels]

        handlers.labels = [*drawing.labels, *speech.labels, *past.labels, *learning.labels, *tabs]
        labelled = [component for component, _ in handlers.labels]

        # Your picture: canvas.js draws, shows what it is given, and tells of every change
        shown = {"outputs": drawing.canvas_data, "queue": False, "api_name": False}
        drawing.random.click(picture.random_picture, **shown)
        drawing.samples.select(picture.pick_sample, **shown)
        drawing.upload.upload(
            telling(picture.uploaded_picture, 1), drawing.upload, [drawing.canvas_data, message],
            queue=False, api_name=False,
        )  # fmt: skip

        # Its caption: silently when the picture changes or the run knows more, word by word when asked for; the newest
        # question counts. Choosing who speaks, or another run, ends looking back.
        drawing_of = [drawing.drawn, speech.language]
        asked = [*drawing_of, speech.speaker, run_id, moment, page_language]
        spoken = [speech.picture_data, speech.caption_data, speech.note, message]
        asking = speech.ask.click(
            telling(handlers.ask, 3), asked, spoken,
            show_progress="hidden", concurrency_limit=8, concurrency_id="caption", api_name=False,
        )  # fmt: skip
        follows = {
            "show_progress": "hidden", "trigger_mode": "always_last", "concurrency_limit": 8,
            "concurrency_id": "follow", "cancels": asking, "api_name": False,
        }  # fmt: skip
        gr.on(
            [drawing.drawn.change, speech.language.input, learning.said.change],
            handlers.follow, asked, spoken, **follows,
        )  # fmt: skip
        # What the message line says came of the language itself, where a lesson was opened in it.
        page_language.change(lambda *now: handlers.follow(*now)[:3], asked, spoken[:3], **follows)
        gr.on(
            [speech.speaker.input, run_id.change],
            handlers.follow_now, [*drawing_of, speech.speaker, run_id, page_language], [moment, *spoken], **follows,
        )  # fmt: skip
        past.slider.input(
            telling(handlers.look_back, 4),
            [*drawing_of, past.slider, run_id, page_language], [moment, *spoken], **follows,
        )  # fmt: skip

        # Train. Through the queue: Gradio tells of a state's change, on which panels act, in no other way.
        told = {"show_progress": "hidden", "concurrency_limit": 8, "api_name": False}
        learning.start.click(
            telling(handlers.start, 3),
            [drawing.drawn, page_language, *learning.settings], [run_id, seen, learning.start, message], **told,
        )  # fmt: skip
        training.wire(learning, shared)
        poll.tick(
            handlers.look, [run_id, page_language, seen, learning.unfolded, moment],
            [*learning.shown, past.slider, past.more, seen],
            show_progress="hidden", queue=False, api_name=False,
        )  # fmt: skip

        # A lesson: lessons.js says which one, and shows the rest of it by itself
        tour.asked.change(
            telling(handlers.open_lesson, 3 + len(learning.settings)), tour.asked,
            [drawing.canvas_data, speech.speaker, speech.language, *learning.settings, message],
            show_progress="hidden", queue=False, api_name=False,
        )  # fmt: skip

        # Language, and what the address restores
        words = [page_language, heading, drawing.title, drawing.samples, speech.lens_words, seen, *labelled]
        # The switch is told its own language: what the page was opened with may arrive after the first click on it.
        switch.input(lambda language: (language, *handlers.speak_language(language)), switch, [switch, *words], **told)
        page.load(
            handlers.restore,
            None,
            [run_id, switch, speech.language, *learning.settings, *words],
            **told,
        )

        # What shows no progress has one place not to show it in: at every event Gradio's script visits all components
        # that ever had any, which took 70 ms of each second for a look at a run, and takes 15 so.
        for event in page.fns.values():
            if event.show_progress == "hidden":
                event.show_progress_on = [seen]
        # Gradio looks for events a thousand times a second, on the core that a model learns with.
        page._queue.sleep_when_free = page._queue.progress_update_sleep_when_free = QUEUE_SECONDS
    return page


def launch_options() -> dict:
    """What `Blocks.launch` needs: looks, scripts, limits, and the second address."""
    font = base64.b64encode(CHINESE_FONT.read_bytes()).decode()
    face = f"@font-face{{font-family:'Noto Sans SC';src:url(data:font/woff2;base64,{font});unicode-range:U+3000-9FFF}}"
    paths = [*SCRIPTS_FOR_ALL, *sorted(set(STATIC.glob("*.js")) - {FIRST_SCRIPT, *SCRIPTS_FOR_ALL})]
    scripts = [path.read_text(encoding="utf-8") for path in paths]
    return {
        "theme": gr.themes.Default(
            primary_hue="blue", text_size="md", spacing_size="sm", font=["system-ui", "Noto Sans SC", "sans-serif"],
            font_mono=["monospace"],
        ).set(
            button_primary_background_fill="*primary_600", button_primary_background_fill_hover="*primary_700",
            body_text_size="16px", prose_text_size="16px", input_text_size="16px", section_header_text_size="16px",
            block_title_text_size="16px", block_info_text_size="16px",
        ),
        "css_paths": [STATIC / "page.css", *sorted(set(STATIC.glob("*.css")) - {STATIC / "page.css"})],
        "head": f"<style>{face}</style>" + "".join(f"<script>{script}</script>" for script in scripts),
        "max_file_size": "50mb",
        "ssr_mode": False,
        "enable_monitoring": False,
        "footer_links": ["api"],  # the footer is not shown; take_home.js opens what it leads to
        "app_kwargs": {
            "routes": routes(ROOMS),
            "middleware": [Middleware(FirstScript, script=FIRST_SCRIPT.read_text(encoding="utf-8"))],
        },
    }


class Handlers:
    """What happens on the page, as plain functions of what its components hold."""

    def __init__(self, runs: Runs):
        self.runs = runs
        self.labels: Labels = []

    def ask(
        self, drawn: str, spoken: str, speaker: str, run_id: str, moment: int | None, language: str,
        word_by_word: bool = True,
    ) -> Iterator[tuple[str, str, str]]:  # fmt: skip
        """Caption the drawing: (picture data, caption data, note) anew for each word, or at the end alone."""
        shown = read_picture(drawn, language)
        vlm, exam, name, learning = speaking(self.runs, speaker, run_id, moment)
        note = caption.introduce(vlm, name, spoken, language, exam, learning and moment is None)
        head = name_head(exam.layer_head if exam else None)
        scene = what_it_shows(shown)
        for picture_data, caption_data, certainty in caption.speak(vlm, shown, spoken, head, scene, word_by_word):
            if certainty:
                note += caption.doubt(certainty, language)
            yield picture_data, caption_data, note

    def follow(self, *asked) -> tuple[str, str, str, str]:
        """The caption of the canvas as it is now: (picture data, caption data, note, message); all empty if it is.

        The same canvas always gives the same, so it does no harm when a browser tells of one change twice.
        """
        try:
            (last,) = self.ask(*asked, word_by_word=False)
        except UserError:
            return "", "", "", ""
        return *last, ""

    def follow_now(self, drawn: str, spoken: str, speaker: str, run_id: str, language: str) -> tuple:
        """The same of the newest model, and no moment that is looked back on."""
        return None, *self.follow(drawn, spoken, speaker, run_id, None, language)

    def look_back(self, drawn: str, spoken: str, place: float, run_id: str, language: str) -> tuple:
        """What the run said of the drawing at a place of the slider: (its step, or None for now, picture data,
        caption data, note)."""
        run = self.runs.get(run_id)
        moment = life.moment_at(run, place, language)
        (last,) = self.ask(drawn, spoken, "run", run_id, moment, language, word_by_word=False)
        return moment, *last

    def start(self, drawn: str, language: str, *settings) -> tuple[str, tuple, dict]:
        """Start a run on the panel's settings; it captions the drawing as it learns, if there is one."""
        try:
            shown = read_picture(drawn, language)
        except UserError:
            shown = None
        return self.runs.start(configure(*settings), shown).id, NOTHING_SEEN, gr.update(interactive=False)

    def look(self, run_id: str, language: str, seen: tuple, unfolded: bool, moment: int | None) -> tuple:
        """What changed in the run since the page last saw it: asked once a second, so only that is sent."""
        run = self.runs.get(run_id)
        before, now = tuple(seen), training.seen_of(run, unfolded)
        if before == now:
            return tuple([gr.skip()] * 13)
        lived = before[0] != now[0] or before[4] != now[4]
        moments = life.updates(run, moment) if lived else [gr.skip()] * 2
        return *training.updates(run, language, before, now), *moments, now

    def open_lesson(self, asked: str) -> tuple:
        """What the lesson asked for puts on the canvas, who speaks in it, in which language, and its settings of a
        run."""
        picture_data, speaker, spoken, config = lessons.open_step(asked)
        if config is None:
            return picture_data, *[gr.skip()] * (2 + len(KINDS))
        return picture_data, speaker, spoken, *settings_of(config)

    def speak_language(self, language: str) -> tuple:
        """Every word of the page in another language."""
        words = translate(self.labels, language)
        return (
            language, show_heading(language), picture.show_title(language), picture.show_samples(language),
            caption.words_data(language), NOTHING_SEEN, *words,
        )  # fmt: skip

    def restore(self, request: gr.Request) -> tuple:
        """The page as its address says: ?lang=zh, ?run=…, and any setting of a run by its name."""
        # While the page is still being looked at, what the first caption needs is read.
        threading.Thread(target=bundled_exam, daemon=True).start()
        asked = dict(request.query_params)
        language = known(asked.get("lang"))
        run = self.runs.get(asked.get("run"))
        settings = settings_of(run.config) if run else settings_asked(asked)
        updates = [gr.skip() if value is None else value for value in settings]
        return run.id if run else "", language, language, *updates, *self.speak_language(language)


def show_heading(language: str) -> str:
    return f"<h1>{escape(text(language, 'title'))}</h1><p>{escape(text(language, 'tagline'))}</p>"
