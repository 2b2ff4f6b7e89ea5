"""Lessons: files that say what they are, in both languages, and sentences for those that do not."""

import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from matplotlib.ft2font import FT2Font

import vlm_core.app
from vlm_core.app import canvas
from vlm_core.app.lessons import (
    LESSONS,
    PARTS,
    all_lessons,
    config_of,
    draw_picture,
    lesson_named,
    picture_at,
    read_lesson,
)
from vlm_core.app.page import STUDIO, Handlers, build_page
from vlm_core.app.panels import lessons as panel
from vlm_core.app.runs import Runs
from vlm_core.app.settings import configure, settings_of
from vlm_core.app.speakers import bundled_model
from vlm_core.config import TrainConfig
from vlm_core.errors import UserError
from vlm_core.insight.overlays import FONT
from vlm_core.scenes import sample_scene

FILES = sorted(LESSONS.glob("*.json"))
APP = Path(vlm_core.app.__file__).parent
TINY = {
    "order": 1, "title": {"en": "Tiny", "zh": "小"}, "picture": "blank", "training": {"level": 1}, "speaker": "run",
    "panels": ["samples"],
    "steps": [{"text": {"en": "Ask.", "zh": "问。"}, "target": "#ask", "done": {"on": "caption"}}],
}  # fmt: skip


@pytest.fixture(scope="module")
def ids():
    """Every id that an element of the page can have."""
    components = build_page(Runs()).get_config_file()["components"]
    makers = [*(APP / "static").glob("*.js"), *(APP / "panels").glob("*.py")]
    shown = [str(component["props"].get("value")) for component in components]
    made = "".join([*(path.read_text(encoding="utf-8") for path in makers), *shown])
    tabs = {f"tab-{module.__name__.rpartition('.')[2]}" for module in STUDIO}
    written = set(re.findall(r"""\bid(?:: |=)"([\w-]+)""", made))
    return {component["props"].get("elem_id") for component in components} | tabs | written


def write(folder, **changes):
    path = folder / "tiny.json"
    path.write_text(json.dumps({**TINY, **changes}), encoding="utf-8")
    return path


def texts_of(lesson):
    return [lesson.title, *(step[part] for step in lesson.steps for part in ("text", "then") if part in step)]


def marks_of(picture):
    """Dark or coloured pixels of a picture on white paper."""
    return np.asarray(picture).min(axis=2) < 128


def test_six_ship_and_all_of_them_can_be_read():
    assert len(FILES) == 6 == len(all_lessons())
    assert [lesson.order for lesson in all_lessons()] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_a_lesson_points_at_is_on_the_page(path, ids):
    lesson = read_lesson(path)
    for name in lesson.panels:
        assert PARTS.get(name, f"#{name}").removeprefix("#") in ids, name
    for step in lesson.steps:
        assert re.match(r"#([\w-]+)", step["target"]).group(1) in ids, step["target"]
        assert step["done"].get("tab", "tab-") in {"tab-", *lesson.panels}, "the tab to open is one that is shown"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_lessons_are_short_and_in_the_language_they_are_said_to_be_in(path):
    lesson = read_lesson(path)
    for said in texts_of(lesson):
        assert len(said["en"].split()) <= 55, "a hall reads no more than that"
        assert re.search(r"[\u4e00-\u9fff]", said["zh"])


def test_the_font_that_comes_along_has_every_character_of_the_lessons():
    font = FT2Font(str(FONT)).get_charmap()
    chinese = "".join(said["zh"] for lesson in all_lessons() for said in texts_of(lesson))
    assert not {character for character in chinese if ord(character) not in font}


def test_a_lesson_s_settings_are_those_of_a_run_and_the_rest_is_as_usual(tmp_path):
    for lesson in all_lessons():
        TrainConfig(**lesson.training)
    picture, speaker, spoken, *settings = Handlers(Runs()).open_lesson(asked("watch", anew=True, language="zh"))
    assert speaker == "run" and spoken == "zh"
    config = configure(*settings)
    assert (config.seconds, config.level, config.style, config.preset) == (30, 1, "clean", "lecture")
    assert unescape(picture).startswith('<div data-json="{"image"')


def asked(name, step=0, anew=False, language="en"):
    return json.dumps({"name": name, "step": step, "anew": anew, "language": language})


def test_the_next_step_leaves_the_settings_as_they_are():
    assert panel.open_step(asked("watch", 1))[1:] == (None, None, None)


def test_unknown_lesson_is_told_in_the_page_s_language():
    with pytest.raises(UserError, match=r"no lesson called 'x'; choose one of: tokens, .*languages\.$"):
        panel.open_step(asked("x"))
    with pytest.raises(UserError, match="没有名为“x”的课程"):
        lesson_named("x", "zh")


def test_a_lesson_s_scene_is_known_to_the_page():
    lesson = lesson_named("look", "en")
    picture = draw_picture(lesson.picture)
    assert canvas.what_it_shows(picture).caption("en") == sample_scene(**lesson.picture).caption("en")


def test_a_step_s_own_picture_stays_until_another_brings_one():
    lesson = lesson_named("fails", "en")
    brought = [picture_at(lesson, step) for step in range(len(lesson.steps))]
    assert brought[0] == lesson.picture != brought[1] != brought[2] == brought[3]


def test_pictures_are_drawn_as_the_file_says():
    assert np.asarray(draw_picture("blank")).min() == 255
    line = {"color": "#101010", "width": 20, "line": [[50, 100], [150, 100]]}
    marks = marks_of(draw_picture({"drawn": [line]}))
    rows, columns = np.nonzero(marks)
    assert abs(rows.min() - 90) <= 1 and abs(rows.max() - 109) <= 1
    assert abs(columns.min() - 40) <= 1 and abs(columns.max() - 159) <= 1  # its ends are round
    star = {"color": "#0000ff", "shape": "star", "at": [60, 160], "radius": 30}
    rows, columns = np.nonzero(marks_of(draw_picture({"drawn": [star]})))
    assert abs(rows.mean() - 160) < 6 and abs(columns.mean() - 60) < 3 and 50 <= np.ptp(columns) <= 62


def test_where_it_fails_it_does_fail_and_is_sure_of_it():
    lesson = lesson_named("fails", "en")
    letter = draw_picture(lesson.picture)
    for language, word in (("en", "triangle"), ("zh", "三")):
        said = {token.text: token.probability for token in bundled_model().caption(letter, language=language).tokens}
        assert said[word] > 0.9
    six = draw_picture(picture_at(lesson, 1))
    assert bundled_model().caption(six, language="en").text.count("small") + bundled_model().caption(
        six, language="en").text.count("large") <= 4  # fmt: skip


def test_a_lesson_may_set_everything_that_the_page_can(tmp_path):
    training = {
        "seconds": 20, "level": 1, "style": "clean", "objective": "grounded", "preset": "classic", "seed": 3,
        "sabotage": ["red_circles"], "learning_rate": 0.5, "optimizer": "adamw", "heads": 4, "width": 32,
        "languages": ["zh"],
    }  # fmt: skip
    config = config_of(read_lesson(write(tmp_path, training=training)).training)
    seconds, *others = settings_of(config)
    assert seconds == 20
    assert others == [1, "clean", "grounded", "classic", 3, ["red_circles"], 0.5, "adamw", 4, 32, "zh"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"title": {"en": "Tiny"}}, "`title` lacks zh"),
        ({"title": {"en": "Tiny", "zh": " "}}, "`title` has an empty language"),
        ({"color": "red"}, "something unknown: color"),
        ({"picture": {"seed": 1, "level": 9, "style": "clean"}}, "no such `picture`"),
        ({"picture": {"drawn": [{"shape": "house", "at": [1, 1], "radius": 2, "color": "red"}]}}, "unknown shape"),
        ({"training": {"speed": 3}}, "`training` has something unknown: speed"),
        ({"training": {"level": 9}}, "no level 9"),
        ({"training": {"width": 50}}, "width is"),
        ({"training": {"seconds": "long"}}, "`training` has a value of the wrong kind."),
        ({"speaker": "nobody"}, "`speaker` must be one of: run, bundled"),
        ({"panels": ["attic"]}, "no panel 'attic'"),
        ({"steps": []}, "at least one step"),
        ({"steps": [{**TINY["steps"][0], "target": "ask"}]}, "`target` of step 1"),
        ({"steps": [{**TINY["steps"][0], "done": {"on": "sunset"}}]}, "`done` of step 1"),
        ({"steps": [{**TINY["steps"][0], "done": {"on": "word", "says": "x"}}]}, "`done` of step 1 has"),
        ({"steps": [{**TINY["steps"][0], "text": {"en": "Ask."}}]}, "`text` of step 1 lacks zh"),
    ],
)
def test_a_file_that_is_no_lesson_is_told_what_is_wrong(tmp_path, changes, told):
    with pytest.raises(UserError, match=r"^The lesson tiny\.json cannot be used: ") as caught:
        read_lesson(write(tmp_path, **changes))
    assert told in str(caught.value) and str(caught.value).endswith(".")


def test_a_broken_file_does_not_keep_the_others_from_being_taught(tmp_path, monkeypatch, caplog):
    write(tmp_path)
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    monkeypatch.setattr("vlm_core.app.lessons.LESSONS", tmp_path)
    assert [lesson.name for lesson in all_lessons.__wrapped__()] == ["tiny"]
    assert "broken.json cannot be used" in caplog.text
