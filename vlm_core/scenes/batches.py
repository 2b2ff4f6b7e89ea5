"""Many scenes as the arrays that training and evaluation read: patches, captions, masks.

NumPy and Pillow only, so that a process which does nothing but render stays small and starts fast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from vlm_core.scenes.language import caption_words
from vlm_core.scenes.sabotage import spoil, tellers
from vlm_core.scenes.scene import Scene, evaluation_seed, patch_coverage, sample_scene, training_seed
from vlm_core.scenes.tokenizer import Tokenizer
from vlm_core.scenes.world import COLORS, GRID, MOST_OBJECTS, PATCH_SIZE, SHAPES, SIZES

PATCHES = GRID * GRID
IGNORED = -100
"""Target of positions that predict nothing (padding, and the language token after <begin>)."""


@dataclass(frozen=True)
class Batch:
    """Scenes as arrays. B scenes, K patches kept of each, T text positions, O object places (4)."""

    patches: np.ndarray
    """(B, K, 768) uint8, each patch (channel, row, column)."""
    kept: np.ndarray | None
    """(B, K) the grid cell of each patch; None when all 196 are there, in order."""
    stands_for: np.ndarray
    """(K) float32: how many patches of the picture each kept one stands for, itself included."""
    text: np.ndarray
    """(B, T) token ids: the captions of a scene, one language after the other in one row."""
    targets: np.ndarray
    """(B, T) the token that follows, or IGNORED."""
    positions: np.ndarray
    """(B, T) place of a token in its own caption."""
    segments: np.ndarray
    """(B, T) which caption of the row a token belongs to; -1 for padding."""
    slots: np.ndarray
    """(B, T) what the target speaks of, an index into SLOTS."""
    objects: np.ndarray
    """(B, T) which object the target speaks of, -1 for none."""
    coverage: np.ndarray
    """(B, O, K) float32: the share of each kept patch that an object covers; 0 for objects that are not there."""
    traits: np.ndarray
    """(B, O, 3) colour, shape and size of each object as indices into the world's tables, -1 where there is none and
    for shapes that the world does not have."""
    ground: np.ndarray
    """(B, 3) float32 in [0, 1]: the median of the mean colours of the patches along the border."""
    relief: np.ndarray
    """(B, 56, 56) uint8: how much each 4 × 4 pixels stand out from the ground."""


SLOTS = ("color", "shape", "size", "place", "relation", "function", "special")
_TRAIT_TABLES = (tuple(COLORS), SHAPES, SIZES)


def training_batch(
    run_seed: int, index: int, size: int, level: int, style: str, languages: tuple[str, ...], tokenizer: Tokenizer,
    keep: int | None = None, sabotage: tuple[str, ...] = (),
) -> Batch:  # fmt: skip
    """Batch `index` of a run: always the same scenes for the same arguments. `sabotage` names faults of the data."""
    first = index * size
    scenes = [sample_scene(training_seed(run_seed, first + i), level, style) for i in range(size)]
    scenes = spoil(scenes, sabotage)
    rng = np.random.default_rng((run_seed, index))
    return to_batch(scenes, languages, tokenizer, keep, rng, tellers(scenes, sabotage))


def evaluation_scenes(count: int, level: int, style: str, pairs: str = "seen", first: int = 0) -> list[Scene]:
    """Scenes that no training run can draw; with `pairs="held_out"` they show colours and shapes it never paired."""
    return [sample_scene(evaluation_seed(first + i), level, style, pairs) for i in range(count)]


def to_batch(
    scenes: list[Scene],
    languages: tuple[str, ...],
    tokenizer: Tokenizer,
    keep: int | None = None,
    rng: np.random.Generator | None = None,
    told: list[Scene] | None = None,
) -> Batch:
    """Turn scenes into arrays, with all patches or `keep` of each: three in four of these the picture's liveliest,
    the others drawn by `rng` from the rest, for which they stand. Captions are those of the scenes `told`, if given.
    """
    pixels = np.stack([scene.pixels for scene in scenes])  # (B, 224, 224, 3)
    coverage = np.zeros((len(scenes), MOST_OBJECTS, PATCHES), np.float32)
    traits = np.full((len(scenes), MOST_OBJECTS, 3), -1, np.int64)
    for row, scene in enumerate(scenes):
        coverage[row, : len(scene.objects)] = patch_coverage(scene)
        for place, thing in enumerate(scene.objects):
            names = (thing.color, thing.shape, thing.size)
            traits[row, place] = [
                table.index(name) if name in table else -1 for table, name in zip(_TRAIT_TABLES, names, strict=True)
            ]
    grid = pixels.reshape(-1, GRID, PATCH_SIZE, GRID, PATCH_SIZE, 3)
    if keep is None:
        kept, stands_for = None, np.ones(PATCHES, np.float32)
        patches = grid.transpose(0, 1, 3, 5, 2, 4)  # (B, rows, columns, 3, p, p)
    else:
        lively = 3 * keep // 4
        order = by_liveliness(grid)
        kept = np.concatenate([order[:, :lively], rng.permuted(order[:, lively:], axis=1)[:, : keep - lively]], axis=1)
        stands_for = np.ones(keep, np.float32)
        stands_for[lively:] = (PATCHES - lively) / (keep - lively)
        scene_index = np.arange(len(scenes))[:, None]
        patches = grid[scene_index, kept // GRID, :, kept % GRID].transpose(0, 1, 4, 2, 3)  # (B, K, 3, p, p)
        coverage = np.take_along_axis(coverage, kept[:, None], axis=2)
    patches = np.ascontiguousarray(patches).reshape(len(scenes), -1, 3 * PATCH_SIZE**2)
    captions = _pack_captions(told or scenes, languages, tokenizer)
    ground = border_color(grid)
    coarse = relief([scene.image for scene in scenes], ground)
    return Batch(patches, kept, stands_for, *captions, coverage, traits, ground, coarse)


def border_color(grid: np.ndarray) -> np.ndarray:
    """(B, 3) float32 in [0, 1]; the model finds the same by itself when it sees all patches. Every fourth pixel is
    enough to tell."""
    sample = grid[:, :, 1::4, :, 1::4]  # (B, rows, 4, columns, 4, 3)
    sides = (sample[:, 0], sample[:, -1], sample[:, 1:-1, :, 0], sample[:, 1:-1, :, -1])
    # The first two are (B, 4, columns, 4, 3), the others (B, rows, 4, 4, 3).
    axes = ((1, 3), (1, 3), (2, 3), (2, 3))
    sums = [side.sum(axis=over, dtype=np.uint16) for side, over in zip(sides, axes, strict=True)]
    border = np.sort(np.concatenate(sums, axis=1), axis=1)  # (B, 52, 3)
    return border[:, (border.shape[1] - 1) // 2].astype(np.float32) / (16 * 255)


def relief(pictures: list[Image.Image], ground: np.ndarray) -> np.ndarray:
    """(B, 56, 56) uint8: how far the mean colour of each 4 × 4 pixels is from the ground, in its farthest channel."""
    cells = np.stack([np.asarray(picture.reduce(4)) for picture in pictures])  # (B, 56, 56, 3)
    base = (255 * ground).round().astype(np.uint8)[:, None, None]
    channels = zip(np.moveaxis(cells, -1, 0), np.moveaxis(base, -1, 0), strict=True)
    # Bytes cannot be negative; and NumPy is slow along an axis of three.
    apart = [np.maximum(cell, plain) - np.minimum(cell, plain) for cell, plain in channels]
    return np.maximum(np.maximum(apart[0], apart[1]), apart[2])


def by_liveliness(grid: np.ndarray) -> np.ndarray:
    """The patches of each picture, those that differ most from its typical patch first, (B, 196).

    Reads pixels only, never masks: how far the mean and the spread of a patch lie from the picture's medians.
    A filled object on a noisy ground is found by its lack of spread. Every fourth pixel is enough to tell.
    """
    sample = grid[:, :, 1::4, :, 1::4].transpose(2, 4, 0, 1, 3, 5).reshape(16, len(grid), PATCHES, 3)
    spread = sample.max(axis=0) - sample.min(axis=0)  # (B, N, 3)
    mean = sample.sum(axis=0, dtype=np.uint16) // 16
    life = sum(np.abs(part - np.median(part, axis=1, keepdims=True)).sum(axis=2) for part in (mean, spread))
    return np.argsort(-life, axis=1, kind="stable")


def _pack_captions(scenes, languages, tokenizer):
    rows = []
    for scene in scenes:
        row = []
        for segment, language in enumerate(languages):
            ids, slots, objects = tokenizer.encode_words(caption_words(scene.facts, language), language)
            for place in range(len(ids) - 1):
                # What follows <begin> is the language, which no picture tells.
                target = ids[place + 1] if place > 0 else IGNORED
                thing = objects[place + 1]
                row.append(
                    (ids[place], target, place, segment, SLOTS.index(slots[place + 1]), -1 if thing is None else thing)
                )
        rows.append(row)
    longest = max(map(len, rows))
    packed = np.empty((6, len(rows), longest), np.int64)
    packed[:] = np.array([tokenizer.pad_id, IGNORED, 0, -1, SLOTS.index("special"), -1])[:, None, None]
    for i, row in enumerate(rows):
        packed[:, i, : len(row)] = np.array(row).T
    return packed
