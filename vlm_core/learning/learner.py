"""The model, beside it what only learning needs, and what the two are asked to become good at."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vlm_core.config import TrainConfig
from vlm_core.learning.objectives import (
    ATTENTION_WEIGHT,
    PATCH_WEIGHT,
    PatchReader,
    attention_loss,
    caption_loss,
    patch_loss,
)
from vlm_core.learning.reading import TensorBatch, look_and_read
from vlm_core.model.vlm import VLM
from vlm_core.scenes.tokenizer import WordTokenizer


class Learner(nn.Module):
    """A model with random weights drawn from the config's seed; the caller's random numbers stay untouched."""

    def __init__(self, config: TrainConfig):
        super().__init__()
        tokenizer = WordTokenizer()
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            self.vlm = VLM(config.model_config(len(tokenizer)), tokenizer)
            self.patch_reader = PatchReader(self.vlm.config.width) if config.objective == "grounded" else None
        self.logits: Tensor | None = None
        """(B, T, V) of the batch whose losses were asked for last."""

    def losses(self, batch: TensorBatch) -> dict[str, Tensor]:
        """The named terms of one batch; their sum is what the optimizer lowers."""
        grounded = self.patch_reader is not None
        views = look_and_read(self.vlm, batch, need_weights=grounded)
        self.logits = views.logits.detach()
        terms = {"captions": caption_loss(views, batch)}
        if grounded:
            terms["patches"] = PATCH_WEIGHT * patch_loss(views, batch, self.patch_reader)
            terms["attention"] = ATTENTION_WEIGHT * attention_loss(views, batch)
        return terms


def pick_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def pick_precision(device: torch.device) -> torch.dtype:
    """bfloat16 where the machine multiplies it in hardware, float32 elsewhere."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else torch.float32
