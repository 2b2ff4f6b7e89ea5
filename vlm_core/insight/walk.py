"""One picture walked through the model: every tensor on the way from pixels to logits, as the model itself made it.

Nothing is computed a second way. The model runs, its modules write down what went in and what came out, and only
attention, whose fast path never forms its weights, is asked for them once more.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from vlm_core.model.vision import patchify
from vlm_core.model.vlm import VLM


@dataclass(frozen=True)
class Attended:
    """One attention layer taken apart: T tokens ask, S are asked, a null key (if there is one) last among them."""

    queries: Tensor
    """(1, H, T, d)"""
    keys: Tensor
    """(1, H, S, d)"""
    scores: Tensor
    """(1, H, T, S): what softmax makes weights of; -inf where a token must not look."""
    weights: Tensor
    """(1, H, T, S), each row sums to 1."""
    context: Tensor
    """(1, T, D): the values summed by weight, heads side by side, before the output layer."""
    output: Tensor
    """(1, T, D)"""


@dataclass(frozen=True)
class Sight:
    """What the vision encoder makes of one picture."""

    pixels: Tensor
    """(1, 3, height, width), 0 to 1."""
    patches: Tensor
    """(1, N, 3·p·p)"""
    seen: Tensor
    """(1, N, C·p·p): the patches with the glances around them, where the model has some; what is embedded."""
    embedded: Tensor
    """(1, N, D)"""
    placed: Tensor
    """(1, N, D): with the positions added."""
    layers: list[Attended]
    image_tokens: Tensor
    """(1, N, D)"""


@dataclass(frozen=True)
class Thought:
    """What one decoder layer did."""

    listening: Attended
    """Causal self-attention over the text."""
    looking: Attended
    """Cross-attention to the picture."""
    hidden: Tensor
    """(1, T, hidden): the feed-forward's hidden layer after its ReLU."""
    fed: Tensor
    """(1, T, D): what the feed-forward adds."""


@dataclass(frozen=True)
class Reading:
    """What the text decoder makes of a text and a picture."""

    embedded: Tensor
    """(1, T, D): token embeddings with their positions."""
    layers: list[Thought]
    logits: Tensor
    """(1, T, V)"""


class Recorder:
    """A model whose modules write down what goes in and comes out.

    It is a copy that shares the weights: others may be using the model at this moment, and what they ask of it
    must not get into the record.
    """

    def __init__(self, vlm: VLM):
        shared = (*vlm.parameters(), *vlm.buffers(), vlm.tokenizer, vlm.run)
        self.vlm: VLM = copy.deepcopy(vlm, {id(part): part for part in shared})
        self.inputs: dict[str, tuple] = {}
        self.outputs: dict[str, Tensor | tuple] = {}
        for name, module in self.vlm.named_modules():
            module.register_forward_hook(partial(self._note, name))

    def _note(self, name: str, module: nn.Module, inputs: tuple, output: Tensor | tuple) -> None:
        self.inputs[name], self.outputs[name] = inputs, output

    def attended(self, name: str) -> Attended:
        """The last call of the attention module called `name`, taken apart."""
        attention = self.vlm.get_submodule(name)
        x, keys, values, bias = self.inputs[name][:4]
        output, weights = attention.forward(x, keys, values, bias, need_weights=True)
        queries = attention.split(self.outputs[f"{name}.query"])
        if attention.null_key is not None:
            keys, _, bias = attention.with_null(keys, values, bias)
        scores = attention.scores(queries, keys)
        scores = scores if bias is None else scores + bias
        return Attended(queries, keys, scores, weights, self.inputs[f"{name}.output"][0], output)


@torch.no_grad()
def see(vlm: VLM, pixels: Tensor) -> Sight:
    """Walk one picture (1, 3, height, width) through the vision encoder."""
    record, patches = Recorder(vlm), patchify(pixels, vlm.config.patch_size)
    image_tokens, _ = record.vlm.encoder(patches)
    return Sight(
        pixels,
        patches,
        record.inputs["encoder.patch_embedding"][0],
        record.outputs["encoder.patch_embedding"],
        record.inputs["encoder.blocks.0"][0],
        [record.attended(f"encoder.blocks.{layer}.attention") for layer in range(vlm.config.encoder_layers)],
        image_tokens,
    )


@torch.no_grad()
def read(vlm: VLM, image_tokens: Tensor, ids: list[int]) -> Reading:
    """Walk a text through the decoder before a picture (1, N, D): the whole text at once, nothing kept from before."""
    record = Recorder(vlm)
    decoder = record.vlm.decoder
    logits, _ = decoder(torch.tensor([ids], device=vlm.device), decoder.remember(image_tokens))
    blocks = [f"decoder.blocks.{layer}" for layer in range(vlm.config.decoder_layers)]
    return Reading(
        record.inputs[blocks[0]][0],
        [
            Thought(
                record.attended(f"{block}.self_attention"),
                record.attended(f"{block}.cross_attention"),
                record.outputs[f"{block}.feed_forward.1"],
                record.outputs[f"{block}.feed_forward"],
            )
            for block in blocks
        ],
        logits,
    )


def telling_patch(patches: Tensor) -> int:
    """The patch of (1, N, 3·p·p) whose colours vary most, some edge of a shape: the most telling one to follow."""
    return int(patches[0].std(dim=1).argmax())
