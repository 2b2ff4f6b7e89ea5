"""A model grows a word: old rows stay as they are, and the new vocabulary survives saving and loading."""

import pytest
import torch

from vlm_core import VLM, ModelConfig
from vlm_core.model.growth import grow
from vlm_core.scenes.tokenizer import WordTokenizer


@pytest.fixture(scope="module")
def vlm():
    torch.manual_seed(0)
    return VLM(ModelConfig.lecture(), run={"steps": 3}).eval()


@pytest.mark.parametrize(("word", "more"), [("arrow", 1), ("箭头", 2), ("星头", 1), ("星月", 0)])
def test_old_tokens_keep_ids_rows_and_logits_to_the_bit(vlm, word, more):
    before = {name: tensor.clone() for name, tensor in vlm.state_dict().items()}
    grown = grow(vlm, word, ["star", "heart"])
    assert grown.config.vocab_size == len(grown.tokenizer) == len(vlm.tokenizer) + more
    assert grown.tokenizer.vocabulary[: len(vlm.tokenizer)] == vlm.tokenizer.vocabulary
    for name, tensor in grown.state_dict().items():
        assert torch.equal(tensor[: len(before[name])], before[name]), name
    pixels, text = torch.rand(2, 3, 224, 224), torch.tensor([[1, 3, 5, 8]] * 2)
    with torch.no_grad():
        torch.testing.assert_close(grown(pixels, text)[..., : len(vlm.tokenizer)], vlm(pixels, text))
    assert all(torch.equal(tensor, before[name]) for name, tensor in vlm.state_dict().items())
    assert len(vlm.tokenizer) == vlm.config.vocab_size


def test_new_rows_begin_as_the_mean_of_their_kin(vlm):
    grown = grow(vlm, "arrow", ["star", "heart"])
    kin = [vlm.tokenizer.vocabulary.index(word) for word in ("star", "heart")]
    for old, new in [
        (vlm.decoder.token_embedding.weight, grown.decoder.token_embedding.weight),
        (vlm.decoder.projection.weight, grown.decoder.projection.weight),
        (vlm.decoder.projection.bias, grown.decoder.projection.bias),
    ]:
        torch.testing.assert_close(new[-1], old[kin].mean(dim=0))


def test_a_grown_model_comes_back_with_its_words(vlm, tmp_path):
    grown = grow(grow(vlm, "arrow", ["star"]), "箭头", ["star"])
    loaded = VLM.from_pretrained(grown.save_pretrained(tmp_path / "grown"))
    assert loaded.config == grown.config
    assert loaded.tokenizer.to_dict() == grown.tokenizer.to_dict()
    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in grown.state_dict().items())
    text = "a small red arrow left of a large blue 箭头"
    assert loaded.tokenizer.decode(loaded.tokenizer.encode(text, "en")) == text


def test_the_growth_of_a_copy_of_the_tokenizer_leaves_the_world_s_alone(vlm):
    grow(vlm, "arrow", ["star"])
    assert len(WordTokenizer()) == ModelConfig.lecture().vocab_size
