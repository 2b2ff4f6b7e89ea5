"""Teach it a word: what the panel's handlers make of drawings, words and runs."""

import base64
import io
import re
import time
from types import SimpleNamespace

import gradio as gr
import pytest
from PIL import Image, ImageDraw

from vlm_core import UserError
from vlm_core.app.panels import teach
from vlm_core.app.panels.teach import Teacher, add_example, remove_example, show_lesson, still_lesson
from vlm_core.app.runs import Run, Runs
from vlm_core.config import TrainConfig
from vlm_core.learning.events import Finished, Recognized


def arrow(color="red", shift=0):
    picture = Image.new("RGB", (224, 224), "white")
    points = [(x + shift, y) for x, y in [(40, 100), (150, 100), (120, 70), (150, 100), (120, 130)]]
    ImageDraw.Draw(picture).line(points, fill=color, width=10)
    return picture


def drawn(picture):
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def test_drawings_are_gathered_and_taken_away_again():
    examples, strip, canvas = add_example(drawn(arrow()), (), "en")
    examples, strip, canvas = add_example(drawn(arrow("blue")), examples, "en")
    assert len(examples) == 2 and strip.count("<button") == 2 and "image" in canvas
    examples, strip = remove_example(examples, "en", SimpleNamespace(_data={"index": 0}))
    assert len(examples) == 1 and strip.count("<button") == 1
    assert examples[0].tobytes() == arrow("blue").tobytes()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_cannot_be_added_is_told_in_the_page_s_language(language):
    scene = Image.new("RGB", (224, 224), "white")
    ImageDraw.Draw(scene).line([(100, 100), (107, 100)], fill="red", width=9)
    for picture, examples in [(scene, ()), (arrow(), (arrow(),) * teach.MOST_EXAMPLES)]:
        with pytest.raises(UserError) as refused:
            add_example(drawn(picture), examples, language)
        assert bool(re.search(r"[\u4e00-\u9fff]", str(refused.value))) == (language == "zh")


@pytest.mark.parametrize(
    ("typed", "language", "told"),
    [
        ("", "en", "Type the word"),
        ("star", "en", "“star”"),
        ("two words", "en", "without spaces"),
        ("圆形", "zh", "圆形"),
    ],
)
def test_words_that_cannot_be_taught_are_refused(typed, language, told):
    with pytest.raises(UserError, match=told):
        Teacher(Runs()).start((arrow(),), typed, 20, "", "run", None, None, language)


def test_without_a_drawing_nothing_is_taught():
    with pytest.raises(UserError, match="at least one drawing"):
        Teacher(Runs()).start((), "arrow", 20, "", "run", None, None, "en")


def test_nothing_is_taught_while_the_page_s_model_learns():
    runs = Runs()
    run = runs.start(TrainConfig(), None, lambda config, picture: (event for event in ()))
    run.state = "paused"
    with pytest.raises(UserError, match="still learning"):
        Teacher(runs).start((arrow(),), "arrow", 20, run.id, "run", None, None, "en")


def test_a_lesson_becomes_the_page_s_run_and_can_be_gone_back_from(monkeypatch):
    asked = {}

    def lesson(vlm, newcomer, seconds, picture):
        asked.update(word=newcomer.word, drawings=len(newcomer.drawings), seconds=seconds, picture=picture)
        yield Recognized(0, 0.0, newcomer.word, 0.0, 64)
        yield Finished(1, 1.0, "seconds", "Taught.", vlm)

    monkeypatch.setattr("vlm_core.learning.teaching.teach", lesson)
    runs = Runs()
    teacher = Teacher(runs)
    examples = arrow(), arrow("blue")
    run_id, speaker, before, _, status = teacher.start(examples, " Arrow ", 3, "old", "bundled", None, None, "en")
    assert speaker == "run" and before == ("old", "bundled", run_id) and "data-state" in status
    deadline = time.monotonic() + 10
    while runs.get(run_id).live and time.monotonic() < deadline:
        time.sleep(0.01)
    assert runs.get(run_id).state == "finished"
    assert (asked["word"], asked["drawings"], asked["seconds"]) == ("arrow", 2, 3.0)
    assert asked["picture"].tobytes() == arrow("blue").tobytes()
    # A second lesson still leads back to where the page was before the first.
    assert teacher.start((arrow(),), "house", 3, run_id, "run", None, before, "en")[2][:2] == before[:2]
    assert teacher.forget(before, run_id, "run")[:3] == ("old", "bundled", None)
    # Once the page has another run there is nothing to go back to.
    assert still_lesson(before, run_id) == (before, gr.skip())
    assert still_lesson(before, "another") == (None, gr.update(visible=False))


def test_the_outcome_stands_beside_what_was_before():
    grown = SimpleNamespace(
        config=SimpleNamespace(vocab_size=75),
        num_parameters=305_000,
        run={"taught": [{"word": "arrow", "new_tokens": 1}]},
    )
    run = Run("secret", TrainConfig(), None, state="finished", share=1.0, step=280, seconds=20.0, vlm=grown)
    run.recognized = [Recognized(0, 0.0, "arrow", 0.0, 64), Recognized(280, 20.0, "arrow", 0.953, 64)]
    run.scores = [{"exact_match": {"en": 0.988}}, {"exact_match": {"en": 0.984}}]
    shown = show_lesson(run, "en")
    for told in ("0.0%", "95.3%", "98.8%", "98.4%", "75 tokens", "“arrow”"):
        assert told in shown
    assert "词元" in show_lesson(run, "zh")
