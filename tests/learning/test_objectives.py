"""The losses that a grounded run adds: what each patch shows, and where colour and shape words look."""

import math

import numpy as np
import pytest
import torch

from vlm_core import sample_scene
from vlm_core.learning.objectives import TAUGHT_HEAD, PatchReader, attention_loss, patch_loss
from vlm_core.learning.reading import TensorBatch, Views
from vlm_core.scenes.batches import SLOTS, to_batch
from vlm_core.scenes.tokenizer import WordTokenizer
from vlm_core.scenes.world import COLORS, SHAPES, SIZES

KEPT = 64


@pytest.fixture(scope="module")
def batch():
    scenes = [sample_scene(seed, level=3) for seed in range(6)]
    arrays = to_batch(scenes, ("en", "zh"), WordTokenizer(), KEPT, np.random.default_rng(0))
    return TensorBatch.from_arrays(arrays, torch.device("cpu"), torch.float32)


def read(scores):
    """A reader that finds `scores` (B, K, 19) in the image tokens themselves."""
    reader = PatchReader(scores.shape[-1])
    with torch.no_grad():
        reader.traits.weight.copy_(torch.eye(scores.shape[-1]))
        reader.traits.bias.zero_()
    return Views(torch.empty(0), scores, []), reader


def test_patches_told_right_cost_nothing_and_told_wrong_much(batch):
    share, owner = batch.coverage.max(dim=1)
    right = torch.full((len(share), KEPT, len(COLORS) + len(SHAPES) + len(SIZES) + 1), -20.0)
    right[..., -1] = torch.where(share > 0, 20.0, -20.0)
    first = (0, len(COLORS), len(COLORS) + len(SHAPES))
    for row, patch in (share > 0).nonzero().tolist():
        for begin, trait in zip(first, batch.traits[row, owner[row, patch]].tolist(), strict=True):
            right[row, patch, begin + trait] = 20.0
    views, reader = read(right)
    assert patch_loss(views, batch, reader).item() < 1e-4
    views, reader = read(-right)
    assert patch_loss(views, batch, reader).item() > 20


def test_patches_nobody_can_tell_cost_what_guessing_does(batch):
    views, reader = read(torch.zeros(*batch.coverage[:, 0].shape, len(COLORS) + len(SHAPES) + len(SIZES) + 1))
    guessing = sum(math.log(classes) for classes in (2, len(COLORS), len(SHAPES), len(SIZES)))
    assert patch_loss(views, batch, reader).item() == pytest.approx(guessing, abs=1e-4)


def test_the_taught_head_pays_for_attention_outside_of_the_word_s_object(batch):
    scenes, length = batch.text.shape
    even = torch.full((scenes, 2, length, KEPT + 1), 1 / (KEPT + 1))
    taught = torch.isin(batch.slots, torch.tensor([SLOTS.index("color"), SLOTS.index("shape")]))
    inside, shares = torch.zeros_like(even), []
    for row, place in taught.nonzero().tolist():
        touched = batch.coverage[row, batch.objects[row, place]] > 0
        shares.append(-math.log(touched.sum().item() / (KEPT + 1)))
        inside[row, TAUGHT_HEAD, place, :KEPT] = touched / touched.sum()
    assert attention_loss(Views(torch.empty(0), torch.empty(0), [inside]), batch).item() == pytest.approx(0, abs=1e-5)
    looked = attention_loss(Views(torch.empty(0), torch.empty(0), [even]), batch).item()
    assert looked == pytest.approx(sum(shares) / len(shares), rel=1e-4)
