"""From pixels to image tokens: cut the picture into patches, embed them, let neighbours talk."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vlm_core.config import ModelConfig
from vlm_core.model.attention import Attention, FeedForward
from vlm_core.model.glances import Surroundings, glance, stand_out

WAVE_HEIGHT = 0.3


def patchify(pixels: Tensor, patch_size: int) -> Tensor:
    """Cut pictures (B, 3, height, width) into patches (B, N, 3·p·p), row by row over the grid.

    Within a patch the numbers run (channel, row, column), as `torch.nn.functional.unfold` orders them.
    """
    p = patch_size
    grid = pixels.unflatten(2, (-1, p)).unflatten(4, (-1, p))  # (B, 3, rows, p, columns, p)
    return grid.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)  # (B, N, 3·p·p)


def starting_positions(config: ModelConfig) -> Tensor:
    """What the learned positions (N, D) start from: noise, as in ViT, or waves when words are to ask *where*.

    Waves from a quarter to four periods along each axis (compare "Attention Is All You Need", section 3.5): left
    and right, top and bottom differ from the first step on, instead of after some hundreds.
    """
    if not config.positions_in_memory:
        return torch.randn(config.patches, config.width) * 0.02
    frequencies = 2 * math.pi * torch.logspace(math.log10(0.25), math.log10(4), config.width // 4)
    phases = (torch.arange(config.grid) + 0.5)[:, None] / config.grid * frequencies
    axis = torch.cat([phases.sin(), phases.cos()], dim=-1)  # (grid, D / 2)
    rows, columns = axis[:, None].expand(-1, config.grid, -1), axis[None].expand(config.grid, -1, -1)
    return WAVE_HEIGHT * torch.cat([rows, columns], dim=-1).flatten(0, 1)


def window_bias(grid: int, radius: int) -> Tensor:
    """Attention bias (N, N): 0 between patches at most `radius` rows and columns apart, -inf beyond."""
    row, column = torch.arange(grid**2) // grid, torch.arange(grid**2) % grid
    apart = torch.maximum((row[:, None] - row).abs(), (column[:, None] - column).abs())
    return torch.zeros(grid**2, grid**2).masked_fill(apart > radius, float("-inf"))


class EncoderBlock(nn.Module):
    """Self-attention and feed-forward, each with a residual and a norm before it or after the sum."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.norm_first = config.norm_first
        self.attention = Attention(config.width, config.heads)
        self.feed_forward = FeedForward(config.width, config.feed_forward)
        self.attention_norm = nn.LayerNorm(config.width)
        self.feed_forward_norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, bias: Tensor | None, need_weights: bool = False) -> tuple[Tensor, Tensor | None]:
        """(B, N, D) → (B, N, D), and the weights (B, H, N, N) if asked for."""
        if self.norm_first:
            y = self.attention_norm(x)
            y, weights = self.attention(y, *self.attention.keys_values(y), bias, need_weights)
            x = x + y
            return x + self.feed_forward(self.feed_forward_norm(x)), weights
        y, weights = self.attention(x, *self.attention.keys_values(x), bias, need_weights)
        x = self.attention_norm(x + y)
        return self.feed_forward_norm(x + self.feed_forward(x)), weights


def patch_embedding(config: ModelConfig) -> nn.Module:
    """(…, C·p·p) → (…, D): the linear layer of ViT, or two with a ReLU between.

    The first of two starts from filters that are random but smooth. White noise averages out over a flat patch,
    so filters of it are nearly blind at first to what these pictures are made of: areas of one colour.
    """
    if config.patch_hidden is None:
        return nn.Linear((3 + len(config.glances)) * config.patch_size**2, config.width)
    size, channels = config.patch_size, 3 + len(config.glances)
    first = nn.Linear(channels * size**2, config.patch_hidden)
    filters = torch.randn(channels * config.patch_hidden, 1, size, size)
    binomial = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    blur = (binomial[:, None] * binomial)[None, None]
    for _ in range(2):
        filters = F.conv2d(F.pad(filters, (2, 2, 2, 2), mode="reflect"), blur)
    with torch.no_grad():
        first.weight.copy_(filters.view_as(first.weight) * (0.02 / filters.std()))
    return nn.Sequential(first, nn.ReLU(), nn.Linear(config.patch_hidden, config.width))


class VisionEncoder(nn.Module):
    """A Vision Transformer (arXiv:2010.11929) without a class token: one image token per patch.

    With `encoder_radius` a patch only hears patches that close, so a token goes on meaning its own place
    (patch tokens that mix globally stop doing so: arXiv:2312.01597).
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.patch_size = config.patch_size
        self.patch_embedding = patch_embedding(config)
        self.positions = nn.Parameter(starting_positions(config))
        self.blocks = nn.ModuleList(EncoderBlock(config) for _ in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.width)
        self.glances = config.glances
        self.positions_in_memory = config.positions_in_memory
        window = None if config.encoder_radius is None else window_bias(config.grid, config.encoder_radius)
        self.register_buffer("window", window, persistent=False)

    def forward(
        self,
        patches: Tensor,
        kept: Tensor | None = None,
        key_bias: Tensor | None = None,
        surroundings: Surroundings | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, list[Tensor]]:
        """Patches (B, N, 3·p·p), values in [0, 1], → image tokens (B, N, D) and each layer's weights if asked for.

        `kept` (B, K) names the grid cells that `patches` (B, K, 3·p·p) come from when only some are given; the
        picture's `surroundings`, found by itself when all are, must then be given too. `key_bias` (K) is added to
        what each patch scores as a key: log 3 makes it count for three.
        """
        positions, window = self.positions, self.window
        if kept is not None:
            positions = positions[kept]  # (B, K, D)
            if window is not None:
                window = window.take(kept[:, :, None] * len(window) + kept[:, None, :]).unsqueeze(1)  # (B, 1, K, K)
        bias = window if key_bias is None else key_bias if window is None else window + key_bias
        x = self.embed(patches, kept, surroundings) + positions
        maps = []
        for block in self.blocks:
            x, weights = block(x, bias, need_weights)
            maps.append(weights)
        x = self.norm(x)
        if self.positions_in_memory:
            x = x + positions
        return x, maps if need_weights else []

    def embed(self, patches: Tensor, kept: Tensor | None, surroundings: Surroundings | None) -> Tensor:
        """Patches (B, N, 3·p·p) → their embeddings (B, N, D); see `forward`."""
        if not self.glances:
            return self.patch_embedding(patches)
        around = surroundings or Surroundings.of(patches)
        seen = [patches]
        for cell in self.glances:
            if cell == 1:
                colors = patches.unflatten(-1, (3, -1))  # (B, N, 3, p·p)
                seen.append(stand_out(colors, around.ground[:, None, :, None], dim=2))
            else:
                seen.append(glance(around.relief, cell, self.patch_size, kept))
        return self.patch_embedding(torch.cat(seen, dim=-1))
