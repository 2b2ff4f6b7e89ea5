"""What is wrong with a model, measured on ordinary scenes: the signs by which spoiled training data shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import count, islice

import torch

from vlm_core.insight.captions import count_objects, write_captions
from vlm_core.insight.grounding import choose_head, map_of, score_maps
from vlm_core.insight.interventions import Seen, occlude
from vlm_core.insight.words import read_words
from vlm_core.learning.evaluation import score_captions
from vlm_core.learning.reading import TensorBatch, look_and_read
from vlm_core.model.vlm import VLM
from vlm_core.scenes.batches import Batch, evaluation_scenes, to_batch
from vlm_core.scenes.scene import Scene, evaluation_seed, sample_scene
from vlm_core.scenes.world import CHINESE

SCENES = 64
MOST_OCCLUDED = 120
_FIRST_SCENE = 300_000  # far from what else is evaluated


@dataclass(frozen=True)
class Symptoms:
    """Each 0 to 1, a mean over languages and SCENES unseen scenes."""

    red: float
    """Probability that the model gives to "red" for the colour of a lone circle that is not red."""
    center: float
    """Probability that it gives to "center" for the place of a lone object that stands elsewhere."""
    single: float | None
    """Share of pictures of two objects of which it names only one; None at level 1, which has no such pictures."""
    exact: float
    """Share of captions that are wholly right."""
    pointing: float
    """Share of colour and shape words whose map points at the object."""
    chance: float
    """What a map that looks anywhere would score in that."""
    occlusion: float
    """By how much the probability of the right colour or shape word falls when what it looked at is hidden."""


@torch.no_grad()
def find_symptoms(vlm: VLM, level: int = 2, style: str = "drawn") -> Symptoms:
    """Examine a model on the pictures of a run's level and style, in the languages that it was taught; takes a few
    seconds on a CPU."""

    ordinary = _batch(vlm, _ordinary(level, style))
    exact = score_captions(vlm, [ordinary], vlm.languages).shares()[0]
    words = read_words(vlm, [ordinary])
    head = choose_head(words)
    some = words.sample(words.of("color", "shape"), MOST_OCCLUDED)
    maps = map_of(some.maps, head)
    pointing = score_maps(maps, some.touched).means()
    return Symptoms(
        red=_probability(vlm, _batch(vlm, _chosen(style, "a circle not red")), "color", "red"),
        center=_probability(vlm, _batch(vlm, _chosen(style, "an object off center")), "place", "center"),
        single=_names_only_one(vlm, style) if level > 1 else None,
        exact=sum(exact.values()) / len(exact),
        pointing=pointing["hit"],
        chance=pointing["chance"],
        occlusion=occlude(Seen.by(vlm, [ordinary]), some, maps).attended.mean().item(),
    )


def _names_only_one(vlm: VLM, style: str) -> float:
    """Share of pictures of two objects of which one is named."""
    pairs = _chosen(style, "two objects")
    facts, two = [scene.facts for scene in pairs], _batch(vlm, pairs)
    written = [count_objects(facts, write_captions(vlm, [two], language), language) for language in vlm.languages]
    return sum((counts.named == 1).float().mean().item() for counts in written) / len(written)


def _batch(vlm: VLM, scenes: tuple[Scene, ...]) -> Batch:
    return to_batch(list(scenes), vlm.languages, vlm.tokenizer)


def _probability(vlm: VLM, batch: Batch, slot: str, name: str) -> float:
    """Of the word `name` (its first token), where the right word of `slot` is due."""
    words = read_words(vlm, [batch])
    due = words.of(slot)
    views = look_and_read(vlm, TensorBatch.from_arrays(batch, vlm.device, vlm.encoder.positions.dtype))
    chances = views.logits[words.scene[due], words.place[due]].float().softmax(dim=-1)  # (words, V)
    said = {"en": name, "zh": CHINESE[name]}
    tokens = [vlm.tokenizer.encode(said[language], language)[2] for language in vlm.languages]
    wanted = torch.tensor(tokens)[words.language[due]]
    return chances.cpu().gather(1, wanted[:, None]).mean().item()


_LEVEL_AND_FIT = {
    "two objects": (2, lambda scene: len(scene.objects) == 2),
    "a circle not red": (1, lambda scene: scene.objects[0].shape == "circle" and scene.objects[0].color != "red"),
    "an object off center": (1, lambda scene: scene.objects[0].place != "center"),
}


@lru_cache(maxsize=8)
def _chosen(style: str, wanted: str) -> tuple[Scene, ...]:
    level, fits = _LEVEL_AND_FIT[wanted]
    scenes = (sample_scene(evaluation_seed(_FIRST_SCENE + index), level, style) for index in count())
    return tuple(islice(filter(fits, scenes), SCENES))


@lru_cache(maxsize=8)
def _ordinary(level: int, style: str) -> tuple[Scene, ...]:
    return tuple(evaluation_scenes(SCENES, level, style, first=_FIRST_SCENE))
