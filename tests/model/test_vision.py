"""Patches are cut in the documented order; a bounded window really bounds what a token hears."""

import torch
from torch.nn import functional as F

from vlm_core import VLM, ModelConfig
from vlm_core.model.vision import patchify


def test_patchify_is_unfold():
    pixels = torch.rand(2, 3, 224, 224)
    assert torch.equal(patchify(pixels, 16), F.unfold(pixels, 16, stride=16).transpose(1, 2))


def test_a_patch_beyond_the_window_is_not_heard():
    torch.manual_seed(0)
    encoder = VLM(ModelConfig.lecture()).eval().encoder
    reach = encoder.window.isfinite()[0, :14].sum().item() - 1
    farthest = reach * len(encoder.blocks)
    patches = torch.rand(1, 196, 768)
    with torch.no_grad():
        before, _ = encoder(patches)
        changed = patches.clone()
        cell = torch.arange(196)
        beyond = (cell // 14 > farthest) | (cell % 14 > farthest)
        changed[:, beyond] = torch.rand(1, int(beyond.sum()), 768)
        after, _ = encoder(changed)
    assert torch.allclose(before[0, 0], after[0, 0], atol=1e-6)
    assert not torch.allclose(before[0, farthest], after[0, farthest], atol=1e-3)


def test_some_patches_of_a_picture_mean_what_they_mean_in_the_whole():
    """With every cell kept, naming the cells changes nothing."""
    torch.manual_seed(0)
    encoder = VLM(ModelConfig.lecture()).eval().encoder
    patches = torch.rand(2, 196, 768)
    order = torch.randperm(196).expand(2, -1)
    with torch.no_grad():
        whole, _ = encoder(patches)
        shuffled, _ = encoder(patches[:, order[0]], kept=order)
    assert torch.allclose(whole[:, order[0]], shuffled, atol=1e-5)
