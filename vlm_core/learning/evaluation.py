"""How many held-out scenes the model gets right while it learns."""

from __future__ import annotations

import torch

from vlm_core.learning.objectives import TensorBatch, look_and_read
from vlm_core.model.vlm import VLM
from vlm_core.scenes.batches import IGNORED, SLOTS, Batch

SCORED_SLOTS = ("color", "shape", "size", "place", "relation")


@torch.no_grad()
def score_captions(vlm: VLM, batches: list[Batch], languages: tuple[str, ...]) -> tuple[dict, dict]:
    """Exact match per language and accuracy per slot over `batches`, each a share of 0 to 1.

    One pass per batch decides exactly what greedy decoding would write: a caption comes out right if and only if
    every token is the likeliest one after the right tokens before it. A slot's accuracy is likewise given the
    right words before. Slots that no caption of these scenes has are left out.
    """
    dtype = vlm.encoder.positions.dtype
    right_captions = {language: [] for language in languages}
    right_tokens = {slot: [] for slot in SCORED_SLOTS}
    for batch in batches:
        tensors = TensorBatch.from_arrays(batch, vlm.device, dtype)
        predicted = look_and_read(vlm, tensors).logits.argmax(dim=-1)  # (B, T)
        asked = tensors.targets != IGNORED
        right = predicted == tensors.targets
        for segment, language in enumerate(languages):
            theirs = asked & (tensors.segments == segment)
            right_captions[language].append((right | ~theirs).all(dim=1))
        for slot in SCORED_SLOTS:
            right_tokens[slot].append(right[asked & (tensors.slots == SLOTS.index(slot))])
    exact = {language: torch.cat(rows).float().mean().item() for language, rows in right_captions.items()}
    slots = {slot: torch.cat(rows).float().mean().item() for slot, rows in right_tokens.items() if sum(map(len, rows))}
    return exact, slots
