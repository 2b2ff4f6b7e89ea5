"""The page: layout first, then what happens on each click. Panels meet only here."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

import gradio as gr

from vlm_core.app.panels import caption, picture, training
from vlm_core.app.runs import Run, Runs
from vlm_core.app.texts import known, text, translate
from vlm_core.errors import UserError

STATIC = Path(__file__).parent / "static"
POLL_SECONDS = 0.5
NOTHING_SEEN = ("", -1)


def build_page(runs: Runs) -> gr.Blocks:
    """The whole page over a registry of runs. Launch it with `launch_options()`."""
    language = "en"
    with gr.Blocks(title="Simple VLM", analytics_enabled=False, delete_cache=(600, 1800), fill_width=True) as page:
        page_language = gr.State(language)
        run_id = gr.State("")
        seen = gr.State(NOTHING_SEEN)
        poll = gr.Timer(POLL_SECONDS)
        with gr.Row(elem_id="header"):
            heading = gr.HTML(show_heading(language), elem_id="heading")
            switch = gr.Radio(
                [("English", "en"), ("中文", "zh")], value=language, show_label=False, container=False,
                elem_id="language", min_width=160,
            )  # fmt: skip
        message = gr.HTML("", elem_id="message")
        with gr.Row(elem_id="columns"):
            with gr.Column(scale=2, min_width=330):
                drawing = picture.build(language)
            with gr.Column(scale=3, min_width=330):
                speech = caption.build(language)
                learning = training.build(language)

        labels = [*drawing.labels, *speech.labels, *learning.labels]
        labelled = [component for component, _ in labels]
        run_buttons = [learning.start, learning.pause, learning.resume, learning.stop]

        # Your picture
        drawing.clear.click(picture.blank_canvas, outputs=drawing.editor, queue=False, api_name=False)
        drawing.random.click(picture.random_picture, outputs=drawing.editor, queue=False, api_name=False)
        drawing.samples.select(picture.pick_sample, outputs=drawing.editor, queue=False, api_name=False)
        drawing.upload.upload(
            telling(picture.uploaded_picture, 1), drawing.upload, [drawing.editor, message], queue=False, api_name=False
        )

        # Caption
        speech.ask.click(
            telling(functools.partial(ask, runs), 3),
            [drawing.editor, speech.language, speech.speaker, run_id, page_language],
            [speech.picture_data, speech.caption_data, speech.note, message],
            show_progress="hidden", concurrency_limit=8, concurrency_id="caption", api_name="caption",
        )  # fmt: skip

        # Train
        learning.start.click(
            telling(functools.partial(start, runs), 2),
            [drawing.editor, page_language, *learning.settings],
            [run_id, seen, message],
            show_progress="hidden", queue=False, api_name="train",
        )  # fmt: skip
        for button, action in ((learning.pause, runs.pause), (learning.resume, runs.resume), (learning.stop, runs.stop)):
            button.click(action, run_id, None, queue=False, api_name=False)
        poll.tick(
            functools.partial(look, runs), [run_id, page_language, seen], [learning.status, *run_buttons, seen],
            show_progress="hidden", queue=False, api_name=False,
        )  # fmt: skip

        # Language, and what the address restores
        words = [page_language, heading, speech.lens_words, seen, *labelled]
        switch.input(functools.partial(speak_language, labels), switch, words, queue=False, api_name=False)
        page.load(
            functools.partial(restore, runs, labels),
            None,
            [run_id, switch, speech.language, *learning.settings, *words],
            queue=False, api_name=False,
        )  # fmt: skip
    return page


def launch_options() -> dict:
    """What `Blocks.launch` needs: looks, scripts and limits."""
    script = "".join(f"<script>{(STATIC / name).read_text(encoding='utf-8')}</script>" for name in ("lens.js", "page.js"))
    return {
        "theme": gr.themes.Default(text_size="lg", font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        "css_paths": [STATIC / "page.css", STATIC / "lens.css"],
        "head": script,
        "max_file_size": "50mb",
        "ssr_mode": False,
        "enable_monitoring": False,
        "footer_links": [],
    }


def telling(handler: Callable, outputs: int) -> Callable:
    """`handler` with one output more: the page's message line.

    A UserError becomes its sentence there and leaves everything else on the page as it is; success clears the line.
    """

    def failed(error: UserError) -> tuple:
        return *[gr.skip()] * outputs, f'<p role="alert">{escape(str(error))}</p>'

    def together(result) -> tuple:
        return *(result if outputs > 1 else (result,)), ""

    target = handler.func if isinstance(handler, functools.partial) else handler
    if inspect.isgeneratorfunction(target):

        def streamed(*arguments):
            try:
                for result in handler(*arguments):
                    yield together(result)
            except UserError as error:
                yield failed(error)

        return streamed

    def called(*arguments):
        try:
            return together(handler(*arguments))
        except UserError as error:
            return failed(error)

    return called


@functools.cache
def bundled_model():
    """The weights that come with the project, read on first use: PyTorch would hold up the first page."""
    from vlm_core.model.vlm import VLM

    return VLM.from_pretrained()


def ask(runs: Runs, drawn: dict, spoken: str, speaker: str, run_id: str, language: str) -> Iterator[tuple[str, str, str]]:
    """Caption the drawing: (picture data, caption data, note) anew for each word."""
    shown = picture.read_picture(drawn, language)
    run = runs.get(run_id)
    if speaker == "run" and run and run.vlm:
        vlm, who = run.vlm, "run"
    else:
        vlm, who = bundled_model(), "bundled"
    note = caption.introduce(vlm, who, language, learning=bool(run and run.live))
    for picture_data, caption_data in caption.speak(vlm, shown, spoken):
        yield picture_data, caption_data, note


def start(runs: Runs, drawn: dict, language: str, *settings) -> tuple[str, tuple]:
    """Start a run on the panel's settings; it captions the drawing as it learns, if there is one."""
    try:
        shown = picture.read_picture(drawn, language)
    except UserError:
        shown = None
    return runs.start(training.configure(*settings), shown).id, NOTHING_SEEN


def look(runs: Runs, run_id: str, language: str, seen: tuple) -> tuple:
    """What changed in the run since the page last saw it."""
    run = runs.get(run_id)
    now = (run_id, run.version if run else -1)
    if tuple(seen) == now:
        return tuple([gr.skip()] * 6)
    return training.show(run, language), *training.buttons(run), now


def speak_language(labels, language: str) -> tuple:
    """Every word of the page in another language."""
    language = known(language)
    return language, show_heading(language), caption.words_data(language), NOTHING_SEEN, *translate(labels, language)


def restore(runs: Runs, labels, request: gr.Request) -> tuple:
    """The page as its address says: ?lang=zh, ?run=…, and any setting of a run by its name."""
    asked = dict(request.query_params)
    language = known(asked.get("lang"))
    run: Run | None = runs.get(asked.get("run"))
    settings = [asked.get(name) for name in ("seconds", "level", "style", "objective", "preset", "seed")]
    if run:
        config = run.config
        settings = [config.seconds, config.level, config.style, config.objective, config.preset, config.seed]
    try:
        kinds = (float, int, str, str, str, int)
        settings = [kind(value) if value is not None else None for kind, value in zip(kinds, settings, strict=True)]
        defaults = (60, 2, "drawn", "captions", "lecture", 0)
        training.configure(*(d if value is None else value for d, value in zip(defaults, settings, strict=True)))
    except ValueError:  # an address that asks for what does not exist (UserError is one) changes nothing
        settings = [None] * 6
    updates = [gr.skip() if value is None else value for value in settings]
    return run.id if run else "", language, language, *updates, *speak_language(labels, language)


def show_heading(language: str) -> str:
    return f"<h1>{escape(text(language, 'title'))}</h1><p>{escape(text(language, 'tagline'))}</p>"
