"""One real picture walked through the real model: what each part does, with its shapes and its figures.

The figures are those of the model's own modules (`vlm_core/model/`) as `insight/walk.py` finds them, and the
words at the end are those that `VLM.caption` says.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vlm_core.insight.walk import Reading, read, see, telling_patch
from vlm_core.model.generation import ALTERNATIVES
from vlm_core.model.glances import Surroundings
from vlm_core.model.vlm import VLM

LINE = 100


def explain(vlm: VLM, image: Image.Image | np.ndarray | str | Path, language: str = "en") -> Iterator[str]:
    """Yield the tour paragraph by paragraph: from pixels to image tokens, then word by word to the caption.

    Raises UserError if the picture cannot be read or the model does not speak the language.
    """
    prompt = [vlm.tokenizer.begin_id, vlm.tokenizer.language_id(language)]
    pixels = vlm.pixels(image)
    yield _model(vlm)
    with torch.inference_mode():
        image_tokens, parts = _see(vlm, pixels)
    yield from parts
    yield from _speak(vlm, image_tokens, prompt)


def _model(vlm: VLM) -> str:
    encoder, decoder = (sum(p.numel() for p in part.parameters()) for part in (vlm.encoder, vlm.decoder))
    steps = vlm.trained_steps
    trained = (
        f"Trained for {steps:,} steps." if steps else "UNTRAINED: every weight is random, so are the words."
    )
    return _section(
        "The model",
        f"{vlm.num_parameters:,} parameters: {encoder:,} in the vision encoder, {decoder:,} in the text "
        f"decoder. "
        f"{trained}",
        "vlm_core/model/vlm.py",
    )


def _glances_told(vlm: VLM, patches: Tensor) -> str:
    """What a patch sees beside its own pixels, where it does."""
    glances, size = vlm.config.glances, vlm.config.patch_size
    if not glances:
        return ""
    red, green, blue = (255 * Surroundings.of(patches).ground[0]).round().int().tolist()
    wide = " and ".join(f"{cell * size} × {cell * size}" for cell in glances)
    return (
        f"Beside its {vlm.config.patch_values} numbers go {len(glances)} glances of {size} × {size} cells each, {wide} "
        f"pixels wide around it, that show how much the picture stands out from its ground: the colour of its border, "
        f"here RGB ({red}, {green}, {blue}). "
    )


def _see(vlm: VLM, pixels: Tensor) -> tuple[Tensor, list[str]]:
    """The vision encoder, step by step → image tokens (1, N, D) and what there is to say."""
    config, encoder, vision = vlm.config, vlm.encoder, "vlm_core/model/vision.py"
    grid, size = config.grid, config.patch_size
    sight = see(vlm, pixels)
    patches, embedded, placed, image_tokens = sight.patches, sight.embedded, sight.placed, sight.image_tokens
    chosen = telling_patch(patches)
    parts = [
        _section(
            "1. Pixels",
            f"The picture is a tensor {_shape(pixels)}: one picture, red, green and blue, "
            f"{config.image_size} rows, "
            f"{config.image_size} columns. Values lie in 0 to 1, here {pixels.min():.3f} to "
            f"{pixels.max():.3f}, "
            f"mean {pixels.mean():.3f}.",
            "vlm_core/pictures.py",
        ),
        _section(
            "2. Patches",
            f"It is cut into {grid} × {grid} = {config.patches} squares of {size} × {size} pixels, each "
            f"laid out as "
            f"3 × {size} × {size} = {config.patch_values} numbers: {_shape(patches)}. From here on follow "
            f"patch "
            f"{chosen} ({_place(chosen, grid)}), the one whose pixels vary most "
            f"(standard deviation {patches[0, chosen].std():.3f}).",
            vision,
        ),
        _section(
            "3. Patch embedding",
            f"{_glances_told(vlm, patches)}A learned layer turns each patch into {config.width} features: "
            f"{_shape(patches)} → {_shape(embedded)}. Patch {chosen} begins {_numbers(embedded[0, chosen])}, length "
            f"{embedded[0, chosen].norm():.2f}.",
            vision,
        ),
        _section(
            "4. Positions",
            "Attention has no sense of order, so each place of the grid adds its own learned vector. That of "
            f"patch {chosen} has length {encoder.positions[chosen].norm():.2f}; with it the patch begins "
            f"{_numbers(placed[0, chosen])}.",
            vision,
        ),
    ]
    for layer, attended in enumerate(sight.layers, start=1):
        looks = attended.weights[0, :, chosen].mean(dim=0)  # (N), the mean of the heads
        best = looks.topk(3)
        where = ", ".join(
            f"{_place(i, grid)} {share:.1%}"
            for i, share in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        )
        seen = f"patches at most {config.encoder_radius} away" if config.encoder_radius else "every patch"
        parts.append(
            _section(
                f"5.{layer} Encoder layer {layer} of {config.encoder_layers}",
                f"Self-attention lets each patch gather from {seen} ({config.heads} heads), then a "
                f"feed-forward "
                f"network works on each patch alone. Patch {chosen} keeps {looks[chosen]:.1%} of its "
                f"attention on "
                f"itself; it looks most at {where}. The shares sum to {looks.sum():.3f}.",
                "vlm_core/model/vision.py and vlm_core/model/attention.py",
            )
        )
    change = torch.nn.functional.cosine_similarity(placed[0, chosen], image_tokens[0, chosen], dim=0)
    parts.append(
        _section(
            "6. Image tokens",
            f"After the last norm the picture is {_shape(image_tokens)}: {config.patches} tokens of "
            f"{config.width} "
            "features"
            + (
                ", with the positions added once more so that a word can ask where"
                * config.positions_in_memory
            )
            + f". Patch {chosen} now begins {_numbers(image_tokens[0, chosen])}; its "
            f"cosine with what went in at step 4 is {change:.2f}.",
            vision,
        )
    )
    keys, values = vlm.decoder.blocks[0].cross_attention.keys_values(image_tokens)  # (1, H, N, d)
    are = "is 1" if config.decoder_layers == 1 else f"are {config.decoder_layers}"
    null = " A learned null key stands beside them for words that need no picture." * config.null_key
    parts.append(
        _section(
            "7. Keys and values",
            f"Each decoder layer (there {are}) turns the image tokens into keys (what a patch "
            f"answers to) {_shape(keys)} and values (what it tells) {_shape(values)}: heads, patches, "
            f"features of a "
            f"head. They are computed once and serve every word. In layer 1 the mean length of a key is "
            f"{keys.norm(dim=-1).mean():.2f}, of a value {values.norm(dim=-1).mean():.2f}.{null}",
            "vlm_core/model/decoder.py, TextDecoder.remember",
        )
    )
    return image_tokens, parts


def _speak(vlm: VLM, image_tokens: Tensor, prompt: list[int]) -> Iterator[str]:
    """The text decoder, word by word, likeliest word first, until it says that it is done."""
    config, tokenizer = vlm.config, vlm.tokenizer
    ids = list(prompt)
    while len(ids) <= config.max_text:
        # The whole text each time, where `generate` keeps the earlier keys: a tour may be slow and plain.
        reading = read(vlm, image_tokens, ids)
        token = int(reading.logits[0, -1].argmax())
        yield _word(vlm, ids, reading)
        if token == tokenizer.end_id:
            break
        ids.append(token)
    spoken = [i for i in ids[len(prompt) :] if i != tokenizer.end_id]
    yield _section("The caption", tokenizer.decode(spoken) or "(nothing)", "vlm_core/scenes/tokenizer.py")


def _word(vlm: VLM, ids: list[int], reading: Reading) -> str:
    """How the word after `ids` was chosen."""
    config, name = vlm.config, vlm.tokenizer.token_text
    logits = reading.logits[0, -1]  # (V)
    probabilities = logits.softmax(dim=-1)
    listens = reading.layers[0].listening.weights[0, :, -1].mean(dim=0)  # (T)
    maps = [layer.looking.weights[0, :, -1] for layer in reading.layers]  # (H, N [+ 1]) each
    looks = torch.stack(maps).mean(dim=(0, 1))  # (N [+ 1])
    patches, null_mass = looks[: config.patches], looks[config.patches :].sum()
    heard = ", ".join(f"{name(i)} {share:.0%}" for i, share in zip(ids, listens.tolist(), strict=True))
    best = probabilities.topk(min(ALTERNATIVES, len(probabilities)))
    likely = ", ".join(
        f"{name(i)} {logits[i]:.2f} → {share:.4f}"
        for i, share in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    )
    said = [
        f"The text so far is {len(ids)} tokens, ids {ids}: {' '.join(map(name, ids))}. Each becomes "
        f"{config.width} features and adds the vector of its position: (1, {len(ids)}, {config.width}).",
        f"Causal self-attention: a token sees only those before it and itself. In layer 1 the last one "
        f"listens to "
        f"{heard} (sum {listens.sum():.3f}).",
        f"Cross-attention asks the {config.patches} image keys. Percent of its attention on each patch, "
        f"mean of "
        f"{config.decoder_layers} × {config.heads} heads, · for what is below the even share of "
        f"{1 / len(looks):.2%}:",
    ]
    total = f"On patches {patches.sum():.4f} + null mass {null_mass:.4f} = {looks.sum():.4f}."
    chosen = (
        f"A linear layer gives each of the {len(logits)} tokens of the vocabulary a logit, softmax turns "
        f"logits "
        f"into probabilities that sum to {probabilities.sum():.4f}. The likeliest (logit → probability): "
        f"{likely}."
    )
    grid = _grid(patches.view(config.grid, config.grid), 1 / len(looks))
    return "\n".join(
        [
            f"8.{len(ids) - 1} The next word: {name(int(best.indices[0]))}",
            *map(_wrapped, said),
            textwrap.indent(grid, "    "),
            _wrapped(total),
            _wrapped(chosen),
            "  → vlm_core/model/decoder.py, vlm_core/model/attention.py and vlm_core/model/generation.py\n",
        ]
    )


def _grid(attention: Tensor, uniform: float) -> str:
    """A map (rows, columns) as whole percents, a dot where there is less than the even share."""
    return "\n".join(
        "".join(f"{100 * share:4.0f}" if share >= uniform else "   ·" for share in row)
        for row in attention.tolist()
    )


def _section(title: str, text: str, file: str) -> str:
    return f"{title}\n{_wrapped(text)}\n  → {file}\n"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, LINE, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))


def _numbers(vector: Tensor) -> str:
    return ", ".join(f"{value:.2f}" for value in vector[:4].tolist()) + ", …"


def _place(patch: int, grid: int) -> str:
    """Row and column of a patch, counted from 1."""
    return f"row {patch // grid + 1}, column {patch % grid + 1}"
