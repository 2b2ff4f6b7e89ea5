"""A short look at a model while it learns: which head to show, how well it points, what it makes of new pairs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from vlm_core.insight.grounding import choose_head, map_of, score_maps
from vlm_core.insight.words import read_words
from vlm_core.learning.evaluation import score_captions
from vlm_core.model.vlm import VLM
from vlm_core.scenes.batches import Batch, evaluation_scenes, to_batch
from vlm_core.scenes.tokenizer import Tokenizer

SCENES = 48
FIRST_SCENE = 100_000
"""Far from the scenes of `evaluate`, so that the head chosen here is not chosen on what it is then scored on."""


@dataclass(frozen=True)
class Exam:
    """Scores on SCENES unseen scenes, 0 to 1."""

    layer_head: tuple[int, int] | None
    """Whose maps of colour and shape words point best; None: the mean of all."""
    hit: float
    """Pointing game of those maps on colour and shape words."""
    mass: float
    """Share of their attention inside the object."""
    chance: float
    """The objects' share of the picture: what a blind map would score in both."""
    new_pairs: float
    """Exact match, mean of the languages, on scenes with a colour and a shape that training never showed together."""


def examine(vlm: VLM, level: int, style: str) -> Exam:
    """Look at the captions and maps of a model in the languages that it was taught: 1/4 s on a CPU."""
    spoken = vlm.languages, type(vlm.tokenizer), vlm.tokenizer.vocabulary
    seen, new = (_read_scenes(level, style, pairs, *spoken) for pairs in ("seen", "held_out"))
    words = read_words(vlm, [seen])
    layer_head = choose_head(words)
    named = words.of("color", "shape")
    scores = score_maps(map_of(words.maps, layer_head)[named], words.touched[named]).means()
    exact, _ = score_captions(vlm, [new], vlm.languages).shares()
    return Exam(layer_head, scores["hit"], scores["mass"], scores["chance"], sum(exact.values()) / len(exact))


@lru_cache(maxsize=12)
def _read_scenes(
    level: int, style: str, pairs: str, languages: tuple[str, ...], kind: type[Tokenizer], vocabulary: tuple[str, ...]
) -> Batch:
    return to_batch(evaluation_scenes(SCENES, level, style, pairs, FIRST_SCENE), languages, kind(vocabulary))
