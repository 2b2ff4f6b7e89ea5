"""Objects in captions are counted by colour and shape: missing, invented, or both at once."""

import pytest

from vlm_core import VLM, sample_scene
from vlm_core.insight.captions import count_objects, write_captions
from vlm_core.scenes.batches import evaluation_scenes, to_batch
from vlm_core.scenes.language import Facts, ObjectFacts

RED_STAR, BLUE_MOON = ObjectFacts("star", "red", "large"), ObjectFacts("moon", "blue", "small")
TWO = Facts((RED_STAR, BLUE_MOON), "left of")


def counts(text: str) -> tuple:
    told = count_objects([TWO], [text], "en")
    return told.there.item(), told.missed.item(), told.named.item(), told.hallucinated.item(), told.readable.item()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a large red star left of a small blue moon", (2, 0, 2, 0, 1)),
        ("a small red star above a large blue moon", (2, 0, 2, 0, 1)),  # sizes and relation are other slots
        ("a large red moon left of a small blue star", (2, 2, 2, 2, 1)),  # the right words on the wrong objects
        ("a large red star at the top", (2, 1, 1, 0, 1)),
        ("a large red star, a small blue moon and a small green heart", (2, 0, 3, 1, 1)),
        ("a large red star left of a large red star", (2, 1, 2, 1, 1)),
        ("large large large", (2, 2, 0, 0, 0)),
    ],
)
def test_objects_are_counted_by_colour_and_shape(text, expected):
    assert counts(text) == expected


def test_a_true_caption_misses_and_invents_nothing_in_both_languages():
    scenes = [sample_scene(seed, level=3) for seed in range(20)]
    for language in ("en", "zh"):
        told = count_objects([scene.facts for scene in scenes], [s.caption(language) for s in scenes], language)
        assert not told.missed.any() and not told.hallucinated.any() and told.readable.all()
        assert told.there.tolist() == [len(scene.objects) for scene in scenes]


def test_captions_written_together_are_those_written_one_by_one():
    vlm = VLM.from_pretrained()
    scenes = evaluation_scenes(10, 3, "drawn")
    batches = [to_batch(scenes[:6], ("en", "zh"), vlm.tokenizer), to_batch(scenes[6:], ("en", "zh"), vlm.tokenizer)]
    for language in ("en", "zh"):
        assert write_captions(vlm, batches, language) == [vlm.caption(s.image, language).text for s in scenes]
