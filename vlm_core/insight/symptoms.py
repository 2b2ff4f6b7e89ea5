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
from vlm_core.learning.objectives import TensorBatch, look_and_read
from vlm_core.model.vlm import VLM
from vlm_core.scenes.batches import Batch, evaluation_scenes, to_batch
from vlm_core.scenes.scene import Scene, evaluation_seed, sample_scene
from vlm_core.scenes.tokenizer import WordTokenizer
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
    single: float
    """Share of pictures of two objects of which it names only one."""
    exact: float
    """Share of captions that are wholly right, in pictures of one or two objects."""
    pointing: float
    """Share of colour and shape words whose map points at the object."""
    chance: float
    """What a map that looks anywhere would score in that."""
    occlusion: float
    """By how much the probability of the right colour or shape word falls when what it looked at is hidden."""


@torch.no_grad()
def find_symptoms(vlm: VLM, languages: tuple[str, ...], style: str = "drawn") -> Symptoms:
    """Examine a model that speaks these languages; takes a few seconds on a CPU."""
    two, facts = _two_objects(style, languages)
    ordinary = _ordinary(style, languages)
    written = [count_objects(facts, write_captions(vlm, [two], language), language) for language in languages]
    exact = score_captions(vlm, [ordinary], languages).shares()[0]
    words = read_words(vlm, [ordinary])
    head = choose_head(words)
    some = words.sample(words.of("color", "shape"), MOST_OCCLUDED)
    maps = map_of(some.maps, head)
    pointing = score_maps(maps, some.touched).means()
    return Symptoms(
        red=_probability(vlm, _other_circles(style, languages), "color", "red", languages),
        center=_probability(vlm, _off_center(style, languages), "place", "center", languages),
        single=sum((counts.named == 1).float().mean().item() for counts in written) / len(written),
        exact=sum(exact.values()) / len(exact),
        pointing=pointing["hit"],
        chance=pointing["chance"],
        occlusion=occlude(Seen.by(vlm, [ordinary]), some, maps).attended.mean().item(),
    )


def _probability(vlm: VLM, batch: Batch, slot: str, name: str, languages: tuple[str, ...]) -> float:
    """Of the word `name` (its first token), where the right word of `slot` is due."""
    words = read_words(vlm, [batch])
    due = words.of(slot)
    views = look_and_read(vlm, TensorBatch.from_arrays(batch, vlm.device, vlm.encoder.positions.dtype))
    chances = views.logits[words.scene[due], words.place[due]].float().softmax(dim=-1)  # (words, V)
    said = {"en": name, "zh": CHINESE[name]}
    tokens = [vlm.tokenizer.encode(said[language], language)[2] for language in languages]
    wanted = torch.tensor(tokens)[words.language[due]]
    return chances.cpu().gather(1, wanted[:, None]).mean().item()


def _chosen(level: int, style: str, fits) -> list[Scene]:
    scenes = (sample_scene(evaluation_seed(_FIRST_SCENE + index), level, style) for index in count())
    return list(islice(filter(fits, scenes), SCENES))


@lru_cache(maxsize=8)
def _ordinary(style: str, languages: tuple[str, ...]) -> Batch:
    return to_batch(evaluation_scenes(SCENES, 2, style, first=_FIRST_SCENE), languages, WordTokenizer())


@lru_cache(maxsize=8)
def _two_objects(style: str, languages: tuple[str, ...]) -> tuple[Batch, list]:
    scenes = _chosen(2, style, lambda scene: len(scene.objects) == 2)
    return to_batch(scenes, languages, WordTokenizer()), [scene.facts for scene in scenes]


@lru_cache(maxsize=8)
def _other_circles(style: str, languages: tuple[str, ...]) -> Batch:
    scenes = _chosen(1, style, lambda scene: scene.objects[0].shape == "circle" and scene.objects[0].color != "red")
    return to_batch(scenes, languages, WordTokenizer())


@lru_cache(maxsize=8)
def _off_center(style: str, languages: tuple[str, ...]) -> Batch:
    scenes = _chosen(1, style, lambda scene: scene.objects[0].place != "center")
    return to_batch(scenes, languages, WordTokenizer())
