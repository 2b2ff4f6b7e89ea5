"""The time machine: what is told of a moment of a run, and the film of its life."""

import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vlm_core.app.images import data_uri
from vlm_core.app.panels import life
from vlm_core.app.runs import Run, Runs
from vlm_core.config import TrainConfig
from vlm_core.errors import UserError
from vlm_core.learning.events import Snapshot
from vlm_core.model.generation import Caption, GeneratedToken

LENS = json.dumps({"chosen": [1, "red"], "head": "0.1"})


def drawn():
    sheet = Image.new("RGB", (224, 224), "white")
    ImageDraw.Draw(sheet).rectangle((50, 50, 125, 125), fill="red")
    return data_uri(sheet)


def speaker(*texts):
    """A model that says these words, whose second head looks where the first does not."""
    maps = np.zeros((1, 2, 14, 14), np.float32)
    maps[0, 0, 3, 3] = maps[0, 1, 9, 9] = 0.2
    tokens = tuple(GeneratedToken(7, text, 0.6, ((text, 0.6),), maps, np.zeros((1, 2))) for text in texts)
    said = Caption(" ".join(texts), tokens, "en")
    return SimpleNamespace(
        config=SimpleNamespace(decoder_layers=1, heads=2), caption=lambda image, language: said
    )  # fmt: skip


@pytest.fixture
def runs():
    registry = Runs()
    run = Run("r", TrainConfig(), None, state="finished")
    said = [(3, 0.5, ("a",)), (9, 1.25, ("a", "red")), (20, 3.0, ("red",))]
    run.life = [Snapshot(step, seconds, speaker(*texts)) for step, seconds, texts in said]
    run.scores = [
        {"step": 8, "share": 0.4, "exact_match": {"en": 0.25, "zh": 0.5}, "slots": {}},
        {"step": 20, "share": 1.0, "exact_match": {"en": 0.75}, "slots": {}},
    ]
    registry._runs["r"] = run
    return registry


def test_a_moment_tells_its_step_and_the_scores_of_the_nearest_evaluation(runs):
    run = runs.get("r")
    first, second, last = (life.tell_moment(run, step, "en") for step in (3, 9, 20))
    assert 'data-step="3"' in first and "0.5 s" in first and "measured at step 8" in first
    assert "English 25%, Chinese 50%" in second and "measured at step 8" in second
    assert "English 75%" in last and "Chinese" not in last and "measured at step 20" in last
    assert "第 20 步" in life.tell_moment(run, 20, "zh")


def test_nothing_is_told_of_a_run_whose_life_is_not_kept(runs):
    assert life.tell_moment(None, 3, "en") == ""
    assert life.tell_moment(Run("other", TrainConfig(), None), 3, "en") == ""
    run = runs.get("r")
    assert life.tell_moment(run, 7, "en") == life.tell_moment(run, None, "en") == ""
    run.scores = []
    assert "held-out" not in life.tell_moment(run, 3, "en")


@pytest.mark.parametrize("shown", ["chosen", "every"])
def test_the_film_has_every_moment(runs, shown):
    name, content = life.make_film(runs, drawn(), "en", shown, "r", "en", LENS)
    film = Image.open(io.BytesIO(content))
    assert name == "life.gif" and film.format == "GIF" and film.n_frames == 3


def test_the_film_shows_the_head_that_the_lens_shows(runs):
    def film(head):
        lens = json.dumps({"chosen": [0, "red"], "head": head})
        return life.make_film(runs, drawn(), "en", "chosen", "r", "en", lens)[1]

    assert len({film("0.0"), film("0.1"), film("mean")}) == 3
    assert film("mean") == film("9.9") == film("nonsense")


def test_no_film_without_a_picture_or_a_life(runs):
    with pytest.raises(UserError, match="canvas is empty"):
        life.make_film(runs, "", "en", "chosen", "r", "en", LENS)
    with pytest.raises(UserError, match="no longer kept"):
        life.make_film(runs, drawn(), "en", "chosen", "gone", "en", LENS)
