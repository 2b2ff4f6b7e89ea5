"""The model as a person uses it: a picture in, words out, with where each word looked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from vlm_core.config import ModelConfig
from vlm_core.errors import UserError
from vlm_core.model import pretrained
from vlm_core.model.decoder import TextDecoder
from vlm_core.model.generation import Caption, GeneratedToken, generate
from vlm_core.model.intervention import Intervention
from vlm_core.model.vision import VisionEncoder, patchify
from vlm_core.pictures import open_picture
from vlm_core.scenes.tokenizer import CharacterTokenizer, Tokenizer, WordTokenizer
from vlm_core.scenes.world import LANGUAGES


class VLM(nn.Module):
    """A vision-language model: `VisionEncoder` → image tokens → `TextDecoder` → logits.

    A new one has random weights, drawn from PyTorch's global generator. `tokenizer` may be left out: it is found
    by the size of the vocabulary, and a model whose size fits none of this project's cannot caption. `run` tells
    how the weights were made (config, seed, metrics); it is empty if they are random.
    """

    def __init__(self, config: ModelConfig, tokenizer: Tokenizer | None = None, run: dict | None = None):
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer or _default_tokenizer(config.vocab_size)
        self.run = run or {}
        self.encoder = VisionEncoder(config)
        self.decoder = TextDecoder(config)

    @property
    def num_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def trained_steps(self) -> int:
        """Optimizer steps behind these weights; 0 means that they are random."""
        return self.run.get("steps", 0)

    @property
    def languages(self) -> tuple[str, ...]:
        """Those that it was taught; all, where nothing is known of that."""
        return tuple(self.run.get("config", {}).get("languages", LANGUAGES))

    @property
    def device(self) -> torch.device:
        return self.encoder.positions.device

    def forward(self, pixels: Tensor, text: Tensor) -> Tensor:
        """Pixels (B, 3, height, width) in [0, 1] and tokens (B, T) → logits (B, T, V) of each next token."""
        image_tokens, _ = self.encoder(patchify(pixels, self.config.patch_size))
        return self.decoder(text, self.decoder.remember(image_tokens))[0]

    def stream(
        self,
        image: Image.Image | np.ndarray | str | Path,
        language: str = "en",
        *,
        temperature: float = 0.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
        intervention: Intervention | None = None,
    ) -> Iterator[GeneratedToken]:
        """Caption a picture word by word; see `generate` for what each step carries and for the sampling knobs.

        Raises UserError if the picture cannot be read or the language is not one the model speaks.
        """
        tokenizer = self.tokenizer
        if tokenizer is None:
            raise UserError(f"A model of {self.config.vocab_size} tokens needs a tokenizer of as many; pass it one.")
        prompt = [tokenizer.begin_id, tokenizer.language_id(language)]
        return generate(
            self, self.pixels(image), prompt,
            temperature=temperature, top_k=top_k, top_p=top_p, seed=seed, intervention=intervention,
        )  # fmt: skip

    def caption(self, image: Image.Image | np.ndarray | str | Path, language: str = "en", **options) -> Caption:
        """The whole caption at once; takes what `stream` takes."""
        tokens = tuple(self.stream(image, language, **options))
        return Caption(self.tokenizer.decode([token.id for token in tokens]), tokens, language)

    def pixels(self, image: Image.Image | np.ndarray | str | Path) -> Tensor:
        """Any picture → (1, 3, height, width) in [0, 1] on the model's device. Raises UserError if it is none."""
        array = np.array(open_picture(image))  # (height, width, 3) uint8
        return torch.from_numpy(array).to(self.device).permute(2, 0, 1).unsqueeze(0) / 255

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write weights (safetensors) and config, tokenizer and run (JSON) to a folder, each file atomically."""
        return pretrained.save(self, folder)

    @classmethod
    def from_pretrained(cls, source: str | Path | None = None) -> VLM:
        """The bundled model, or one from a folder, a .safetensors file or a Hub id. Raises UserError if unusable."""
        config, tokenizer, run, weights = pretrained.load(source)
        vlm = cls(config, tokenizer, run)
        pretrained.fill(vlm, weights)
        return vlm.eval()

    def push_to_hub(self, repo_id: str, **options) -> str:
        """Upload to the Hugging Face Hub (needs a login there); returns the address of the commit."""
        return pretrained.push(self, repo_id, **options)


def _default_tokenizer(vocab_size: int) -> Tokenizer | None:
    tokenizers = (WordTokenizer(), CharacterTokenizer())
    return next((tokenizer for tokenizer in tokenizers if len(tokenizer) == vocab_size), None)
