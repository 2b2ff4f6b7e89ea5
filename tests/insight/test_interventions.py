"""Hidden patches are really hidden, nothing else is, and words are judged where they are decided."""

import pytest
import torch

from vlm_core import VLM
from vlm_core.insight.grounding import choose_head, map_of
from vlm_core.insight.interventions import Seen, occlude, probability_without
from vlm_core.insight.words import read_words
from vlm_core.scenes.batches import SLOTS, evaluation_scenes, to_batch


@pytest.fixture(scope="module")
def seen():
    vlm = VLM.from_pretrained()
    scenes = evaluation_scenes(12, 2, "clean")
    batches = [to_batch(part, ("en", "zh"), vlm.tokenizer) for part in (scenes[:5], scenes[5:])]
    return vlm, scenes, batches, read_words(vlm, batches)


def test_each_word_is_judged_once_by_the_token_that_decides_it(seen):
    vlm, scenes, _, words = seen
    for number, scene in enumerate(scenes):
        for language, name in enumerate(("en", "zh")):
            mine = (words.scene == number) & (words.language == language)
            told = [word for word in scene.words(name) if word.slot != "function"]
            # In English a place or a relation may be two words; they are one thing to look for.
            pairs = zip([None, *told], told, strict=False)
            starts = [word for last, word in pairs if not last or (last.slot, last.object) != (word.slot, word.object)]
            assert [SLOTS[slot] for slot in words.slot[mine]] == [word.slot for word in starts]
            tokens = [vlm.tokenizer.token_text(token) for token in words.token[mine]]
            assert all(word.text.startswith(token) for token, word in zip(tokens, starts, strict=True))


def test_maps_and_probabilities_are_those_of_the_caption_written_word_by_word(seen):
    vlm, scenes, _, words = seen
    scene, mine = scenes[0], (words.scene == 0) & (words.language == 0)
    caption = vlm.caption(scene.image)
    assert caption.text == scene.caption("en")
    by_text = {token.text: token for token in caption.tokens}
    for maps, token, probability in zip(words.maps[mine], words.token[mine], words.probability[mine], strict=True):
        spoken = by_text[vlm.tokenizer.token_text(token)]
        # A batch carries what stands out in whole steps of 1/255, a picture of its own does not.
        assert probability == pytest.approx(spoken.probability, abs=0.005)
        assert torch.allclose(maps, torch.from_numpy(spoken.attention).flatten(2), atol=0.01)


def test_touched_patches_are_those_of_the_words_own_object(seen):
    _, scenes, _, words = seen
    for number, scene in enumerate(scenes):
        if len(scene.objects) == 2:
            first, second = (torch.from_numpy(m).view(14, 16, 14, 16).any(3).any(1).flatten() for m in scene.masks)
            color = words.touched[(words.scene == number) & (words.language == 0) & words.of("color")]
            assert torch.equal(color, torch.stack([first, second]))
            relation = words.touched[(words.scene == number) & (words.language == 0) & words.of("relation")]
            assert torch.equal(relation, (first | second)[None])


def test_hiding_nothing_changes_nothing(seen):
    vlm, _, batches, words = seen
    nothing = torch.zeros(words.touched.shape, dtype=torch.bool)
    assert torch.allclose(probability_without(Seen.by(vlm, batches), words, nothing), words.probability, atol=1e-4)


def test_hiding_the_object_takes_the_word_away_and_hiding_as_much_ground_does_not(seen):
    vlm, _, batches, words = seen
    some = words.sample(words.of("shape"), 100)
    far = ~torch.nn.functional.max_pool2d(some.touched.float().view(-1, 1, 14, 14), 5, 1, 2).bool().flatten(1)
    ground = far & (far.cumsum(1) <= some.touched.sum(1, keepdim=True))
    without_object = probability_without(Seen.by(vlm, batches), some, some.touched)
    without_ground = probability_without(Seen.by(vlm, batches), some, ground)
    assert without_object.mean() < 0.6 < without_ground.mean()


def test_what_is_hidden_by_lot_is_as_much_as_what_was_attended(seen):
    vlm, _, batches, words = seen
    some = words.sample(words.of("color", "shape"), 40)
    effect = occlude(Seen.by(vlm, batches), some, map_of(some.maps, choose_head(some)))
    attended = map_of(some.maps, choose_head(some)) > 1 / 197 * (1 + 1e-4)
    assert torch.equal(effect.hidden, attended.sum(1))
    assert effect.attended.mean() > effect.random.mean()


def test_a_sample_is_spread_over_all_words(seen):
    words = seen[3]
    some = words.sample(words.of("color"), 6)
    assert len(some.token) == 6
    assert some.scene.min() < 3 and some.scene.max() > 8
