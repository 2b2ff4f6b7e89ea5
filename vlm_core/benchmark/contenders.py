"""Ways to train a small vision-language model, each pulled a slice of time at a time.

All learn from the same clean level-2 scenes. The recipe pays for everything, rendering included. Its steps alone, the
plain loop and the library's model read batches that were rendered before the clock starts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle

import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from vlm_core.config import ModelConfig, TrainConfig
from vlm_core.learning.events import Step
from vlm_core.learning.learner import Learner, pick_device, pick_precision
from vlm_core.learning.optimizer import MuonAdamW
from vlm_core.learning.reading import TensorBatch
from vlm_core.learning.schedule import patches_kept
from vlm_core.learning.trainer import train
from vlm_core.model.vlm import VLM
from vlm_core.scenes.batches import IGNORED, Batch, training_batch
from vlm_core.scenes.tokenizer import WordTokenizer
from vlm_core.scenes.world import LANGUAGES

LEVEL, STYLE, SIZE = 2, "clean", 48
READY_BATCHES = 6
CPUS = os.cpu_count() or 1


@dataclass
class Contender:
    """One way to train. `step()` takes one optimizer step and returns the words of its SIZE pictures' captions."""

    name: str
    parameters: int
    step: Callable[[], int]
    threads: int
    captions: int = 1
    """How many captions of a picture it learns at once."""
    pictures: int = 0
    words: int = 0
    seconds: float = 0.0

    def run(self, seconds: float) -> None:
        """Take steps for a slice of time and add them up."""
        torch.set_num_threads(self.threads)
        began = time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds:
            self.words += self.step()
            self.pictures += SIZE
        self.seconds += spent

    def forget(self) -> None:
        """Leave a warm-up out of the sums."""
        self.pictures, self.words, self.seconds = 0, 0, 0.0

    def rates(self) -> dict:
        return {
            "parameters": self.parameters,
            "pictures_per_second": self.pictures / self.seconds,
            "captions_per_second": self.pictures * self.captions / self.seconds,
            "words_per_second": self.words / self.seconds,
            "threads": self.threads,
        }


def ready_batches(languages: tuple[str, ...], keep: int | None = None) -> list[Batch]:
    return [
        training_batch(0, index, SIZE, LEVEL, STYLE, languages, WordTokenizer(), keep) for index in range(READY_BATCHES)
    ]


def words_in(batch: Batch | TensorBatch) -> int:
    """Caption tokens that a batch asks for."""
    return int((batch.targets != IGNORED).sum())


def recipe() -> tuple[Contender, Iterator]:
    """This project's own training, as `train` runs it; close the iterator when done."""
    events = train(TrainConfig(steps=10**6, level=LEVEL, style=STYLE, evaluations=1, evaluation_scenes=1))
    words = sum(map(words_in, ready_batches(LANGUAGES))) / READY_BATCHES
    parameters = next(events).num_parameters

    def step() -> int:
        while not isinstance(next(events), Step):
            pass
        return round(words)

    return Contender("recipe", parameters, step, threads=max(1, CPUS - 1), captions=len(LANGUAGES)), events


def recipe_steps() -> Contender:
    """The recipe's optimizer steps without the rendering, as the other loops are measured: ready batches, all cores."""
    device = pick_device()
    learner = Learner(TrainConfig(level=LEVEL, style=STYLE)).to(device, pick_precision(device))
    optimizer = MuonAdamW(learner)
    ready = ready_batches(LANGUAGES, patches_kept(LEVEL))
    batches = cycle([TensorBatch.from_arrays(batch, device, pick_precision(device)) for batch in ready])

    def step() -> int:
        batch = next(batches)
        sum(learner.losses(batch).values()).backward()
        optimizer.step(0.1)
        return words_in(batch)

    return Contender(
        "recipe's steps alone", learner.vlm.num_parameters, step, threads=CPUS, captions=len(LANGUAGES)
    )


def plain_loop() -> Contender:
    """The same model in the loop of a tutorial: float32, all 196 patches, AdamW, one thread pool."""
    vlm = VLM(ModelConfig.lecture(), WordTokenizer()).to(pick_device())
    optimizer = torch.optim.AdamW(vlm.parameters(), lr=1e-3)
    batches = cycle([TensorBatch.from_arrays(batch, vlm.device, torch.float32) for batch in ready_batches(("en",))])

    def step() -> int:
        batch = next(batches)
        logits = vlm.decoder(batch.text, vlm.decoder.remember(vlm.encoder(batch.patches)[0]))[0]
        F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORED).backward()
        optimizer.step()
        optimizer.zero_grad()
        return words_in(batch)

    return Contender("plain fp32 loop", vlm.num_parameters, step, threads=CPUS)


def transformers_model():
    """Hugging Face's VisionEncoderDecoder with this project's widths and, with two layers a side, about as many
    parameters; ImportError if not installed."""
    from transformers import GPT2Config, GPT2LMHeadModel, VisionEncoderDecoderModel, ViTConfig, ViTModel

    tokenizer = WordTokenizer()
    sizes = ModelConfig.lecture()
    encoder = ViTConfig(
        hidden_size=sizes.width, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=sizes.feed_forward, image_size=sizes.image_size, patch_size=sizes.patch_size,
    )  # fmt: skip
    decoder = GPT2Config(
        vocab_size=len(tokenizer), n_positions=sizes.max_text, n_embd=sizes.width, n_layer=2, n_head=4,
        n_inner=sizes.feed_forward, add_cross_attention=True, bos_token_id=tokenizer.begin_id,
        eos_token_id=tokenizer.end_id, pad_token_id=tokenizer.pad_id,
    )  # fmt: skip
    model = VisionEncoderDecoderModel(
        encoder=ViTModel(encoder, add_pooling_layer=False), decoder=GPT2LMHeadModel(decoder)
    ).to(pick_device())
    model.config.decoder_start_token_id = tokenizer.begin_id
    model.config.pad_token_id = tokenizer.pad_id
    return model


def transformers_loop() -> Contender:
    """VisionEncoderDecoder with AdamW in float32, one caption a picture, as its documentation trains it."""
    model = transformers_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    ready = []
    for batch in ready_batches(("en",)):
        patches = torch.from_numpy(batch.patches).unflatten(-1, (3, 16, 16)).unflatten(1, (14, 14))
        pixels = patches.permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3).float().to(model.device) / 255
        ready.append((pixels, torch.from_numpy(batch.targets).to(model.device), torch.from_numpy(batch.text)))
    batches = cycle(ready)

    def step() -> int:
        pixels, labels, text = next(batches)
        model(pixel_values=pixels, decoder_input_ids=text.to(model.device), labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return int((labels != IGNORED).sum())

    count = sum(parameter.numel() for parameter in model.parameters())
    return Contender("transformers VisionEncoderDecoder", count, step, threads=CPUS)


def flops_per_picture() -> float:
    """Multiplications and additions of the matrix products in the recipe's step, forward and backward, per picture."""
    learner = Learner(TrainConfig()).to(pick_device(), pick_precision(pick_device()))
    batch = TensorBatch.from_arrays(
        ready_batches(LANGUAGES, patches_kept(LEVEL))[0], learner.vlm.device, learner.vlm.encoder.positions.dtype
    )
    with FlopCounterMode(display=False) as counter:
        sum(learner.losses(batch).values()).backward()
    return counter.get_total_flops() / SIZE
