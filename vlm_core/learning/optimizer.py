"""Muon for the matrices, AdamW for the rest, both on float32 master copies of the weights.

Master copies let the model itself live in bfloat16, which a CPU multiplies several times faster, without the
small updates of late training being rounded away.
"""

from __future__ import annotations

from collections import defaultdict
from functools import reduce

import torch
from torch import Tensor, nn

MUON_RATE = 0.02
ADAM_RATE = 0.003
NOT_INSIDE = ("token_embedding", "positions", "null_key", "projection", "traits")
"""Two-dimensional weights that are tables or outputs rather than maps inside the network."""


class MuonAdamW:
    """One optimizer for a whole model; `step(rate)` moves every weight by its own rate times `rate`.

    Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon) turns the momentum of a matrix into the nearest
    orthogonal matrix, so that every direction of it learns equally fast. It suits the linear layers inside the
    network. Embeddings, positions, norms, biases and the output projection take AdamW (arXiv:1711.05101).
    Matrices of one shape are stacked and orthogonalised together: a few large operations instead of many small.
    With `muon=False` the matrices take AdamW as well, for comparison. Only matrices inside the network decay.
    """

    def __init__(self, model: nn.Module, muon: bool = True, weight_decay: float = 0.01, momentum: float = 0.95):
        self.weight_decay, self.momentum, self.steps = weight_decay, momentum, 0
        matrices, others = [], []
        for name, parameter in model.named_parameters():
            inside = parameter.ndim == 2 and not any(part in name for part in NOT_INSIDE)
            (matrices if inside else others).append(parameter)
        stacks = defaultdict(list)
        for parameter in matrices if muon else ():
            stacks[parameter.shape].append(parameter)
        self.stacks = list(stacks.values())
        self.rest = others if muon else matrices + others
        self.decaying = 0 if muon else sum(parameter.numel() for parameter in matrices)
        """How many numbers at the beginning of `rest_master` decay."""
        self.stack_masters = [torch.stack([p.detach().float() for p in stack]) for stack in self.stacks]
        self.stack_momenta = [torch.zeros_like(master) for master in self.stack_masters]
        self.rest_master = _flatten(self.rest)
        self.rest_mean = torch.zeros_like(self.rest_master)
        self.rest_square = torch.zeros_like(self.rest_master)

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Apply the gradients of the last backward pass and forget them."""
        self.steps += 1
        for stack, master, momentum in zip(self.stacks, self.stack_masters, self.stack_momenta, strict=True):
            gradient = torch.stack([p.grad for p in stack]).float()  # (matrices, rows, columns)
            momentum.lerp_(gradient, 1 - self.momentum)
            update = orthogonalize(gradient.lerp(momentum, self.momentum))
            wide = max(1.0, master.shape[1] / master.shape[2]) ** 0.5
            master.mul_(1 - rate * MUON_RATE * self.weight_decay).sub_(update, alpha=rate * MUON_RATE * wide)
        self._adam(rate * ADAM_RATE)
        self._publish()
        for parameter, _ in self._pairs():
            parameter.grad = None

    def _adam(self, rate: float, betas: tuple[float, float] = (0.9, 0.95), epsilon: float = 1e-8) -> None:
        gradient = torch.cat([p.grad.float().flatten() for p in self.rest])
        self.rest_mean.lerp_(gradient, 1 - betas[0])
        self.rest_square.lerp_(gradient.square(), 1 - betas[1])
        mean = self.rest_mean / (1 - betas[0] ** self.steps)
        square = self.rest_square / (1 - betas[1] ** self.steps)
        self.rest_master[: self.decaying].mul_(1 - rate * self.weight_decay)
        self.rest_master.sub_(mean / (square.sqrt() + epsilon), alpha=rate)

    def _pairs(self) -> list[tuple[nn.Parameter, Tensor]]:
        """Each parameter of the model beside the float32 view of its master copy."""
        pairs = [pair for stack, master in zip(self.stacks, self.stack_masters, strict=True)
                 for pair in zip(stack, master.unbind(), strict=True)]  # fmt: skip
        flat = self.rest_master.split([p.numel() for p in self.rest])
        return pairs + [(p, m.view_as(p)) for p, m in zip(self.rest, flat, strict=True)]

    def _publish(self) -> None:
        parameters, masters = zip(*self._pairs(), strict=True)
        torch._foreach_copy_(parameters, masters)

    def weights(self, model: nn.Module) -> dict[str, Tensor]:
        """The model's weights by name, in full float32 precision."""
        master_of = {id(parameter): master for parameter, master in self._pairs()}
        return {name: master_of[id(parameter)].clone() for name, parameter in model.named_parameters()}

    def state(self) -> dict[str, Tensor]:
        """Every tensor that the next step depends on; `restore` takes it back."""
        tensors = {"rest.master": self.rest_master, "rest.mean": self.rest_mean, "rest.square": self.rest_square}
        for i, (master, momentum) in enumerate(zip(self.stack_masters, self.stack_momenta, strict=True)):
            tensors |= {f"stack.{i}.master": master, f"stack.{i}.momentum": momentum}
        return tensors

    @torch.no_grad()
    def restore(self, state: dict[str, Tensor], steps: int) -> None:
        """Go on where `state` was taken after `steps` steps; the model's weights follow the masters."""
        self.steps = steps
        for name, tensor in self.state().items():
            tensor.copy_(state[name])
        self._publish()


def orthogonalize(matrices: Tensor, iterations: int = 5) -> Tensor:
    """The nearest orthogonal matrix to each of `matrices` (..., rows, columns), roughly, by Newton-Schulz.

    The quintic's coefficients are Muon's own: fast to leave zero, content with singular values near 1. Every iteration
    multiplies X from the left by a polynomial of X Xᵀ, and these commute: so it is enough to follow X Xᵀ, which is
    small where X is wide, and to multiply X once, at the end.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    gram = x @ x.mT
    identity = torch.eye(gram.shape[-1], device=gram.device).expand_as(gram)
    factors = []
    for _ in range(iterations):
        if factors:
            gram = factors[-1] @ gram @ factors[-1]
        factors.append(torch.baddbmm(a * identity + b * gram, gram, gram, alpha=c))
    x = reduce(torch.matmul, factors) @ x
    return x.mT if tall else x


def _flatten(parameters: list[nn.Parameter]) -> Tensor:
    return torch.cat([p.detach().float().flatten() for p in parameters])
