"""One word more: a trained model learns a new shape from a few drawings, and keeps what it knows."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Iterator
from random import Random

import torch
from PIL import Image

from vlm_core.config import TrainConfig
from vlm_core.errors import UserError
from vlm_core.learning import schedule
from vlm_core.learning.evaluation import score_captions
from vlm_core.learning.events import Evaluated, Event, Finished, Recognized, Sampled, Snapshot, Started, Step
from vlm_core.learning.heap import keep_heap
from vlm_core.learning.learner import pick_device, pick_precision
from vlm_core.learning.objectives import caption_loss
from vlm_core.learning.optimizer import MuonAdamW
from vlm_core.learning.reading import TensorBatch, look_and_read
from vlm_core.learning.renderer import BatchRenderer
from vlm_core.model.growth import grow
from vlm_core.model.vlm import VLM
from vlm_core.scenes.batches import Batch, evaluation_scenes, to_batch
from vlm_core.scenes.newcomers import Newcomer, lesson_batch
from vlm_core.scenes.tokenizer import WordTokenizer
from vlm_core.scenes.world import CHINESE, LANGUAGES, SHAPES

SECONDS = 20.0
"""Active time that a lesson takes unless somebody asks for another."""
RATE = 0.15
"""Of the learning rates that a model starts from nothing with."""
BATCH = 48
OLD_SCENES, NEW_SCENES = 256, 64
"""Unseen scenes that what it knew, and the newcomer, are examined on."""
SNAPSHOTS = 10
_TOGETHER = 64
_FIRST_SCENE = 200_000  # far from what else is evaluated
_WORLD = ("level", "style", "objective", "preset", "languages", "heads", "width", "sabotage")
_KIN = [*SHAPES, *(CHINESE[shape][0] for shape in SHAPES)]
"""What a shape's word begins with in either language."""


def config_of(vlm: VLM) -> TrainConfig:
    """The world that a model was trained on, as the settings of a run."""
    told = {name: value for name, value in vlm.run.get("config", {}).items() if name in _WORLD}
    return TrainConfig.from_dict({"languages": LANGUAGES} | told)


def words_taught(vlm: VLM) -> tuple[str, ...]:
    """The words of all lessons that a model has had."""
    return tuple(lesson["word"] for lesson in vlm.run.get("taught", ()))


def teach(
    vlm: VLM,
    newcomer: Newcomer,
    seconds: float = SECONDS,
    steps: int | None = None,
    seed: int = 0,
    picture: Image.Image | None = None,
) -> Iterator[Event]:
    """Teach a grown copy of a model a word; yields `Started`, a `Step` for each step, … and last `Finished`.

    Half of what it reads are scenes with the newcomer, in captions of the languages it was taught, the others are
    ordinary ones. Before the first step and after the last, unseen old scenes (`Evaluated`) and scenes with the
    newcomer (`Recognized`) are read; `picture`, if given, is captioned on the way (`Sampled`). Only the time of steps
    counts; a lesson that is not pulled is paused. `steps`, if given, is the budget instead. Raises UserError for a
    model that has not learned anything yet, or writes letter by letter.
    """
    if vlm.trained_steps == 0:
        raise UserError("The model that speaks is untrained; teach one that knows its first words.")
    if not isinstance(vlm.tokenizer, WordTokenizer):
        raise UserError(
            "This model writes letter by letter; teach one that has a token for each word.",
            "这个模型逐个字母书写;请教一个以词为词元的模型。",
        )
    config, device = config_of(vlm), pick_device()
    precision = pick_precision(device)
    learner = grow(vlm, newcomer.word, _KIN).to(device).float()
    more = learner.config.vocab_size - vlm.config.vocab_size
    lesson = {"word": newcomer.word, "drawings": len(newcomer.drawings), "new_tokens": more}
    learner.run = {**vlm.run, "taught": [*vlm.run.get("taught", ()), lesson]}
    optimizer = MuonAdamW(learner)  # its master copies are float32
    learner.to(precision)
    step, spent, taken = 0, 0.0, 0.0

    def model() -> VLM:
        """A float32 model of its own, as the learner is now."""
        now = copy.deepcopy(learner).float().eval()
        now.load_state_dict(optimizer.weights(learner))
        now.run = {**learner.run, "steps": vlm.trained_steps + step}
        return now

    def examined(now: VLM) -> Iterator[Event]:
        exact, slots = score_captions(now, old, config.languages).shares()
        yield Evaluated(step, spent, exact, slots, OLD_SCENES, now)
        found = score_captions(now, [new], config.languages).shares()[1]["shape"]
        yield Recognized(step, spent, newcomer.word, found, NEW_SCENES)

    def sampled(now: VLM) -> Iterator[Event]:
        if picture is not None:
            yield Sampled(step, spent, {language: now.caption(picture, language) for language in config.languages})

    name = "bf16" if precision == torch.bfloat16 else "fp32"
    yield Started(config, learner.num_parameters, device.type, name, model())
    old, new = _old_scenes(learner, config), _new_scenes(learner, config, newcomer)
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    keep_heap()
    with BatchRenderer(
        first=0, style=lambda index: config.style, make=lesson_batch,
        newcomer=newcomer, run_seed=seed, size=BATCH, level=config.level, languages=config.languages,
        tokenizer=learner.tokenizer, keep=schedule.patches_kept(config.level),
    ) as renderer:  # fmt: skip
        yield from examined(model())
        share = 0.0
        while share < 1:
            began = time.perf_counter()
            batch = TensorBatch.from_arrays(renderer.next(), device, precision)
            loss = caption_loss(look_and_read(learner, batch), batch)
            loss.backward()
            rate = RATE * schedule.rate(share)
            optimizer.step(rate)
            told, took = loss.item(), time.perf_counter() - began
            step, spent = step + 1, spent + took
            share = min(step / steps if steps else spent / seconds, 1.0)
            yield Step(step, spent, share, told, {"captions": told}, rate, BATCH / took)
            if share - taken >= 1 / SNAPSHOTS:
                taken, now = share, model()
                yield Snapshot(step, spent, now)
                yield from sampled(now)
    last = model()
    yield from examined(last)
    yield from sampled(last)
    message = f"Taught '{newcomer.word}' in {step} steps and {spent:.1f} s."
    yield Finished(step, spent, "steps" if steps else "seconds", message, last)


def _old_scenes(vlm: VLM, config: TrainConfig) -> list[Batch]:
    """Ordinary scenes that no training can draw, the same each time."""
    scenes = evaluation_scenes(OLD_SCENES, config.level, config.style, first=_FIRST_SCENE)
    parts = [scenes[i : i + _TOGETHER] for i in range(0, OLD_SCENES, _TOGETHER)]
    return [to_batch(part, config.languages, vlm.tokenizer) for part in parts]


def _new_scenes(vlm: VLM, config: TrainConfig, newcomer: Newcomer) -> Batch:
    """Scenes of one object that no training can draw, each turned into the newcomer."""
    rng = Random(0)
    scenes = evaluation_scenes(NEW_SCENES, 1, config.style, first=_FIRST_SCENE)
    return to_batch([newcomer.among(scene, rng) for scene in scenes], config.languages, vlm.tokenizer)
