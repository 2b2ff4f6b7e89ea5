"""A walk shows the model's own tensors: the same logits, the same attention, one thing leading to the next."""

import threading

import pytest
import torch

from vlm_core import sample_scene
from vlm_core.insight.walk import Recorder, read, see, telling_patch
from vlm_core.model.vision import patchify

PICTURE = sample_scene(seed=11).image


@pytest.fixture(scope="module")
def sight(vlm):
    return see(vlm, vlm.pixels(PICTURE))


def prompt(vlm):
    return [vlm.tokenizer.begin_id, vlm.tokenizer.language_id("zh")]


def test_logits_are_those_of_a_plain_forward_pass(vlm, sight):
    ids = [*prompt(vlm), 20, 31, 44]
    with torch.no_grad():
        logits = vlm(sight.pixels, torch.tensor([ids]))
    assert torch.allclose(read(vlm, sight.image_tokens, ids).logits, logits, atol=1e-4)


def test_each_word_looks_where_the_caption_says_it_looked(vlm, sight):
    tokens = tuple(vlm.stream(PICTURE, "zh"))[:4]
    assert tokens
    for place, token in enumerate(tokens):
        reading = read(vlm, sight.image_tokens, prompt(vlm) + [earlier.id for earlier in tokens[:place]])
        weights = torch.stack([layer.looking.weights[0, :, -1] for layer in reading.layers])
        assert weights[..., :196].flatten() == pytest.approx(token.attention.flatten(), abs=1e-5)
        assert weights[..., 196:].sum(-1).flatten() == pytest.approx(token.null_mass.flatten(), abs=1e-5)
        assert reading.logits[0, -1].softmax(-1)[token.id] == pytest.approx(token.probability, abs=1e-4)


def test_what_patches_look_at_and_their_tokens_are_the_encoders(vlm, sight):
    with torch.no_grad():
        image_tokens, maps = vlm.encoder(patchify(sight.pixels, 16), need_weights=True)
    assert torch.allclose(sight.image_tokens, image_tokens, atol=1e-5)
    for attended, weights in zip(sight.layers, maps, strict=True):
        assert torch.allclose(attended.weights, weights, atol=1e-5)


def test_scores_make_the_weights_and_weights_the_output(vlm, sight):
    reading = read(vlm, sight.image_tokens, [*prompt(vlm), 20, 31])
    looked = [(f"decoder.blocks.{i}.cross_attention", layer.looking) for i, layer in enumerate(reading.layers)]
    heard = [(f"decoder.blocks.{i}.self_attention", layer.listening) for i, layer in enumerate(reading.layers)]
    saw = [(f"encoder.blocks.{i}.attention", attended) for i, attended in enumerate(sight.layers)]
    for name, attended in looked + heard + saw:
        assert torch.allclose(attended.scores.softmax(-1), attended.weights, atol=1e-6)
        with torch.no_grad():
            assert torch.allclose(vlm.get_submodule(name).output(attended.context), attended.output, atol=1e-5)
    for _, attended in heard:
        assert attended.weights[0, 0].triu(1).abs().max() == 0  # nobody hears what comes later


def test_positions_are_what_is_added_to_the_embedding(vlm, sight):
    assert torch.allclose(sight.embedded + vlm.encoder.positions, sight.placed, atol=1e-6)
    assert torch.equal(sight.seen[..., : vlm.config.patch_values], sight.patches)


def test_a_recording_shares_the_weights_and_leaves_the_model_alone(vlm):
    record = Recorder(vlm)
    theirs = {parameter.data_ptr() for parameter in record.vlm.parameters()}
    assert theirs == {parameter.data_ptr() for parameter in vlm.parameters()}
    assert not any(module._forward_hooks for module in vlm.modules())
    stranger = threading.Thread(target=lambda: vlm.encoder(torch.rand(1, 196, 768)))
    stranger.start()
    stranger.join()
    assert not record.inputs


def test_the_telling_patch_lies_on_an_edge():
    patches = torch.full((1, 4, 768), 0.5)
    patches[0, 2, ::2] = 1.0
    assert telling_patch(patches) == 2
