"""What the model is asked to become good at: pure functions from predictions and a batch to named losses."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vlm_core.learning.reading import TensorBatch, Views
from vlm_core.scenes.batches import IGNORED, SLOTS
from vlm_core.scenes.world import COLORS, SHAPES, SIZES

PATCH_WEIGHT = 0.1
ATTENTION_WEIGHT = 0.05
TAUGHT_HEAD = 0
_TRAIT_CLASSES = (len(COLORS), len(SHAPES), len(SIZES))
_POINTING_SLOTS = [SLOTS.index(slot) for slot in ("color", "shape")]
"""Words whose maps are taught. Size words are left alone: where a Chinese caption may begin with a size or a place,
the model has to see how many objects there are, and a look held fast to the first one cannot."""


def caption_loss(views: Views, batch: TensorBatch) -> Tensor:
    """Cross-entropy of the next token, averaged over all that are to be predicted."""
    return F.cross_entropy(views.logits.flatten(0, 1).float(), batch.targets.flatten(), ignore_index=IGNORED)


class PatchReader(nn.Module):
    """Reads colour, shape and size off a single image token; exists only while a grounded run learns."""

    def __init__(self, width: int):
        super().__init__()
        self.traits = nn.Linear(width, sum(_TRAIT_CLASSES) + 1)  # the last says "an object is here"


def patch_loss(views: Views, batch: TensorBatch, reader: PatchReader) -> Tensor:
    """Each patch tells what it shows: whether there is an object and, where one covers it, its traits."""
    scores = reader.traits(views.image_tokens).float()  # (B, K, 8 + 8 + 2 + 1)
    share, owner = batch.coverage.max(dim=1)  # (B, K)
    loss = F.binary_cross_entropy_with_logits(scores[..., -1], (share > 0).float())
    row, patch = share.nonzero(as_tuple=True)  # of the patches with something on them, which are few
    scores, share = scores[row, patch, :-1], share[row, patch]
    traits = batch.traits[row, owner[row, patch]].clamp_min(0)  # (patches, 3)
    for part, trait in zip(scores.split(_TRAIT_CLASSES, dim=-1), traits.unbind(-1), strict=True):
        loss = loss + F.cross_entropy(part, trait, reduction="none") @ share / share.sum().clamp_min(1)
    return loss


def attention_loss(views: Views, batch: TensorBatch) -> Tensor:
    """-log of the attention that one head spends, for each colour and shape word, inside the word's object.

    The other heads stay free: taught alike, none would be left to see what else the picture holds, and whether
    another object follows, and on which side, is read worse.
    """
    row, position = torch.isin(batch.slots, batch.slots.new_tensor(_POINTING_SLOTS)).nonzero(as_tuple=True)
    inside = (batch.coverage[row, batch.objects[row, position]] > 0).float()  # (words, K)
    keys = inside.shape[1]
    mass = [(weights[row, TAUGHT_HEAD, position, :keys].float() * inside).sum(-1) for weights in views.attention]
    return -torch.stack(mass).clamp_min(1e-4).log().mean()  # over layers and words
