"""A larger vocabulary: new rows in the token embedding and in the projection, everything else as it was."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from vlm_core.model.vlm import VLM
from vlm_core.scenes.tokenizer import tokenizer_from_dict


def grow(vlm: VLM, word: str, like: list[str]) -> VLM:
    """A copy of the model with tokens for `word`, those of it that it does not have yet; the original stays as it is.

    Old tokens keep their ids, rows and logits, bit for bit. A new token starts as the mean of the tokens `like`, whose
    place in captions it is to take.
    """
    tokenizer = tokenizer_from_dict(vlm.tokenizer.to_dict())
    kin = [tokenizer.vocabulary.index(token) for token in like]
    for token in tokenizer.split(word, "zh"):
        tokenizer.add_word(token)
    grown = copy.deepcopy(vlm)
    grown.tokenizer, grown.config = tokenizer, replace(vlm.config, vocab_size=len(tokenizer))
    decoder, more = grown.decoder, len(tokenizer) - len(vlm.tokenizer)
    table, projection = decoder.token_embedding.weight, decoder.projection
    decoder.token_embedding = nn.Embedding.from_pretrained(_extend(table, kin, more), freeze=False)
    projection.weight = nn.Parameter(_extend(projection.weight, kin, more))
    projection.bias = nn.Parameter(_extend(projection.bias, kin, more))
    projection.out_features += more
    return grown


def _extend(table: Tensor, kin: list[int], more: int) -> Tensor:
    """(V, …) → (V + more, …)."""
    table = table.detach()
    return torch.cat([table, table[kin].mean(dim=0, keepdim=True).expand(more, *table.shape[1:])])
