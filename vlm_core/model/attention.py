"""Attention: one class for self-attention and cross-attention, with the weights handed back when asked for.

Letters in shape comments, here and in the whole package: B batch, T text tokens, S tokens looked at,
N image patches, H heads, D width, d = D / H.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """softmax(Q Kᵀ / √d + bias) V over several heads ("Attention Is All You Need", arXiv:1706.03762).

    Queries come from one sequence, keys and values from another (or the same). With `null_key`, one more
    learned key stands beside those of the source. Its value is zero, so attention spent on it adds nothing:
    a word that needs no picture has somewhere to look (compare the sink logits of gpt-oss).
    """

    def __init__(self, width: int, heads: int, null_key: bool = False):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)
        self.null_key = nn.Parameter(torch.zeros(heads, width // heads)) if null_key else None

    def keys_values(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of `source` (B, S, D), each (B, H, S, d). Compute once, attend many times."""
        return self.split(self.key(source)), self.split(self.value(source))

    def forward(
        self, x: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None = None, need_weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Attend from `x` (B, T, D) to `keys` and `values` (B, H, S, d).

        `bias` is added to the scores and broadcasts to (B, H, T, S): 0 lets look, -inf forbids. Returns the
        output (B, T, D) and, if asked for, the weights (B, H, T, S), with the null key's share as a last
        column (B, H, T, S + 1) where there is one. Each row of weights sums to 1.
        """
        queries = self.split(self.query(x))  # (B, H, T, d)
        if self.null_key is not None:
            keys, values, bias = self.with_null(keys, values, bias)
        # Backward through the fused kernel is several times slower than explicit attention for heads this
        # small on a CPU, so gradients there take the explicit path too.
        explicit = need_weights or (torch.is_grad_enabled() and x.device.type == "cpu")
        if explicit:
            scores = self.scores(queries, keys)
            weights = (scores if bias is None else scores + bias).softmax(dim=-1)
            context = weights @ values  # (B, H, T, d)
        else:
            weights = None
            context = F.scaled_dot_product_attention(queries, keys, values, attn_mask=bias)
        context = context.transpose(1, 2).flatten(2)  # (B, T, D)
        return self.output(context), weights if need_weights else None

    @staticmethod
    def scores(queries: Tensor, keys: Tensor) -> Tensor:
        """How well each query (B, H, T, d) fits each key (B, H, S, d): q · k / √d, (B, H, T, S)."""
        return (queries * queries.shape[-1] ** -0.5) @ keys.transpose(-2, -1)

    def split(self, x: Tensor) -> Tensor:
        """Features of all heads side by side → heads apart."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, S, D) → (B, H, S, d)

    def with_null(self, keys: Tensor, values: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Keys, values and bias with those of the null key after them: S + 1 instead of S."""
        batch = keys.shape[0]
        null = self.null_key.to(keys.dtype)[None, :, None].expand(batch, -1, -1, -1)  # (B, H, 1, d)
        keys = torch.cat([keys, null], dim=2)
        values = torch.cat([values, torch.zeros_like(null)], dim=2)
        return keys, values, None if bias is None else F.pad(bias, (0, 1))


class CrossModalAttention(Attention):
    """Text looks at the picture: queries from text tokens, keys and values from image tokens.

    Its weights are the maps this project shows: row t is where the model looked for the word that position t
    predicts, which is word t + 1 of the caption.
    """


class FeedForward(nn.Sequential):
    """Two linear layers with a ReLU between, applied to each token by itself."""

    def __init__(self, width: int, hidden: int):
        super().__init__(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))
