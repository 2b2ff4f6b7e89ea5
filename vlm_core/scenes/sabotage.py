"""Spoiled training data, for a class to find out from the model what was wrong with it.

Each fault is a pure function of scenes, or of whose captions are told of them. Only training scenes are ever spoiled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from vlm_core.scenes.grounds import LEAST_CONTRAST, Ground
from vlm_core.scenes.objects import SceneObject
from vlm_core.scenes.scene import Scene, sample_scene
from vlm_core.scenes.shades import contrast, draw_shade
from vlm_core.scenes.world import IMAGE_SIZE


def spoil(scenes: list[Scene], sabotage: tuple[str, ...]) -> list[Scene]:
    """The pictures of a batch with the faults named; without any, the scenes as they are."""
    for name, fault in _FAULTS.items():
        if name in sabotage:
            scenes = [fault(scene) for scene in scenes]
    return scenes


def tellers(scenes: list[Scene], sabotage: tuple[str, ...]) -> list[Scene]:
    """For each scene of a batch, the one whose captions are told of it: itself or, if they are shuffled, the next."""
    return [*scenes[1:], scenes[0]] if "shuffled_captions" in sabotage else scenes


def without_distractors(scene: Scene) -> Scene:
    """The scene of the same seed with one object."""
    return sample_scene(scene.seed, level=1, style=scene.style)


def with_red_circles(scene: Scene) -> Scene:
    """The same scene, each circle red; on white paper if the red could not be seen on its own."""
    objects = tuple(_redden(thing) if thing.shape == "circle" else thing for thing in scene.objects)
    ground = scene.ground
    hidden = any(contrast(thing.rgb, ground.color) < LEAST_CONTRAST for thing in objects)
    return replace(scene, objects=objects, ground=Ground() if hidden and ground.noise < 1 else ground)


def _redden(thing: SceneObject) -> SceneObject:
    if thing.color == "red":
        return thing
    return replace(thing, color="red", rgb=draw_shade(Random(thing.seed), "red"))


def in_the_middle(scene: Scene) -> Scene:
    """The same scene, moved so that what it shows stands in the middle of the picture."""
    boxes = [
        (x - thing.radius, y - thing.radius, x + thing.radius, y + thing.radius)
        for thing in scene.objects
        for x, y in [thing.center]
    ]
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    across, down = (IMAGE_SIZE - min(lefts) - max(rights)) / 2, (IMAGE_SIZE - min(tops) - max(bottoms)) / 2
    moved = (replace(thing, center=(thing.center[0] + across, thing.center[1] + down)) for thing in scene.objects)
    return replace(scene, objects=tuple(moved))


_FAULTS: dict[str, Callable[[Scene], Scene]] = {
    "no_distractors": without_distractors,
    "red_circles": with_red_circles,
    "one_position": in_the_middle,
}
