"""Lessons: a menu in the header, and the card that leads through the one chosen; static/lessons.js draws both."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import gradio as gr

from vlm_core.app.canvas import on_canvas
from vlm_core.app.images import as_data
from vlm_core.app.lessons import PARTS, all_lessons, config_of, draw_picture, lesson_named, picture_at
from vlm_core.app.texts import known, table
from vlm_core.config import TrainConfig
from vlm_core.scenes.world import LANGUAGES

WORDS = (
    "lesson", "lesson_none", "lesson_step", "lesson_done", "lesson_next", "lesson_back", "lesson_finish",
    "lesson_close", "presenter", "theme_dark", "theme_light", "help", "help_close", "help_title",
    "help_presenter", "help_step", "help_word", "help_head", "help_theme", "help_leave", "help_help",
)  # fmt: skip
"""What lessons.js and presenter.js say, in both languages: they follow the page's by themselves."""


@dataclass(frozen=True)
class LessonsPanel:
    asked: gr.Textbox
    """The lesson somebody chose, as lessons.js tells it: see `open_step`; never seen."""


def build_menu() -> None:
    """The menu, and the switches for the projector; they need no redrawing when the language changes."""
    gr.HTML('<div id="tools-root"></div>', elem_id="tools")


def build_card() -> LessonsPanel:
    """Where the steps are told."""
    gr.HTML('<div id="tour-root"></div>', elem_id="tour")
    gr.HTML(_all_data(), elem_id="lessons-data", elem_classes="data-only")
    return LessonsPanel(gr.Textbox("", label="JSON", elem_id="lesson-asked", elem_classes="data-only"))


def open_step(asked: str) -> tuple[str, str | None, str | None, TrainConfig | None]:
    """What lessons.js asks for, {"name", "step", "anew", "language"}: (picture for the canvas, speaker, language of
    captions, training).

    Unless the lesson is opened `anew`, the last three stay as they are: None. Raises UserError if there is none of that
    name.
    """
    wanted = json.loads(asked)
    language = known(wanted["language"])
    lesson = lesson_named(wanted["name"], language)
    picture_data = on_canvas(draw_picture(picture_at(lesson, wanted["step"])))
    if not wanted["anew"]:
        return picture_data, None, None, None
    return picture_data, lesson.speaker, language, config_of(lesson.training)


def _all_data() -> str:
    words = {language: {key: table(language)[key] for key in WORDS} for language in LANGUAGES}
    return as_data({"lessons": [asdict(lesson) for lesson in all_lessons()], "parts": PARTS, "words": words})
