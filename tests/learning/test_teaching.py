"""A lesson: the word is learned by a grown copy, the model it is copied from stays as it was."""

import pytest
import torch
from PIL import Image, ImageDraw

from vlm_core import VLM, ModelConfig, UserError
from vlm_core.learning import teaching
from vlm_core.learning.events import Evaluated, Finished, Recognized, Sampled, Started, Step
from vlm_core.learning.teaching import config_of, teach, words_taught
from vlm_core.scenes.newcomers import Newcomer


@pytest.fixture
def newcomer():
    picture = Image.new("RGB", (224, 224), "white")
    ImageDraw.Draw(picture).line([(40, 100), (150, 100), (120, 70), (150, 100), (120, 130)], fill="red", width=10)
    return Newcomer.of("arrow", [picture])


@pytest.fixture(scope="module")
def bundled():
    return VLM.from_pretrained()


def few_scenes(monkeypatch):
    monkeypatch.setattr(teaching, "OLD_SCENES", 4)
    monkeypatch.setattr(teaching, "NEW_SCENES", 4)


def test_a_lesson_tells_what_was_known_before_and_after(bundled, newcomer, monkeypatch):
    few_scenes(monkeypatch)
    before = {name: tensor.clone() for name, tensor in bundled.state_dict().items()}
    picture = Image.new("RGB", (224, 224), "white")
    events = list(teach(bundled, newcomer, steps=3, picture=picture))
    kinds = [type(event) for event in events]
    assert kinds[:3] == [Started, Evaluated, Recognized] and kinds[-4:] == [Evaluated, Recognized, Sampled, Finished]
    assert [event.step for event in events if isinstance(event, Step)] == [1, 2, 3]
    taught = events[-1].vlm
    assert taught.tokenizer.vocabulary == (*bundled.tokenizer.vocabulary, "arrow")
    assert taught.trained_steps == bundled.trained_steps + 3
    assert words_taught(taught) == ("arrow",) and words_taught(bundled) == ()
    assert all(torch.equal(tensor, before[name]) for name, tensor in bundled.state_dict().items())
    assert not torch.equal(taught.decoder.token_embedding.weight[-1], events[0].vlm.decoder.token_embedding.weight[-1])


def test_a_lesson_repeats(bundled, newcomer, monkeypatch):
    few_scenes(monkeypatch)
    first, again = (list(teach(bundled, newcomer, steps=2, seed=5))[-1].vlm for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), again.state_dict().values(), strict=True))


def test_a_model_that_knows_nothing_is_not_taught(newcomer):
    with pytest.raises(UserError, match="untrained"):
        next(teach(VLM(ModelConfig.lecture()), newcomer))


def test_a_model_that_writes_letters_is_not_taught(newcomer):
    with pytest.raises(UserError, match="letter by letter"):
        next(teach(VLM(ModelConfig.classic(), run={"steps": 1}), newcomer))


def test_the_world_of_a_lesson_is_the_one_the_model_knows(bundled):
    config = config_of(bundled)
    assert (config.level, config.style, config.languages) == (3, "drawn", ("en", "zh"))
    assert config.seconds == 60
