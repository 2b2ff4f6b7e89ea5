"""Drawing scenes by lot: nothing ambiguous, nothing skewed, nothing that training must not see."""

import subprocess
import sys
from collections import Counter
from itertools import combinations, pairwise, product

import pytest

from vlm_core.scenes.scene import evaluation_seed, sample_scene, training_seed
from vlm_core.scenes.world import COLORS, HELD_OUT_PAIRS, IMAGE_SIZE, LEVELS, PLACES, SHAPES, SIZES, STYLES

MANY = 4000
CLEAR_OF_LINES = 7
"""Least distance (px) of a lone object's middle from the lines between the nine places."""


@pytest.fixture(
    scope="module", params=list(product(LEVELS, STYLES)), ids=lambda param: f"{param[0]}-{param[1]}"
)
def scenes(request):
    level, style = request.param
    return [sample_scene(seed, level, style) for seed in range(600)]


def assert_even(counts: Counter, options, most_deviations: float = 4.5):
    """Each of `options` was drawn about equally often, within what chance allows."""
    total, share = sum(counts.values()), 1 / len(options)
    deviation = (total * share * (1 - share)) ** 0.5
    assert set(counts) <= set(options)
    for option in options:
        assert abs(counts[option] - total * share) < most_deviations * deviation, (option, counts)


def test_the_same_seed_gives_the_same_scene_and_another_seed_another():
    assert sample_scene(7) == sample_scene(7)
    assert len({sample_scene(seed).objects for seed in range(100)}) == 100


@pytest.mark.parametrize(("level", "counts"), [(1, {1}), (2, {1, 2}), (3, {1, 2, 3, 4})])
def test_levels_show_as_many_objects_as_they_say(level, counts):
    assert {len(sample_scene(seed, level).objects) for seed in range(300)} == counts


def test_small_and_large_leave_a_clear_gap(scenes):
    extents = {size: [2 * t.radius for s in scenes for t in s.objects if t.size == size] for size in SIZES}
    assert min(extents["small"]) >= 30
    assert max(extents["small"]) <= 56
    assert min(extents["large"]) >= 1.3 * max(extents["small"])


def test_objects_lie_inside_the_picture_and_never_touch(scenes):
    for scene in scenes:
        for thing in scene.objects:
            assert all(thing.radius <= value <= IMAGE_SIZE - thing.radius for value in thing.center)
        for first, second in combinations(scene.objects, 2):
            apart = [abs(a - b) for a, b in zip(first.center, second.center, strict=True)]
            assert max(apart) >= first.radius + second.radius + 5


def test_no_two_objects_share_colour_and_shape(scenes):
    for scene in scenes:
        assert len({(thing.color, thing.shape) for thing in scene.objects}) == len(scene.objects)


def test_a_lone_object_stands_clear_of_the_lines_between_places(scenes):
    for scene in scenes:
        if len(scene.objects) == 1:
            for value in scene.objects[0].center:
                assert min(abs(value - line * IMAGE_SIZE / 3) for line in (1, 2)) >= CLEAR_OF_LINES


def test_two_objects_differ_clearly_along_the_axis_that_is_told(scenes):
    for scene in scenes:
        if len(scene.objects) == 2:
            first, second = (thing.center for thing in scene.objects)
            told, other = (0, 1) if scene.facts.relation == "left of" else (1, 0)
            assert second[told] - first[told] >= 48
            assert abs(second[other] - first[other]) <= 0.5 * (second[told] - first[told]) + 1e-9


def test_listed_objects_go_clearly_from_left_to_right(scenes):
    for scene in scenes:
        if len(scene.objects) > 2:
            across = [thing.center[0] for thing in scene.objects]
            assert all(later - x >= 27.9 for x, later in pairwise(across))


def test_every_object_contrasts_with_its_ground(scenes):
    for scene in scenes:
        if scene.ground.noise == 1:
            continue
        half = sum(map(abs, scene.ground.slope)) / 2
        for thing in scene.objects:
            apart = sum((a - b) ** 2 for a, b in zip(thing.rgb, scene.ground.color, strict=True)) ** 0.5
            assert apart + half >= 60, scene.seed


@pytest.mark.parametrize("level", LEVELS)
def test_colour_shape_and_size_are_drawn_evenly_whatever_has_to_fit(level):
    things = [thing for seed in range(MANY) for thing in sample_scene(seed, level, pairs="all").objects]
    assert_even(Counter(thing.color for thing in things), COLORS)
    assert_even(Counter(thing.shape for thing in things), SHAPES)
    assert_even(Counter(thing.size for thing in things), SIZES)
    assert_even(Counter((thing.color, thing.size) for thing in things), list(product(COLORS, SIZES)))
    assert_even(Counter((thing.color, thing.shape) for thing in things), list(product(COLORS, SHAPES)))


def test_place_and_size_are_drawn_independently():
    lone = [sample_scene(seed, level=1).objects[0] for seed in range(MANY)]
    assert_even(Counter((thing.place, thing.size) for thing in lone), list(product(PLACES, SIZES)))


@pytest.mark.parametrize("style", STYLES)
def test_relations_tell_nothing_of_the_objects(style):
    pairs = [scene for seed in range(MANY) if len((scene := sample_scene(seed, 2, style)).objects) == 2]
    drawn = Counter((s.facts.relation, *(thing.size for thing in s.objects)) for s in pairs)
    assert_even(drawn, list(product(("left of", "above"), SIZES, SIZES)))


def test_sizes_of_four_objects_are_even_in_every_place_of_the_row():
    rows = [scene for seed in range(MANY) if len((scene := sample_scene(seed, 3)).objects) == 4]
    assert_even(
        Counter(tuple(thing.size for thing in scene.objects) for scene in rows),
        list(product(SIZES, repeat=4)),
    )


@pytest.mark.parametrize("level", LEVELS)
def test_held_out_pairs_are_never_seen_and_always_there_when_asked_for(level):
    for seed in range(1000):
        seen = [(t.color, t.shape) for t in sample_scene(seed, level, pairs="seen").objects]
        held_out = [(t.color, t.shape) for t in sample_scene(seed, level, pairs="held_out").objects]
        assert not HELD_OUT_PAIRS & set(seen)
        assert len(HELD_OUT_PAIRS & set(held_out)) == 1


def test_every_colour_and_shape_misses_at_most_one_partner():
    assert len(HELD_OUT_PAIRS) == len({color for color, _ in HELD_OUT_PAIRS}) == 6
    assert len({shape for _, shape in HELD_OUT_PAIRS}) == 6
    assert all(color in COLORS and shape in SHAPES for color, shape in HELD_OUT_PAIRS)


def test_training_and_evaluation_seeds_cannot_meet():
    evaluation = [evaluation_seed(0), evaluation_seed(2**40 - 1)]
    training = [
        training_seed(0, 0),
        training_seed(0, 2**40 - 1),
        training_seed(1, 0),
        training_seed(2**31, 5),
    ]
    assert max(evaluation) < min(training)
    assert training == sorted(set(training))
    for beyond in (-1, 2**40):
        with pytest.raises(ValueError):
            evaluation_seed(beyond)
        with pytest.raises(ValueError):
            training_seed(0, beyond)
    with pytest.raises(ValueError):
        training_seed(-1, 0)


@pytest.mark.parametrize(
    "wrong", [{"seed": -1}, {"level": 0}, {"level": 4}, {"style": "painted"}, {"pairs": "unseen"}]
)
def test_scenes_that_are_not_of_this_world_are_refused(wrong):
    with pytest.raises(ValueError):
        sample_scene(**{"seed": 0, **wrong})


def test_about_two_fifths_of_drawn_objects_are_not_filled_and_of_clean_ones_none():
    for style, low, high in (("drawn", 0.37, 0.43), ("clean", 0, 0)):
        things = [thing for seed in range(MANY) for thing in sample_scene(seed, 2, style).objects]
        assert low <= sum(thing.finish != "filled" for thing in things) / len(things) <= high


def test_on_noise_every_object_is_filled():
    noisy = [scene for seed in range(MANY) if (scene := sample_scene(seed)).ground.noise]
    assert any(scene.ground.noise == 1 for scene in noisy)
    assert all(thing.finish == "filled" for scene in noisy for thing in scene.objects)


def test_the_world_needs_no_torch():
    script = "import sys, vlm_core.scenes, vlm_core.scenes.batches; print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip()
        == "False"
    )
