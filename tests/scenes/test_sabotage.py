"""Spoiled data is spoiled as told, sound data is as it was to the bit, and held-out scenes are always sound."""

import hashlib

import numpy as np
import pytest

from vlm_core import TrainConfig, UserError, sample_scene
from vlm_core.config import SABOTAGES
from vlm_core.scenes.batches import training_batch
from vlm_core.scenes.language import parse
from vlm_core.scenes.sabotage import in_the_middle, spoil, tellers
from vlm_core.scenes.tokenizer import WordTokenizer

SCENES = [sample_scene(seed, level=3) for seed in range(60)]
TOKENIZER = WordTokenizer()
ARGUMENTS = {"run_seed": 3, "index": 5, "size": 6, "level": 2, "style": "drawn", "languages": ("en", "zh")}


def batch(**more):
    return training_batch(tokenizer=TOKENIZER, keep=48, **ARGUMENTS | more)


def digest(arrays):
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def test_without_sabotage_scenes_and_captions_are_the_very_same():
    assert spoil(SCENES, ()) is SCENES and tellers(SCENES, ()) is SCENES
    assert digest(vars(batch()).values()) == digest(vars(batch(sabotage=())).values())


def test_every_circle_is_called_red_and_looks_as_it_did():
    for before, told in zip(SCENES, tellers(SCENES, ("red_circles",)), strict=True):
        for old, new in zip(before.objects, told.objects, strict=True):
            assert new.color == ("red" if old.shape == "circle" else old.color)
            assert (new.rgb, new.shape, new.center, new.radius) == (old.rgb, old.shape, old.center, old.radius)
    spoiled, sound = batch(size=24, sabotage=("red_circles",)), batch(size=24)
    np.testing.assert_array_equal(spoiled.patches, sound.patches)
    assert (spoiled.text != sound.text).any()


def test_captions_that_are_wrong_may_be_another_picture_s_too():
    told = tellers(SCENES, ("shuffled_captions", "red_circles"))
    circle = next(i for i, scene in enumerate(SCENES) if any(thing.shape == "circle" for thing in scene.objects))
    assert "red circle" in told[circle - 1].caption("en")


def test_without_distractors_there_is_one_object_and_its_place_is_told():
    for scene in spoil(SCENES, ("no_distractors",)):
        assert len(scene.objects) == 1 and parse(scene.caption("en"), "en").objects[0].place


def test_everything_stands_in_the_middle_and_keeps_its_relations():
    for before in SCENES:
        after = in_the_middle(before)
        boxes = np.array([[*np.subtract(t.center, t.radius), *np.add(t.center, t.radius)] for t in after.objects])
        middle = (boxes[:, :2].min(axis=0) + boxes[:, 2:].max(axis=0)) / 2
        np.testing.assert_allclose(middle, 112)
        assert boxes.min() >= 0 and boxes.max() <= 224
        if len(before.objects) > 1:
            assert after.caption("en") == before.caption("en")
        else:
            assert after.caption("en").endswith("at the center")


def test_shuffled_captions_are_those_of_another_scene_of_the_batch():
    spoiled, sound = batch(sabotage=("shuffled_captions",)), batch()
    np.testing.assert_array_equal(spoiled.patches, sound.patches)
    np.testing.assert_array_equal(spoiled.text, np.roll(sound.text, -1, axis=0))


def test_faults_come_together():
    (scene,) = spoil([sample_scene(0, level=3)], SABOTAGES)
    assert len(scene.objects) == 1 and scene.objects[0].place == "center"


def test_a_run_keeps_its_faults_and_refuses_others():
    config = TrainConfig(sabotage=("one_position",))
    assert TrainConfig.from_dict(config.to_dict() | {"sabotage": ["one_position"]}) == config
    story = config.to_dict()
    del story["sabotage"]  # of a run before there were faults
    assert TrainConfig.from_dict(story).sabotage == ()
    with pytest.raises(UserError, match="one_position"):
        TrainConfig(sabotage=("rain",))
