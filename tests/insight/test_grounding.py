"""Scores of a map mean what they say: the best map gets the best score, one that says nothing gets chance."""

import pytest
import torch

from vlm_core.insight.grounding import centre_prior, overlap, score_maps

GRID, N = 14, 196


def touching(*patches: int) -> torch.Tensor:
    touched = torch.zeros(1, N, dtype=torch.bool)
    touched[0, list(patches)] = True
    return touched


OBJECT = touching(30, 31, 44, 45)


def test_a_perfect_map_scores_everything_wherever_in_the_object_it_lies():
    maps = torch.zeros(1, N)
    maps[0, 31], maps[0, 44] = 0.7, 0.3
    score = score_maps(maps, OBJECT)
    assert score.hit.item() == 1
    assert score.mass.item() == pytest.approx(1)
    assert score.null_mass.item() == pytest.approx(0, abs=1e-6)
    assert score.chance.item() == pytest.approx(4 / N)


def test_a_uniform_map_misses_and_its_mass_is_chance():
    for level in (1 / N, 1 / (N + 1)):  # without and with a null key that takes an even share
        score = score_maps(torch.full((1, N), level), OBJECT)
        assert score.hit.item() == 0
        assert score.mass.item() == pytest.approx(score.chance.item(), rel=1e-4)
        assert score.entropy.item() == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize("other", [45, 100], ids=["inside", "outside"])
def test_a_tie_for_the_highest_place_is_a_miss_even_if_it_differs_by_rounding(other):
    maps = torch.full((1, N), 0.1 / N)
    maps[0, 30] = 0.45
    maps[0, other] = 0.45 * (1 - 1e-7)
    assert score_maps(maps, OBJECT).hit.item() == 0
    maps[0, other] = 0.44
    assert score_maps(maps, OBJECT).hit.item() == 1


def test_the_highest_patch_outside_is_a_miss_though_most_mass_is_inside():
    maps = torch.zeros(1, N)
    maps[0, [30, 31, 44]] = 0.2
    maps[0, 100] = 0.4
    score = score_maps(maps, OBJECT)
    assert score.hit.item() == 0
    assert score.mass.item() == pytest.approx(0.6)


def test_what_goes_to_the_null_key_is_told_and_leaves_the_other_scores_as_they_are():
    maps = torch.rand(5, N, generator=torch.Generator().manual_seed(0)).softmax(-1)
    touched = OBJECT.expand(5, -1)
    full, faint = score_maps(maps, touched), score_maps(0.25 * maps, touched)
    assert torch.allclose(faint.null_mass, torch.tensor(0.75))
    assert torch.equal(faint.hit, full.hit)
    for name in ("mass", "entropy", "chance"):
        assert torch.allclose(getattr(faint, name), getattr(full, name))


def test_all_on_the_null_key_is_a_miss_with_finite_scores():
    score = score_maps(torch.zeros(1, N), OBJECT)
    assert score.means() == {"hit": 0, "mass": 0, "entropy": 0, "null_mass": 1, "chance": pytest.approx(4 / N)}


def test_entropy_grows_with_the_number_of_patches_looked_at():
    maps = torch.stack([(torch.arange(N) < count) / count for count in (1, 2, 14, 196)])
    entropy = score_maps(maps, OBJECT.expand(4, -1)).entropy
    assert entropy.tolist() == pytest.approx([0, torch.log(torch.tensor(2.0)).item() / 5.2781, 0.5, 1], abs=1e-4)


def test_the_centre_prior_peaks_in_the_middle_and_is_nearly_the_same_from_every_side():
    prior = centre_prior(GRID).view(GRID, GRID)
    assert prior.sum().item() == pytest.approx(1)
    assert all(torch.allclose(prior, turned, rtol=0.03) for turned in (prior.T, prior.flip(0), prior.flip(1)))
    # One deviation, a quarter of the picture, from the middle it has fallen to exp(-1/2) of the top.
    away, near = (10 + 0.5) / GRID - 0.5, 0.5 / GRID
    assert (prior[10, 7] / prior[7, 7]).log().item() == pytest.approx(-8 * (away**2 - near**2), rel=0.02)


def test_the_centre_prior_points_at_one_patch_so_that_it_can_hit():
    middle = torch.isin(torch.arange(N), torch.tensor([6 * GRID + 6, 6 * GRID + 7, 7 * GRID + 6, 7 * GRID + 7]))
    assert score_maps(centre_prior(GRID)[None], middle[None]).hit.item() == 1


def test_an_odd_centre_prior_hits_an_object_in_the_middle_only():
    prior = centre_prior(7)[None]
    middle, corner = (torch.arange(49)[None] == patch for patch in (24, 0))
    assert score_maps(prior, middle).hit.item() == 1
    assert score_maps(prior, corner).hit.item() == 0


def test_overlap_is_the_share_that_two_maps_have_in_common_whatever_their_scale():
    first, second, apart = torch.zeros(3, N)
    first[30], first[31] = 0.2, 0.2
    second[31], second[100] = 3, 1
    apart[0] = 1
    assert overlap(first, first * 0.3) == pytest.approx(1)
    assert overlap(first, second) == overlap(second, first) == pytest.approx(0.5)
    assert overlap(first, apart) == 0
