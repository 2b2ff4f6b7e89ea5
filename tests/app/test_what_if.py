"""The what-if panel's answers: what is asked for is done, told in full, and nothing else."""

import json

import pytest
from PIL import Image

from tests.app.test_page import BLANK, adopt, data
from vlm_core import VLM, ModelConfig, UserError
from vlm_core.app.images import data_uri
from vlm_core.app.panels import what_if
from vlm_core.app.questions import answered
from vlm_core.app.runs import Runs
from vlm_core.app.texts import table
from vlm_core.scenes import sample_scene
from vlm_core.scenes.scene import patch_coverage

SCENE = sample_scene(seed=11, level=2, style="clean")
DRAWN = data_uri(SCENE.image)


def ask(runs=None, drawn=DRAWN, spoken="en", language="en", run_id="", **changes):
    asked = json.dumps({"at": 3, **changes})
    speaker = "run" if run_id else "bundled"
    return data(answered(runs or Runs(), what_if.show_effects, asked, drawn, spoken, speaker, run_id, None, language))


def words(tokens):
    return [token["text"] for token in tokens]


@pytest.fixture(scope="module")
def plain():
    return ask()


def test_without_changes_it_says_what_it_said(plain):
    assert plain["at"] == 3 and plain["repainted"] is None and plain["need"] is None
    assert words(plain["before"]) == words(plain["now"]) == SCENE.caption("en").split()
    assert set(plain["colors"]) == {thing.color for thing in SCENE.objects}
    for word in plain["before"]:
        assert word["after"] == pytest.approx(word["probability"], abs=1e-3) and word["verdict"] is None


def test_hidden_patches_are_hidden_and_the_words_that_need_them_fall(plain):
    hidden = (patch_coverage(SCENE)[0] > 0).nonzero()[0].tolist()
    found = ask(hidden=hidden)
    assert words(found["before"]) == words(plain["before"])
    for token in found["now"]:
        assert all(token["map"][patch] == 0 for patch in hidden)
    color = words(found["before"]).index(SCENE.objects[0].color)
    assert found["before"][color]["verdict"] == "needed"
    assert found["before"][color]["after"] < found["before"][color]["probability"] - 0.1


def test_a_head_that_is_off_is_no_part_of_the_map_and_one_that_is_not_there_changes_nothing(plain):
    assert ask(off=[[5, 0], [0, 9]])["now"] == plain["now"]
    assert all(not any(token["map"]) for token in ask(off=[[0, 0], [0, 1]])["now"])


def test_a_forced_word_is_said(plain):
    other = {"large": "small", "small": "large"}[SCENE.objects[0].size]
    found = ask(forced={"1": other})
    assert words(found["now"])[:2] == ["a", other]
    assert words(found["before"]) == words(plain["before"])


def test_a_repainted_picture_is_seen_and_shown():
    old = SCENE.objects[0].color
    new = next(name for name in ("green", "blue", "red") if name not in {thing.color for thing in SCENE.objects})
    found = ask(swap=[old, new])
    assert found["repainted"].startswith("data:image/png")
    assert new in words(found["now"]) and old not in words(found["now"])
    assert set(found["colors"]) == {thing.color for thing in SCENE.objects}  # of the picture as it was


def test_need_is_measured_for_the_word_asked_for():
    need = ask(need=2)["need"]
    assert need["word"] == 2 and need["hidden"] > 0 and need["draws"] == 16
    assert need["attended"] > need["most"] >= need["random"]
    assert ask(need=99)["need"] is None


def test_an_empty_canvas_is_no_fault():
    for nothing in ("", BLANK):
        assert ask(drawn=nothing) == {}


def test_special_tokens_are_no_words_to_force(plain):
    offered = [word for token in plain["now"] for word, _ in token["alternatives"]]
    assert offered and not any(word.startswith("<") for word in offered)


@pytest.mark.parametrize(
    "rubbish",
    ["", "[]", "{", '{"hidden": 3}', '{"hidden": ["x"]}', '{"off": [1]}', '{"forced": {"x": "red"}}', '{"swap": "red"}',
     '{"swap": ["red", "mauve"]}', '{"need": "all"}', '{"forced": {"1": "no such word"}}'],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_cannot_be_read_gets_a_sentence(rubbish, language):
    with pytest.raises(UserError, match=table(language)["what_if_unreadable"].split()[0]):
        answered(Runs(), what_if.show_effects, rubbish, DRAWN, "en", "bundled", "", None, language)


def test_a_model_without_a_null_key_is_left_a_patch_and_the_page_says_so_in_its_language():
    runs = Runs()
    adopt(runs, "classic", VLM(ModelConfig.classic(ModelConfig.lecture().vocab_size)).eval())
    with pytest.raises(UserError, match="空键"):
        ask(runs, run_id="classic", language="zh", hidden=list(range(196)))
    found = ask(runs, run_id="classic", hidden=list(range(195)))
    assert (found["layers"], found["heads"], found["keys"]) == (2, 4, 196)


def test_patches_that_are_not_there_are_told():
    with pytest.raises(UserError, match="195"):
        ask(hidden=[196])


def test_another_picture_has_other_colours():
    sheet = Image.new("RGB", (224, 224), "white")
    sheet.paste((36, 84, 224), (60, 60, 150, 150))
    assert ask(drawn=data_uri(sheet))["colors"] == ["blue"]
