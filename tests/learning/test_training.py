"""A run repeats, pauses, resumes and ends as it says. Budgets here are a few steps; skill is measured elsewhere."""

import dataclasses
import time

import pytest
import torch

from vlm_core import VLM, TrainConfig, UserError, sample_scene, train
from vlm_core.config import SABOTAGES
from vlm_core.learning import trainer
from vlm_core.learning.evaluation import Outcomes, score_captions
from vlm_core.learning.events import Checkpointed, Evaluated, Finished, Sampled, Snapshot, Started, Step
from vlm_core.scenes.batches import evaluation_scenes, to_batch

SMALL = TrainConfig(steps=6, level=1, style="clean", batch_size=8, evaluations=2, evaluation_scenes=8)


def weights_of(events) -> dict[str, torch.Tensor]:
    return list(events)[-1].vlm.state_dict()


def equal(first: dict, second: dict) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def test_events_come_in_order_and_tell_of_the_callers_picture(tmp_path):
    events = list(train(SMALL, picture=sample_scene(1).image, out=tmp_path))
    kinds = [type(event) for event in events]
    assert kinds[0] is Started
    assert kinds[-1] is Finished
    assert kinds.count(Step) == 6
    assert kinds.count(Evaluated) == kinds.count(Sampled) == kinds.count(Checkpointed) == 2
    assert set(events[kinds.index(Sampled)].captions) == {"en", "zh"}
    assert events[-1].reason == "steps"
    assert events[-1].vlm.trained_steps == 6
    shares = [event.share for event in events if isinstance(event, Step)]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    first, again = weights_of(train(SMALL)), weights_of(train(SMALL))
    other = weights_of(train(dataclasses.replace(SMALL, seed=1)))
    assert equal(first, again)
    assert not equal(first, other)


def test_snapshots_are_the_run_at_their_step_and_change_nothing():
    config = dataclasses.replace(SMALL, snapshots=3)
    events = list(train(config))
    snapshots = [event for event in events if isinstance(event, Snapshot)]
    assert [event.step for event in snapshots] == [2, 4, 6]
    assert [event.vlm.trained_steps for event in snapshots] == [2, 4, 6]
    assert equal(snapshots[-1].vlm.state_dict(), weights_of(train(SMALL)))
    assert not equal(snapshots[0].vlm.state_dict(), snapshots[1].vlm.state_dict())


def test_a_run_that_is_good_enough_cools_down_and_ends_early(monkeypatch):
    config = dataclasses.replace(SMALL, steps=40, evaluations=4, until=0.9)
    exact = iter((0.5, 0.95, 1.0, 1.0))
    monkeypatch.setattr(Outcomes, "shares", lambda self: (dict.fromkeys(("en", "zh"), next(exact)), {}))
    events = list(train(config))
    steps = [event for event in events if isinstance(event, Step)]
    assert len(steps) == 25  # good at step 20: a fifth of the new budget is left to cool down
    assert steps[-1].share == 1
    assert steps[-1].learning_rate < 0.1 * steps[15].learning_rate
    assert events[-1].vlm.run["config"]["steps"] == 25


@pytest.mark.parametrize("objective", ["captions", "grounded"])
def test_a_resumed_run_ends_where_an_unbroken_one_does(tmp_path, objective):
    config = dataclasses.replace(SMALL, objective=objective)
    unbroken = weights_of(train(config))
    events = train(config, out=tmp_path)
    for event in events:
        if isinstance(event, Checkpointed):
            break
    events.close()
    assert 0 < event.step < 6
    resumed = list(train(resume=tmp_path))
    assert equal(unbroken, resumed[-1].vlm.state_dict())
    assert len(resumed[-1].vlm.run["metrics"]) == 2


def test_a_pause_costs_no_budget_and_leaves_the_callers_random_numbers_alone():
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    events = train(SMALL)
    steps = [next(event for event in events if isinstance(event, Step))]
    time.sleep(1.0)
    steps += [event for event in events if isinstance(event, Step)]
    assert torch.equal(torch.rand(1), expected)
    assert steps[1].seconds - steps[0].seconds < 0.9


def test_a_run_of_seconds_ends_on_time():
    began = time.perf_counter()
    *_, last = train(dataclasses.replace(SMALL, steps=None, seconds=2.0))
    assert last.reason == "seconds"
    assert 2.0 <= last.seconds < 4.0
    assert time.perf_counter() - began < 6.0


def test_divergence_ends_the_run_with_the_last_good_weights(monkeypatch):
    real, calls = trainer.Learner.losses, []

    def losses(self, batch):
        calls.append(1)
        terms = real(self, batch)
        return terms if len(calls) < 5 else {name: term * float("nan") for name, term in terms.items()}

    monkeypatch.setattr(trainer.Learner, "losses", losses)
    monkeypatch.setattr(trainer, "KEEP_GOOD_EVERY", 2)
    *_, last = train(SMALL)
    assert last.reason == "diverged" and last.step == 4
    assert last.vlm.trained_steps == 2 and "last good weights, of step 2" in last.message
    assert all(tensor.isfinite().all() for tensor in last.vlm.state_dict().values())


def test_weights_whose_loss_nobody_has_seen_do_not_count_as_good(monkeypatch):
    real, calls = trainer.MuonAdamW.step, []

    def step(self, rate):
        calls.append(1)
        return real(self, rate if len(calls) < 4 else float("nan"))

    monkeypatch.setattr(trainer.MuonAdamW, "step", step)
    monkeypatch.setattr(trainer, "KEEP_GOOD_EVERY", 1)
    *_, last = train(SMALL)
    assert last.reason == "diverged" and last.vlm.trained_steps == 3
    assert all(tensor.isfinite().all() for tensor in last.vlm.state_dict().values())


def test_exact_match_is_what_greedy_decoding_gives():
    *_, last = train(dataclasses.replace(SMALL, steps=400, batch_size=32))
    scenes = evaluation_scenes(24, 1, "clean")
    exact, _ = score_captions(last.vlm, [to_batch(scenes, ("en", "zh"), last.vlm.tokenizer)], ("en", "zh")).shares()
    for language in ("en", "zh"):
        spoken = [last.vlm.caption(scene.image, language).text == scene.caption(language) for scene in scenes]
        assert exact[language] == pytest.approx(sum(spoken) / len(spoken))
    assert 0 < exact["en"] < 1, "a run this short should get some right and some wrong, or the test shows nothing"


def test_a_run_that_cannot_be_resumed_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(UserError, match="no run to resume"):
        next(train(resume=tmp_path))
    list(train(SMALL, out=tmp_path))
    path = tmp_path / "run.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match="damaged"):
        next(train(resume=tmp_path))
    assert VLM.from_pretrained(tmp_path).trained_steps == 6


def test_held_out_scenes_are_sound_whatever_spoils_the_training(monkeypatch):
    read = []

    def listen(vlm, batches, languages):
        read.append([tensor.text.tolist() for tensor in batches])
        return score_captions(vlm, batches, languages)

    monkeypatch.setattr(trainer, "score_captions", listen)
    for sabotage in ((), SABOTAGES):
        list(train(dataclasses.replace(SMALL, steps=1, evaluations=1, sabotage=sabotage)))
    sound, spoiled = read
    assert sound == spoiled
