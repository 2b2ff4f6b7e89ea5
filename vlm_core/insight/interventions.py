"""Looks at or depends on: hide patches from the words and see which probabilities fall.

Attention is where a word looked; whether it used what it saw is another question (arXiv:1902.10186). A patch is
hidden by taking its key away from cross-attention: nothing is painted over, so the model never sees a picture
unlike those it learned from (arXiv:2204.08945). What its neighbours took over from it inside the encoder stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vlm_core.insight.words import WordMaps
from vlm_core.learning.objectives import TensorBatch
from vlm_core.model.decoder import packed_bias
from vlm_core.model.vlm import VLM
from vlm_core.scenes.batches import Batch

CURVE_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128)
"""Patches hidden (deletion) or shown (insertion) along the curves."""
TOGETHER = 256
"""Words that are read again in one go."""


@dataclass(frozen=True)
class Occlusion:
    """What hiding did to each of W words: how far the probability of the right word fell, -1 to 1."""

    attended: Tensor
    """(W) with the patches hidden that got more attention than looking everywhere alike gives."""
    random: Tensor
    """(W) with as many patches hidden that were drawn by lot."""
    hidden: Tensor
    """(W) how many those were."""


@dataclass(frozen=True)
class Curves:
    """Mean probability of the right words with more and more patches hidden or shown (RISE, arXiv:1806.07421)."""

    counts: tuple[int, ...]
    deletion: list[float]
    """The most attended patches hidden first: the faster it falls, the truer the map."""
    deletion_random: list[float]
    insertion: list[float]
    """The most attended patches shown first, all others hidden: the faster it rises, the truer the map."""
    insertion_random: list[float]


def probability_without(vlm: VLM, batches: list[Batch], words: WordMaps, hidden: Tensor) -> Tensor:
    """(W): the probability of each word's right token when the patches `hidden` (W, N) bool have no keys.

    They are hidden from every position of the caption, so that no earlier word passes on what it saw.
    """
    memories = [_remember(vlm, batch) for batch in batches]
    sizes = [len(batch.text) for batch in batches]
    found = torch.empty(len(words.scene))
    starts = torch.tensor([0, *sizes]).cumsum(0)
    for number, (tensors, image_tokens) in enumerate(memories):
        mine = ((words.scene >= starts[number]) & (words.scene < starts[number + 1])).nonzero()[:, 0]
        for some in mine.split(TOGETHER):
            rows = (words.scene[some] - starts[number]).to(vlm.device)
            bias = torch.zeros(hidden[some].shape, dtype=image_tokens.dtype).masked_fill(hidden[some], float("-inf"))
            with torch.no_grad():
                logits, _ = vlm.decoder(
                    tensors.text[rows],
                    vlm.decoder.remember(image_tokens[rows]),
                    tensors.positions[rows],
                    packed_bias(tensors.segments[rows], image_tokens.dtype),
                    image_bias=bias[:, None, None].to(vlm.device),
                )
            here = logits[torch.arange(len(some)), words.place[some].to(vlm.device)].float().softmax(dim=-1).cpu()
            found[some] = here.gather(1, words.token[some][:, None])[:, 0]
    return found


def occlude(vlm: VLM, batches: list[Batch], words: WordMaps, maps: Tensor, seed: int = 0) -> Occlusion:
    """Hide what each of `maps` (W, N) says its word looked at, and as many patches by lot."""
    patches = maps.shape[1]
    uniform = 1 / (patches + bool(vlm.config.null_key))
    attended = maps > uniform * (1 + 1e-4)
    order = torch.rand(maps.shape, generator=torch.Generator().manual_seed(seed)).argsort(dim=1)
    count = attended.sum(dim=1)
    drawn = torch.zeros_like(attended).scatter(1, order, torch.arange(patches) < count[:, None])
    return Occlusion(
        words.probability - probability_without(vlm, batches, words, attended),
        words.probability - probability_without(vlm, batches, words, drawn),
        count,
    )


def trace_curves(vlm: VLM, batches: list[Batch], words: WordMaps, maps: Tensor, seed: int = 0) -> Curves:
    """Deletion and insertion along `maps` (W, N), beside the same in an order drawn by lot."""
    by_map = maps.argsort(dim=1, descending=True)
    by_lot = torch.rand(maps.shape, generator=torch.Generator().manual_seed(seed)).argsort(dim=1)

    def mean_after(order: Tensor, count: int, shown: bool) -> float:
        chosen = torch.zeros(maps.shape, dtype=torch.bool).scatter(1, order[:, :count], True)
        return probability_without(vlm, batches, words, ~chosen if shown else chosen).mean().item()

    return Curves(
        CURVE_COUNTS,
        deletion=[mean_after(by_map, count, shown=False) for count in CURVE_COUNTS],
        deletion_random=[mean_after(by_lot, count, shown=False) for count in CURVE_COUNTS],
        insertion=[mean_after(by_map, count, shown=True) for count in CURVE_COUNTS],
        insertion_random=[mean_after(by_lot, count, shown=True) for count in CURVE_COUNTS],
    )


@torch.no_grad()
def _remember(vlm: VLM, batch: Batch) -> tuple[TensorBatch, Tensor]:
    tensors = TensorBatch.from_arrays(batch, vlm.device, vlm.encoder.positions.dtype)
    return tensors, vlm.encoder(tensors.patches)[0]
