"""What is done to a model does that and nothing else."""

import numpy as np
import pytest
import torch

from vlm_core import VLM, ModelConfig, UserError, sample_scene
from vlm_core.model.intervention import Intervention, hide
from vlm_core.model.vision import patchify

PICTURE = sample_scene(seed=5).image
SOME = frozenset({0, 17, 100, 101, 195})


def model(preset):
    torch.manual_seed(3)
    vlm = VLM(ModelConfig.preset(preset, ModelConfig.lecture().vocab_size)).eval()
    with torch.no_grad():  # large weights: an untrained model's words must differ from place to place
        for parameter in vlm.parameters():
            parameter.mul_(2.0)
    return vlm


@pytest.fixture(scope="module", params=["lecture", "classic"])
def vlm(request):
    return model(request.param)


def every_head(vlm):
    return frozenset((layer, head) for layer in range(vlm.config.decoder_layers) for head in range(vlm.config.heads))


def logits_of(vlm, intervention, text=((1, 3, 9, 20, 31),)):
    with torch.no_grad():
        image_tokens, _ = vlm.encoder(patchify(vlm.pixels(PICTURE), 16))
        memory = vlm.decoder.remember(image_tokens)
        intervention.silence(memory)
        bias = intervention.image_bias(vlm.config.patches, image_tokens)
        return vlm.decoder(torch.tensor(text), memory, image_bias=bias)[0]


def test_no_intervention_is_plain_speech(vlm):
    plain, same = (list(vlm.stream(PICTURE, "zh", intervention=what)) for what in (None, Intervention()))
    assert [(token.id, token.probability) for token in plain] == [(token.id, token.probability) for token in same]
    for one, other in zip(plain, same, strict=True):
        np.testing.assert_array_equal(one.attention, other.attention)


def test_hidden_patches_get_nothing_and_the_others_share_what_is_left(vlm):
    plain = next(vlm.stream(PICTURE)).attention[0].reshape(vlm.config.heads, -1)  # layer 1: its queries are the same
    hidden = next(vlm.stream(PICTURE, intervention=Intervention(hidden=SOME))).attention[0].reshape(plain.shape)
    gone = np.isin(np.arange(196), list(SOME))
    assert (hidden[:, gone] == 0).all()
    left = 1 - plain[:, gone].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(hidden[:, ~gone], plain[:, ~gone] / left, rtol=1e-4)


def test_with_all_patches_hidden_only_the_null_key_is_left():
    vlm, blind = model("lecture"), Intervention(hidden=frozenset(range(196)))
    for token in vlm.stream(PICTURE, intervention=blind):
        assert (token.attention == 0).all()
        np.testing.assert_allclose(token.null_mass, 1)
    # Which is as if no head looked: what the null key tells is zero.
    torch.testing.assert_close(logits_of(vlm, blind), logits_of(vlm, Intervention(heads_off=every_head(vlm))))


def test_a_model_without_a_null_key_is_left_something_to_look_at():
    with pytest.raises(UserError, match="null key"):
        model("classic").stream(PICTURE, intervention=Intervention(hidden=frozenset(range(196))))


def test_a_head_that_is_off_adds_exactly_nothing(vlm):
    off = Intervention(heads_off=frozenset({(0, 1)}))
    silent, spoken = logits_of(vlm, off), logits_of(vlm, Intervention())
    assert not torch.allclose(silent, spoken)
    attention, size = vlm.decoder.blocks[0].cross_attention, vlm.config.width // vlm.config.heads
    kept = attention.output.weight.detach().clone()
    with torch.no_grad():
        attention.output.weight[:, size : 2 * size] = torch.randn(vlm.config.width, size)  # how it would be read
        assert torch.equal(logits_of(vlm, off), silent)
        attention.output.weight[:, size : 2 * size] = 0
        torch.testing.assert_close(logits_of(vlm, Intervention()), silent)
        attention.output.weight.copy_(kept)


def test_a_forced_word_is_said_and_the_rest_goes_on_from_it(vlm):
    plain = vlm.caption(PICTURE).tokens
    forced = next(token for token in range(10, 30) if token != plain[1].id)
    said = vlm.caption(PICTURE, intervention=Intervention(forced=((1, forced),))).tokens
    assert (said[0].id, said[1].id) == (plain[0].id, forced)
    assert said[1].alternatives == plain[1].alternatives  # what it thinks of the place has not changed
    assert said[1].probability < plain[1].probability
    prompt = ((vlm.tokenizer.begin_id, vlm.tokenizer.language_id("en"), plain[0].id, forced),)
    assert said[2].id == logits_of(vlm, Intervention(), prompt)[0, -1].argmax()


@pytest.mark.parametrize(
    "impossible",
    [
        Intervention(hidden=frozenset({196})),
        Intervention(hidden=frozenset({-1})),
        Intervention(heads_off=frozenset({(2, 0)})),
        Intervention(heads_off=frozenset({(0, 4)})),
        Intervention(forced=((0, 10_000),)),
        Intervention(forced=((-1, 3),)),
    ],
)
def test_what_cannot_be_is_refused_before_the_first_word(vlm, impossible):
    with pytest.raises(UserError, match=r"numbered|forced"):
        vlm.stream(PICTURE, intervention=impossible)


def test_each_caption_has_its_own_hidden_patches():
    bias = hide([(), (3, 5)], 6, torch.zeros(1))
    assert bias.shape == (2, 1, 1, 6)
    assert (bias == 0).all(dim=-1).flatten().tolist() == [True, False]
    assert torch.isneginf(bias[1]).flatten().nonzero().flatten().tolist() == [3, 5]
