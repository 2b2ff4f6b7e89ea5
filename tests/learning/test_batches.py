"""Batches say what the scenes say, and kept patches stand for the whole picture."""

import numpy as np
import torch

from vlm_core import sample_scene
from vlm_core.model.glances import Surroundings
from vlm_core.model.vision import patchify
from vlm_core.scenes.batches import IGNORED, SLOTS, evaluation_scenes, to_batch, training_batch
from vlm_core.scenes.tokenizer import WordTokenizer

TOKENIZER = WordTokenizer()


def test_all_patches_are_the_picture_cut_as_the_model_cuts_it():
    scenes = [sample_scene(seed) for seed in range(3)]
    batch = to_batch(scenes, ("en",), TOKENIZER)
    pixels = torch.from_numpy(np.stack([scene.pixels for scene in scenes])).permute(0, 3, 1, 2)
    assert torch.equal(torch.from_numpy(batch.patches), patchify(pixels, 16))


def test_the_surroundings_told_are_those_the_model_finds_by_itself():
    scenes = [sample_scene(seed, level=3) for seed in range(20)]
    whole = to_batch(scenes, ("en",), TOKENIZER)
    some = to_batch(scenes, ("en",), TOKENIZER, keep=64, rng=np.random.default_rng(0))
    found = Surroundings.of(torch.from_numpy(whole.patches).float() / 255)
    assert torch.allclose(found.ground, torch.from_numpy(some.ground), atol=1e-5)
    assert (255 * found.relief - torch.from_numpy(some.relief)).abs().max() <= 1.01  # rounded to whole numbers


def test_kept_patches_are_those_of_their_cells_and_stand_for_all():
    scenes = [sample_scene(seed, level=3) for seed in range(4)]
    whole = to_batch(scenes, ("en",), TOKENIZER)
    some = to_batch(scenes, ("en",), TOKENIZER, keep=64, rng=np.random.default_rng(0))
    for row, cells in enumerate(some.kept):
        assert len(set(cells.tolist())) == 64
        np.testing.assert_array_equal(some.patches[row], whole.patches[row, cells])
        np.testing.assert_array_equal(some.coverage[row], whole.coverage[row][:, cells])
    assert some.stands_for.sum() == 196


def test_kept_patches_hold_the_objects():
    """Most of what is covered is kept, though masks are never read to choose."""
    batch = to_batch([sample_scene(seed, 2, "clean") for seed in range(50)], ("en",), TOKENIZER)
    kept = to_batch(
        [sample_scene(seed, 2, "clean") for seed in range(50)], ("en",), TOKENIZER, 64, np.random.default_rng(0)
    )
    assert kept.coverage.sum() > 0.9 * batch.coverage.sum()


def test_rows_hold_both_captions_token_by_token():
    scenes = evaluation_scenes(5, level=2, style="clean")
    batch = to_batch(scenes, ("en", "zh"), TOKENIZER)
    for row, scene in enumerate(scenes):
        for segment, language in enumerate(("en", "zh")):
            mine = batch.segments[row] == segment
            targets = batch.targets[row][mine]
            assert targets[0] == IGNORED
            assert TOKENIZER.decode(targets[1:].tolist()) == scene.caption(language)
            assert targets[-1] == TOKENIZER.end_id
            np.testing.assert_array_equal(batch.positions[row][mine], np.arange(mine.sum()))
            for slot, thing, token in zip(batch.slots[row][mine], batch.objects[row][mine], targets, strict=True):
                if language == "en" and SLOTS[slot] in ("color", "shape", "size"):
                    assert TOKENIZER.token_text(token) == getattr(scene.objects[thing], SLOTS[slot])


def test_a_training_batch_repeats_and_the_next_differs():
    arguments = {"run_seed": 3, "size": 4, "level": 2, "style": "drawn", "languages": ("en",), "tokenizer": TOKENIZER}
    first, again, other = (training_batch(index=i, keep=32, **arguments) for i in (5, 5, 6))
    np.testing.assert_array_equal(first.patches, again.patches)
    np.testing.assert_array_equal(first.kept, again.kept)
    assert not np.array_equal(first.patches, other.patches)
