"""The words of many captions with where the model looked for each and where it should have."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vlm_core.learning.reading import TensorBatch, look_and_read
from vlm_core.learning.signals import first_tokens
from vlm_core.model.vlm import VLM
from vlm_core.scenes.batches import SLOTS, Batch


@dataclass(frozen=True)
class WordMaps:
    """Words of captions, W of them. A word of several tokens is judged by the first, which decides it: after 圆
    nothing but 形 can follow, and no look at the picture is needed for that."""

    maps: Tensor
    """(W, layers, heads, N): attention of the position that predicts the word, right words before it."""
    touched: Tensor
    """(W, N) bool: the patches that the word's object touches; for a relation, those of both objects."""
    slot: Tensor
    """(W) index into SLOTS."""
    language: Tensor
    """(W) which caption of its scene the word stands in, in the order of the batch's languages."""
    token: Tensor
    """(W) the word's first token."""
    probability: Tensor
    """(W) of that token, by the model."""
    scene: Tensor
    """(W) number of the scene among all of the batches."""
    place: Tensor
    """(W) position in the row of the scene that predicts the word."""

    def of(self, *slots: str, language: int | None = None) -> Tensor:
        """(W) bool: which words belong to these slots (and language)."""
        chosen = torch.isin(self.slot, torch.tensor([SLOTS.index(slot) for slot in slots]))
        return chosen if language is None else chosen & (self.language == language)

    def sample(self, chosen: Tensor, most: int) -> WordMaps:
        """Of the `chosen` words (W) bool at most `most`, evenly spread over all of them."""
        index = chosen.nonzero()[:, 0]
        if len(index) > most:
            index = index[torch.linspace(0, len(index) - 1, most).long()]
        return WordMaps(*(getattr(self, name)[index] for name in vars(self)))


@torch.no_grad()
def read_words(vlm: VLM, batches: list[Batch]) -> WordMaps:
    """All words of the captions in `batches` that speak of something to be seen."""
    parts, scenes = [], 0
    for batch in batches:
        tensors = TensorBatch.from_arrays(batch, vlm.device, vlm.encoder.positions.dtype)
        views = look_and_read(vlm, tensors, need_weights=True)
        attention = torch.stack(views.attention)  # (L, B, H, T, N [+ 1])
        row, place = first_tokens(tensors).nonzero(as_tuple=True)  # (W), (W)
        token = tensors.targets[row, place]
        covered = tensors.coverage > 0  # (B, O, N)
        thing = tensors.objects[row, place]
        touched = torch.where(
            (thing >= 0)[:, None], covered[row, thing.clamp_min(0)], covered.any(dim=1)[row]
        )  # (W, N)
        probability = views.logits[row, place].float().softmax(dim=-1).gather(1, token[:, None])[:, 0]
        maps = attention[:, row, :, place, : vlm.config.patches].float()  # (W, L, H, N)
        slot, language = tensors.slots[row, place], tensors.segments[row, place]
        parts.append((maps, touched, slot, language, token, probability, row + scenes, place))
        scenes += len(batch.text)
    return WordMaps(*(torch.cat(column).cpu() for column in zip(*parts, strict=True)))



