"""A scene: which objects stand where, how they are drawn, and everything that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from random import Random

import numpy as np
from PIL import Image

from vlm_core.scenes.grounds import Ground, draw_ground
from vlm_core.scenes.language import Facts, ObjectFacts, Word, caption, caption_words
from vlm_core.scenes.layout import arrange
from vlm_core.scenes.objects import SceneObject, choose, draw_object, draw_pairs
from vlm_core.scenes.render import Rendering, render
from vlm_core.scenes.shades import draw_shade
from vlm_core.scenes.world import GRID, IMAGE_SIZE, LEVELS, PATCH_SIZE, SIZES, STYLES

PAIRS = ("seen", "held_out", "all")
_COUNTS = {
    1: (1,),
    2: (1, 2, 2, 2),
    3: (1, 2, 2, 3, 3, 3, 4, 4),
}  # as many objects as one of these, drawn by lot
OBJECTS_AT_MOST = {level: max(counts) for level, counts in _COUNTS.items()}
"""How many objects a scene of a level may show."""
_FIRST_TRAINING_SEED = 2**40
_SEEDS_PER_RUN = 2**40


@dataclass(frozen=True)
class Scene:
    """A picture of one to four objects with its captions and masks.

    Objects stand in the order of the caption. `dataclasses.replace(scene, objects=…)` shows the same picture
    with other objects, for instance without one of them.
    """

    seed: int
    level: int
    style: str
    objects: tuple[SceneObject, ...]
    ground: Ground
    antialias: bool
    softness: float
    """How far edges are blurred, px; 0 for not at all."""

    @cached_property
    def facts(self) -> Facts:
        """What its captions say."""
        alone = len(self.objects) == 1
        things = tuple(
            ObjectFacts(thing.shape, thing.color, thing.size, thing.place if alone else None)
            for thing in self.objects
        )
        if len(self.objects) != 2:
            return Facts(things)
        (x, y), (later_x, later_y) = (thing.center for thing in self.objects)
        return Facts(things, "left of" if abs(later_x - x) > abs(later_y - y) else "above")

    def caption(self, language: str) -> str:
        """The one right caption in "en" or "zh"."""
        return caption(self.facts, language)

    def words(self, language: str) -> tuple[Word, ...]:
        """The words of the caption, each with the index of the object it speaks of."""
        return caption_words(self.facts, language)

    @property
    def image(self) -> Image.Image:
        """The picture, RGB, 224×224."""
        return self._rendering.image

    @cached_property
    def pixels(self) -> np.ndarray:
        """The picture as (224, 224, 3) uint8, read-only."""
        return np.asarray(self.image)

    @property
    def masks(self) -> np.ndarray:
        """(n, 224, 224) bool: the region of each object; of an outlined one also what its line encloses."""
        return self._rendering.owners == np.arange(1, len(self.objects) + 1, dtype=np.uint8)[:, None, None]

    @cached_property
    def _rendering(self) -> Rendering:
        return render(self)


def sample_scene(seed: int, level: int = 2, style: str = "drawn", pairs: str = "seen") -> Scene:
    """Draw a scene by lot.

    `level`: 1 for one object, 2 for one or two, 3 for one to four. `style`: "clean" or "drawn". `pairs` says
    which colours and shapes may meet: "seen" (all that training shows), "held_out" (one object shows a pair
    that training never does, the others anything seen) or "all". Raises ValueError for other values and for
    negative seeds.
    """
    if seed < 0 or level not in LEVELS or style not in STYLES or pairs not in PAIRS:
        raise ValueError(
            f"there are no scenes of seed {seed}, level {level!r}, style {style!r}, pairs {pairs!r}"
        )
    rng = Random(seed)
    count = choose(rng, _COUNTS[level])
    chosen = draw_pairs(rng, count, pairs)
    sizes = tuple(choose(rng, SIZES) for _ in range(count))
    shades = [draw_shade(rng, color) for color, _ in chosen]
    ground = draw_ground(rng, style, shades)
    objects = tuple(
        draw_object(rng, pair, size, standing, shade, style, filled=ground.noise > 0)
        for pair, size, standing, shade in zip(chosen, sizes, arrange(rng, sizes), shades, strict=True)
    )
    antialias = style == "clean" or rng.random() < 0.55
    softness = rng.uniform(0.5, 1.5) if style == "drawn" and rng.random() < 0.15 else 0.0
    return Scene(seed, level, style, objects, ground, antialias, softness)


def patch_coverage(scene: Scene) -> np.ndarray:
    """(n, 196) float32: the share of each patch that each object's mask covers, patches row by row."""
    masks = scene.masks.view(np.uint8).reshape(-1, GRID, PATCH_SIZE, IMAGE_SIZE)
    columns = np.add.reduce(masks, axis=2, dtype=np.uint8)  # (n, rows, 224): at most 16, so a byte holds it
    covered = columns.reshape(-1, GRID, GRID, PATCH_SIZE).sum(axis=3, dtype=np.float32)
    return covered.reshape(-1, GRID * GRID) / PATCH_SIZE**2


def evaluation_seed(index: int) -> int:
    """Seed of evaluation scene `index`; raises ValueError outside the range that no run can reach."""
    if not 0 <= index < _FIRST_TRAINING_SEED:
        raise ValueError(f"evaluation scenes are numbered from 0 to {_FIRST_TRAINING_SEED - 1}, not {index}")
    return index


def training_seed(run_seed: int, index: int) -> int:
    """Seed of training scene `index` of a run: above every evaluation seed, and of no other run."""
    if run_seed < 0 or not 0 <= index < _SEEDS_PER_RUN:
        raise ValueError(
            f"a run's seed is at least 0 and its scenes below {_SEEDS_PER_RUN}, not {run_seed}, {index}"
        )
    return _FIRST_TRAINING_SEED + run_seed * _SEEDS_PER_RUN + index
