"""Muon's orthogonalisation, and an optimizer that can be stopped and taken up again."""

import torch
from torch import nn

from vlm_core.learning.optimizer import MuonAdamW, orthogonalize


def test_orthogonalize_evens_out_singular_values_and_keeps_directions():
    torch.manual_seed(0)
    for shape in [(3, 64, 64), (2, 256, 64), (1, 64, 768)]:
        matrices = torch.randn(shape)
        result = orthogonalize(matrices)
        values = torch.linalg.svdvals(result)
        # Five iterations leave the very smallest behind; nine in ten must be near 1.
        assert values.quantile(0.1) > 0.6
        assert values.max() < 1.4
        u, _, vt = torch.linalg.svd(matrices, full_matrices=False)
        aligned = (u @ vt * result).sum((-2, -1)) / ((u @ vt).norm(dim=(-2, -1)) * result.norm(dim=(-2, -1)))
        assert aligned.min() > 0.95


def small_problem(dtype: torch.dtype):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1)).to(dtype)
    x = torch.randn(64, 8)
    return model, x.to(dtype), (x[:, :1] * x[:, 1:2]).to(dtype)


def steps(model, optimizer, x, y, count):
    for _ in range(count):
        loss = (model(x) - y).square().mean()
        loss.backward()
        optimizer.step(1.0)
    return loss.item()


def test_it_learns_and_a_restored_run_continues_to_the_bit():
    model, x, y = small_problem(torch.float32)
    optimizer = MuonAdamW(model)
    first = steps(model, optimizer, x, y, 1)
    steps(model, optimizer, x, y, 40)
    state = {name: tensor.clone() for name, tensor in optimizer.state().items()}
    last = steps(model, optimizer, x, y, 60)
    assert last < 0.2 * first

    other, _, _ = small_problem(torch.float32)
    resumed = MuonAdamW(other)
    resumed.restore(state, steps=41)
    assert steps(other, resumed, x, y, 60) == last
    for name, tensor in resumed.weights(other).items():
        assert torch.equal(tensor, optimizer.weights(model)[name])


def test_master_weights_remember_what_bfloat16_would_round_away():
    model, x, y = small_problem(torch.bfloat16)
    optimizer = MuonAdamW(model)
    before = optimizer.weights(model)["0.bias"]
    for _ in range(5):
        (model(x) - y).square().mean().backward()
        optimizer.step(1e-4)
    after = optimizer.weights(model)["0.bias"]
    assert not torch.equal(before, after)
    assert after.dtype == torch.float32
    assert torch.equal(after.bfloat16(), model[0].bias)
