"""What is taken home: files that nobody else can find, code that does what it says, a link that restores settings."""

import io
import json
import re
import shlex
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from PIL import Image

from vlm_core.app import downloads, homecoming
from vlm_core.app.images import data_uri
from vlm_core.app.panels import take_home
from vlm_core.app.panels.caption import caption_as_data
from vlm_core.app.runs import Run, Runs
from vlm_core.app.settings import configure, settings_asked, settings_of
from vlm_core.app.snippets import ADDRESS, Shown, client_code, command_line, link, python_code
from vlm_core.app.speakers import bundled_model
from vlm_core.cli import build_parser
from vlm_core.config import ModelConfig, TrainConfig
from vlm_core.errors import UserError
from vlm_core.model.vlm import VLM
from vlm_core.scenes import sample_scene

SCENE = sample_scene(7, 2, "clean")
CONFIGS = [
    configure(60, 2, "drawn", "captions", "lecture", 0),
    configure(8.5, 1, "clean", "grounded", "classic", 3, ["red_circles", "one_position"], 0.5, "adamw", 4, 32, "zh"),
]


def shown(config=CONFIGS[0], trained_here=True, spoken="en", scene=SCENE, language="en", repeatable=True):
    return Shown(config, trained_here, spoken, scene, language, repeatable)


@pytest.fixture(scope="module")
def vlm():
    config = TrainConfig(seconds=None, steps=2, level=1, style="clean")
    return VLM(ModelConfig.lecture(), run={"config": config.to_dict(), "steps": 2, "seconds": 0.5}).eval()


# Files


def test_each_file_lies_where_nobody_else_can_guess(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    first, second = (Path(downloads.put_down("life.gif", b"x")) for _ in range(2))
    assert first != second and first.name == second.name == "life.gif"
    assert first.parent.parent == tmp_path and len(first.parent.name) >= 24
    assert first.parent.stat().st_mode & 0o077 == 0


def test_a_run_that_was_taken_home_speaks_again_and_is_another_one(vlm):
    runs = Runs()
    scores = [{"share": 1.0, "step": 2, "exact_match": {"en": 0.1}, "slots": {}, "hit": 0.2}]
    run = Run("mine", TrainConfig(steps=2), None, state="finished", vlm=vlm, losses=[(1.0, 2.5)], scores=scores)
    content = homecoming.pack_run(run, "en")
    first, second = homecoming.bring_back(runs, content), homecoming.bring_back(runs, content)
    assert len({"mine", first.id, second.id}) == 3 and runs.get(first.id) is first and runs.get("mine") is None
    assert (first.state, first.step, first.losses, first.scores) == ("finished", 2, [(1.0, 2.5)], scores)
    assert first.exam is not None and first.config.level == 1
    assert first.vlm.caption(SCENE.image).text == vlm.caption(SCENE.image).text


def test_nothing_trained_is_nothing_to_download():
    untrained = Run("r", CONFIGS[0], None, vlm=VLM(ModelConfig.lecture()))
    for run in (None, Run("r", CONFIGS[0], None), untrained):
        with pytest.raises(UserError, match="press Train first"):
            homecoming.pack_run(run, "en")


def test_a_file_that_is_no_run_changes_nothing(tmp_path):
    runs = Runs()
    (tmp_path / "run.zip").write_bytes(b"no zip")
    with pytest.raises(UserError, match="damaged"):
        take_home.load_run(runs, str(tmp_path / "run.zip"))
    assert not runs._runs


# The figure


def what_the_lens_has(language="en"):
    vlm = bundled_model()
    tokens = vlm.caption(SCENE.image, language).tokens[:4]
    held = re.search(r'data-json="([^"]*)"', caption_as_data(vlm, list(tokens), language, "0.1", [], done=True))
    return tokens, json.loads(unescape(held.group(1)))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_figure_is_of_what_the_lens_shows(language):
    tokens, told = what_the_lens_has(language)
    caption = take_home.read_caption(told)
    for ours, theirs in zip(caption.tokens, tokens, strict=True):
        assert ours.text == theirs.text and abs(ours.probability - theirs.probability) < 1e-3
        assert np.abs(ours.attention - theirs.attention).max() < 1e-4
    lens = json.dumps({"caption": told, "picture": data_uri(SCENE.image), "head": "0.1"})
    name, content = take_home.draw_figure("png", "en", lens)
    assert name == "caption.png" and Image.open(io.BytesIO(content)).width > 400


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.update(words=None),
        lambda told: told.update(language="<script>"),
        lambda told: told.update(grid=10**6),
        lambda told: told["words"][0].update(maps=[[[0] * 5]]),
        lambda told: told["words"][0].update(probability=float("nan")),
        lambda told: told.update(words=told["words"] * 200),
    ],
    ids=range(6),
)
def test_a_caption_that_is_none_is_told_in_a_sentence(change):
    _, told = what_the_lens_has()
    change(told)
    lens = json.dumps({"caption": told, "picture": data_uri(SCENE.image), "head": "mean"})
    with pytest.raises(UserError, match="no caption to draw"):
        take_home.draw_figure("png", "en", lens)


def test_an_empty_page_has_no_figure():
    with pytest.raises(UserError, match="no caption to draw"):
        take_home.draw_figure("pdf", "en", json.dumps({"caption": None, "picture": None, "head": ""}))


# Code and link


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_link_restores_the_settings_and_the_language(config, language):
    asked = dict(parse_qsl(urlsplit(link(shown(config, language=language)).replace(ADDRESS, "http://x/")).query))
    assert asked.pop("lang") == language
    restored = [ours if ours is not None else usual for ours, usual in zip(
        settings_asked(asked), settings_of(TrainConfig()), strict=True
    )]  # fmt: skip
    assert configure(*restored) == config


def cut(code):
    """The same code, for two steps."""
    short = "TrainConfig(steps=2, evaluation_scenes=2, evaluations=1, "
    return re.sub(r"TrainConfig\((seconds=[\d.]+(, )?)?", short, code)


@pytest.mark.parametrize("config", CONFIGS)
def test_the_python_code_trains_with_these_settings_and_captions_the_picture(config, capsys):
    space = {}
    exec(cut(python_code(shown(config, spoken="zh"))), space)
    same = ("level", "style", "objective", "preset", "seed", "sabotage", "optimizer", "heads", "width", "learning_rate")
    assert all(getattr(space["config"], name) == getattr(config, name) for name in same)
    assert space["vlm"].trained_steps == 2 and space["caption"].language == "zh"
    assert capsys.readouterr().out.splitlines()[0] == space["caption"].text
    assert (np.asarray(space["picture"]) == np.asarray(SCENE.image)).all()


def test_the_python_code_of_a_drawing_reads_the_picture_that_was_saved(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    SCENE.image.save("picture.png")
    space = {}
    exec(python_code(shown(trained_here=False, scene=None)), space)
    assert "blue" in capsys.readouterr().out or space["caption"].text
    assert space["vlm"].trained_steps > 1000


def test_the_code_says_what_no_settings_repeat():
    assert "only in the downloaded run" in python_code(shown(repeatable=False))
    assert "only in the downloaded run" not in python_code(shown())


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("trained_here", [True, False])
def test_every_command_is_understood(config, trained_here):
    for line in command_line(shown(config, trained_here)).splitlines():
        python, *arguments = shlex.split(line.removeprefix("python -m vlm_core "))
        build_parser().parse_args([python, *arguments])


def test_nobody_s_run_is_in_the_code_or_the_link():
    shared = SimpleNamespace(runs=Runs())
    shared.runs.adopt(Run("secret-id", CONFIGS[1], None, state="finished"))
    now = take_home.what_is_shown(shared, "", "en", "run", "secret-id", "en", settings_of(CONFIGS[0]))
    assert now.config == CONFIGS[1] and now.trained_here
    assert "secret-id" not in take_home.show_code(now)
    assert not take_home.what_is_shown(shared, "", "en", "bundled", "secret-id", "en", ()).trained_here


def test_code_on_the_page_is_text_and_nothing_else():
    held = take_home.show_code(shown(CONFIGS[1]))
    assert unescape(re.sub(r"<[^>]+>", "", held.split('id="take-python"')[1].split("</pre>")[0])).endswith(
        python_code(shown(CONFIGS[1]))
    )
    assert "/train" in client_code(shown(CONFIGS[1]))
