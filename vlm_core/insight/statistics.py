"""How sure a measured share is."""

from __future__ import annotations

import torch
from torch import Tensor

DRAWS = 1000


def share_with_interval(right: Tensor, asked: Tensor | None = None, seed: int = 0) -> dict:
    """`right` out of `asked` (scenes; 1 each if left out) as {"mean": 0 to 1, "interval": (low, high)}.

    The interval is a 95 % bootstrap over scenes (Efron 1979): words of one scene stand or fall together, so whole
    scenes are drawn again, not words.
    """
    asked = torch.ones_like(right) if asked is None else asked
    if not asked.sum():
        return {"mean": 0.0, "interval": (0.0, 0.0)}
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(len(right), (DRAWS, len(right)), generator=generator)
    shares = right[drawn].sum(dim=1) / asked[drawn].sum(dim=1).clamp_min(1)
    low, high = shares.quantile(torch.tensor([0.025, 0.975])).tolist()
    return {"mean": (right.sum() / asked.sum()).item(), "interval": (low, high)}
