"""Stages of learning are told from what was measured, and signals measure what they say."""

import dataclasses
from functools import reduce

import pytest
import torch

from vlm_core.config import TrainConfig
from vlm_core.learning.reading import TensorBatch
from vlm_core.learning.signals import WATCHED_SLOTS, Signal, read_signals
from vlm_core.learning.stages import Moment, add_stages
from vlm_core.learning.trainer import train
from vlm_core.scenes.batches import IGNORED, training_batch
from vlm_core.scenes.tokenizer import WordTokenizer

GUESS = Signal(0.15, 0.17)
TOKENIZER = WordTokenizer()


def moment(step=1, grammar=0.0, color=0.15, place=0.3, exact=None, pointing=None, mass=None, chance=None):
    words = {
        "function": Signal(grammar, 0.5), "color": Signal(color, 0.17), "shape": GUESS, "place": Signal(place, 0.4),
    }  # fmt: skip
    return Moment(step, step / 10, words, exact, pointing, mass, chance)


def find_stages(history):
    return reduce(add_stages, history, {})


SPEAKS = {"grammar": 0.95}
SEES = {**SPEAKS, "color": 0.6}
LINKS = {**SEES, "place": 0.8, "exact": 0.2, "pointing": 0.9, "mass": 0.6, "chance": 0.1}
RIGHT = {**LINKS, "exact": 0.7}


def test_a_run_that_learns_goes_through_all_stages_each_at_the_moment_that_showed_it():
    history = [moment(step, **shown) for step, shown in enumerate(({}, SPEAKS, SEES, LINKS, RIGHT, RIGHT))]
    found = find_stages(history)
    assert {name: seen.step for name, seen in found.items()} == {
        "language": 1, "visual": 2, "association": 3, "fine_tuning": 4,
    }  # fmt: skip


def test_a_run_that_never_looks_stays_in_the_first_stage():
    assert set(find_stages([moment(step, **SPEAKS) for step in range(50)])) == {"language"}


def test_nothing_measured_shows_nothing():
    assert find_stages([Moment(1, 0.1), moment(2)]) == {}


@pytest.mark.parametrize(
    ("missing", "stage"),
    [
        ({"color": 0.6}, "language"),  # speaks well and sees: that it once only spoke was never seen
        ({"grammar": 0.6}, "language"),
        ({"color": 0.3}, "visual"),
        ({"mass": 0.15}, "association"),  # points right as a map does that always looks at the middle
        ({"pointing": 0.3}, "association"),
        ({"place": 0.5}, "association"),
        ({"exact": 0.4}, "fine_tuning"),
    ],
)
def test_each_threshold_decides(missing, stage):
    enough = SPEAKS if stage == "language" else RIGHT
    assert stage in find_stages([moment(**enough)])
    assert stage not in find_stages([moment(**{**enough, **missing})])


def test_what_was_found_first_stays():
    found = find_stages([moment(1, **SPEAKS)])
    assert add_stages(found, moment(2, **SPEAKS)) is found
    assert add_stages(found, moment(2, **SEES))["language"].step == 1


def tensors(languages=("en", "zh")):
    batch = training_batch(0, 0, 24, 2, "clean", languages, TOKENIZER)
    return TensorBatch.from_arrays(batch, torch.device("cpu"), torch.float32)


def saying(tokens):
    """Logits that give every position its token of `tokens` (B, T)."""
    return torch.nn.functional.one_hot(tokens.clamp_min(0), len(TOKENIZER)).float()


def test_whoever_says_all_right_is_right_and_whoever_says_one_word_is_at_most_as_right_as_the_commonest():
    batch = tensors()
    signals = read_signals(saying(batch.targets), batch)
    assert set(signals) == set(WATCHED_SLOTS)
    assert all(signal.right == 1 and 0 < signal.commonest < 1 for signal in signals.values())
    for word in batch.targets[batch.targets != IGNORED].unique():
        for signal in read_signals(saying(torch.full_like(batch.targets, int(word))), batch).values():
            assert signal.right <= signal.commonest + 1e-6


def test_what_follows_by_itself_in_a_chinese_word_counts_for_nothing():
    batch = tensors(("zh",))
    wrong = batch.targets.clone()
    color = batch.slots == batch.slots[0, (batch.slots[0] == 0).nonzero()[0]]
    first = color & (torch.roll(batch.slots, 1, dims=1) != batch.slots)
    wrong[first] = 0  # 红色 as "?色"
    assert read_signals(saying(wrong), batch)["color"].right == 0


def test_signals_come_with_some_steps_and_change_no_weight():
    config = TrainConfig(steps=11, level=1, style="clean", batch_size=4, evaluations=1, evaluation_scenes=2)
    told = [event.step for event in train(config) if getattr(event, "signals", None)]
    assert told == [1, 11]
    one_size = dataclasses.replace(config, steps=1)
    assert [event.signals is not None for event in train(one_size) if hasattr(event, "signals")] == [True]
