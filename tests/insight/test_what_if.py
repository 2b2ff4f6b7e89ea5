"""What an intervention did is measured word by word, and disagreement with attention is called by its name."""

import numpy as np
import pytest

from vlm_core import VLM, UserError, sample_scene
from vlm_core.insight.what_if import FELL, LITTLE, MUCH, STAYED, judge, looked_at, mean_map, measure_need, what_if
from vlm_core.model.intervention import Intervention
from vlm_core.scenes.repaint import repaint
from vlm_core.scenes.scene import patch_coverage

SCENE = sample_scene(seed=11, level=2, style="clean")


@pytest.fixture(scope="module")
def vlm():
    return VLM.from_pretrained()


def object_of(scene, thing=0):
    return frozenset((patch_coverage(scene)[thing] > 0).nonzero()[0].tolist())


def place_of(found, word):
    return [token.text for token in found.before.tokens].index(word)


@pytest.mark.parametrize(
    ("looked", "fall", "even", "verdict"),
    [
        (0.9, 0.8, 0.1, "needed"),
        (MUCH, FELL, 0.1, "needed"),
        (0.9, 0.0, 0.1, "unneeded"),
        (0.9, -0.3, 0.1, "unneeded"),
        (0.9, STAYED, 0.1, None),
        (0.4, 0.0, 0.5, None),  # half of the picture got less than half of the attention: that is not looking there
        (LITTLE, FELL, 0.1, "unseen"),
        (0.0, 0.9, 0.7, "unseen"),
        (0.0, 0.0, 0.1, None),
        (0.2, 0.9, 0.1, None),
    ],
)
def test_attention_and_effect_are_held_against_each_other(looked, fall, even, verdict):
    assert judge(looked, fall, even) == verdict


def test_where_nothing_is_changed_nothing_changes(vlm):
    found = what_if(vlm, SCENE.image, "zh", Intervention())
    assert found.after.text == found.before.text == SCENE.caption("zh")
    for token, effect in zip(found.before.tokens, found.effects, strict=True):
        assert effect.after == pytest.approx(token.probability, abs=1e-4)
        assert (effect.looked, effect.fall, effect.verdict) == (0, 0, None)


def test_without_its_object_a_word_is_lost_and_without_other_patches_it_is_not(vlm):
    hidden = object_of(SCENE)
    found = what_if(vlm, SCENE.image, "en", Intervention(hidden=hidden))
    word = place_of(found, SCENE.objects[0].color)
    effect = found.effects[word]
    assert effect.looked > MUCH and effect.fall > FELL and effect.verdict == "needed"
    assert effect.after == pytest.approx(found.before.tokens[word].probability - effect.fall, abs=1e-4)
    assert found.after.text != found.before.text
    seen = object_of(SCENE) | object_of(SCENE, 1)
    elsewhere = frozenset([patch for patch in range(196) if patch not in seen][::9])
    for effect in what_if(vlm, SCENE.image, "en", Intervention(hidden=elsewhere)).effects:
        assert effect.fall < FELL and effect.verdict is None


def test_share_of_attention_is_that_of_the_caption(vlm):
    hidden = frozenset(range(50, 90))
    found = what_if(vlm, SCENE.image, "en", Intervention(hidden=hidden))
    for token, effect in zip(found.before.tokens, found.effects, strict=True):
        assert effect.looked == pytest.approx(mean_map(token)[list(hidden)].sum(), abs=1e-3)


def test_effect_on_a_word_is_that_of_the_caption_as_long_as_it_stays_the_same(vlm):
    found = what_if(vlm, SCENE.image, "en", Intervention(heads_off=frozenset({(0, 1)})))
    for before, after, effect in zip(found.before.tokens, found.after.tokens, found.effects, strict=False):
        if before.id != after.id:
            break
        assert effect.after == pytest.approx(after.probability, abs=1e-4)


def test_verdicts_are_about_the_hidden_patches_whatever_else_is_changed(vlm):
    off = frozenset({(0, 0), (0, 1)})
    for effect in what_if(vlm, SCENE.image, "en", Intervention(object_of(SCENE), off)).effects:
        assert effect.looked == 0 and effect.fall == pytest.approx(0, abs=1e-4)  # no head is on that could miss them
        assert effect.verdict is None


def test_a_forced_word_has_its_say_in_those_that_follow(vlm):
    plain = what_if(vlm, SCENE.image, "en", Intervention())
    place = place_of(plain, SCENE.objects[0].size)
    other = vlm.tokenizer.vocabulary.index({"large": "small", "small": "large"}[SCENE.objects[0].size])
    found = what_if(vlm, SCENE.image, "en", Intervention(forced=((place, other),)))
    assert found.after.tokens[place].id == other
    for word in range(place + 1):  # and none in those before
        assert found.effects[word].after == pytest.approx(plain.effects[word].after, abs=1e-4)
    assert any(found.effects[word].after != plain.effects[word].after for word in range(place + 1, len(plain.effects)))


def test_another_colour_takes_the_old_one_s_word_away(vlm):
    scene = sample_scene(seed=11, level=1, style="clean")
    old = scene.objects[0].color
    new = "blue" if old != "blue" else "green"
    found = what_if(vlm, scene.image, "en", Intervention(), repaint(scene.image, old, new))
    assert new in [token.text for token in found.after.tokens]
    word = place_of(found, old)
    assert found.effects[word].after < 0.2 < found.before.tokens[word].probability


def test_a_head_that_is_off_has_no_say_in_where_a_word_looked(vlm):
    token = vlm.caption(SCENE.image).tokens[1]
    np.testing.assert_allclose(mean_map(token, {(0, 0)}), token.attention[0, 1].flatten())
    assert (mean_map(token, {(0, 0), (0, 1)}) == 0).all()
    assert mean_map(token).sum() + token.null_mass.mean() == pytest.approx(1, abs=1e-4)


def test_need_is_measured_on_what_the_word_looks_at_and_on_as_much_by_lot(vlm):
    found = what_if(vlm, SCENE.image, "en", Intervention())
    word = place_of(found, SCENE.objects[0].shape)
    need = measure_need(vlm, SCENE.image, "en", word)
    assert need == measure_need(vlm, SCENE.image, "en", word)
    hidden = looked_at(found.before.tokens[word], vlm)
    assert need.hidden == len(hidden) > 0
    effect = what_if(vlm, SCENE.image, "en", Intervention(frozenset(hidden))).effects[word]
    assert need.attended == pytest.approx(effect.fall, abs=1e-4)
    assert need.attended > max(need.random)


def test_what_a_model_cannot_do_is_told(vlm):
    with pytest.raises(UserError, match="heads"):
        what_if(vlm, SCENE.image, "en", Intervention(heads_off=frozenset({(7, 0)})))
