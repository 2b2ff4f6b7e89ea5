"""Colours: one name for every shade that is drawn, and the names that people give to what they pick."""

from random import Random

import pytest

from vlm_core.scenes.shades import color_name, contrast, draw_shade
from vlm_core.scenes.world import COLORS


@pytest.mark.parametrize("name", COLORS)
def test_every_drawn_shade_and_the_palettes_own_carry_their_name(name):
    rng = Random(0)
    assert color_name(COLORS[name]) == name
    # Rounding to bytes may push a shade just over the border of its range: into a gap, never to another name.
    assert {color_name(draw_shade(rng, name)) for _ in range(2000)} <= {name, None}


@pytest.mark.parametrize(
    ("shade", "name"),
    [
        ((204, 51, 51), "red"),  # the tutorial's (0.8, 0.2, 0.2)
        ((255, 0, 0), "red"),
        ((220, 20, 60), "red"),  # CSS crimson
        ((255, 165, 0), "orange"),
        ((255, 140, 0), "orange"),  # CSS darkorange
        ((255, 215, 0), "yellow"),  # CSS gold
        ((255, 255, 0), "yellow"),
        ((0, 128, 0), "green"),
        ((0, 255, 0), "green"),  # CSS lime
        ((50, 205, 50), "green"),  # CSS limegreen
        ((0, 0, 255), "blue"),
        ((65, 105, 225), "blue"),  # CSS royalblue
        ((30, 144, 255), "blue"),  # CSS dodgerblue
        ((128, 0, 128), "purple"),
        ((138, 43, 226), "purple"),  # CSS blueviolet
        ((255, 192, 203), "pink"),
        ((255, 105, 180), "pink"),  # CSS hotpink
        ((0, 0, 0), "black"),
        ((45, 45, 45), "black"),
        ((255, 255, 255), None),
        ((128, 128, 128), None),
        ((178, 34, 34), "red"),  # CSS firebrick
        ((165, 42, 42), None),  # brown
        ((255, 0, 255), None),  # magenta: some say pink, some say purple
        ((250, 128, 114), None),  # salmon
        ((64, 224, 208), None),  # turquoise
    ],
)
def test_colours_that_people_pick_have_the_name_they_give_them(shade, name):
    assert color_name(shade) == name


def test_shades_of_different_names_are_never_close():
    rng = Random(0)
    drawn = {name: [draw_shade(rng, name) for _ in range(200)] for name in COLORS}
    for name, shades in drawn.items():
        for other in COLORS:
            if other != name:
                assert min(contrast(a, b) for a in shades for b in drawn[other]) > 25, (name, other)
