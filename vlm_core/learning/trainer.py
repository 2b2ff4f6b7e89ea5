"""Training as an iterator of events: whoever pulls it prints, draws or saves; not pulling is pausing."""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from vlm_core.config import TrainConfig
from vlm_core.errors import UserError
from vlm_core.learning import checkpoint, schedule
from vlm_core.learning.checkpoint import SavedRun
from vlm_core.learning.controls import Controls, Steering
from vlm_core.learning.evaluation import score_captions
from vlm_core.learning.events import Checkpointed, Evaluated, Event, Finished, Sampled, Snapshot, Started, Step
from vlm_core.learning.heap import keep_heap
from vlm_core.learning.learner import Learner, pick_device, pick_precision
from vlm_core.learning.optimizer import MuonAdamW
from vlm_core.learning.reading import TensorBatch
from vlm_core.learning.renderer import BatchRenderer
from vlm_core.learning.signals import read_signals
from vlm_core.model.vlm import VLM
from vlm_core.scenes.batches import evaluation_scenes, to_batch

EVALUATION_BATCH = 64
KEEP_GOOD_EVERY = 50
"""Steps between copies of the weights to fall back on."""
SIGNALS_EVERY = 10
"""Steps between looks at what the batch tells of the model."""


def train(
    config: TrainConfig | None = None,
    picture: Image.Image | None = None,
    out: str | Path | None = None,
    resume: str | Path | None = None,
    controls: Controls | None = None,
) -> Iterator[Event]:
    """Train a model from random weights; yields `Started`, a `Step` for each step, … and last `Finished`.

    Held-out scenes are read `config.evaluations` times (`Evaluated`); then `picture`, if given, is captioned
    (`Sampled`) and, with `out`, a checkpoint folder written (`Checkpointed`). `config.snapshots` times the model is
    handed out (`Snapshot`). `resume` names such a folder: its own config is used and the run goes on along the same
    curve. `controls` changes a run while it goes on; a run that was steered says so in its models' `run["steered"]`,
    for nobody can repeat it from its config. The clock counts only time spent in here, so a run that is not pulled is
    paused; closing the iterator ends it. Raises UserError for a folder that cannot be read or written.
    """
    if (config is None) == (resume is None):
        raise UserError("Give a run either settings to start from or a folder to resume, and not both.")
    clock = _ActiveClock()
    run = _Run(checkpoint.load(Path(resume)) if resume else SavedRun.fresh(config), clock, controls or Controls())
    events = run.events(picture, Path(out) if out else None)
    try:
        for event in events:
            clock.stop()
            yield event
            clock.start()
    finally:
        events.close()


class _ActiveClock:
    """Seconds spent between `start` and `stop`."""

    def __init__(self):
        self.start()
        self.spent = 0.0

    @property
    def seconds(self) -> float:
        return self.spent + time.perf_counter() - self._since

    def start(self) -> None:
        self._since = time.perf_counter()

    def stop(self) -> None:
        self.spent = self.seconds


class _Weights(NamedTuple):
    """A model's weights, and when they were taken."""

    step: int
    seconds: float
    by_name: dict[str, Tensor]


class _Run:
    """One run: its model, its optimizer, how far it is and what it has seen of itself."""

    def __init__(self, start: SavedRun, clock: _ActiveClock, controls: Controls):
        self.config, self.step, self.history, self.clock = start.config, start.step, list(start.history), clock
        self.controls, self.steered = controls, list(start.steered)
        controls.steered = start.steered
        clock.spent = start.seconds
        self.device = pick_device()
        self.precision = pick_precision(self.device)
        self.learner = Learner(self.config).to(self.device, self.precision)
        self.vlm = self.learner.vlm
        self.optimizer = MuonAdamW(self.learner, muon=self.config.optimizer == "muon")
        if start.optimizer:
            self.optimizer.restore(start.optimizer, self.step)
        self.good = self._taken()
        """What is left of a run that diverges: the last weights kept whose loss was seen to be sound."""
        self.blank = copy.deepcopy(self.vlm).float().eval()
        """What the models that are handed out are copied from: copying is cheaper than drawing weights by lot."""

    @property
    def share(self) -> float:
        """How much of the budget is spent, 0 to 1."""
        return self._share_at(self.step)

    def _share_at(self, step: int) -> float:
        """The share spent when `step` begins; a budget of seconds knows only that of the present moment."""
        config = self.config
        return min(1.0, step / config.steps if config.steps else self.clock.seconds / config.seconds)

    def events(self, picture: Image.Image | None, out: Path | None) -> Iterator[Event]:
        config, clock = self.config, self.clock
        precision = "bf16" if self.precision == torch.bfloat16 else "fp32"
        yield Started(config, self.vlm.num_parameters, self.device.type, precision, self._model(self.good))
        scenes = evaluation_scenes(config.evaluation_scenes, config.level, config.style)
        held_out = [
            to_batch(scenes[i : i + EVALUATION_BATCH], config.languages, self.vlm.tokenizer)
            for i in range(0, len(scenes), EVALUATION_BATCH)
        ]
        evaluated = taken = self.share
        # A core is left to the renderer: PyTorch's threads wait for each other at the end of every operation,
        # so one that shares its core holds up all.
        torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
        keep_heap()
        with BatchRenderer(
            first=self.step, style=lambda index: schedule.style(self._share_at(index), index, config.style),
            run_seed=config.seed, size=config.batch_size, level=config.level, languages=config.languages,
            tokenizer=self.vlm.tokenizer, keep=schedule.patches_kept(config.level), sabotage=config.sabotage,
        ) as renderer:  # fmt: skip
            while self.share < 1:
                event = self._learn(renderer)
                yield event
                if isinstance(event, Finished):
                    return
                at_end = self.share >= 1
                examined = at_end or self.share - evaluated >= 1 / config.evaluations
                kept = config.snapshots and (at_end or self.share - taken >= 1 / config.snapshots)
                if not examined and not kept:
                    continue
                if examined:
                    evaluated = self.share
                    exact, slots = score_captions(self.vlm, held_out, config.languages).shares()
                    story = {"step": self.step, "seconds": clock.seconds, "loss": event.losses}
                    self.history.append({**story, "exact_match": exact, "slots": slots})
                    if config.until and sum(exact.values()) >= config.until * len(exact):
                        config = self._cut_short()
                        evaluated = taken = self.share
                model = self._model(self._taken())
                if kept:
                    taken = self.share
                    yield Snapshot(self.step, clock.seconds, model)
                if examined:
                    yield Evaluated(self.step, clock.seconds, exact, slots, len(scenes), model)
                    if picture is not None:
                        captions = {language: model.caption(picture, language) for language in config.languages}
                        yield Sampled(self.step, clock.seconds, captions)
                    if out is not None:
                        state = SavedRun(
                            config, self.step, clock.seconds, self.history, self.optimizer.state(), tuple(self.steered)
                        )
                        checkpoint.save(out, state, model)
                        yield Checkpointed(self.step, out)
        reason = "steps" if config.steps else "seconds"
        message = f"Trained for {self.step} steps in {clock.seconds:.1f} s."
        yield Finished(self.step, clock.seconds, reason, message, self._model(self._taken()))

    def _cut_short(self) -> TrainConfig:
        """Cut the budget so that what is spent of it is all but a last cool-down; the run keeps the new one."""
        share = schedule.good_enough(self.share)
        if self.config.steps:
            self.config = replace(self.config, steps=math.ceil(self.step / share), until=None)
        else:
            self.config = replace(self.config, seconds=self.clock.seconds / share, until=None)
        return self.config

    def _learn(self, renderer: BatchRenderer) -> Step | Finished:
        """One step of the optimizer; Finished if there is nothing left to learn from."""
        began = self.clock.seconds
        rate = self._learning_rate() * schedule.rate(self.share)
        batch = TensorBatch.from_arrays(renderer.next(), self.device, self.precision)
        terms = self.learner.losses(batch)
        loss = sum(terms.values())
        losses = {name: term.item() for name, term in terms.items()}
        # Guessing evenly costs log(vocabulary); a run at twice that has lost its way for good.
        limit = 2 * math.log(self.vlm.config.vocab_size)
        if not all(map(math.isfinite, losses.values())) or losses["captions"] > limit:
            kept = f"the last good weights, of step {self.good.step}, are kept"
            message = f"The loss became {loss.item():.3g} at step {self.step}; {kept}."
            return Finished(self.step, self.clock.seconds, "diverged", message, self._model(self.good))
        if self.step % KEEP_GOOD_EVERY == 0:
            self.good = self._taken()
        signals = None if self.step % SIGNALS_EVERY else read_signals(self.learner.logits, batch)
        loss.backward()
        self.optimizer.step(rate)
        self.step += 1
        speed = self.config.batch_size / (self.clock.seconds - began)
        return Step(self.step, self.clock.seconds, self.share, loss.item(), losses, rate, speed, signals)

    def _learning_rate(self) -> float:
        """The factor set last: by hand, if anybody has, or by the config."""
        now = self.steered[-1].learning_rate if self.steered else self.config.learning_rate
        wanted = self.controls.learning_rate
        if wanted is None or wanted == now:
            return now
        self.steered.append(Steering(self.step, wanted))
        self.controls.steered = tuple(self.steered)
        return wanted

    def _taken(self) -> _Weights:
        """The weights of now."""
        return _Weights(self.step, self.clock.seconds, self.optimizer.weights(self.vlm))

    def _model(self, weights: _Weights) -> VLM:
        """A float32 model of its own with these weights and the story that led to them."""
        story = {"config": self.config.to_dict(), "steps": weights.step, "seconds": weights.seconds}
        model = copy.deepcopy(self.blank)
        model.run = {**story, "metrics": list(self.history)}
        if self.steered:
            model.run["steered"] = [asdict(steering) for steering in self.steered]
        model.load_state_dict(weights.by_name)
        return model
