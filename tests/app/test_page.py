"""What the page does on a click, as plain functions: no server and no browser."""

import io
import json
import re
from html import unescape
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from PIL import Image, ImageDraw

from vlm_core.app import canvas, speakers
from vlm_core.app.images import data_uri
from vlm_core.app.messages import telling
from vlm_core.app.page import NOTHING_SEEN, Handlers, build_page
from vlm_core.app.panels import life, picture, training
from vlm_core.app.runs import Run, Runs
from vlm_core.app.settings import configure, settings_asked, settings_of
from vlm_core.app.texts import table
from vlm_core.app.truth import as_far_as_true, truth_of
from vlm_core.config import TrainConfig
from vlm_core.errors import UserError
from vlm_core.insight.exam import Exam
from vlm_core.learning.parcel import unpack
from vlm_core.model.generation import Caption
from vlm_core.scenes import sample_scene
from vlm_core.scenes.tokenizer import WordTokenizer

CONFIG = TrainConfig()


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_running():
    """A page that is opened examines the bundled model in a thread; a process that ended under it would abort."""
    yield
    speakers.bundled_exam()


@pytest.fixture
def handlers():
    return Handlers(Runs())


def drawn():
    """What the canvas tells of a red square on it."""
    sheet = Image.new("RGB", (224, 224), "white")
    ImageDraw.Draw(sheet).rectangle((50, 50, 125, 125), fill="red")
    return data_uri(sheet)


def adopt(runs, run_id, vlm, state="finished", config=CONFIG):
    """A run that is already there, with nobody pulling it."""
    run = Run(run_id, config, events=None, state=state, vlm=vlm)
    runs._runs[run_id] = run
    return run


def speaker(word, steps=10):
    """A model that only ever says one word, one step at a time."""
    token = SimpleNamespace(
        text=word, probability=0.75, alternatives=[("other", 0.25)],
        attention=np.full((1, 1, 2, 2), 0.2), null_mass=np.full((1, 1), 0.2),
    )  # fmt: skip
    return SimpleNamespace(
        config=SimpleNamespace(grid=2, patches=4, keys=5, null_key=True), trained_steps=steps, run={},
        languages=("en", "zh"), stream=lambda shown, language: iter([token]), tokenizer=WordTokenizer(),
        caption=lambda shown, language: Caption(word, (token,), language),
    )  # fmt: skip


def data(html):
    return json.loads(unescape(re.search(r'data-json="([^"]*)"', html).group(1)))


def said(results):
    """(words, note) of the last result of `ask`."""
    *_, (_, caption, note) = results
    return [word["text"] for word in data(caption)["words"]], note


# telling


def test_success_clears_the_message():
    assert telling(lambda a: (a, 2), 2)(1) == (1, 2, "")
    assert telling(lambda: "one", 1)() == ("one", "")


def test_a_user_error_becomes_its_sentence_and_nothing_else_changes():
    def handler(name):
        raise UserError(f"No <b>{name}</b> & no more.")

    first, second, message = telling(handler, 2)("x")
    assert first == second == gr.skip()
    assert "No &lt;b&gt;x&lt;/b&gt; &amp; no more." in message and 'role="alert"' in message


def test_a_sentence_known_in_both_languages_is_told_in_both_for_the_page_to_choose():
    def handler():
        raise UserError("<Gone>.", "<没了>。")

    _, message = telling(handler, 1)()
    assert '<span lang="en">&lt;Gone&gt;.</span><span lang="zh">&lt;没了&gt;。</span>' in message


def test_whatever_may_be_wrong_with_a_file_has_a_chinese_sentence(tmp_path):
    (tmp_path / "letter.png").write_text("This is a letter.")
    (tmp_path / "empty.png").write_bytes(b"")
    whole = io.BytesIO()
    Image.new("RGB", (300, 300), "red").save(whole, "PNG")
    (tmp_path / "half.png").write_bytes(whole.getvalue()[:200])
    for name in ("letter.png", "empty.png", "half.png", "nowhere.png"):
        with pytest.raises(UserError) as caught:
            picture.uploaded_picture(tmp_path / name)
        assert caught.value.chinese.startswith(("'", "没有文件")) and name in caught.value.chinese
    for content in (b"no zip", b""):
        with pytest.raises(UserError) as caught:
            unpack(content)
        assert "在这里下载" in caught.value.chinese


def test_a_stream_keeps_what_it_gave_before_it_failed():
    def handler():
        yield "one"
        raise UserError("Two is missing.")

    before, after = telling(handler, 1)()
    assert before == ("one", "")
    assert after[0] == gr.skip() and "Two is missing." in after[1]


@pytest.mark.parametrize("error", [ValueError, KeyError, RuntimeError])
def test_a_fault_of_the_program_is_not_passed_off_as_the_person_s(error):
    def handler():
        raise error("internal")

    with pytest.raises(error):
        telling(handler, 1)()


# Settings


@pytest.mark.parametrize(
    "nonsense",
    [
        {"seconds": "soon"},
        {"seconds": "0"},
        {"seconds": "-5"},
        {"seconds": "nan"},
        {"seconds": "inf"},
        {"level": "9"},
        {"level": "1.5"},
        {"style": "oil"},
        {"objective": "<script>"},
        {"preset": "huge"},
        {"seed": "x"},
        {"seed": "-1"},
        {"learning_rate": "0"},
        {"learning_rate": "nan"},
        {"optimizer": "sgd"},
        {"heads": "3"},
        {"width": "65"},
        {"languages": "fr"},
        {"level": "2", "style": "oil"},
    ],
    ids=str,
)
def test_address_cannot_ask_for_a_run_that_cannot_be(nonsense):
    assert set(settings_asked(nonsense)) == {None}


def test_address_sets_what_it_names_and_leaves_the_rest():
    asked = {"seconds": "8", "level": "1", "style": "clean", "seed": "3", "lang": "zh", "unknown": "1"}
    assert settings_asked(asked) == (8.0, 1, "clean", None, None, 3, *[None] * 6)
    assert set(settings_asked({})) == {None}


@pytest.mark.parametrize(
    "settings",
    [
        (8.0, 1, "clean", "grounded", "classic", 3, ["red_circles", "one_position"], 0.5, "adamw", 1, 32, "zh"),
        (60.0, 3, "drawn", "captions", "lecture", 0, [], 1.0, "muon", 0, 0, "en,zh"),
    ],
)
def test_settings_of_a_run_are_those_it_was_started_with(settings):
    assert settings_of(configure(*settings)) == settings


@pytest.mark.parametrize("seconds", [None, 0, -1, 3601])
def test_no_run_without_time_or_without_end(seconds):
    with pytest.raises(UserError) as caught:
        configure(seconds, 1, "clean", "captions", "lecture", 0)
    assert "3600" in caught.value.chinese


@pytest.mark.parametrize("rate", [None, 0, 11])
def test_no_run_at_a_rate_that_teaches_nothing(rate):
    with pytest.raises(UserError) as caught:
        configure(60, 1, "clean", "captions", "lecture", 0, None, rate)
    assert "学习率" in caught.value.chinese


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (None, ["start"]),
        ("running", ["pause", "stop"]),
        ("paused", ["resume", "one_step", "stop"]),
        ("stopped", ["start"]),
        ("finished", ["start"]),
        ("diverged", ["start"]),
        ("failed", ["start"]),
    ],
)
def test_only_the_buttons_that_do_something_can_be_pressed(state, shown):
    run = state and Run("r", CONFIG, None, state=state)
    start, *others = training.buttons(run)
    pressable = ["start"] if start["interactive"] else []
    names = ("pause", "resume", "one_step", "stop")
    pressable += [name for name, update in zip(names, others, strict=True) if update["visible"]]
    assert pressable == shown


# Caption


def test_two_runs_models_are_not_mixed(handlers):
    adopt(handlers.runs, "first", speaker("alpha", steps=11))
    adopt(handlers.runs, "second", speaker("beta", steps=22))
    one = handlers.ask(drawn(), "en", "run", "first", None, "en")
    two = handlers.ask(drawn(), "en", "run", "second", None, "en")
    interleaved = [result for pair in zip(one, two, strict=True) for result in pair]
    words, note = said(interleaved[0::2])
    assert words == ["alpha"] and "11" in note and "22" not in note
    words, note = said(interleaved[1::2])
    assert words == ["beta"] and "22" in note and "11" not in note


@pytest.mark.parametrize(("chosen", "run_id"), [("bundled", "first"), ("run", ""), ("run", "forgotten")])
def test_bundled_model_speaks_when_chosen_or_alone(handlers, monkeypatch, chosen, run_id):
    monkeypatch.setattr(speakers, "bundled_model", lambda: speaker("gamma", steps=5000))
    monkeypatch.setattr(speakers, "bundled_exam", lambda: Exam((0, 0), hit=0.97, mass=0.9, chance=0.12, new_pairs=0.8))
    adopt(handlers.runs, "first", speaker("alpha"))
    words, note = said(handlers.ask(drawn(), "en", chosen, run_id, None, "en"))
    assert words == ["gamma"] and "bundled" in note


def test_the_maps_shown_first_are_those_that_point_best_and_the_page_says_so(handlers):
    run = adopt(handlers.runs, "r", speaker("alpha"))
    run.exam = Exam((0, 0), hit=0.97, mass=0.9, chance=0.12, new_pairs=0.8)
    *_, (_, caption_data, note) = handlers.ask(drawn(), "en", "run", "r", None, "en")
    assert data(caption_data)["head"] == "0.0"
    assert "layer 1 head 1" in note and "97%" in note and "12%" in note
    run.exam = None
    *_, (_, caption_data, note) = handlers.ask(drawn(), "en", "run", "r", None, "zh")
    assert data(caption_data)["head"] == "mean" and "97%" not in note


def test_a_run_tells_how_it_points_and_what_it_makes_of_new_pairs(handlers):
    run = adopt(handlers.runs, "r", speaker("alpha"))
    assert 'class="exam"' not in training.show_said(run, "en")
    run.exam = Exam(None, hit=0.97, mass=0.9, chance=0.12, new_pairs=0.83)
    for language in ("en", "zh"):
        assert all(share in training.show_said(run, language) for share in ("97%", "90%", "12%", "83%"))


def test_untrained_model_is_called_untrained_in_both_languages(handlers):
    adopt(handlers.runs, "new", speaker("alpha", steps=0), state="running")
    for language, warning in (("en", "UNTRAINED"), ("zh", "未训练")):
        assert warning in said(handlers.ask(drawn(), "en", "run", "new", None, language))[1]


def test_caption_says_when_it_is_done_and_only_then(handlers):
    adopt(handlers.runs, "first", speaker("alpha"))
    captions = [data(result[1])["done"] for result in handlers.ask(drawn(), "en", "run", "first", None, "en")]
    assert captions == [False, True]


BLANK = data_uri(Image.new("RGB", (224, 224), "white"))


@pytest.mark.parametrize("nothing", [None, "", BLANK], ids=["none", "untouched", "white"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_empty_canvas_is_told_in_the_page_s_language(handlers, nothing, language):
    *kept, message = next(telling(handlers.ask, 3)(nothing, "en", "bundled", "", None, language))
    assert kept == [gr.skip()] * 3 and table(language)["empty_canvas"] in message
    assert handlers.follow(nothing, "en", "bundled", "", None, language) == ("", "", "", "")


@pytest.mark.parametrize("broken", ["data:image/png;base64,%%%", "hello", drawn()[:-400], "data:text/html,<b>"])
def test_a_drawing_that_arrives_broken_gets_a_sentence(handlers, broken):
    *kept, message = next(telling(handlers.ask, 3)(broken, "en", "bundled", "", None, "en"))
    assert kept == [gr.skip()] * 3 and 'role="alert"' in message and "Traceback" not in message


def test_what_follows_the_strokes_is_the_end_of_what_is_asked_for(handlers):
    adopt(handlers.runs, "first", speaker("alpha"))
    *_, last = handlers.ask(drawn(), "en", "run", "first", None, "en")
    assert handlers.follow(drawn(), "en", "run", "first", None, "en") == (*last, "")


def test_pictures_handed_out_are_known_and_changed_ones_are_not():
    for scene in canvas.sample_scenes():
        assert canvas.what_it_shows(scene.image.copy()) is scene
    handed = data(picture.random_picture())["image"]
    shown = canvas.read_picture(handed, "en")
    assert canvas.what_it_shows(shown) is not None
    shown.putpixel((3, 3), (1, 2, 3))
    assert canvas.what_it_shows(shown) is None


def test_truth_is_told_until_the_first_word_that_is_not_true():
    scene, model = sample_scene(7, 2, "clean"), SimpleNamespace(tokenizer=WordTokenizer())
    for language in ("en", "zh"):
        truth = truth_of(scene, model, language)
        assert "".join(text for text, _ in truth) == scene.caption(language).replace(" ", "")
        tokens = [SimpleNamespace(text=text) for text, _ in truth]
        assert list(as_far_as_true(tokens, truth)) == [patches for _, patches in truth]
        tokens[2] = SimpleNamespace(text="wrong")
        told = list(as_far_as_true(tokens, truth))
        assert told[1] == truth[1][1] and not any(told[2:])
    assert truth_of(None, model, "en") == []
    touched = dict(reversed(truth_of(scene, model, "en")))[scene.objects[0].color]
    rows, columns = np.nonzero(scene.masks[0])
    assert set(touched) == set(((rows // 16) * 14 + columns // 16).tolist())


@pytest.mark.parametrize("hostile", ['"><script>alert(1)</script>', "</div>", "&quot;", "图\u2028形"])
def test_words_arrive_as_they_were_whatever_they_are(handlers, hostile):
    adopt(handlers.runs, "first", speaker(hostile))
    *_, (_, caption, _) = handlers.ask(drawn(), "en", "run", "first", None, "en")
    assert data(caption)["words"][0]["text"] == hostile
    assert "<script" not in caption and caption.count("<") == 2


# The time machine


def test_looking_back_speaks_as_the_run_did_then(handlers):
    run = adopt(handlers.runs, "r", speaker("now"))
    run.life = [
        SimpleNamespace(vlm=speaker(word, steps=step), step=step) for step, word in enumerate(("first", "second"), 1)
    ]
    for moment, word in ((0, "first"), (1, "second"), (7, "second"), (-3, "first")):
        then, _, caption_data, note = handlers.look_back(drawn(), "en", moment, "r", "en")
        assert [told["text"] for told in data(caption_data)["words"]] == [word]
        assert f"step {run.life[max(0, min(moment, 1))].vlm.trained_steps}" in note
        # The studio's panels speak of the model that the lens shows.
        assert speakers.speaking(handlers.runs, "bundled", "r", then).vlm is run.life[then - 1].vlm
    assert speakers.speaking(handlers.runs, "run", "r", None).vlm is run.vlm
    # The last place of a run that goes on is now; choosing who speaks ends looking back.
    run.state = "running"
    assert handlers.look_back(drawn(), "en", 1, "r", "en")[0] is None
    assert handlers.follow_now(drawn(), "en", "run", "r", "en")[0] is None
    # A stroke is captioned by the model looked back on.
    assert [told["text"] for told in data(handlers.follow(drawn(), "en", "run", "r", 1, "en")[1])["words"]] == ["first"]
    run.life = []
    assert speakers.speaking(handlers.runs, "run", "r", 1).vlm is run.vlm


def test_the_slider_stands_at_the_newest_moment_unless_the_page_looks_back(handlers):
    run = adopt(handlers.runs, "r", speaker("now"), state="running")
    assert not life.updates(run, None)[0]["visible"]
    run.life = [SimpleNamespace(vlm=None, step=step) for step in (3, 9, 20)]
    assert [life.updates(run, moment)[0]["value"] for moment in (None, 3, 9, 7)] == [2, 0, 1, 2]
    assert life.updates(run, None)[0]["maximum"] == 2


@pytest.mark.parametrize("run_id", ["unknown", "empty"])
def test_a_life_that_is_not_kept_is_told(handlers, run_id):
    adopt(handlers.runs, "empty", speaker("now"))
    with pytest.raises(UserError, match="no longer kept"):
        handlers.look_back(drawn(), "en", 3, run_id, "en")


# A run on the page


def test_what_went_wrong_with_a_run_is_told_in_the_language_of_the_page(handlers):
    run = adopt(handlers.runs, "r", speaker("now"), state="failed")
    run.message, run.chinese = "It failed.", "出错了。"
    assert "It failed." in training.show_progress(run, "en") and "出错了" in training.show_progress(run, "zh")
    run.state = "diverged"
    for language in ("en", "zh"):
        assert table(language)["diverged_told"].format(step=run.step) in training.show_progress(run, language)
    run.state = "finished"
    assert "problem" not in training.show_progress(run, "en")


@pytest.mark.parametrize(("spoken", "told"), [("en", False), ("zh", True)])
def test_a_model_asked_in_a_language_it_was_not_taught_says_so(handlers, spoken, told):
    run = adopt(handlers.runs, "r", speaker("now"))
    run.vlm.languages = ("en",)
    *_, (_, _, note) = handlers.ask(drawn(), spoken, "run", "r", None, "en")
    assert ("left out Chinese" in unescape(note)) == told


def test_a_run_is_shown_once_per_change(handlers):
    run = adopt(handlers.runs, "first", None, state="running")
    *_, seen = handlers.look("first", "en", NOTHING_SEEN, False, None)
    assert handlers.look("first", "en", seen, False, None) == (gr.skip(),) * 13
    assert handlers.look("first", "en", list(seen), False, None) == (gr.skip(),) * 13  # as JSON brings it back
    run.version, run.step = run.version + 1, 77
    progress, curves, *others, _ = handlers.look("first", "en", seen, False, None)
    assert 'data-step="77"' in progress and 'data-run="first"' in progress and "<svg" in curves
    assert others == [gr.skip()] * 10  # what it says, its buttons and its life are as they were


def test_a_run_s_message_is_escaped(handlers):
    run = adopt(handlers.runs, "first", None, state="failed")
    run.message = "<img src=x onerror=alert(1)>"
    assert "<img" not in training.show_progress(run, "en") and "&lt;img" in training.show_progress(run, "en")


def test_address_restores_its_own_run_and_no_other(handlers):
    build_page(handlers.runs)
    config = TrainConfig(seconds=9, level=3, style="clean", seed=4)
    adopt(handlers.runs, "mine", None, config=config)
    mine = handlers.restore(SimpleNamespace(query_params={"run": "mine", "lang": "zh", "level": "1"}))
    assert mine[0] == "mine" and mine[1] == mine[2] == "zh"
    assert mine[3:9] == (9, 3, "clean", "captions", "lecture", 4)  # the run's, not the address's
    for asked in ({}, {"run": "other"}, {"run": ""}):
        assert handlers.restore(SimpleNamespace(query_params=asked))[0] == ""


def test_starting_begins_a_run_of_its_own(handlers, monkeypatch):
    begun = []
    monkeypatch.setattr(
        handlers.runs, "start", lambda config, shown: begun.append((config, shown)) or SimpleNamespace(id="new")
    )
    settings = (8, 1, "clean", "captions", "lecture", 0)
    assert handlers.start(drawn(), "en", *settings) == ("new", NOTHING_SEEN, gr.update(interactive=False))
    assert handlers.start(BLANK, "en", *settings)[0] == "new"
    (config, shown), (_, nothing) = begun
    assert (config.seconds, config.level, config.style) == (8, 1, "clean")
    assert shown.getpixel((80, 80)) == (255, 0, 0) and nothing is None
