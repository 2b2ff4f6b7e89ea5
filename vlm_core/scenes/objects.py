"""The objects of a scene: what they are called, where they stand, how a hand draws them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from PIL import Image

from vlm_core.scenes.layout import Standing
from vlm_core.scenes.shapes import MOST_ROTATION, VARIANTS, WOBBLES, Deformation
from vlm_core.scenes.world import COLORS, HELD_OUT_PAIRS, IMAGE_SIZE, PLACES, SHAPES

_ALL_PAIRS = tuple((color, shape) for color in COLORS for shape in SHAPES)
_DRAWN_FROM = {
    "seen": tuple(pair for pair in _ALL_PAIRS if pair not in HELD_OUT_PAIRS),
    "held_out": tuple(sorted(HELD_OUT_PAIRS)),
    "all": _ALL_PAIRS,
}
# Of drawn objects on quiet grounds (87 % of all), so that about 40 % of all are not filled.
_UNFILLED = 0.46
_UNFILLED_FINISHES = ("outlined",) * 4 + ("brushed",) * 3 + ("scribbled",) * 2
_PEN = {"outlined": (3, 12), "brushed": (6, 14), "scribbled": (3, 8)}  # px


@dataclass(frozen=True)
class SceneObject:
    """One object: what it is called, where it stands and how it is drawn."""

    shape: str
    color: str
    size: str
    center: tuple[float, float]
    """Middle of the bounding box (x, y), px."""
    radius: float
    """Half of the longer side of the bounding box, stroke included, px."""
    rgb: tuple[int, int, int]
    variant: int
    deformation: Deformation
    finish: str
    """How the outline is put to paper: a name in `strokes.FINISHES`."""
    stroke: float
    """Width of the pen, px; 0 for a filled shape."""
    seed: int
    """Of the small accidents of the hand."""
    drawing: Image.Image | None = None
    """What is drawn again in place of the outline of a shape that the world does not have; see `newcomers`."""

    @property
    def place(self) -> str:
        """Which of the nine places its middle lies in."""
        column, row = (min(int(3 * value / IMAGE_SIZE), 2) for value in self.center)
        return PLACES[3 * row + column]


def draw_pairs(rng: Random, count: int, pairs: str) -> list[tuple[str, str]]:
    """Different (colour, shape) pairs for `count` objects."""
    common = "seen" if pairs == "held_out" else pairs
    chosen: list[tuple[str, str]] = []
    while len(chosen) < count:
        pair = choose(rng, _DRAWN_FROM[common])
        if pair not in chosen:
            chosen.append(pair)
    if pairs == "held_out":
        chosen[int(rng.random() * count)] = choose(rng, _DRAWN_FROM[pairs])
    return chosen


def draw_object(
    rng: Random,
    pair: tuple[str, str],
    size: str,
    standing: Standing,
    shade: tuple[int, int, int],
    style: str,
    filled: bool,
) -> SceneObject:
    """An object of which all is settled but how the hand draws it; `filled` leaves it no choice of finish."""
    (color, shape), (center, extent) = pair, standing
    finish, stroke = "filled", 0.0
    if style == "drawn" and not filled and rng.random() < _UNFILLED:
        finish = choose(rng, _UNFILLED_FINISHES)
        thinnest, thickest = _PEN[finish]
        stroke = rng.uniform(thinnest, min(thickest, max(0.2 * extent, thinnest)))
    return SceneObject(
        shape,
        color,
        size,
        center,
        extent / 2,
        shade,
        variant=int(rng.random() * VARIANTS),
        deformation=_draw_deformation(rng, shape, style),
        finish=finish,
        stroke=stroke,
        seed=int(rng.random() * 2**32),
    )


def _draw_deformation(rng: Random, shape: str, style: str) -> Deformation:
    if rng.random() < 0.2:  # as a machine draws it
        return Deformation()
    sloppiness = 0.6 if style == "clean" else 1.0
    return Deformation(
        rotation=rng.uniform(-1, 1) * MOST_ROTATION[shape],
        stretch=1 + sloppiness * rng.uniform(-0.1, 0.1),
        shear=sloppiness * rng.uniform(-0.08, 0.08),
        wobble=sloppiness * rng.uniform(0, 0.065),
        hand=int(rng.random() * WOBBLES),
    )


def choose(rng: Random, options: tuple):
    """One of `options`; a quarter of the time of `Random.choice`."""
    return options[int(rng.random() * len(options))]
