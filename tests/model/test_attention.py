"""Attention: the fast path is the explicit one, weights are shares, a null key takes what nobody needs."""

import pytest
import torch

from vlm_core.model.attention import Attention


def make(null_key: bool) -> tuple[Attention, torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    attention = Attention(32, 4, null_key=null_key).eval()
    if null_key:
        torch.nn.init.normal_(attention.null_key)
    return attention, torch.randn(2, 5, 32), torch.randn(2, 9, 32)


@pytest.mark.parametrize("null_key", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_fused_and_explicit_paths_agree(null_key, masked):
    attention, x, source = make(null_key)
    bias = torch.zeros(2, 1, 5, 9).masked_fill(torch.rand(2, 1, 5, 9) < 0.4, float("-inf")) if masked else None
    if masked:
        bias[..., 0] = 0  # every query may look at something
    with torch.no_grad():
        fused, no_weights = attention(x, *attention.keys_values(source), bias)
        explicit, weights = attention(x, *attention.keys_values(source), bias, need_weights=True)
    assert no_weights is None
    assert torch.allclose(fused, explicit, atol=1e-5)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 4, 5), atol=1e-5)
    if masked:
        assert (weights[..., :9][(bias == float("-inf")).expand(-1, 4, -1, -1)] == 0).all()


def test_a_strong_null_key_silences_the_output():
    attention, x, source = make(null_key=True)
    keys, values = attention.keys_values(source)
    with torch.no_grad():
        attention.query.weight.zero_()
        attention.query.bias.fill_(1.0)
        attention.null_key.fill_(100.0)
        output, weights = attention(x, keys, values, need_weights=True)
    assert weights[..., -1].min() > 0.99
    assert torch.allclose(output, attention.output.bias.expand_as(output), atol=1e-3)
