"""Writing a caption: one word at a time, each with its probability, its rivals and where the model looked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from vlm_core.errors import UserError
from vlm_core.model.intervention import Intervention
from vlm_core.model.vision import patchify

if TYPE_CHECKING:
    from vlm_core.model.vlm import VLM

ALTERNATIVES = 5


@dataclass(frozen=True)
class GeneratedToken:
    """One token of a caption and what the model knew when it chose it."""

    id: int
    text: str
    probability: float
    """Of this token, by the model's own softmax (temperature 1), whatever the sampling knobs were."""
    alternatives: tuple[tuple[str, float], ...]
    """The most likely tokens with their probabilities, best first."""
    attention: np.ndarray
    """Cross-attention (layers, heads, grid, grid) of the position that predicted this token; absolute shares."""
    null_mass: np.ndarray
    """(layers, heads): the share that went to the null key, 0 where there is none. Maps and null mass sum to 1."""


@dataclass(frozen=True)
class Caption:
    text: str
    tokens: tuple[GeneratedToken, ...]
    language: str


def generate(
    vlm: VLM,
    pixels: Tensor,
    prompt: list[int],
    *,
    temperature: float = 0.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
    intervention: Intervention | None = None,
) -> Iterator[GeneratedToken]:
    """Continue `prompt` for one picture (1, 3, height, width) until the end token or the longest text.

    Temperature 0 is greedy; above it tokens are drawn, from the `top_k` likeliest and from the smallest set
    that holds `top_p` of the probability (nucleus sampling, arXiv:1904.09751). The same seed draws the same
    words. An `intervention` hides patches, switches heads off or says words for the model. The picture's keys and
    values are computed once, those of the text are kept. Raises UserError for knobs and interventions out of
    range, before the first token.
    """
    if temperature < 0 or (top_k is not None and top_k < 1) or (top_p is not None and not 0 < top_p <= 1):
        raise UserError("Temperature must be at least 0, top-k at least 1 and top-p above 0 and at most 1.")
    intervention = intervention or Intervention()
    intervention.check(vlm.config)
    generator = torch.Generator().manual_seed(seed)
    return _generate(vlm, pixels, prompt, temperature, top_k, top_p, generator, intervention)


def _generate(
    vlm, pixels, prompt, temperature, top_k, top_p, generator, intervention: Intervention
) -> Iterator[GeneratedToken]:
    config, tokenizer = vlm.config, vlm.tokenizer
    text = torch.tensor([prompt], device=pixels.device)
    with torch.inference_mode():
        image_tokens, _ = vlm.encoder(patchify(pixels, config.patch_size))
        memory = vlm.decoder.remember(image_tokens)
        intervention.silence(memory)
        image_bias = intervention.image_bias(config.patches, image_tokens)
    for place in range(config.max_text - len(prompt) + 1):
        # Entered anew for each token: the mode must not leak into the code that pulls this iterator.
        with torch.inference_mode():
            logits, maps = vlm.decoder(text, memory, image_bias=image_bias, need_weights=True)
            probabilities = logits[0, -1].float().softmax(dim=-1).cpu()  # (V)
            weights = torch.stack([weights[0, :, -1] for weights in maps]).float().cpu()  # (layers, H, N [+ 1])
        token = intervention.forced_at(place)
        if token is None:
            token = choose(probabilities, temperature, top_k, top_p, generator)
        if token == tokenizer.end_id:
            return
        best = probabilities.topk(min(ALTERNATIVES, len(probabilities)))
        yield GeneratedToken(
            id=token,
            text=tokenizer.token_text(token),
            probability=probabilities[token].item(),
            alternatives=tuple(
                (tokenizer.token_text(i), p) for i, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)
            ),
            attention=weights[..., : config.patches].unflatten(-1, (config.grid, config.grid)).numpy(),
            null_mass=weights[..., config.patches :].sum(dim=-1).numpy(),
        )
        text = torch.tensor([[token]], device=pixels.device)


@torch.inference_mode()
def write_greedily(vlm: VLM, patches: Tensor, language: str) -> list[list[int]]:
    """The likeliest captions of many pictures at once, from their patches (B, N, 3·p·p) in [0, 1]; ids without end."""
    tokenizer = vlm.tokenizer
    memory = vlm.decoder.remember(vlm.encoder(patches)[0])
    text = torch.tensor([[tokenizer.begin_id, tokenizer.language_id(language)]] * len(patches), device=patches.device)
    written = []
    for _ in range(vlm.config.max_text - text.shape[1] + 1):
        logits, _ = vlm.decoder(text, memory)
        text = logits[:, -1:].argmax(dim=-1)  # (B, 1)
        written.append(text)
        if (torch.cat(written, dim=1) == tokenizer.end_id).any(dim=1).all():
            break
    rows = torch.cat(written, dim=1).tolist()
    return [row[: row.index(tokenizer.end_id)] if tokenizer.end_id in row else row for row in rows]


def choose(
    probabilities: Tensor, temperature: float, top_k: int | None, top_p: float | None, generator: torch.Generator
) -> int:
    """Pick one token from `probabilities` (V): the likeliest at temperature 0, otherwise by lot."""
    if temperature == 0:
        return int(probabilities.argmax())
    sharpened, order = (probabilities.log() / temperature).softmax(dim=-1).sort(descending=True)
    keep = torch.ones_like(sharpened, dtype=torch.bool)
    if top_k is not None:
        keep[top_k:] = False
    if top_p is not None:
        keep &= sharpened.cumsum(dim=0) - sharpened < top_p  # the token that crosses the line still counts
    drawn = torch.multinomial(sharpened * keep, 1, generator=generator)
    return int(order[drawn])
