"""What can be done to a model while it speaks: hide patches from its words, switch heads off, say a word for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from vlm_core.config import ModelConfig
from vlm_core.errors import UserError
from vlm_core.model.decoder import BlockMemory


@dataclass(frozen=True)
class Intervention:
    """Changes to cross-attention and to the words said so far; the default changes nothing."""

    hidden: frozenset[int] = frozenset()
    """Patches, counted row by row, whose keys are taken from cross-attention in every layer and for every word. What
    their neighbours took over from them inside the encoder stays."""
    heads_off: frozenset[tuple[int, int]] = frozenset()
    """(layer, head) of cross-attention, from 0, whose values are zero: they go on looking and add nothing to the
    residual. The bias of a layer's output belongs to no head and stays, as it does when a word looks at nothing."""
    forced: tuple[tuple[int, int], ...] = ()
    """(place, token): said there whatever the model thinks; place 0 is that of the first word."""

    def check(self, config: ModelConfig) -> None:
        """Raises UserError if a model of `config` cannot be changed like this."""
        layers, patches = config.decoder_layers, config.patches
        if not all(0 <= patch < patches for patch in self.hidden):
            raise UserError(f"Patches are numbered from 0 to {patches - 1}.")
        if not all(0 <= layer < layers and 0 <= head < config.heads for layer, head in self.heads_off):
            raise UserError(f"This model looks at the picture with {layers} × {config.heads} heads, numbered from 0.")
        if not all(place >= 0 and 0 <= token < config.vocab_size for place, token in self.forced):
            raise UserError(f"Words can be forced from place 0 on, by their ids from 0 to {config.vocab_size - 1}.")
        if len(self.hidden) == patches and not config.null_key:
            raise UserError("This model has no null key: leave it at least one patch to look at.")

    def silence(self, memory: list[BlockMemory]) -> None:
        """Take from a picture's memory the values of the heads that are off."""
        for layer, head in self.heads_off:
            kept = torch.ones(memory[layer].image_values.shape[1], device=memory[layer].image_values.device)  # (H)
            kept[head] = 0
            memory[layer].image_values = memory[layer].image_values * kept[:, None, None]

    def image_bias(self, patches: int, like: Tensor) -> Tensor | None:
        """(1, 1, 1, N) for the decoder; None if nothing is hidden."""
        return hide([self.hidden], patches, like) if self.hidden else None

    def forced_at(self, place: int) -> int | None:
        """The token that is said there whatever the model thinks."""
        return dict(self.forced).get(place)


def hide(rows: list[Collection[int]], patches: int, like: Tensor) -> Tensor:
    """The decoder's `image_bias` (B, 1, 1, N) that hides other patches for each of B captions."""
    bias = torch.zeros(len(rows), patches, dtype=like.dtype, device=like.device)
    for row, hidden in zip(bias, rows, strict=True):
        row[list(hidden)] = float("-inf")
    return bias[:, None, None]
