"""Pictures: what the labels say is what the pixels and the masks show."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vlm_core.scenes.grounds import Ground, paint_ground
from vlm_core.scenes.scene import patch_coverage, sample_scene
from vlm_core.scenes.shapes import MOST_ROTATION, VARIANTS, Deformation, outline
from vlm_core.scenes.strokes import FINISHES
from vlm_core.scenes.world import IMAGE_SIZE, LEVELS, PATCH_SIZE, SHAPES, STYLES


@pytest.fixture(
    scope="module", params=list(product(LEVELS, STYLES)), ids=lambda param: f"{param[0]}-{param[1]}"
)
def scenes(request):
    level, style = request.param
    return [sample_scene(seed, level, style) for seed in range(200)]


def box(mask):
    """Left, top, right and bottom of a mask, px."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def rasterize(points, side=32):
    """The inside of an outline as (side, side) bool."""
    sheet = Image.new("1", (side, side))
    ImageDraw.Draw(sheet).polygon(((points + 1) * (side - 1) / 2).ravel().tolist(), fill=1)
    return np.asarray(sheet)


def test_the_same_scene_gives_the_same_pixels(scenes):
    for scene in scenes[:20]:
        again = sample_scene(scene.seed, scene.level, scene.style)
        assert np.array_equal(scene.pixels, again.pixels)
        assert np.array_equal(np.asarray(scene.image), again.pixels)


def test_masks_never_overlap_and_fill_the_box_that_the_label_tells(scenes):
    for scene in scenes:
        assert scene.masks.sum(axis=0).max() == 1
        for thing, mask in zip(scene.objects, scene.masks, strict=True):
            left, top, right, bottom = box(mask)
            extent = max(right - left, bottom - top)
            assert abs(extent - 2 * thing.radius) <= (6 if thing.finish in ("filled", "outlined") else 12)
            middle = np.array([(left + right) / 2, (top + bottom) / 2])
            assert np.abs(middle - thing.center).max() <= (
                2.5 if thing.finish in ("filled", "outlined") else 7
            )


def test_filled_objects_show_their_colour_throughout_their_mask(scenes):
    for scene in scenes:
        if scene.softness or scene.ground.grain:
            continue
        for thing, mask in zip(scene.objects, scene.masks, strict=True):
            if thing.finish == "filled":
                right_colour = np.abs(scene.pixels[mask].astype(int) - thing.rgb).max(axis=1) < 3
                assert right_colour.mean() > (0.7 if thing.size == "small" else 0.85)


def test_only_what_masks_cover_differs_from_the_empty_ground(scenes):
    for scene in scenes:
        if scene.softness or scene.ground.grain or scene.ground.noise == 1:
            continue
        empty = replace(scene, objects=()).pixels
        painted = np.abs(scene.pixels.astype(int) - empty).max(axis=2)
        outside = ~scene.masks.any(axis=0)
        # What is left outside is the faint half of anti-aliased edges.
        assert (painted[outside] > 140).sum() == 0
        assert painted[outside].astype(bool).sum() < 0.35 * painted.astype(bool).sum()


def test_every_object_puts_visible_paint_on_its_ground(scenes):
    for scene in scenes:
        empty = replace(scene, objects=()).pixels.astype(int)
        change = np.linalg.norm(scene.pixels - empty, axis=2)
        for thing, mask in zip(scene.objects, scene.masks, strict=True):
            assert (change[mask] > 50).mean() > 0.12, (scene.seed, thing)


def test_taking_one_object_away_leaves_the_rest_of_the_picture_as_it_was():
    for seed in range(100):
        scene = sample_scene(seed, level=3)
        if len(scene.objects) > 1:
            without = replace(scene, objects=scene.objects[1:])
            left, top, right, bottom = box(scene.masks[0])
            elsewhere = np.ones((IMAGE_SIZE, IMAGE_SIZE), bool)
            elsewhere[max(top - 5, 0) : bottom + 5, max(left - 5, 0) : right + 5] = False
            assert np.array_equal(scene.pixels[elsewhere], without.pixels[elsewhere])
            assert not np.array_equal(scene.pixels, without.pixels)
            assert np.array_equal(without.masks, scene.masks[1:])


def test_an_outlined_objects_mask_holds_the_inside_too():
    rings = [
        (scene, index)
        for seed in range(400)
        for scene in [sample_scene(seed)]
        for index, thing in enumerate(scene.objects)
        if (thing.shape, thing.finish, thing.size) == ("circle", "outlined", "large")
    ]
    assert rings
    for scene, index in rings:
        x, y = map(round, scene.objects[index].center)
        assert scene.masks[index, y, x]
        assert np.array_equal(scene.pixels[y, x], replace(scene, objects=()).pixels[y, x])


def test_patch_coverage_is_the_masks_share_of_each_patch(scenes):
    for scene in scenes[:50]:
        coverage = patch_coverage(scene)
        for index, mask in enumerate(scene.masks):
            for patch in range(0, 196, 5):
                row, column = patch // 14 * PATCH_SIZE, patch % 14 * PATCH_SIZE
                assert (
                    coverage[index, patch]
                    == mask[row : row + PATCH_SIZE, column : column + PATCH_SIZE].mean()
                )


def test_drawn_scenes_come_in_every_finish_and_on_every_ground():
    drawn = [sample_scene(seed) for seed in range(600)]
    assert {thing.finish for scene in drawn for thing in scene.objects} == set(FINISHES)
    grounds = [scene.ground for scene in drawn]
    assert 0.3 < sum(ground.color == (255, 255, 255) for ground in grounds) / len(grounds) < 0.6
    assert any(max(ground.color) < 100 and not ground.noise for ground in grounds)
    assert any(any(ground.slope) for ground in grounds)
    assert any(ground.grain for ground in grounds)
    assert {scene.antialias for scene in drawn} == {True, False}
    assert any(scene.softness for scene in drawn)


def test_graded_grounds_change_steadily_between_their_corners():
    for seed in range(2000):
        ground = sample_scene(seed).ground
        if any(ground.slope):
            pixels = np.asarray(paint_ground(ground)).astype(int)
            assert np.abs(np.diff(pixels, axis=0)).max() <= 1
            assert np.abs(np.diff(pixels, axis=1)).max() <= 1
            assert np.abs(pixels[-1, -1] - pixels[0, 0] - sum(ground.slope)).max() <= 2


def test_noise_covers_all_values_evenly():
    pixels = np.asarray(paint_ground(Ground(noise=1.0, seed=3)))
    counts = np.bincount(pixels.ravel(), minlength=256)
    assert abs(counts / pixels.size * 256 - 1).max() < 0.25
    assert not np.array_equal(pixels, np.asarray(paint_ground(Ground(noise=1.0, seed=4))))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_badly_drawn_shape_still_is_most_like_its_own_kind(shape):
    templates = [
        (name, rasterize(outline(name, variant, Deformation(rotation=share * MOST_ROTATION[name]))))
        for name in SHAPES
        for variant in range(VARIANTS)
        for share in (-1, -0.5, 0, 0.5, 1)
    ]
    stack = np.stack([mask for _, mask in templates])
    right = total = 0
    for seed in range(4000):
        for thing in sample_scene(seed, level=1).objects:
            if thing.shape == shape:
                drawn = rasterize(outline(shape, thing.variant, thing.deformation))
                overlap = (stack & drawn).sum(axis=(1, 2)) / (stack | drawn).sum(axis=(1, 2))
                right += templates[overlap.argmax()][0] == shape
                total += 1
    assert right / total > 0.98
