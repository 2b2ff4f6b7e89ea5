"""How many held-out scenes the model gets right while it learns."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vlm_core.learning.reading import TensorBatch, look_and_read
from vlm_core.learning.signals import GROUNDED_SLOTS
from vlm_core.model.vlm import VLM
from vlm_core.scenes.batches import IGNORED, SLOTS, Batch


@dataclass(frozen=True)
class Outcomes:
    """What a model got right, scene by scene, so that shares and their uncertainty can both be told."""

    exact: dict[str, Tensor]
    """Per language (scenes): 1 where the caption is right to the last token."""
    right: dict[str, Tensor]
    """Per slot (scenes): how many of its tokens are right, given the right words before them."""
    asked: dict[str, Tensor]
    """Per slot (scenes): how many there are. Slots that no caption of these scenes has are left out."""

    def shares(self) -> tuple[dict[str, float], dict[str, float]]:
        """Exact match per language and accuracy per slot, each 0 to 1."""
        exact = {language: rows.mean().item() for language, rows in self.exact.items()}
        slots = {slot: (self.right[slot].sum() / asked.sum()).item() for slot, asked in self.asked.items()}
        return exact, slots


@torch.no_grad()
def score_captions(vlm: VLM, batches: list[Batch], languages: tuple[str, ...]) -> Outcomes:
    """Read all captions of `batches`, which hold these `languages`, and note what comes out right.

    One pass per batch decides exactly what greedy decoding would write: a caption comes out right if and only if
    every token is the likeliest one after the right tokens before it.
    """
    dtype = vlm.encoder.positions.dtype
    exact = {language: [] for language in languages}
    right, asked = {slot: [] for slot in GROUNDED_SLOTS}, {slot: [] for slot in GROUNDED_SLOTS}
    for batch in batches:
        tensors = TensorBatch.from_arrays(batch, vlm.device, dtype)
        predicted = look_and_read(vlm, tensors).logits.argmax(dim=-1)  # (B, T)
        scored = tensors.targets != IGNORED
        hits = predicted == tensors.targets
        for segment, language in enumerate(languages):
            theirs = scored & (tensors.segments == segment)
            exact[language].append((hits | ~theirs).all(dim=1).float())
        for slot in GROUNDED_SLOTS:
            of_slot = scored & (tensors.slots == SLOTS.index(slot))
            right[slot].append((hits & of_slot).sum(dim=1).float())
            asked[slot].append(of_slot.sum(dim=1).float())
    there = [slot for slot in GROUNDED_SLOTS if sum(rows.sum() for rows in asked[slot])]
    return Outcomes(
        {language: torch.cat(rows).cpu() for language, rows in exact.items()},
        {slot: torch.cat(right[slot]).cpu() for slot in there},
        {slot: torch.cat(asked[slot]).cpu() for slot in there},
    )
