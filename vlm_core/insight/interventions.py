"""Looks at or depends on: hide patches from the words and see which probabilities fall.

Attention is where a word looked; whether it used what it saw is another question (arXiv:1902.10186). A patch is
hidden by taking its key away from cross-attention: nothing is painted over, so the model never sees a picture
unlike those it learned from (arXiv:2204.08945). What its neighbours took over from it inside the encoder stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from vlm_core.insight.words import WordMaps
from vlm_core.learning.reading import TensorBatch
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


@dataclass(frozen=True)
class Seen:
    """Batches with their image tokens, encoded once for all the questions that are asked of them."""

    vlm: VLM
    batches: list[TensorBatch]
    image_tokens: list[Tensor]
    starts: list[int]
    """Number of the first scene of each batch, and of one past the last."""

    @classmethod
    @torch.no_grad()
    def by(cls, vlm: VLM, batches: list[Batch]) -> Seen:
        tensors = [TensorBatch.from_arrays(batch, vlm.device, vlm.encoder.positions.dtype) for batch in batches]
        starts = [0, *accumulate(len(batch.text) for batch in batches)]
        return cls(vlm, tensors, [vlm.encoder(batch.patches)[0] for batch in tensors], starts)


@torch.no_grad()
def probability_without(seen: Seen, words: WordMaps, hidden: Tensor) -> Tensor:
    """(W): the probability of each word's right token when the patches `hidden` (W, N) bool have no keys.

    They are hidden from every position of the caption, so that no earlier word passes on what it saw.
    """
    decoder, device = seen.vlm.decoder, seen.vlm.device
    found = torch.empty(len(words.scene))
    for batch, image_tokens, (start, stop) in zip(seen.batches, seen.image_tokens, pairwise(seen.starts), strict=True):
        mine = ((words.scene >= start) & (words.scene < stop)).nonzero()[:, 0]
        for some in mine.split(TOGETHER):
            rows, places = (words.scene[some] - start).to(device), words.place[some].to(device)
            until = int(places.max()) + 1  # what comes after a word has no say in it
            segments = batch.segments[rows, :until]
            bias = torch.zeros(hidden[some].shape, dtype=image_tokens.dtype).masked_fill(hidden[some], float("-inf"))
            logits, _ = decoder(
                batch.text[rows, :until],
                decoder.remember(image_tokens[rows]),
                batch.positions[rows, :until],
                packed_bias(segments, image_tokens.dtype),
                image_bias=bias[:, None, None].to(device),
            )
            here = logits[torch.arange(len(some)), places].float().softmax(dim=-1).cpu()
            found[some] = here.gather(1, words.token[some][:, None])[:, 0]
    return found


def occlude(seen: Seen, words: WordMaps, maps: Tensor, seed: int = 0) -> Occlusion:
    """Hide what each of `maps` (W, N) says its word looked at, and as many patches by lot."""
    attended = maps > (1 + 1e-4) / seen.vlm.config.keys
    order = torch.rand(maps.shape, generator=torch.Generator().manual_seed(seed)).argsort(dim=1)
    count = attended.sum(dim=1)
    drawn = torch.zeros_like(attended).scatter(1, order, torch.arange(maps.shape[1]) < count[:, None])
    return Occlusion(
        words.probability - probability_without(seen, words, attended),
        words.probability - probability_without(seen, words, drawn),
        count,
    )


def trace_curves(seen: Seen, words: WordMaps, maps: Tensor, seed: int = 0) -> Curves:
    """Deletion and insertion along `maps` (W, N), beside the same in an order drawn by lot."""
    by_map = maps.argsort(dim=1, descending=True)
    by_lot = torch.rand(maps.shape, generator=torch.Generator().manual_seed(seed)).argsort(dim=1)

    def mean_after(order: Tensor, count: int, shown: bool) -> float:
        chosen = torch.zeros(maps.shape, dtype=torch.bool).scatter(1, order[:, :count], True)
        return probability_without(seen, words, ~chosen if shown else chosen).mean().item()

    return Curves(
        CURVE_COUNTS,
        deletion=[mean_after(by_map, count, shown=False) for count in CURVE_COUNTS],
        deletion_random=[mean_after(by_lot, count, shown=False) for count in CURVE_COUNTS],
        insertion=[mean_after(by_map, count, shown=True) for count in CURVE_COUNTS],
        insertion_random=[mean_after(by_lot, count, shown=True) for count in CURVE_COUNTS],
    )
