"""The diagram of the model for one picture and one word: every box with its tensor, its figures and its code.

Only figures and names in here; static/machine.js draws them. No Gradio in here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from textwrap import dedent

import torch
from PIL import Image
from torch import Tensor

from vlm_core.insight.walk import Attended, Reading, Sight, Thought, read, see, telling_patch
from vlm_core.model import generation
from vlm_core.model.attention import Attention, FeedForward
from vlm_core.model.decoder import TextDecoder, VLMBlock, causal_bias
from vlm_core.model.glances import glance, stand_out
from vlm_core.model.vision import EncoderBlock, VisionEncoder, patch_embedding, patchify
from vlm_core.model.vlm import VLM

ROOT = Path(__file__).resolve().parents[2]
VALUES = 6
"""How many numbers of a tensor are written out."""
BEST = 8
"""How many of the likeliest words are shown."""


def draw_diagram(vlm: VLM, picture: Image.Image, language: str, word: int, patch: int | None) -> dict:
    """All boxes for the `word`-th word of the model's own caption and for a patch (None: the most telling one).

    `word` and `patch` are brought into range. Raises UserError if the model does not speak the language.
    """
    config, tokenizer = vlm.config, vlm.tokenizer
    spoken = vlm.caption(picture, language).tokens
    word = max(0, min(word, len(spoken) - 1))
    prompt = [tokenizer.begin_id, tokenizer.language_id(language)]
    ids = prompt + [token.id for token in spoken[:word]]
    sight = see(vlm, vlm.pixels(picture))
    reading = read(vlm, sight.image_tokens, ids)
    patch = telling_patch(sight.patches) if patch is None else max(0, min(patch, config.patches - 1))
    said = [tokenizer.token_text(token) for token in ids]
    return {
        "grid": config.grid,
        "size": config.patch_size,
        "keys": config.keys,
        "patch": patch,
        "word": word,
        "caption": [token.text for token in spoken],
        "said": spoken[word].text if spoken else tokenizer.token_text(tokenizer.end_id),
        "layers": {"encoder": config.encoder_layers, "decoder": config.decoder_layers},
        "heads": config.heads,
        "boxes": [*_picture_boxes(vlm, sight, patch), *_text_boxes(vlm, reading, ids, said, patch)],
    }


def _picture_boxes(vlm: VLM, sight: Sight, patch: int) -> list[dict]:
    """From pixels to image tokens."""
    config, positions = vlm.config, vlm.encoder.positions
    boxes = [
        _box("pixels", [excerpt(VLM.pixels)], _view(sight.pixels, sight.pixels[0, 0, 0], {"kind": "picture"})),
        _box(
            "patches",
            [excerpt(patchify, "p = patch_size")],
            _view(sight.patches, sight.patches[0, patch], {"kind": "patches"}, {"kind": "patch"}),
        ),
    ]
    if config.glances:
        around = sight.seen[..., config.patch_values :]
        squares = around[0, patch].unflatten(0, (len(config.glances), -1))
        told = {"kind": "glances", "cells": list(config.glances), "squares": _rounded(squares)}
        code = [excerpt(glance, "relief = "), excerpt(stand_out, "return")]
        boxes.append(_box("glances", code, _view(around, around[0, patch], told)))
    embedding = "return nn.Sequential" if config.patch_hidden else "return nn.Linear"
    embedded = "return self.patch_embedding(torch.cat" if config.glances else "return self.patch_embedding(patches)"
    layers = range(config.encoder_layers)
    return [
        *boxes,
        _box(
            "embeddings",
            [excerpt(patch_embedding, embedding, embedding), excerpt(VisionEncoder.embed, embedded, embedded)],
            _view(sight.embedded, sight.embedded[0, patch], *_vector(sight.embedded[0], patch)),
        ),
        _box(
            "positions",
            [excerpt(VisionEncoder.forward, "x = self.embed", "x = self.embed")],
            _view(positions, positions[patch], *reversed(_vector(positions, patch, "strip_position"))),
        ),
        _box(
            "encoder",
            [excerpt(EncoderBlock.forward, "if self.norm_first")],
            stage="encoder",
            **{
                f"{layer}.{head}": _view(
                    sight.layers[layer].weights[0, head],
                    sight.layers[layer].weights[0, head, patch],
                    {"kind": "map", "cells": _rounded(sight.layers[layer].weights[0, head, patch], 5)},
                )
                for layer in layers
                for head in range(config.heads)
            },
        ),
        _box(
            "image_tokens",
            [excerpt(VisionEncoder.forward, "for block in", "return")],
            _view(sight.image_tokens, sight.image_tokens[0, patch], *_vector(sight.image_tokens[0], patch)),
        ),
    ]


def _text_boxes(vlm: VLM, reading: Reading, ids: list[int], said: list[str], patch: int) -> list[dict]:
    """From the words so far to the probabilities of the next."""
    config, layers = vlm.config, reading.layers
    heads = [(layer, head) for layer in range(len(layers)) for head in range(config.heads)]
    words = {"kind": "tokens", "items": list(zip(said, ids, strict=True))}
    return [
        _box(
            "text_tokens",
            [excerpt(TextDecoder.forward, "x = self.token_embedding", "x = self.token_embedding")],
            _view(reading.embedded, reading.embedded[0, -1], words, _strip(reading.embedded[0, -1], "strip_token")),
        ),
        _box(
            "causal",
            [excerpt(VLMBlock._listen), excerpt(causal_bias, "return")],
            stage="decoder",
            **{
                f"{layer}.{head}": _heard(layers[layer].listening.weights[0, head], said) for layer, head in heads
            },
        ),
        _box(
            "scores",
            [excerpt(Attention.scores, "return"), *([excerpt(Attention.with_null, "null =")] * config.null_key)],
            stage="decoder",
            **{f"{layer}.{head}": _scored(layers[layer].looking, head, patch, config.patches) for layer, head in heads},
        ),
        _box(
            "cross",
            [excerpt(Attention.forward, "weights = (scores", "weights = (scores")],
            stage="decoder",
            **{
                f"{layer}.{head}": _looked(layers[layer].looking.weights[0, head], config.patches)
                for layer, head in heads
            },
        ),
        _box(
            "context",
            [excerpt(Attention.forward, "context = weights", "context = weights"),
             excerpt(Attention.forward, "context = context.transpose")],
            stage="decoder",
            **{str(layer): _contexts(thought.looking.context) for layer, thought in enumerate(layers)},
        ),
        _box(
            "feed_forward",
            [excerpt(FeedForward)],
            stage="decoder",
            **{str(layer): _fed(thought) for layer, thought in enumerate(layers)},
        ),
        _box(
            "logits",
            [excerpt(TextDecoder.forward, "return self.projection"),
             excerpt(generation._generate, "probabilities =", "probabilities =")],
            _view(reading.logits, reading.logits[0, -1], _choices(vlm, reading.logits[0, -1])),
        ),
    ]  # fmt: skip


def _box(name: str, code: list[dict], view: dict | None = None, stage: str = "", **views: dict) -> dict:
    """`views` by "layer" or "layer.head" of the `stage` ("encoder" or "decoder"); a box without any has one `view`."""
    return {"name": name, "stage": stage, "code": code, "views": views or {"": view}}


def _view(tensor: Tensor, row: Tensor, *pictures: dict) -> dict:
    """Figures of a whole tensor, the first numbers of the `row` that is followed, and what is drawn of it."""
    finite = tensor[tensor.isfinite()].float()
    return {
        "shape": list(tensor.shape),
        "numbers": _rounded(torch.stack([finite.min(), finite.mean(), finite.max(), finite.norm()]), 4),
        "values": _rounded(row[:VALUES], 4),
        "pictures": list(pictures),
    }


def _vector(rows: Tensor, patch: int, label: str = "strip_patch") -> tuple[dict, dict]:
    """The features of a patch out of (N, D), and how much those of every other point the same way."""
    cosines = torch.nn.functional.cosine_similarity(rows, rows[patch : patch + 1], dim=1)
    return _strip(rows[patch], label), {"kind": "alike", "cells": _rounded(cosines)}


def _strip(values: Tensor, label: str, columns: int = 16) -> dict:
    """A vector as cells in rows; `label` is the key of what the page calls it."""
    return {"kind": "strip", "label": label, "columns": columns, "cells": _rounded(values)}


def _heard(weights: Tensor, said: list[str]) -> dict:
    """What the last token hears, from the weights (T, T) of a head."""
    shares = list(zip(said, _rounded(weights[-1], 4), strict=True))
    return _view(weights, weights[-1], {"kind": "shares", "items": shares})


def _scored(looking: Attended, head: int, patch: int, patches: int) -> dict:
    """The last token's query, the key of a patch, and the query's score with every key."""
    scores = looking.scores[0, head, -1]
    null = _rounded(scores[patches:])
    cells = {"kind": "scores", "cells": _rounded(scores[:patches]), "null": null[0] if null else None}
    query, key = looking.queries[0, head, -1], looking.keys[0, head, patch]
    return _view(looking.scores[0, head], scores, cells, _strip(query, "strip_query"), _strip(key, "strip_key"))


def _looked(weights: Tensor, patches: int) -> dict:
    """Where the last token looks, from the weights (T, N [+ 1]) of a head."""
    null = _rounded(weights[-1, patches:], 4)
    cells = {"kind": "map", "cells": _rounded(weights[-1, :patches], 5), "null": null[0] if null else None}
    return _view(weights, weights[-1], cells)


def _contexts(context: Tensor) -> dict:
    return _view(context, context[0, -1], _strip(context[0, -1], "strip_context"))


def _fed(thought: Thought) -> dict:
    """The last token in the feed-forward: its hidden layer, and what comes out."""
    hidden, fed = thought.hidden[0, -1], thought.fed[0, -1]
    return _view(thought.hidden, hidden, _strip(hidden, "strip_hidden", 32), _strip(fed, "strip_added"))


def _choices(vlm: VLM, logits: Tensor) -> dict:
    """The likeliest next tokens with logit and probability, from logits (V)."""
    best = logits.topk(min(BEST, len(logits))).indices.tolist()
    probabilities = logits.float().softmax(dim=-1)
    rows = [(vlm.tokenizer.token_text(i), round(logits[i].item(), 3), round(probabilities[i].item(), 5)) for i in best]
    return {"kind": "choices", "items": rows}


def _rounded(values: Tensor, digits: int = 3) -> list:
    return values.double().mul(10**digits).round().div(10**digits).tolist()


@cache
def excerpt(thing: Callable, first: str = "", last: str | None = None) -> dict:
    """Lines of the source of a function or class: from the first that holds `first` to the next that holds `last`,
    or to its end. {"file": path inside the project, "line": number of the first, "code": the lines}."""
    lines, start = inspect.getsourcelines(thing)
    begin = next(i for i, line in enumerate(lines) if first in line)
    end = len(lines) - 1 if last is None else next(i for i in range(begin, len(lines)) if last in lines[i])
    file = Path(inspect.getsourcefile(thing)).resolve().relative_to(ROOT)
    return {"file": file.as_posix(), "line": start + begin, "code": dedent("".join(lines[begin : end + 1])).rstrip()}
