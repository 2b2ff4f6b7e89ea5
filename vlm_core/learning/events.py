"""What a run tells whoever pulls it: one small frozen record per thing that happened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vlm_core.config import TrainConfig
from vlm_core.learning.signals import Signal
from vlm_core.model.generation import Caption
from vlm_core.model.vlm import VLM


@dataclass(frozen=True)
class Started:
    config: TrainConfig
    num_parameters: int
    device: str
    precision: str
    """"bf16" or "fp32": what the model computes in while it learns."""
    vlm: VLM
    """The model as the run begins: untrained, unless the run was resumed."""


@dataclass(frozen=True)
class Step:
    step: int
    seconds: float
    """Active time so far; pauses between pulls do not count."""
    share: float
    """How much of the budget is spent, 0 to 1."""
    loss: float
    losses: dict[str, float]
    """The named terms that `loss` adds up."""
    learning_rate: float
    """The schedule's factor at this step, 0 to `TrainConfig.learning_rate` (or what it was steered to)."""
    pictures_per_second: float
    signals: dict[str, Signal] | None = None
    """How each kind of word of the step's own pictures came out before it learned from them; told once in
    `trainer.SIGNALS_EVERY` steps."""


@dataclass(frozen=True)
class Evaluated:
    step: int
    seconds: float
    exact_match: dict[str, float]
    """Per language: the share of held-out scenes whose caption is right to the last token."""
    slots: dict[str, float]
    """Share of right tokens per kind of word (color, shape, size, place, relation), given the words before."""
    scenes: int
    vlm: VLM
    """A copy of the model at this step, which goes on working while the run learns on."""


@dataclass(frozen=True)
class Recognized:
    """How well a word that is being taught is known by now."""

    step: int
    seconds: float
    word: str
    share: float
    """Of the word's tokens in unseen scenes of it, 0 to 1, given the right words before."""
    scenes: int


@dataclass(frozen=True)
class Snapshot:
    step: int
    seconds: float
    vlm: VLM
    """A copy of the model at this step, for whoever wants to look back at the run's life."""


@dataclass(frozen=True)
class Sampled:
    step: int
    seconds: float
    captions: dict[str, Caption]
    """What the model says of the picture that the caller handed in, per language."""


@dataclass(frozen=True)
class Checkpointed:
    step: int
    path: Path


@dataclass(frozen=True)
class Finished:
    step: int
    seconds: float
    reason: str
    """"steps" or "seconds": the budget is spent. "diverged": the loss is lost; the last good weights are kept."""
    message: str
    vlm: VLM


Event = Started | Step | Snapshot | Evaluated | Recognized | Sampled | Checkpointed | Finished
