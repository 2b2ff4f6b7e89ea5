"""What a patch sees beside its pixels: how much the picture stands out from its ground, there and around it.

A patch of 16 pixels shows no shape. Attention between patches can put shapes together, but takes thousands of steps
to learn how; a wider and coarser look around each patch shows a whole object at once, in any colour, on any paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

CELL = 4
"""Side of the cells (px) that a picture is reduced to for glances wider than a patch."""


@dataclass(frozen=True)
class Surroundings:
    """What a picture looks like from a step back: needed beside the patches when not all of them are given."""

    ground: Tensor
    """(B, 3): the colour it is drawn on."""
    relief: Tensor
    """(B, rows, columns): how much each cell of CELL × CELL pixels stands out from the ground."""

    @classmethod
    def of(cls, patches: Tensor) -> Surroundings:
        """Found from all patches (B, N, 3·p·p) of a picture."""
        grid, size = math.isqrt(patches.shape[1]), math.isqrt(patches.shape[2] // 3)
        pixels = patches.unflatten(1, (grid, grid)).unflatten(-1, (3, size, size))  # (B, rows, columns, 3, p, p)
        # The median of the border patches' mean colours; every fourth pixel of every fourth row is enough to tell.
        means = pixels[..., 1::4, 1::4].mean(dim=(-2, -1))  # (B, rows, columns, 3)
        border = torch.cat([means[:, 0], means[:, -1], means[:, 1:-1, 0], means[:, 1:-1, -1]], dim=1)
        ground = border.median(dim=1).values
        cells = pixels.unflatten(-1, (-1, CELL)).unflatten(4, (-1, CELL)).mean(dim=(5, 7))
        relief = stand_out(cells, ground[:, None, None, :, None, None], dim=3)  # (B, rows, columns, c, c)
        return cls(ground, relief.transpose(2, 3).flatten(3).flatten(1, 2))


def stand_out(colors: Tensor, ground: Tensor, dim: int) -> Tensor:
    """How far colours are from the ground in their most different channel, which lies along `dim`.

    A shape looks the same in it whatever its colour and its paper, so what is learned of red circles on white serves
    blue ones on a blackboard.
    """
    return (colors - ground).abs().amax(dim=dim)


def glance(relief: Tensor, cell: int, size: int, kept: Tensor | None) -> Tensor:
    """The square of size × size cells around each patch, (B, N, size²); beyond the picture there is only ground.

    Its middle is the patch, the rest what is around it: an overlapping patch embedding (compare PVT v2,
    arXiv:2106.13797) that is coarser where it is wider. `kept` (B, K) picks the patches.
    """
    relief = F.avg_pool2d(relief[:, None], cell // CELL)[:, 0] if cell > CELL else relief
    cells = size // cell  # along a patch
    windows = F.pad(relief, ((size - cells) // 2,) * 4).unfold(1, size, cells).unfold(2, size, cells)
    windows = windows.flatten(3).flatten(1, 2)  # (B, N, size²)
    if kept is None:
        return windows
    first = torch.arange(0, windows.shape[0] * windows.shape[1], windows.shape[1], device=kept.device)
    return windows.flatten(0, 1)[(first[:, None] + kept).flatten()].unflatten(0, kept.shape)
