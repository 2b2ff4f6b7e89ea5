"""The page through gradio_client, as a script elsewhere has it."""

import time
import zipfile

import gradio as gr
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image, ImageDraw

from vlm_core.app import api
from vlm_core.app.runs import Runs
from vlm_core.app.settings import configure
from vlm_core.app.snippets import ADDRESS, Shown, client_code
from vlm_core.config import TrainConfig
from vlm_core.learning.parcel import unpack
from vlm_core.scenes import sample_scene
from vlm_core.scenes.scene import patch_coverage

SCENE = sample_scene(7, 2, "clean")
SHORT = {"steps": 2, "level": 1, "style": "clean"}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A server with nothing but the endpoints."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        with gr.Blocks(analytics_enabled=False) as blocks:
            api.offer(Runs())
        _, url, _ = blocks.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
        yield url
        blocks.close()


@pytest.fixture(scope="module")
def client(address, tmp_path_factory):
    return Client(address, verbose=False, download_files=tmp_path_factory.mktemp("client"))


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "picture.png"
    SCENE.image.save(path)
    return path


@pytest.fixture(scope="module")
def run(client):
    """A run of two steps that has ended."""
    begun = client.predict(**SHORT, api_name="/train")["run"]
    while client.predict(begun, api_name="/status")["state"] == "running":
        time.sleep(0.05)
    return begun


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_picture_is_captioned_with_probabilities(client, picture, language):
    told = client.predict(handle_file(picture), language=language, api_name="/caption")
    assert told["text"] == SCENE.caption(language) and told["trained_steps"] > 1000 and told["unsure"] is None
    for word in told["words"]:
        assert 0 < word["probability"] <= 1 and word["alternatives"][0][0] == word["text"]
        shares = sum(map(sum, word["attention"])) + word["null_mass"]
        assert shares == pytest.approx(1, abs=0.02)


def test_a_run_is_trained_watched_used_and_taken_home(client, run, picture):
    how = client.predict(run, api_name="/status")
    assert (how["state"], how["step"]) == ("finished", 2) and set(how["exact_match"]) == {"en", "zh"}
    assert client.predict(handle_file(picture), run=run, api_name="/caption")["trained_steps"] == 2
    scored = client.predict(run, level=1, style="clean", scenes=4, api_name="/evaluate")
    assert scored["scenes"] == 4 and 0 <= scored["exact_match"]["en"] <= 1 and 0 < scored["chance"] < 1
    path = client.predict(run, api_name="/download")
    assert zipfile.is_zipfile(path)
    with open(path, "rb") as file:
        assert unpack(file.read()).vlm.trained_steps == 2
    assert client.predict(run, api_name="/stop")["state"] == "finished"


def test_a_picture_is_captioned_with_something_changed(client, picture):
    its_patches = np.flatnonzero(patch_coverage(SCENE)[0]).tolist()
    told = client.predict(handle_file(picture), hidden=its_patches, need=4, api_name="/what_if")
    words = [word["text"] for word in told["before"]]
    assert " ".join(words) == SCENE.caption("en")
    sighted, blind = told["before"][2], [word["text"] for word in told["after"]]
    assert sighted["fall"] == pytest.approx(sighted["probability"] - sighted["after"], abs=2e-4)
    assert sighted["fall"] > 0.1 and sighted["verdict"] == "needed" and blind != words
    assert told["need"]["attended"] > told["need"]["most"]
    forced = client.predict(handle_file(picture), forced={"1": "small"}, api_name="/what_if")["after"]
    assert forced[1]["text"] == "small"
    off = client.predict(handle_file(picture), heads_off=[[0, 0], [0, 1]], api_name="/what_if")
    assert max(word["probability"] - word["after"] for word in off["before"]) > 0.1


@pytest.mark.parametrize(
    "wrong",
    [{"hidden": [196]}, {"heads_off": [[0, 9]]}, {"heads_off": [3]}, {"forced": {"0": "cat"}}, {"need": 99}],
    ids=str,
)
def test_a_change_that_cannot_be_made_is_a_sentence(client, picture, wrong):
    with pytest.raises(AppError) as told:
        client.predict(handle_file(picture), **wrong, api_name="/what_if")
    assert str(told.value).endswith(".") and "\n" not in str(told.value)


def test_a_word_is_taught_from_pictures(client, tmp_path):
    drawings = []
    for size in (60, 80):
        drawing = Image.new("RGB", (224, 224), "white")
        ImageDraw.Draw(drawing).polygon([(40, 120), (40 + size, 60), (40 + 2 * size, 120), (40 + size, 90)], "black")
        drawing.save(tmp_path / f"{size}.png")
        drawings.append(handle_file(tmp_path / f"{size}.png"))
    lesson = client.predict(drawings, "boomerang", seconds=1, api_name="/teach")["run"]
    while (how := client.predict(lesson, api_name="/status"))["state"] == "running":
        time.sleep(0.1)
    assert how["state"] == "finished" and len(how["taught"]) == 2
    assert client.predict(drawings[0], run=lesson, api_name="/caption")["trained_steps"] > 1000


@pytest.mark.parametrize(
    ("word", "seconds", "count"), [("red", 5, 1), ("two words", 5, 1), ("kite", 0, 1), ("kite", 5, 0), ("kite", 5, 13)]
)
def test_what_cannot_be_taught_is_a_sentence(client, picture, word, seconds, count):
    with pytest.raises(AppError) as told:
        client.predict([handle_file(picture)] * count, word, seconds=seconds, api_name="/teach")
    assert str(told.value).endswith(".") and "\n" not in str(told.value)


@pytest.mark.parametrize(
    "wrong",
    [{"level": 9}, {"seconds": 1e9}, {"seconds": 0}, {"steps": 10**9}, {"sabotage": ["?"]}, {"heads": 3}],
    ids=str,
)
def test_what_no_run_can_be_is_a_sentence(client, wrong):
    with pytest.raises(AppError) as told:
        client.predict(**wrong, api_name="/train")
    assert str(told.value).endswith(".") and "\n" not in str(told.value)


@pytest.mark.parametrize("endpoint", ["/status", "/stop", "/download"])
def test_a_run_that_is_nobody_s_is_a_sentence(client, endpoint):
    with pytest.raises(AppError, match="no run of this id"):
        client.predict("guessed", api_name=endpoint)


@pytest.mark.parametrize("path", ["/etc/passwd", "assets/screenshot.png", "", None])
def test_no_file_of_the_server_can_be_read(client, path):
    for sent in ({"path": path}, path):
        with pytest.raises((AppError, ValueError)) as told:
            client.predict(sent, api_name="/caption")
        assert "no picture that was sent" in str(told.value) or isinstance(told.value, ValueError)


def test_every_setting_of_the_page_can_be_asked_for(client):
    described = client.view_api(return_format="dict")["named_endpoints"]["/train"]
    names = {parameter["parameter_name"] for parameter in described["parameters"]}
    the_page_s_own = {"until", "batch_size", "evaluations", "evaluation_scenes", "snapshots"}
    assert names == set(TrainConfig.__dataclass_fields__) - the_page_s_own


@pytest.mark.parametrize("trained_here", [True, False])
def test_the_code_on_the_page_does_what_it_says(address, picture, tmp_path, monkeypatch, capsys, trained_here):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "picture.png").write_bytes(picture.read_bytes())
    config = configure(60, 1, "clean", "captions", "lecture", 3, ["one_position"])
    code = client_code(Shown(config, trained_here, "en", SCENE, "en")).replace(ADDRESS, address)
    code = code.replace("predict(seed=3", "predict(steps=2, seed=3").replace("sleep(1)", "sleep(0.05)")
    space = {}
    exec(code, space)
    told = space["caption"]
    assert (told["trained_steps"] == 2) == trained_here
    assert capsys.readouterr().out.splitlines()[-1 - len(told["words"])] == told["text"]
