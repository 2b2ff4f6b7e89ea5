"""Lessons: one small JSON file each in the folder `lessons`, read and checked here. No Gradio in here.

A lesson puts a picture on the canvas, sets a training, shows some panels beside the three that are always there, and
leads through steps. Each step says what to do and why, marks the control it speaks of, and names what the browser
(static/lessons.js) takes for its being done:

    {
      "order": 1,
      "title": {"en": "…", "zh": "…"},
      "picture": "blank", or {"seed": 4, "level": 1, "style": "clean"}, or {"drawn": [
        {"color": "#111111", "width": 8, "line": [[72, 170], [112, 54]]},
        {"color": "#111111", "shape": "star", "at": [40, 40], "radius": 28}]},
      "training": {"seconds": 30, "level": 1, "style": "clean"},
      "speaker": "bundled" or "run", if there is one,
      "panels": ["samples", "tab-what_if"],
      "steps": [{"text": {"en": "…", "zh": "…"}, "target": "#ask", "done": {"on": "caption"},
                 "then": {"en": "…", "zh": "…"}}]
    }

Its name is that of its file; `?lesson=NAME` opens it. `training` may name any setting of the page (`settings.KINDS`) as
`TrainConfig` has it, which also says what the others are. A step's `then` is told once it is done; it may bring a
`picture` of its own, which stays until another step brings one.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw

from vlm_core.app.canvas import scene_of
from vlm_core.app.settings import KINDS
from vlm_core.app.texts import text
from vlm_core.config import TrainConfig
from vlm_core.errors import UserError
from vlm_core.pictures import SIDE
from vlm_core.scenes.shapes import ideal_outline
from vlm_core.scenes.world import LANGUAGES, LEVELS, SHAPES, STYLES

LESSONS = Path(__file__).parent / "lessons"
PARTS = {"samples": "#samples", "settings": "#settings", "time_machine": "#life", "speaker": "#speaker"}
"""Panels that a lesson may show or not, beside the tabs ("tab-…"), with where they are on the page."""
DONE = {
    "caption": {"says", "lacks"},
    "word": {"text", "count"},
    "run": {"step", "state"},
    "head": set(),
    "spoken": set(),
    "language": set(),
    "drawn": set(),
    "tab": {"tab"},
    "click": set(),
    "input": set(),
}
"""What a step can wait for, and what can be said of it.

caption: a new one is there; `says` or `lacks` a word. word: one was pointed at; this `text`, or so many different ones.
run: has passed a step, or is in a `state`. head, spoken, language: another head, another language of captions, of the
page was chosen. drawn: the canvas changed. tab: it is open. click, input: something was pressed or moved in the step's
target.
"""
SPEAKERS = ("run", "bundled")
LINE = {"width", "line"}
FINER = 4
"""Lines and shapes are drawn so many times larger and made smaller, which smooths them."""


@dataclass(frozen=True)
class Lesson:
    name: str
    order: int
    title: dict[str, str]
    picture: str | dict
    training: dict
    speaker: str
    panels: tuple[str, ...]
    steps: tuple[dict, ...]


def lesson_named(name: str, language: str) -> Lesson:
    """Raises UserError if there is none of that name."""
    found = next((lesson for lesson in all_lessons() if lesson.name == name), None)
    if found is None:
        known = ", ".join(lesson.name for lesson in all_lessons())
        raise UserError(text(language, "lesson_unknown", name=name[:40], known=known))
    return found


@cache
def all_lessons() -> tuple[Lesson, ...]:
    """Those of the folder, in the order of the menu; without those that cannot be used, which the log tells of."""
    lessons = []
    for path in LESSONS.glob("*.json"):
        try:
            lessons.append(read_lesson(path))
        except UserError as error:
            logging.getLogger(__name__).warning("%s", error)
    return tuple(sorted(lessons, key=lambda lesson: (lesson.order, lesson.name)))


def read_lesson(path: Path) -> Lesson:
    """Raises UserError, with what is wrong and where, for a file that is no lesson."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        _check(raw)
    except ValueError as error:  # a UserError is one, too
        raise UserError(f"The lesson {path.name} cannot be used: {error}") from error
    return Lesson(
        path.stem, raw["order"], raw["title"], raw["picture"], raw["training"], raw["speaker"],
        tuple(raw["panels"]), tuple(raw["steps"]),
    )  # fmt: skip


def config_of(training: dict) -> TrainConfig:
    """The run that a lesson sets. Raises ValueError for what no run can do."""
    try:
        settings = {name: tuple(value) if isinstance(value, list) else value for name, value in training.items()}
        return TrainConfig(**settings)
    except TypeError as error:
        raise ValueError("`training` has a value of the wrong kind.") from error


def picture_at(lesson: Lesson, step: int) -> str | dict:
    """The picture that is on the canvas at a step (from 0 on): its own, or the last one brought before."""
    brought = [entry["picture"] for entry in lesson.steps[: step + 1] if "picture" in entry]
    return brought[-1] if brought else lesson.picture


def draw_picture(picture: str | dict) -> Image.Image:
    """A picture of a lesson, 224 × 224."""
    if picture == "blank":
        return Image.new("RGB", (SIDE, SIDE), "white")
    if "drawn" not in picture:
        return scene_of(**picture).image
    sheet = Image.new("RGB", (SIDE * FINER, SIDE * FINER), "white")
    pen = ImageDraw.Draw(sheet)
    for mark in picture["drawn"]:
        if "shape" in mark:
            outline = mark["radius"] * ideal_outline(mark["shape"], 0) + mark["at"]
            pen.polygon([(x * FINER, y * FINER) for x, y in outline], fill=mark["color"])
        else:
            _draw_line(pen, mark)
    return sheet.resize((SIDE, SIDE), Image.Resampling.BOX)


def _draw_line(pen: ImageDraw.ImageDraw, mark: dict) -> None:
    points = [(x * FINER, y * FINER) for x, y in mark["line"]]
    width = mark["width"] * FINER
    pen.line(points, fill=mark["color"], width=width, joint="curve")
    for x, y in (points[0], points[-1]):  # round ends
        pen.circle((x, y), width / 2, fill=mark["color"])


def _check(raw: dict) -> None:
    """Raises ValueError for what is no lesson."""
    _has(raw, "It", {"order", "title", "picture", "training", "speaker", "panels", "steps"})
    if not isinstance(raw["order"], int):
        raise ValueError("`order` must be a whole number.")
    _check_words(raw["title"], "`title`")
    _check_picture(raw["picture"], "`picture`")
    _has(raw["training"], "`training`", set(), set(KINDS))
    config_of(raw["training"])
    if raw["speaker"] not in SPEAKERS:
        raise ValueError(f"`speaker` must be one of: {', '.join(SPEAKERS)}.")
    if not isinstance(raw["panels"], list):
        raise ValueError("`panels` must be a list.")
    for panel in raw["panels"]:
        if panel not in PARTS and not panel.startswith("tab-"):
            raise ValueError(f"there is no panel {panel!r}; use {', '.join(PARTS)} or tab-….")
    if not isinstance(raw["steps"], list) or not raw["steps"]:
        raise ValueError("`steps` must be a list of at least one step.")
    for number, step in enumerate(raw["steps"], 1):
        _check_step(step, f"step {number}")


def _check_step(step: dict, name: str) -> None:
    _has(step, name, {"text", "target", "done"}, {"then", "picture"})
    _check_words(step["text"], f"`text` of {name}")
    if "then" in step:
        _check_words(step["then"], f"`then` of {name}")
    if "picture" in step:
        _check_picture(step["picture"], f"`picture` of {name}")
    if not isinstance(step["target"], str) or not step["target"].startswith("#"):
        raise ValueError(f"`target` of {name} must begin with the id of a part of the page: #….")
    done = step["done"]
    kind = done.get("on") if isinstance(done, dict) else None
    if kind not in DONE:
        raise ValueError(f"`done` of {name} must be `on` one of: {', '.join(DONE)}.")
    _has(done, f"`done` of {name}", {"on"}, DONE[kind])
    for words in {"says", "lacks", "text"} & set(done):
        _check_words(done[words], f"`{words}` of {name}")


def _check_picture(picture: str | dict, name: str) -> None:
    if picture == "blank":
        return
    if isinstance(picture, dict) and "drawn" in picture:
        for mark in picture["drawn"]:
            _has(mark, f"each mark of {name}", {"color"} | ({"shape", "at", "radius"} if "shape" in mark else LINE))
            if mark.get("shape", SHAPES[0]) not in SHAPES:
                raise ValueError(f"{name} has an unknown shape; use one of: {', '.join(SHAPES)}.")
        return
    _has(picture, name, {"seed", "level", "style"})
    if picture["seed"] < 0 or picture["level"] not in LEVELS or picture["style"] not in STYLES:
        raise ValueError(f"there is no such {name}: use a seed from 0 on, a level from 1 to 3, clean or drawn.")


def _check_words(words: dict, name: str) -> None:
    _has(words, name, set(LANGUAGES))
    if not all(isinstance(said, str) and said.strip() for said in words.values()):
        raise ValueError(f"{name} has an empty language.")


def _has(value: dict, name: str, needed: set[str], allowed: set[str] = frozenset()) -> None:
    """Raises ValueError unless `value` has the keys needed and no others than those allowed."""
    if not isinstance(value, dict):
        raise ValueError(f"{name} must have {', '.join(sorted(needed | allowed))}.")
    if missing := needed - set(value):
        raise ValueError(f"{name} lacks {', '.join(sorted(missing))}.")
    if unknown := set(value) - needed - allowed:
        raise ValueError(f"{name} has something unknown: {', '.join(sorted(unknown))}.")
