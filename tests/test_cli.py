"""The command line does the whole job, and answers everything wrong with one sentence and exit status 1."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vlm_core import VLM, ModelConfig, TrainConfig, sample_scene, train
from vlm_core.cli import main
from vlm_core.learning.events import Checkpointed
from vlm_core.scenes.language import parse

ROOT = Path(__file__).resolve().parents[1]
SHORT = ["train", "--steps", "4", "--batch-size", "8", "--evaluations", "1", "--level", "1", "--style", "clean"]


@pytest.fixture
def picture(tmp_path) -> str:
    path = tmp_path / "scene.png"
    sample_scene(seed=7, level=1, style="clean").image.save(path)
    return str(path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, dict]:
    """A checkpoint folder that the command line made, and the JSON it wrote."""
    folder = tmp_path_factory.mktemp("run")
    status = main([*SHORT, "--seed", "3", "--out", str(folder / "saved"), "--json", str(folder / "outcome.json")])
    assert status == 0
    return folder / "saved", json.loads((folder / "outcome.json").read_text(encoding="utf-8"))


def read_json(text: str):
    """Strict JSON: Python alone reads NaN."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def refusal(capsys, *arguments) -> str:
    """What a wrong command prints on stderr, checked to be the one line it must be, and all that is printed."""
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert printed.err.endswith(".\n") and printed.err.count("\n") == 1
    assert "Traceback" not in printed.err and "Errno" not in printed.err
    return printed.err


# Train


def test_training_writes_a_checkpoint_that_loads_and_tells_how_it_was_made(trained):
    folder, outcome = trained
    vlm = VLM.from_pretrained(folder)
    assert vlm.trained_steps == outcome["steps"] == 4
    assert vlm.num_parameters == outcome["parameters"]
    assert vlm.run["config"]["seed"] == outcome["config"]["seed"] == 3
    assert outcome["config"]["style"] == "clean"
    assert outcome["reason"] == "steps"
    assert outcome["checkpoint"] == str(folder)
    (evaluation,) = outcome["evaluations"]
    assert evaluation["step"] == 4
    assert {"en", "zh", "color", "shape"} <= evaluation.keys()


def test_training_on_the_command_line_is_the_training_of_the_library(trained):
    folder, outcome = trained
    config = outcome["config"] | {"languages": tuple(outcome["config"]["languages"])}
    *_, finished = train(TrainConfig(**config))
    saved = VLM.from_pretrained(folder).state_dict()
    assert all(torch.equal(tensor, saved[name]) for name, tensor in finished.vlm.state_dict().items())


def test_json_on_stdout_is_all_there_is_on_stdout(capsys, picture):
    assert main([*SHORT, "--picture", picture, "--json", "-"]) == 0
    printed = capsys.readouterr()
    assert read_json(printed.out)["steps"] == 4
    assert "Trained for 4 steps" in printed.err
    assert " en: " in printed.err and " zh: " in printed.err


def test_without_json_stdout_stays_empty(capsys):
    assert main(SHORT) == 0
    assert capsys.readouterr().out == ""


def test_a_run_that_was_cut_off_goes_on_in_its_own_folder(tmp_path):
    events = train(TrainConfig(steps=4, evaluations=2, batch_size=4, level=1, evaluation_scenes=4), out=tmp_path)
    next(event for event in events if isinstance(event, Checkpointed))
    events.close()
    assert VLM.from_pretrained(tmp_path).trained_steps == 2
    assert main(["train", "--resume", str(tmp_path)]) == 0
    assert VLM.from_pretrained(tmp_path).trained_steps == 4


def test_resuming_a_finished_run_ends_at_once_where_it_was(trained, tmp_path):
    folder, _ = trained
    outcome = tmp_path / "resumed.json"
    assert main(["train", "--resume", str(folder), "--json", str(outcome)]) == 0
    resumed = json.loads(outcome.read_text())
    assert resumed["steps"] == 4
    assert resumed["config"]["seed"] == 3


def test_a_run_that_diverges_exits_with_1(capsys):
    assert main([*SHORT, "--learning-rate", "1e30"]) == 1
    assert "last good weights" in " ".join(capsys.readouterr().err.split())


# Caption


def test_a_picture_is_captioned_in_both_languages(capsys, picture):
    scene = sample_scene(seed=7, level=1, style="clean")
    for language in ("en", "zh"):
        assert main(["caption", picture, "--language", language]) == 0
        printed = capsys.readouterr()
        assert parse(printed.out.strip(), language).objects[0].shape == scene.objects[0].shape
        assert printed.err == ""


def test_a_caption_comes_from_the_checkpoint_named(capsys, picture, trained):
    folder, _ = trained
    assert main(["caption", picture, "--checkpoint", str(folder)]) == 0
    expected = VLM.from_pretrained(folder).caption(picture).text
    assert capsys.readouterr().out == expected + "\n"


def test_caption_json_carries_each_words_probability_and_maps(capsys, picture):
    assert main(["caption", picture, "--language", "zh", "--json", "-"]) == 0
    caption = read_json(capsys.readouterr().out)
    assert caption["language"] == "zh"
    assert caption["text"] == "".join(token["text"] for token in caption["tokens"])
    for token in caption["tokens"]:
        shares = np.array(token["attention"])  # (layers, heads, 14, 14)
        total = shares.sum(axis=(2, 3)) + np.array(token["null_mass"])
        assert np.allclose(total, 1, atol=1e-4)
        best, probability = token["alternatives"][0]
        assert (best, probability) == (token["text"], token["probability"])  # greedy


def test_an_overlay_is_a_picture_with_a_panel_for_each_word(capsys, picture, tmp_path):
    overlay = tmp_path / "looked.png"
    assert main(["caption", picture, "--overlay", str(overlay)]) == 0
    capsys.readouterr()
    with Image.open(overlay) as figure:
        assert figure.format == "PNG"
        assert min(figure.size) > 224
    assert sorted(path.name for path in tmp_path.iterdir()) == ["looked.png", "scene.png"]


def test_both_names_of_the_option_draw_and_each_file_is_written(capsys, picture, tmp_path):
    assert main(["caption", picture, "--overlay", str(tmp_path / "a.png"), "--strip", str(tmp_path / "b.svg")]) == 0
    capsys.readouterr()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "b.svg").read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize(("name", "begins"), [("strip.pdf", b"%PDF"), ("strip.SVG", b"<?xml")])
def test_a_strip_is_drawn_as_its_name_ends(capsys, picture, tmp_path, name, begins):
    assert main(["caption", picture, "--language", "zh", "--strip", str(tmp_path / name)]) == 0
    capsys.readouterr()
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_sampling_repeats_with_its_seed(capsys, picture, trained):
    folder, _ = trained

    def drawn(seed):
        assert main(["caption", picture, "--checkpoint", str(folder), "--temperature", "2", "--seed", str(seed)]) == 0
        return capsys.readouterr().out

    assert drawn(1) == drawn(1)
    assert len({drawn(seed) for seed in range(4)}) > 1


# Evaluate and explain


def test_an_evaluation_as_json_and_as_text(capsys, tmp_path):
    asked = ["evaluate", "--scenes", "20", "--level", "1", "--style", "clean"]
    assert main([*asked, "--json", "-"]) == 0
    printed = capsys.readouterr()
    report = read_json(printed.out)
    assert (report["scenes"], report["level"], report["style"]) == (20, 1, "clean")
    assert {"seen", "held_out"} == report["captions"].keys()
    assert printed.err == ""
    assert main([*asked, "--json", str(tmp_path / "report.json")]) == 0
    assert read_json((tmp_path / "report.json").read_text()) == report
    assert "seen" in capsys.readouterr().out


def test_the_tour_ends_with_the_caption(capsys, picture):
    assert main(["explain", picture]) == 0
    printed = capsys.readouterr()
    assert VLM.from_pretrained().caption(picture).text in printed.out
    assert printed.err == ""


# What is wrong


@pytest.mark.parametrize("command", [["caption"], ["explain"], [*SHORT, "--picture"]], ids=lambda words: words[0])
def test_a_picture_that_is_none_is_refused_before_anything_starts(capsys, tmp_path, command):
    text = tmp_path / "notes.png"
    text.write_text("a large red circle")
    empty = tmp_path / "empty.png"
    empty.touch()
    torn = tmp_path / "torn.png"
    sample_scene(seed=1).image.save(torn)
    torn.write_bytes(torn.read_bytes()[:500])
    assert "no file" in refusal(capsys, *command, tmp_path / "cat.png")
    assert "not a picture" in refusal(capsys, *command, text)
    assert "empty" in refusal(capsys, *command, empty)
    assert "damaged" in refusal(capsys, *command, torn)
    assert "could not be opened" in refusal(capsys, *command, tmp_path)


@pytest.mark.parametrize("command", ["caption", "evaluate", "explain"])
def test_a_checkpoint_that_cannot_be_used_is_refused(capsys, tmp_path, picture, command):
    arguments = [command, "--checkpoint"] if command == "evaluate" else [command, picture, "--checkpoint"]
    torch.manual_seed(0)
    vlm = VLM(ModelConfig.lecture())
    corrupt = vlm.save_pretrained(tmp_path / "corrupt")
    (corrupt / "model.safetensors").write_bytes((corrupt / "model.safetensors").read_bytes()[:5000])
    other = vlm.save_pretrained(tmp_path / "other")
    card = json.loads((other / "model.json").read_text())
    card["config"] = dataclasses.replace(vlm.config, feed_forward=128).to_dict()
    (other / "model.json").write_text(json.dumps(card))
    bare = vlm.save_pretrained(tmp_path / "bare")
    (bare / "model.json").unlink()
    assert "damaged" in refusal(capsys, *arguments, corrupt)
    assert "does not fit" in refusal(capsys, *arguments, other)
    assert "model.json is missing" in refusal(capsys, *arguments, bare)
    assert "missing" in refusal(capsys, *arguments, tmp_path / "nowhere")
    assert "missing" in refusal(capsys, *arguments, tmp_path / "nowhere.safetensors")


@pytest.mark.parametrize(
    "wrong",
    [
        "--level 9", "--style oil", "--preset large", "--objective guess", "--languages en,fr", "--languages ,",
        "--steps 0", "--seconds -1", "--seconds nan", "--batch-size 0", "--learning-rate 0", "--evaluations 0",
        "--seed -1",
    ],
)  # fmt: skip
def test_settings_that_no_run_can_have_are_refused(capsys, wrong):
    refusal(capsys, "train", *wrong.split())


@pytest.mark.parametrize("wrong", ["--level 9", "--style oil", "--scenes 0"])
def test_scenes_that_do_not_exist_are_refused(capsys, wrong):
    refusal(capsys, "evaluate", "--scenes", "2", *wrong.split())


@pytest.mark.parametrize("wrong", ["--language fr", "--temperature -1", "--top-k 0", "--top-p 2"])
def test_what_no_caption_can_have_is_refused_without_a_file_left(capsys, picture, tmp_path, wrong):
    before = set(tmp_path.iterdir())
    outputs = ["--json", tmp_path / "out.json", "--overlay", tmp_path / "out.png"]
    refusal(capsys, "caption", picture, *outputs, *wrong.split())
    assert set(tmp_path.iterdir()) == before


def test_the_tour_in_an_unknown_language_is_refused(capsys):
    assert "fr" in refusal(capsys, "explain", "--language", "fr")


def test_resuming_nothing_or_something_damaged_or_with_other_settings_is_refused(capsys, tmp_path, trained):
    folder, _ = trained
    assert "no run to resume" in refusal(capsys, "train", "--resume", tmp_path / "nothing", "--out", tmp_path / "new")
    torn = tmp_path / "torn"
    torn.mkdir()
    (torn / "run.safetensors").write_bytes((folder / "run.safetensors").read_bytes()[:900])
    assert "damaged" in refusal(capsys, "train", "--resume", torn, "--out", tmp_path / "new")
    assert "--batch-size" in refusal(capsys, "train", "--resume", folder, "--batch-size", 9)
    assert [path.name for path in tmp_path.iterdir()] == ["torn"]


@pytest.mark.parametrize("place", ["in no folder", "a folder", "below a file"])
def test_outcomes_that_cannot_be_written_are_refused_before_any_work(capsys, picture, tmp_path, place, monkeypatch):
    target = {"in no folder": tmp_path / "no" / "x.png", "a folder": tmp_path, "below a file": picture + "/x.png"}[
        place
    ]
    overlay = tmp_path / "folder.png"
    overlay.mkdir()
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(VLM, "from_pretrained", lambda *_: pytest.fail("the work had begun"))
    refusal(capsys, *SHORT, "--json", target)
    refusal(capsys, "caption", picture, "--json", target)
    refusal(capsys, "caption", picture, "--overlay", overlay if place == "a folder" else target)
    refusal(capsys, "evaluate", "--scenes", "2", "--json", target)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_overlay_of_a_kind_that_is_no_picture_is_refused(capsys, picture, tmp_path):
    told = refusal(capsys, "caption", picture, "--strip", tmp_path / "looked.txt")
    assert ".png or .svg or .pdf" in told
    assert "looked.txt" in refusal(capsys, "caption", picture, "--overlay", tmp_path / "looked.txt")


def test_checkpoints_that_cannot_be_written_are_refused_before_training(capsys, tmp_path):
    file = tmp_path / "file"
    file.write_text("kept")
    for folder in (file, file / "below"):
        assert str(folder) in refusal(capsys, *SHORT, "--out", folder)
    assert file.read_text() == "kept"


def test_a_disk_that_fills_up_leaves_the_old_outcome(capsys, picture, tmp_path, monkeypatch):
    outcome = tmp_path / "outcome.json"
    outcome.write_text("old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert main(["caption", picture, "--json", str(outcome)]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert outcome.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outcome.json", "scene.png"]


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert main(["evaluate", "--scenes", "1", "--json", str(pipe)]) == 0
        assert read_json(os.read(reader, 60_000).decode())["scenes"] == 1
    finally:
        os.close(reader)
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    "wrong",
    [
        "", "paint", "train --steps few", "train --steps 1 --seconds 1", "train --seed 99999999999999999999",
        "caption x.png --seed 99999999999999999999", "train --learning-rate nan", "caption x.png --temperature nan",
    ],
)  # fmt: skip
def test_a_wrong_option_is_a_matter_of_usage(capsys, wrong):
    with pytest.raises(SystemExit) as ended:
        main(wrong.split())
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_the_program_itself_exits_with_these_statuses(picture):
    def run(*arguments):
        command = [sys.executable, "-m", "vlm_core", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)

    spoken = run("caption", picture)
    assert spoken.returncode == 0 and spoken.stderr == "" and spoken.stdout.count("\n") == 1
    wrong = run("caption", "no-such-picture.png")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr == "error: There is no file 'no-such-picture.png'; check the path.\n"
