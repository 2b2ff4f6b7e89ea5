"""A model reads a batch of packed captions: one pass, every word at once, each seeing only what comes before it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vlm_core.model.decoder import packed_bias
from vlm_core.model.glances import Surroundings
from vlm_core.model.vlm import VLM
from vlm_core.scenes.batches import Batch


@dataclass(frozen=True)
class TensorBatch:
    """A `Batch` on the model's device, pixels as numbers in [0, 1]; same fields, same shapes."""

    patches: Tensor
    kept: Tensor | None
    stands_for: Tensor
    text: Tensor
    targets: Tensor
    positions: Tensor
    segments: Tensor
    slots: Tensor
    objects: Tensor
    coverage: Tensor
    traits: Tensor
    ground: Tensor
    relief: Tensor

    @classmethod
    def from_arrays(cls, batch: Batch, device: torch.device, dtype: torch.dtype) -> TensorBatch:
        fields = {
            name: None if array is None else torch.from_numpy(array).to(device)
            for name, array in vars(batch).items()
        }
        shades = {name: fields[name].to(dtype) / 255 for name in ("patches", "relief")}
        return cls(**fields | shades | {"ground": fields["ground"].to(dtype)})


@dataclass(frozen=True)
class Views:
    """What one forward pass shows of the model."""

    logits: Tensor  # (B, T, V)
    image_tokens: Tensor  # (B, K, D)
    attention: list[Tensor]  # per decoder layer (B, H, T, K [+ 1]); empty unless asked for


def look_and_read(vlm: VLM, batch: TensorBatch, need_weights: bool = False) -> Views:
    """One pass over a batch of packed captions."""
    # The weight makes sums over all keys come out, on average, as they would with every patch there.
    key_bias = None if batch.kept is None else batch.stands_for.log().to(batch.patches.dtype)
    # From all patches the model finds their surroundings by itself, as it does when it captions.
    surroundings = None if batch.kept is None else Surroundings(batch.ground, batch.relief)
    image_tokens, _ = vlm.encoder(batch.patches, batch.kept, key_bias, surroundings)
    logits, attention = vlm.decoder(
        batch.text,
        vlm.decoder.remember(image_tokens),
        batch.positions,
        packed_bias(batch.segments, image_tokens.dtype),
        image_bias=key_bias,
        need_weights=need_weights,
    )
    return Views(logits, image_tokens, attention)
