"""A shape that the world does not have, learned from drawings: it takes an object's place in ordinary scenes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

import numpy as np
from PIL import Image

from vlm_core.scenes.batches import Batch, to_batch
from vlm_core.scenes.drawings import Unfit, cut_out, other_finishes
from vlm_core.scenes.grounds import Ground
from vlm_core.scenes.scene import Scene, sample_scene, training_seed
from vlm_core.scenes.tokenizer import Tokenizer
from vlm_core.scenes.world import CHINESE, LANGUAGES

LONGEST_WORD = {"en": 16, "zh": 6}
OTHERWISE = 0.3
SHARE, ALONE = 0.5, 0.5
"""Of a lesson's scenes, how many show the newcomer; and of those, in how many it stands alone."""


@dataclass(frozen=True)
class Newcomer:
    """A word, the same in captions of both languages, and drawings of what it names, cut out ('L' pictures)."""

    word: str
    drawings: tuple[Image.Image, ...]
    other_finishes: tuple[Image.Image, ...] = ()
    """The drawings filled, or as lines, where they stay what they are; shown OTHERWISE often."""

    @classmethod
    def of(cls, word: str, pictures: list[Image.Image]) -> Newcomer:
        """From pictures of one such thing each. Raises UserError if there is nothing to be cut out of one."""
        drawings = tuple(cut_out(picture) for picture in pictures)
        return cls(word, drawings, tuple(finish for drawing in drawings for finish in other_finishes(drawing)))

    def among(self, scene: Scene, rng: Random) -> Scene:
        """The scene with one of its objects, drawn by lot, turned into this; on paper on which a pen can be seen."""
        place = int(rng.random() * len(scene.objects))
        drawings = self.other_finishes if self.other_finishes and rng.random() < OTHERWISE else self.drawings
        drawing = drawings[int(rng.random() * len(drawings))]
        thing = replace(scene.objects[place], shape=self.word, drawing=drawing)
        objects = (*scene.objects[:place], thing, *scene.objects[place + 1 :])
        return replace(scene, objects=objects, ground=Ground() if scene.ground.noise else scene.ground)


def read_word(typed: str, tokenizer: Tokenizer, taught: tuple[str, ...] = ()) -> str:
    """A typed word as captions will have it; `taught` are words from earlier lessons.

    Raises Unfit ("empty", "letters", "long", "known") for what is no new word.
    """
    word = typed.strip().lower()
    if not word:
        raise Unfit("empty", "Type the word for what you have drawn.")
    language = next((name for name in LANGUAGES if _is_word(word, name)), None)
    if language is None:
        raise Unfit("letters", "A word is one run of English letters or of Chinese characters, no spaces or signs.")
    if len(word) > LONGEST_WORD[language]:
        raise Unfit("long", f"The word is too long; use at most {LONGEST_WORD[language]} letters or characters.")
    if word in tokenizer.vocabulary or word in CHINESE.values() or word in taught:
        raise Unfit("known", f"The model knows the word '{word}' already; choose another one.")
    return word


def _is_word(word: str, language: str) -> bool:
    if language == "en":
        return word.isascii() and word.isalpha()
    return all("\u4e00" <= character <= "\u9fff" for character in word)


def lesson_batch(
    newcomer: Newcomer, run_seed: int, index: int, size: int, level: int, style: str, languages: tuple[str, ...],
    tokenizer: Tokenizer, keep: int | None = None,
) -> Batch:  # fmt: skip
    """Batch `index` of a lesson: scenes with the newcomer, and ordinary ones, so that nothing else is forgotten."""
    rng = Random(f"{run_seed} {index}")
    scenes = []
    for number in range(size):
        with_newcomer = number < SHARE * size
        alone = with_newcomer and rng.random() < ALONE
        scene = sample_scene(training_seed(run_seed, index * size + number), 1 if alone else level, style)
        scenes.append(newcomer.among(scene, rng) if with_newcomer else scene)
    return to_batch(scenes, languages, tokenizer, keep, np.random.default_rng((run_seed, index)))
