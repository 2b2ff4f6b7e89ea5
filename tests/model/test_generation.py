"""Writing word by word: the cache changes nothing, shares are whole, sampling obeys its knobs."""

import numpy as np
import pytest
import torch

from vlm_core import VLM, ModelConfig, UserError, sample_scene
from vlm_core.model.generation import choose
from vlm_core.model.vision import patchify


@pytest.fixture(scope="module", params=["lecture", "classic"])
def vlm(request):
    torch.manual_seed(3)
    model = VLM(ModelConfig.preset(request.param, ModelConfig.lecture().vocab_size)).eval()
    with torch.no_grad():  # large weights: an untrained model's words must differ from place to place
        for parameter in model.parameters():
            parameter.mul_(2.0)
    return model


def test_cached_decoding_equals_full_recomputation(vlm):
    pixels = torch.rand(1, 3, 224, 224)
    text = torch.randint(0, vlm.config.vocab_size, (1, 24))
    with torch.no_grad():
        image_tokens, _ = vlm.encoder(patchify(pixels, 16))
        full, full_maps = vlm.decoder(text, vlm.decoder.remember(image_tokens), need_weights=True)
        memory = vlm.decoder.remember(image_tokens)
        for start, stop in [(0, 3), (3, 4), (4, 5), (5, 12), (12, 24)]:
            part, maps = vlm.decoder(text[:, start:stop], memory, need_weights=True)
            assert torch.allclose(part, full[:, start:stop], atol=1e-4)
            for ours, whole in zip(maps, full_maps, strict=True):
                assert torch.allclose(ours, whole[:, :, start:stop], atol=1e-5)


def test_each_token_accounts_for_all_of_its_attention(vlm):
    caption = vlm.caption(sample_scene(seed=5).image, "zh")
    assert caption.tokens
    for token in caption.tokens:
        total = token.attention.sum(axis=(2, 3)) + token.null_mass
        np.testing.assert_allclose(total, 1, atol=1e-5)
        assert token.alternatives[0][1] == pytest.approx(token.probability)
        assert [p for _, p in token.alternatives] == sorted((p for _, p in token.alternatives), reverse=True)


def test_the_map_belongs_to_the_position_that_predicts_the_word(vlm):
    picture = sample_scene(seed=5).image
    first = next(iter(vlm.stream(picture, "en")))
    prompt = torch.tensor([[vlm.tokenizer.begin_id, vlm.tokenizer.language_id("en")]])
    with torch.no_grad():
        image_tokens, _ = vlm.encoder(patchify(vlm.pixels(picture), 16))
        logits, maps = vlm.decoder(prompt, vlm.decoder.remember(image_tokens), need_weights=True)
    assert logits[0, -1].argmax().item() == first.id
    np.testing.assert_allclose(first.attention.reshape(-1, 196)[0], maps[0][0, 0, -1, :196].numpy(), atol=1e-6)


def test_sampling_repeats_with_its_seed_and_varies_without(vlm):
    picture = sample_scene(seed=5).image
    texts = [vlm.caption(picture, temperature=2.0, seed=seed).text for seed in (1, 1, 2, 3)]
    assert texts[0] == texts[1]
    assert len(set(texts)) > 1


def test_choose_obeys_top_k_and_top_p():
    probabilities = torch.tensor([0.1, 0.5, 0.3, 0.06, 0.04])
    generator = torch.Generator().manual_seed(0)

    def drawn(**knobs) -> set[int]:
        return {choose(probabilities, 1.0, knobs.get("top_k"), knobs.get("top_p"), generator) for _ in range(300)}

    assert choose(probabilities, 0.0, None, None, generator) == 1
    assert drawn() == {0, 1, 2, 3, 4}
    assert drawn(top_k=2) == {1, 2}
    assert drawn(top_p=0.5) == {1}
    assert drawn(top_p=0.7) == {1, 2}


@pytest.mark.parametrize("knobs", [{"temperature": -1}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.5}])
def test_knobs_out_of_range_are_refused_before_the_first_word(vlm, knobs):
    with pytest.raises(UserError, match="top-k"):
        vlm.stream(sample_scene(seed=5).image, **knobs)
