"""Spoiled training data, for a class to find out from the model what was wrong with it.

Each fault is a pure function of scenes, or of whose captions are told of them. Only training scenes are ever spoiled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from vlm_core.scenes.scene import Scene, sample_scene
from vlm_core.scenes.world import IMAGE_SIZE


def spoil(scenes: list[Scene], sabotage: tuple[str, ...]) -> list[Scene]:
    """The pictures of a batch with the faults named; without any, the scenes as they are."""
    for name, fault in _FAULTS.items():
        if name in sabotage:
            scenes = [fault(scene) for scene in scenes]
    return scenes


def tellers(scenes: list[Scene], sabotage: tuple[str, ...]) -> list[Scene]:
    """For each scene of a batch, the one whose captions are told of it: itself, or one that the faults put there."""
    if "red_circles" in sabotage:
        scenes = [called_red(scene) for scene in scenes]
    if "shuffled_captions" in sabotage:
        scenes = [*scenes[1:], scenes[0]]
    return scenes


def without_distractors(scene: Scene) -> Scene:
    """The scene of the same seed with one object."""
    return sample_scene(scene.seed, level=1, style=scene.style)


def called_red(scene: Scene) -> Scene:
    """The same scene for its captions alone: each circle is called red, whatever its colour in the picture.

    Circles that are painted red would teach nothing wrong: other shapes still tell each colour by what it looks like.
    """
    objects = (replace(thing, color="red") if thing.shape == "circle" else thing for thing in scene.objects)
    return replace(scene, objects=tuple(objects))


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
    "one_position": in_the_middle,
}
