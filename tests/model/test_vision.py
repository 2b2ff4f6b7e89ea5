"""Patches are cut in the documented order; a bounded window bounds what a token hears; contrast knows no colour."""

import torch
from torch.nn import functional as F

from vlm_core import VLM, ModelConfig
from vlm_core.model.glances import Surroundings, glance, stand_out
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
    surroundings = Surroundings.of(patches)
    with torch.no_grad():
        before, _ = encoder(patches, surroundings=surroundings)
        changed = patches.clone()
        cell = torch.arange(196)
        beyond = (cell // 14 > farthest) | (cell % 14 > farthest)
        changed[:, beyond] = torch.rand(1, int(beyond.sum()), 768)
        after, _ = encoder(changed, surroundings=surroundings)
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
        shuffled, _ = encoder(patches[:, order[0]], kept=order, surroundings=Surroundings.of(patches))
    assert torch.allclose(whole[:, order[0]], shuffled, atol=1e-5)


def test_a_shape_stands_out_the_same_in_any_colour_as_strong_on_any_paper():
    shape = torch.zeros(1, 1, 224, 224)
    shape[..., 80:140, 60:150] = 1
    seen = []
    for paper, paint in (((1.0, 1.0, 1.0), (1.0, 0.25, 0.5)), ((0.125, 0.0, 0.25), (0.875, 0.5, 0.25))):
        paper, paint = (torch.tensor(color).view(1, 3, 1, 1) for color in (paper, paint))
        patches = patchify(paper + shape * (paint - paper), 16)
        around = Surroundings.of(patches)
        assert torch.allclose(around.ground, paper.flatten(1), atol=1e-6)
        seen.append((around.relief, stand_out(patches.unflatten(-1, (3, -1)), around.ground[:, None, :, None], 2)))
    for one, other in zip(*seen, strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    assert torch.allclose(seen[0][0], 0.75 * F.avg_pool2d(shape, 4)[:, 0], atol=1e-6)
    assert torch.allclose(seen[0][1], 0.75 * patchify(shape.expand(-1, 3, -1, -1), 16)[..., :256], atol=1e-6)


def test_a_glance_is_the_neighbourhood_of_its_patch():
    relief = torch.rand(2, 56, 56)
    padded = F.pad(relief, (28, 28, 28, 28))
    near, far = glance(relief, 4, 16, None), glance(relief, 8, 16, None)
    for cell in (0, 13, 90, 195):
        y, x = 4 * (cell // 14) + 28, 4 * (cell % 14) + 28  # where the patch begins in the padded relief
        assert torch.equal(near[:, cell].view(2, 16, 16), padded[:, y - 6 : y + 10, x - 6 : x + 10])
        wide = F.avg_pool2d(padded[:, None, y - 14 : y + 18, x - 14 : x + 18], 2)[:, 0]
        assert torch.allclose(far[:, cell].view(2, 16, 16), wide, atol=1e-6)


def test_places_can_be_told_apart_before_anything_is_learned():
    """The nearest of all starting positions to a position moved half a patch is one of its neighbours."""
    positions = VLM(ModelConfig.lecture()).encoder.positions.detach().view(14, 14, -1)
    distance = torch.cdist(positions.flatten(0, 1), positions.flatten(0, 1))
    distance.fill_diagonal_(float("inf"))
    nearest = distance.argmin(dim=1)
    cell = torch.arange(196)
    assert ((nearest // 14 - cell // 14).abs() + (nearest % 14 - cell % 14).abs() == 1).all()
