"""What a batch tells about a model before the model learns from it: no picture comes twice, so all of it is unseen."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vlm_core.learning.reading import TensorBatch
from vlm_core.scenes.batches import SLOTS

GROUNDED_SLOTS = ("color", "shape", "size", "place", "relation")
"""The slots that speak of something in the picture."""
WATCHED_SLOTS = (*GROUNDED_SLOTS, "function")
""""function" are the words in between, which grammar alone tells: "a", "at the", 在, 的."""


class Signal(NamedTuple):
    """How one kind of word comes out, given the right words before it; both 0 to 1."""

    right: float
    """Share of words whose first token is the likeliest one."""
    commonest: float
    """What always saying the kind's commonest word would get right: no picture is needed for that."""


@torch.no_grad()
def read_signals(logits: Tensor, batch: TensorBatch) -> dict[str, Signal]:
    """Logits (B, T, V) for a batch → one signal for each kind of word that it has.

    A word of several tokens is judged by its first: after 红 nothing but 色 can follow. The commonest word is sought
    in each language by itself.
    """
    hits = logits.argmax(dim=-1) == batch.targets  # (B, T)
    first = first_tokens(batch)
    signals = {}
    for slot in WATCHED_SLOTS:
        chosen = batch.slots == SLOTS.index(slot)
        chosen = chosen if slot == "function" else chosen & first
        total = int(chosen.sum())
        if total:
            right = hits[chosen].sum().item() / total
            signals[slot] = Signal(right, _commonest(batch.targets[chosen], batch.segments[chosen]) / total)
    return signals


def _commonest(targets: Tensor, segments: Tensor) -> int:
    """How many of the `targets` (words) are the commonest one of their caption's language, `segments` (words)."""
    return sum(int(targets[segments == segment].bincount().max()) for segment in segments.unique())


def first_tokens(batch: TensorBatch) -> Tensor:
    """(B, T) bool: positions that predict the first token of a word of GROUNDED_SLOTS."""
    grounded = torch.isin(batch.slots, batch.slots.new_tensor([SLOTS.index(slot) for slot in GROUNDED_SLOTS]))
    goes_on = torch.zeros_like(grounded)
    same = (batch.slots[:, 1:] == batch.slots[:, :-1]) & (batch.objects[:, 1:] == batch.objects[:, :-1])
    goes_on[:, 1:] = same & (batch.segments[:, 1:] == batch.segments[:, :-1])
    return grounded & ~goes_on
