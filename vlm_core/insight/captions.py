"""What written captions say of a scene: the right objects, missing ones, and ones that are not there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor

from vlm_core.model.generation import write_greedily
from vlm_core.model.vlm import VLM
from vlm_core.scenes.batches import Batch
from vlm_core.scenes.language import Facts, parse


@dataclass(frozen=True)
class ObjectCounts:
    """Per scene (scenes), objects told apart by colour and shape."""

    there: Tensor
    """How many objects the picture shows."""
    missed: Tensor
    """How many of them the caption does not name."""
    named: Tensor
    """How many objects the caption names; 0 if it is no caption at all."""
    hallucinated: Tensor
    """How many of those the picture does not show (compare CHAIR, arXiv:1809.02156)."""
    readable: Tensor
    """1 where the text is a caption of this world, whatever it says."""


def count_objects(facts: list[Facts], texts: list[str], language: str) -> ObjectCounts:
    """Compare texts with the facts of their scenes."""
    rows = []
    for true, text in zip(facts, texts, strict=True):
        shown = Counter((thing.color, thing.shape) for thing in true.objects)
        try:
            said = Counter((thing.color, thing.shape) for thing in parse(text, language).objects)
        except ValueError:
            said = Counter()
        rows.append((shown.total(), (shown - said).total(), said.total(), (said - shown).total(), bool(said)))
    return ObjectCounts(*torch.tensor(rows, dtype=torch.float32).unbind(dim=1))


def write_captions(vlm: VLM, batches: list[Batch], language: str) -> list[str]:
    """The model's own captions of all pictures of `batches`, greedy."""
    texts = []
    for batch in batches:
        patches = torch.from_numpy(batch.patches).to(vlm.device).float() / 255
        texts += [vlm.tokenizer.decode(ids) for ids in write_greedily(vlm, patches, language)]
    return texts


