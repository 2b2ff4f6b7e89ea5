"""A repainted picture is the scene with another colour in it: soft edges too, and nothing else."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from PIL import Image

from vlm_core.scenes import sample_scene
from vlm_core.scenes.repaint import colors_in, repaint
from vlm_core.scenes.shades import color_name, names_of
from vlm_core.scenes.world import COLORS


def test_pixels_carry_the_names_of_their_shades():
    rng = Random(1)
    shades = [(rng.randrange(256), rng.randrange(256), rng.randrange(256)) for _ in range(10_000)]
    shades += [*COLORS.values(), (0, 0, 0), (255, 255, 255), (45, 45, 45), (255, 0, 1)]
    names = [*COLORS, None]
    assert [names[place] for place in names_of(np.array(shades, np.uint8))] == [color_name(shade) for shade in shades]


@pytest.mark.parametrize("style", ["clean", "drawn"])
def test_the_colours_of_the_objects_are_found_and_no_others(style):
    wrong = 0
    for seed in range(40):
        scene = sample_scene(seed, 3, style)
        wrong += set(colors_in(scene.image)) != {thing.color for thing in scene.objects}
    assert wrong <= 2  # noise smooths to a colour here and there


def test_a_repainted_scene_is_the_scene_with_an_object_of_another_colour():
    for seed in (0, 2, 3, 4, 6, 7, 8, 9, 10, 11):  # each with one object of the colour: two have two shades of it
        scene = sample_scene(seed, 2, "clean")
        old = scene.objects[0].color
        new = next(name for name in COLORS if name not in {thing.color for thing in scene.objects})
        wanted = replace(
            scene,
            objects=tuple(
                replace(thing, color=new, rgb=COLORS[new]) if thing.color == old else thing for thing in scene.objects
            ),
        )
        found = np.asarray(repaint(scene.image, old, new)).astype(int)
        assert (np.abs(found - wanted.pixels).max(axis=-1) > 12).mean() < 0.0002  # ten pixels of the edges
        assert old not in colors_in(Image.fromarray(found.astype(np.uint8)))


def test_a_colour_that_is_not_there_changes_nothing():
    sheet = Image.new("RGB", (224, 224), "white")
    sheet.paste(COLORS["red"], (50, 50, 120, 120))
    assert colors_in(sheet) == ("red",)
    assert repaint(sheet, "blue", "green").tobytes() == sheet.tobytes()


def test_the_ground_is_no_object():
    board = Image.new("RGB", (224, 224), (20, 20, 20))
    board.paste(COLORS["yellow"], (50, 50, 120, 120))
    assert colors_in(board) == ("yellow",)
