"""From image tokens to words: causal self-attention over the text, cross-attention to the picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vlm_core.config import ModelConfig
from vlm_core.model.attention import Attention, CrossModalAttention, FeedForward


@dataclass
class BlockMemory:
    """What one block keeps: the picture's keys and values, computed once, and those of the text so far."""

    image_keys: Tensor  # (B, H, N, d)
    image_values: Tensor
    text_keys: Tensor | None = None  # (B, H, T so far, d)
    text_values: Tensor | None = None


class VLMBlock(nn.Module):
    """Causal self-attention, cross-attention to the image tokens, feed-forward; each with a residual and a norm."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.norm_first = config.norm_first
        self.self_attention = Attention(config.width, config.heads)
        self.cross_attention = CrossModalAttention(config.width, config.heads, null_key=config.null_key)
        self.feed_forward = FeedForward(config.width, config.feed_forward)
        self.self_norm = nn.LayerNorm(config.width)
        self.cross_norm = nn.LayerNorm(config.width)
        self.feed_forward_norm = nn.LayerNorm(config.width)

    def forward(
        self,
        x: Tensor,
        memory: BlockMemory,
        text_bias: Tensor | None,
        image_bias: Tensor | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """(B, T, D) → (B, T, D), and the cross-attention weights (B, H, T, N [+ 1 null]) if asked for."""
        if self.norm_first:
            x = x + self._listen(self.self_norm(x), memory, text_bias)
            y, weights = self._look(self.cross_norm(x), memory, image_bias, need_weights)
            x = x + y
            return x + self.feed_forward(self.feed_forward_norm(x)), weights
        x = self.self_norm(x + self._listen(x, memory, text_bias))
        y, weights = self._look(x, memory, image_bias, need_weights)
        x = self.cross_norm(x + y)
        return self.feed_forward_norm(x + self.feed_forward(x)), weights

    def _listen(self, x: Tensor, memory: BlockMemory, bias: Tensor | None) -> Tensor:
        keys, values = self.self_attention.keys_values(x)
        if memory.text_keys is not None:
            keys = torch.cat([memory.text_keys, keys], dim=2)
            values = torch.cat([memory.text_values, values], dim=2)
        memory.text_keys, memory.text_values = keys, values
        return self.self_attention(x, keys, values, bias)[0]

    def _look(
        self, x: Tensor, memory: BlockMemory, bias: Tensor | None, need_weights: bool
    ) -> tuple[Tensor, Tensor | None]:
        return self.cross_attention(x, memory.image_keys, memory.image_values, bias, need_weights)


class TextDecoder(nn.Module):
    """Token and position embeddings, VLM blocks, and the projection to one logit per vocabulary entry."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.token_embedding = nn.Embedding(config.vocab_size, config.width)
        self.positions = nn.Parameter(torch.randn(config.max_text, config.width) * 0.02)
        self.blocks = nn.ModuleList(VLMBlock(config) for _ in range(config.decoder_layers))
        # With norms after each sum the last block's output is already normalised.
        self.norm = nn.LayerNorm(config.width) if config.norm_first else nn.Identity()
        self.projection = nn.Linear(config.width, config.vocab_size)

    def remember(self, image_tokens: Tensor) -> list[BlockMemory]:
        """A fresh memory of a picture (B, N, D): its keys and values for every block, no text yet."""
        return [BlockMemory(*block.cross_attention.keys_values(image_tokens)) for block in self.blocks]

    def forward(
        self,
        text: Tensor,
        memory: list[BlockMemory],
        positions: Tensor | None = None,
        text_bias: Tensor | None = None,
        image_bias: Tensor | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, list[Tensor]]:
        """Text tokens (B, T) → logits (B, T, V) and each block's cross-attention weights if asked for.

        The memory may already hold earlier tokens; these then follow them. `positions` (B, T) and `text_bias`
        (B, 1, T, S) default to counting on and to causal attention; packed captions give their own.
        `image_bias` (broadcasts to (B, H, T, N)) hides or weighs image tokens.
        """
        past = 0 if memory[0].text_keys is None else memory[0].text_keys.shape[2]
        length = text.shape[1]
        if positions is None:
            positions = torch.arange(past, past + length, device=text.device)
        x = self.token_embedding(text) + self.positions[positions]  # (B, T, D)
        if text_bias is None and length > 1:
            text_bias = causal_bias(length, past, x)
        maps = []
        for block, block_memory in zip(self.blocks, memory, strict=True):
            x, weights = block(x, block_memory, text_bias, image_bias, need_weights)
            maps.append(weights)
        return self.projection(self.norm(x)), maps if need_weights else []


def causal_bias(length: int, past: int, like: Tensor) -> Tensor:
    """(T, past + T): token t sees everything before it and itself."""
    return torch.full((length, past + length), float("-inf"), dtype=like.dtype, device=like.device).triu(past + 1)


def packed_bias(segments: Tensor, dtype: torch.dtype) -> Tensor:
    """(B, 1, T, T) for several captions in one row: token t sees earlier tokens of its own segment (B, T)."""
    same = segments[:, :, None] == segments[:, None, :]
    visible = same & torch.ones_like(same[0]).tril()
    return torch.zeros_like(visible, dtype=dtype).masked_fill_(~visible, float("-inf")).unsqueeze(1)
