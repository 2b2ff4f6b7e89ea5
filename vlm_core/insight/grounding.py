"""Did the word look at its object? Scores of one attention map against the mask of the object it speaks of.

A map is the cross-attention of the position that predicts the word, over the 196 patches; the null key's share
is not part of it. The mask is the set of patches the object touches: at 16 pixels a patch, most touched patches
are only partly covered, so covered area would punish a perfect map.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vlm_core.insight.words import WordMaps


@dataclass(frozen=True)
class Grounding:
    """Scores per word, each a tensor (words). `chance` is what looking anywhere at random would score."""

    hit: Tensor
    """Pointing game (arXiv:1608.00507): 1 where the map's single highest patch touches the object. A tie for the
    highest place counts as a miss, so a uniform map scores 0."""
    mass: Tensor
    """Share of the attention on patches (null mass left out) that lies on touched patches."""
    entropy: Tensor
    """Of the map over patches, as a share of the entropy of a uniform one: 0 one patch, 1 uniform."""
    null_mass: Tensor
    """Attention on the null key."""
    chance: Tensor
    """The mask's share of the picture's patches."""

    def means(self) -> dict[str, float]:
        return {name: getattr(self, name).mean().item() for name in self.__dataclass_fields__}


def score_maps(maps: Tensor, touched: Tensor) -> Grounding:
    """Score maps (words, N), which sum to 1 less the null mass, against touched patches (words, N) bool.

    A map that puts everything inside scores mass 1 and a hit; the uniform map scores mass = chance and a miss.
    """
    total = maps.sum(-1)
    shares = maps / total.clamp_min(1e-12)[:, None]
    highest = maps.max(-1, keepdim=True).values
    # Equal but for rounding is a tie: nobody could say where such a map points.
    at_the_top = maps >= highest * (1 - 1e-5)
    hit = (at_the_top.sum(-1) == 1) & (at_the_top & touched).any(-1)
    entropy = torch.special.entr(shares).sum(-1) / torch.log(torch.tensor(float(maps.shape[1])))
    return Grounding(
        hit=hit.float(),
        mass=(shares * touched).sum(-1),
        entropy=entropy,
        null_mass=1 - total,
        chance=touched.float().mean(-1),
    )


def overlap(first: Tensor, second: Tensor) -> float:
    """What two maps (N) have in common: 1 for the same map, 0 where no patch is in both. Each is scaled to sum to 1;
    then the smaller share of every patch counts (histogram intersection)."""
    shares = [attention / attention.sum().clamp_min(1e-12) for attention in (first, second)]
    return torch.minimum(*shares).sum().item()


def map_of(maps: Tensor, layer_head: tuple[int, int] | None) -> Tensor:
    """(W, layers, heads, N) → (W, N): of one layer and head, or the mean of all if None."""
    return maps.flatten(1, 2).mean(dim=1) if layer_head is None else maps[:, layer_head[0], layer_head[1]]


def choose_head(words: WordMaps) -> tuple[int, int] | None:
    """The (layer, head) whose maps of colour and shape words point best, mass deciding between those that point equally
    often to the percent; None if that is the mean of all heads."""
    named = words.of("color", "shape")
    maps, touched = words.maps[named], words.touched[named]
    layers, heads = maps.shape[1:3]
    choices = [None, *((layer, head) for layer in range(layers) for head in range(heads))]

    def worth(choice) -> tuple[float, float]:
        scores = score_maps(map_of(maps, choice), touched)
        return round(scores.hit.mean().item(), 2), scores.mass.mean().item()

    return max(choices, key=worth)


def centre_prior(grid: int) -> Tensor:
    """A map (N) that always looks at the middle: a Gaussian with a deviation of a quarter of the picture.

    Its peak lies a hair off the middle: four patches meet there, and a tie would never count as a hit.
    """
    offset = (torch.arange(grid) + 0.5) / grid - 0.501
    weight = torch.exp(-0.5 * (offset / 0.25) ** 2)
    prior = (weight[:, None] * weight).flatten()
    return prior / prior.sum()
