"""The thread that pulls the runs of the page: fair between them, and what goes wrong in one stays there."""

import dataclasses
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from vlm_core.app import runs as module
from vlm_core.app.runs import CURVE_POINTS, MOST_LIVE, SLICE_SECONDS, Run, Runs, record
from vlm_core.config import TrainConfig
from vlm_core.errors import UserError
from vlm_core.learning.controls import Controls
from vlm_core.learning.events import Evaluated, Finished, Step

CONFIG = TrainConfig()
PATIENCE = 10.0
"""Seconds until something that should happen at once counts as never happening."""


class FakeTraining:
    """Stands in for `train`: steps of a set cost, counted by itself and not by who pulls it."""

    def __init__(self, cost=0.002, steps=None, fail_at=None):
        self.cost, self.steps, self.fail_at = cost, steps, fail_at
        self.done = 0
        self.spent = 0.0
        self.closed = threading.Event()
        self.thread = None

    def __call__(self, config, picture):
        try:
            while self.steps is None or self.done < self.steps:
                self.thread = threading.current_thread()
                began = time.monotonic()
                time.sleep(self.cost)
                self.done += 1
                self.spent += time.monotonic() - began
                if self.done == self.fail_at:
                    raise RuntimeError("a fault of this run")
                yield step(self.done)
            yield finished(self.done)
        finally:
            self.closed.set()


def step(number, share=0.5):
    return Step(
        step=number, seconds=1.0, share=share, loss=2.0, losses={}, learning_rate=1.0, pictures_per_second=10.0
    )  # fmt: skip


def finished(number):
    return Finished(step=number, seconds=1.0, reason="seconds", message="", vlm="the last model")


@pytest.fixture
def runs():
    """A registry whose runs all end with the test."""
    registry = Runs()
    begun = []
    start = registry.start

    def remembered(*arguments, **named):
        run = start(*arguments, **named)
        begun.append(run.id)
        return run

    registry.start = remembered
    yield registry
    for run_id in begun:
        registry.stop(run_id)


def until(holds):
    """Wait for something that another thread does."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def test_cheap_and_dear_steps_get_the_same_time(runs):
    cheap, dear = FakeTraining(cost=0.001), FakeTraining(cost=0.1)
    runs.start(CONFIG, None, train=cheap)
    until(lambda: cheap.done > 3)
    ahead = cheap.spent
    runs.start(CONFIG, None, train=dear)
    until(lambda: dear.spent > 1.0)
    # Between turns they differ by a slice at most, and a slice ends with the step that it began.
    assert abs((cheap.spent - ahead) - dear.spent) < 2 * SLICE_SECONDS + 2 * dear.cost
    assert cheap.done > 5 * dear.done


def test_newcomer_does_not_make_others_wait_for_what_they_had(runs):
    old, new = FakeTraining(), FakeTraining()
    runs.start(CONFIG, None, train=old)
    until(lambda: old.spent > 1.0)
    runs.start(CONFIG, None, train=new)
    until(lambda: new.done > 0)
    then = old.done
    until(lambda: new.spent > 0.5)
    assert old.done > then


def test_paused_run_is_not_pulled_and_others_are(runs):
    held, other = FakeTraining(), FakeTraining()
    run = runs.start(CONFIG, None, train=held)
    runs.start(CONFIG, None, train=other)
    until(lambda: held.done > 0)
    runs.pause(run.id)
    time.sleep(0.05)  # the step that was under way
    then, others_then = held.done, other.done
    until(lambda: other.done > others_then + 20)
    assert held.done == then and not held.closed.is_set()
    runs.resume(run.id)
    until(lambda: held.done > then)


def test_stop_closes_the_training_and_keeps_what_was_seen(runs):
    training = FakeTraining()
    run = runs.start(CONFIG, None, train=training)
    until(lambda: run.step > 0)
    runs.stop(run.id)
    assert training.closed.wait(PATIENCE)
    then = training.done
    time.sleep(0.05)
    assert run.state == "stopped" and training.done == then
    assert runs.get(run.id) is run and run.step > 0


def test_paused_run_can_be_stopped_but_not_resumed_after(runs):
    training = FakeTraining()
    run = runs.start(CONFIG, None, train=training)
    until(lambda: training.done > 0)
    runs.pause(run.id)
    runs.stop(run.id)
    assert training.closed.wait(PATIENCE)
    runs.resume(run.id)
    assert run.state == "stopped"


def test_a_fault_is_that_run_s_alone(runs, caplog):
    faulty, sound = FakeTraining(fail_at=3), FakeTraining()
    bad = runs.start(CONFIG, None, train=faulty)
    good = runs.start(CONFIG, None, train=sound)
    until(lambda: bad.state == "failed")
    assert "fault of this run" in caplog.text and "fault of this run" not in bad.message and bad.message
    then = sound.done
    until(lambda: sound.done > then + 5)
    assert good.state == "running"


def test_a_sentence_for_the_person_is_shown_as_it_is(runs):
    def train(config, picture):
        yield step(1)
        raise UserError("This device is out of memory; choose a smaller batch.")

    run = runs.start(CONFIG, None, train=train)
    until(lambda: run.state == "failed")
    assert run.message == "This device is out of memory; choose a smaller batch."


def test_run_that_ends_by_itself_is_finished_with_its_last_model(runs):
    training = FakeTraining(steps=4)
    run = runs.start(CONFIG, None, train=training)
    until(lambda: run.state == "finished")
    assert run.vlm == "the last model" and run.step == 4
    assert training.closed.wait(PATIENCE)


def test_pausing_in_the_last_step_does_not_lose_the_end(runs):
    reached, go_on = threading.Event(), threading.Event()

    def train(config, picture):
        yield step(1)
        reached.set()
        go_on.wait(PATIENCE)
        yield finished(1)

    run = runs.start(CONFIG, None, train=train)
    assert reached.wait(PATIENCE)
    runs.pause(run.id)
    go_on.set()
    until(lambda: run.vlm is not None)
    runs.resume(run.id)
    until(lambda: run.state == "finished")


def test_only_so_many_learn_at_once(runs):
    live = [runs.start(CONFIG, None, train=FakeTraining()) for _ in range(MOST_LIVE)]
    runs.pause(live[0].id)  # a paused run holds its place
    with pytest.raises(UserError, match="try again"):
        runs.start(CONFIG, None, train=FakeTraining())
    runs.stop(live[1].id)
    assert runs.start(CONFIG, None, train=FakeTraining()).live


def test_ids_are_long_and_never_the_same(runs):
    seen = set()
    for _ in range(50):
        run = runs.start(CONFIG, None, train=FakeTraining(steps=1))
        seen.add(run.id)
        runs.stop(run.id)
    assert len(seen) == 50
    # 12 random bytes are 16 characters: not to be guessed, whatever the clock or the count before.
    assert all(len(run_id) >= 16 for run_id in seen)
    assert len({run_id[:4] for run_id in seen}) > 40


@pytest.mark.parametrize("unknown", [None, "", "nobody", "../etc/passwd"])
def test_unknown_id_is_nobody_s_run(runs, unknown):
    run = runs.start(CONFIG, None, train=FakeTraining())
    assert runs.get(unknown) is None
    runs.stop(unknown)
    runs.pause(unknown)
    assert run.state == "running"


def test_run_that_nobody_asks_for_is_closed_and_forgotten(runs, monkeypatch):
    training = FakeTraining()
    run = runs.start(CONFIG, None, train=training)
    until(lambda: training.done > 0)
    monkeypatch.setattr(module, "FORGET_AFTER", 0.0)
    assert training.closed.wait(PATIENCE)
    assert runs.get(run.id) is None


def test_the_beginning_of_a_curve_is_drawn_as_finely_as_its_end():
    run = Run("r", CONFIG, None)
    for number in range(1, 5001):
        record(run, step(number, share=number / 5000))
    gaps = np.diff([share for share, _ in run.losses])
    assert gaps[:-1].min() > 0.5 / CURVE_POINTS and gaps.max() < 2 / CURVE_POINTS  # the newest may be near
    assert run.losses[0][0] < 0.001 and run.losses[-1][0] == 1


def test_all_training_happens_on_one_thread_that_is_not_the_caller_s(runs):
    first, second = FakeTraining(), FakeTraining()
    runs.start(CONFIG, None, train=first)
    runs.start(CONFIG, None, train=second)
    until(lambda: first.done and second.done)
    assert first.thread is second.thread is not threading.current_thread()


def test_curve_stays_short_and_keeps_its_end(runs):
    count = 5 * CURVE_POINTS

    def train(config, picture):
        for number in range(1, count + 1):
            yield step(number, share=number / count)
        yield finished(count)

    run = runs.start(CONFIG, None, train=train)
    until(lambda: run.state == "finished")
    shares = [share for share, _ in run.losses]
    assert len(shares) <= 2 * CURVE_POINTS
    assert shares == sorted(shares) and shares[-1] > 0.98


def test_lives_of_old_runs_are_let_go_those_asked_for_last_are_kept(runs):
    for number in range(module.MOST_LIVES + 2):
        run = runs.start(CONFIG, None, FakeTraining(steps=1))
        until(lambda run=run: not run.live)
        run.life, run.asked = ["a model"], time.monotonic() + number
    runs._sweep()
    kept = [bool(run.life) for run in runs._runs.values()]
    assert kept == [False, False] + [True] * module.MOST_LIVES


# Steering, single steps, and several at once


def test_a_paused_run_takes_one_step_when_asked_and_stays_paused(runs):
    training = FakeTraining()
    run = runs.start(CONFIG, None, train=training)
    until(lambda: run.step > 0)
    runs.pause(run.id)
    until(lambda: not busy(run, training))
    for _ in range(2):
        before = run.step
        runs.step(run.id)
        until(lambda before=before: run.step > before)
        until(lambda: not run.stepping)
        assert run.step == before + 1 and run.state == "paused"
    runs.resume(run.id)
    until(lambda: run.step > before + 2)


def busy(run, training):
    """Whether the step that was under way when a run was paused is still going on."""
    before = training.done
    time.sleep(0.05)
    return training.done > before or run.step < training.done


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_only_a_paused_run_goes_step_by_step(runs, state):
    run = runs.start(CONFIG, None, train=FakeTraining())
    if state == "stopped":
        runs.stop(run.id)
    runs.step(run.id)
    assert not run.stepping


def test_a_step_beyond_the_last_ends_a_paused_run_as_finished(runs):
    reached, go_on = threading.Event(), threading.Event()

    def train(config, picture):
        reached.set()
        go_on.wait(PATIENCE)
        yield step(1)
        yield finished(1)

    run = runs.start(CONFIG, None, train=train)
    assert reached.wait(PATIENCE)
    runs.pause(run.id)
    go_on.set()
    until(lambda: run.step == 1)
    assert run.state == "paused"
    runs.step(run.id)
    until(lambda: not run.live and not run.stepping)
    assert run.state == "finished"


def test_several_begin_together_or_none_does(runs):
    pair = runs.start_all((CONFIG, CONFIG), None, train=lambda *_: FakeTraining()(*_))
    assert len({run.id for run in pair}) == 2 and pair[0].pulled == pair[1].pulled
    runs.start(CONFIG, None, train=FakeTraining())
    before = set(runs._runs)
    with pytest.raises(UserError, match="try again"):
        runs.start_all((CONFIG, CONFIG), None, train=lambda *_: FakeTraining()(*_))
    assert set(runs._runs) == before
    for run in pair:
        runs.stop(run.id)


def test_racers_of_unlike_cost_get_the_same_time(runs):
    costs = iter((0.001, 0.03))
    trainings = []

    def train(config, picture):
        trainings.append(FakeTraining(cost=next(costs)))
        return trainings[-1](config, picture)

    pair = runs.start_all((CONFIG, CONFIG), None, train=train)
    until(lambda: all(training.spent > 0.6 for training in trainings))
    assert abs(trainings[0].spent - trainings[1].spent) < 2 * SLICE_SECONDS + 0.1
    for run in pair:
        runs.stop(run.id)


def test_the_learning_rate_of_a_live_run_alone_can_be_changed(runs):
    live, ended = (Run(name, CONFIG, (event for event in ()), controls=Controls()) for name in ("live", "ended"))
    live.state, ended.state = "paused", "finished"
    runs._runs |= {run.id: run for run in (live, ended)}
    for run in (live, ended):
        runs.steer(run.id, 0.5)
    runs.steer("unknown", 0.5)
    assert live.controls.learning_rate == 0.5 and ended.controls.learning_rate is None
    with pytest.raises(UserError):
        runs.steer("live", 1e6)
    ended.events = None


def test_of_ended_runs_those_asked_for_last_are_kept(runs, monkeypatch):
    monkeypatch.setattr(module, "MOST_ENDED", 3)
    for number in range(5):
        run = Run(str(number), CONFIG, None, state="finished")
        run.asked = time.monotonic() + number
        runs._runs[run.id] = run
    runs._sweep()
    assert set(runs._runs) == {"2", "3", "4"}


def test_what_a_run_measured_is_taken_down_with_the_stages_that_it_shows(monkeypatch):
    import vlm_core.insight.exam
    from vlm_core.learning.signals import Signal

    seen = []
    exam = SimpleNamespace(hit=0.9, mass=0.6, chance=0.1, new_pairs=0.3)
    monkeypatch.setattr(vlm_core.insight.exam, "examine", lambda *asked: seen.append(asked) or exam)
    run = Run("r", TrainConfig(languages=("zh",)), None)
    words = {"function": Signal(0.9, 0.5), "color": Signal(0.2, 0.17), "place": Signal(0.9, 0.4)}
    record(run, dataclasses.replace(step(10, share=0.1), signals=words))
    record(run, step(11, share=0.2))
    record(run, Evaluated(11, 1.0, {"zh": 0.7}, {"color": 0.5}, 8, "model"))
    assert seen == [("model", 2, "drawn")]
    assert [entry["mass"] for entry in run.scores] == [0.6] and run.vlm == "model"
    assert {name: moment.step for name, moment in run.stages.items()} == {
        "language": 10, "association": 11, "fine_tuning": 11,
    }  # fmt: skip
    assert run.signals == [(0.1, words)]


def test_a_run_that_is_finished_has_spent_its_budget():
    run = Run("r", TrainConfig(), None)
    record(run, step(10, share=0.8))
    record(run, finished(10))
    assert (run.state, run.share) == ("finished", 1.0)


def test_a_run_that_is_over_without_a_word_is_not_pulled_again():
    runs = Runs()
    run = runs.start(TrainConfig(), None, train=lambda config, picture: (event for event in ()))
    until(lambda: run.state == "stopped")
    assert not run.live
