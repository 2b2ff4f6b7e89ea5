"""A run that is steered goes on as it is told, and says that it was."""

import dataclasses

import pytest
import torch

from vlm_core import ModelConfig, TrainConfig, UserError, train
from vlm_core.learning.controls import MOST_RATE, Controls
from vlm_core.learning.events import Checkpointed, Finished, Started, Step
from vlm_core.learning.optimizer import MuonAdamW

SMALL = TrainConfig(steps=6, level=1, style="clean", batch_size=4, evaluations=2, evaluation_scenes=2)


def weights_of(events):
    return list(events)[-1].vlm.state_dict()


def equal(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def steered_at(step, factor, config=SMALL, out=None):
    """All events of a run whose learning rate is set once that step is taken."""
    controls, events = Controls(), []
    for event in train(config, out=out, controls=controls):
        events.append(event)
        if isinstance(event, Step) and event.step == step:
            controls.learning_rate = factor
    return events


def test_untouched_controls_change_nothing_and_nothing_is_said():
    events = list(train(SMALL, controls=Controls()))
    assert equal(events[-1].vlm.state_dict(), weights_of(train(SMALL)))
    assert "steered" not in events[-1].vlm.run


def test_a_rate_that_is_set_holds_from_the_next_step_and_is_told():
    events = steered_at(2, 3.0)
    rates = [event.learning_rate for event in events if isinstance(event, Step)]
    plain = [event.learning_rate for event in train(SMALL) if isinstance(event, Step)]
    assert rates == pytest.approx([plain[0], plain[1], *(3 * rate for rate in plain[2:])])
    assert events[-1].vlm.run["steered"] == [{"step": 2, "learning_rate": 3.0}]
    assert not equal(events[-1].vlm.state_dict(), weights_of(train(SMALL)))


def test_at_zero_the_weights_stand_still():
    weights = [
        event.vlm.state_dict()
        for event in steered_at(3, 0.0, dataclasses.replace(SMALL, snapshots=6))
        if hasattr(event, "vlm") and not isinstance(event, (Started, Finished))
    ]
    assert equal(weights[-1], weights[-2])


def test_the_rate_that_is_already_there_is_no_steering():
    assert "steered" not in steered_at(2, 1.0)[-1].vlm.run


@pytest.mark.parametrize("wrong", [-0.1, MOST_RATE + 1, float("nan"), float("inf")])
def test_rates_that_cannot_be_are_refused_and_the_old_one_stays(wrong):
    controls = Controls()
    controls.learning_rate = 2.0
    with pytest.raises(UserError):
        controls.learning_rate = wrong
    assert controls.learning_rate == 2.0


def test_a_resumed_run_goes_on_as_it_was_steered(tmp_path):
    unbroken = steered_at(2, 0.5)
    controls = Controls()
    events = train(SMALL, out=tmp_path, controls=controls)
    for event in events:
        if isinstance(event, Step) and event.step == 2:
            controls.learning_rate = 0.5
        if isinstance(event, Checkpointed):
            break
    events.close()
    *_, resumed = train(resume=tmp_path)
    assert equal(resumed.vlm.state_dict(), unbroken[-1].vlm.state_dict())
    assert resumed.vlm.run["steered"] == unbroken[-1].vlm.run["steered"]


# Settings of the model and the optimizer


@pytest.mark.parametrize("wrong", [{"optimizer": "sgd"}, {"heads": 3}, {"heads": 0}, {"width": 65}, {"width": 4096}])
def test_settings_that_no_run_has_are_refused_in_a_sentence(wrong):
    with pytest.raises(UserError, match=r"\.$"):
        TrainConfig(**wrong)


def test_heads_and_width_make_a_variant_of_the_preset():
    plain, varied = (
        TrainConfig(preset="classic", **own).model_config(74) for own in ({}, {"heads": 2, "width": 32})
    )
    assert plain == ModelConfig.classic(74)
    assert varied == dataclasses.replace(plain, heads=2, width=32)


@pytest.mark.parametrize("own", [{"optimizer": "adamw"}, {"heads": 8, "width": 32}, {"languages": ("zh",)}], ids=str)
def test_a_run_with_settings_of_its_own_learns_and_repeats(own):
    config = dataclasses.replace(SMALL, **own)
    first, again, plain = (list(train(each)) for each in (config, config, SMALL))
    assert equal(first[-1].vlm.state_dict(), again[-1].vlm.state_dict())
    losses = [event.loss for event in first if isinstance(event, Step)]
    assert losses[-1] < losses[0]
    assert losses[1:] != [event.loss for event in plain if isinstance(event, Step)][1:]


def test_adamw_everywhere_moves_each_weight_by_its_rate_and_decays_matrices_alone():
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 3)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimizer = MuonAdamW(model, muon=False, weight_decay=0.5)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step(rate=1.0)
    rate = 0.003  # Adam's first step is the sign of the gradient
    torch.testing.assert_close(model.weight, before["weight"] * (1 - rate * 0.5) - rate)
    torch.testing.assert_close(model.bias, before["bias"] - rate)
