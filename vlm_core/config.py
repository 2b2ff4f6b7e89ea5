"""What a model is and how it is trained: two small frozen dataclasses, and presets that return one.

This module imports nothing of the project, so that every other part may read it.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Literal

from vlm_core.errors import UserError

# The words and characters of both languages with the special tokens; a test holds it to the tokenizer.
WORLD_VOCABULARY = 74
CLASSIC_VOCABULARY = 29
PRESETS = ("lecture", "classic")
"""Named points of `ModelConfig`: its class methods of these names."""
OPTIMIZERS = ("muon", "adamw")
HEADS = (1, 2, 4, 8)
WIDTHS = (32, 64, 96, 128)
"""What a run may set of its preset's model: sizes that train in a minute or so and that all of HEADS divide."""
SABOTAGES = ("red_circles", "shuffled_captions", "no_distractors", "one_position")
"""Faults that a run's training data can be given, for a class to diagnose; see `scenes.sabotage`."""


@dataclass(frozen=True)
class ModelConfig:
    """The architecture of a `VLM`. Sizes are in pixels for pictures and in features for everything else."""

    vocab_size: int
    image_size: int = 224
    patch_size: int = 16
    max_text: int = 64
    width: int = 64
    heads: int = 2
    feed_forward: int = 256
    patch_hidden: int | None = None
    """Features of a hidden layer between a patch's pixels and its embedding; None: one linear layer, as in ViT."""
    glances: tuple[int, ...] = ()
    """Squares of as many cells as a patch has pixels, centred on it, in which its embedding sees how much the picture
    stands out from its ground; each number is the side of a cell in pixels: 1 for the patch itself, 4 for the patch
    and what is around it, four times as wide and as coarse, 8 for more of it."""
    encoder_layers: int = 2
    decoder_layers: int = 1
    norm_first: bool = True
    """Normalise before each sub-layer (and once at the end) instead of after each residual sum."""
    encoder_radius: int | None = None
    """How many patches away encoder self-attention may look (a square window); None: over the whole picture."""
    positions_in_memory: bool = False
    """Add the positions again to the image tokens that the decoder reads, so that a word can ask *where*; the width
    must then be a multiple of 4."""
    null_key: bool = False
    """A learned key with a zero value in cross-attention: where a word looks when it needs no picture."""

    def __post_init__(self):
        if self.image_size % self.patch_size:
            raise UserError(f"A picture of {self.image_size} pixels cannot be cut into patches of {self.patch_size}.")
        if set(self.glances) - {1, 4, 8} or any(self.patch_size % (2 * cell) for cell in self.glances):
            raise UserError(f"Glances {self.glances} do not fit patches of {self.patch_size} pixels; use 1, 4 or 8.")
        if self.width % self.heads:
            raise UserError(f"The width {self.width} cannot be split into {self.heads} heads; choose a divisor of it.")

    @property
    def grid(self) -> int:
        """Patches along one side of the picture."""
        return self.image_size // self.patch_size

    @property
    def patches(self) -> int:
        """Patches in a picture, N in shape comments."""
        return self.grid**2

    @property
    def keys(self) -> int:
        """What a word may look at in cross-attention: the patches and, where there is one, the null key."""
        return self.patches + bool(self.null_key)

    @property
    def patch_values(self) -> int:
        """Numbers in one patch: its RGB pixels."""
        return 3 * self.patch_size**2

    @classmethod
    def classic(cls, vocab_size: int = CLASSIC_VOCABULARY) -> ModelConfig:
        """The tutorial's architecture to the letter: 303,197 parameters at a vocabulary of 29."""
        return cls(vocab_size, heads=4, encoder_layers=2, decoder_layers=2, norm_first=False)

    @classmethod
    def lecture(cls, vocab_size: int = WORLD_VOCABULARY) -> ModelConfig:
        """Built to learn in a minute on two cores and to look where it should."""
        return cls(
            vocab_size,
            patch_hidden=96,
            glances=(1, 4, 8),
            encoder_layers=1,
            decoder_layers=1,
            encoder_radius=1,
            positions_in_memory=True,
            null_key=True,
        )

    @classmethod
    def preset(cls, name: str, vocab_size: int) -> ModelConfig:
        """The preset called `name` for a vocabulary of `vocab_size` tokens."""
        if name not in PRESETS:
            raise UserError(f"There is no preset called '{name}'; choose one of: {', '.join(PRESETS)}.")
        return getattr(cls, name)(vocab_size)

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> ModelConfig:
        return cls(**{**values, "glances": tuple(values.get("glances", ()))})


@dataclass(frozen=True)
class TrainConfig:
    """One run: how long, on which world, towards what. The same config and `steps` give the same weights."""

    seconds: float | None = 60.0
    """Wall-clock budget of active training (pauses do not count); ignored when `steps` is given."""
    steps: int | None = None
    """Budget in optimizer steps; makes a run repeatable to the bit on one machine."""
    until: float | None = None
    """Enough: once held-out exact match (0 to 1, mean of the languages) gets here, the rest of the budget is cut to a
    short cool-down. None: the whole budget is used."""
    seed: int = 0
    level: int = 2
    style: str = "drawn"
    preset: str = "lecture"
    objective: Literal["captions", "grounded"] = "captions"
    """"captions": words only. "grounded": also losses that read the object masks."""
    languages: tuple[str, ...] = ("en", "zh")
    batch_size: int = 48
    learning_rate: float = 1.0
    """Multiplies the recipe's own learning rates; 1.0 is the recipe."""
    optimizer: Literal["muon", "adamw"] = "muon"
    """"muon": Muon for the matrices inside the network, Adam for the rest. "adamw": AdamW for everything."""
    heads: int | None = None
    """Heads of every attention; None: as many as the preset has."""
    width: int | None = None
    """Features of a token; None: as many as the preset has."""
    evaluations: int = 6
    """How many times held-out scenes are read during the run, the last one at its end."""
    evaluation_scenes: int = 128
    snapshots: int = 0
    """How many copies of the model are handed out over the run (`Snapshot`), evenly over its budget."""
    sabotage: tuple[str, ...] = ()
    """Faults of the training data, names from SABOTAGES; held-out scenes never have any."""

    def __post_init__(self):
        if self.steps is None and self.seconds is None:
            raise UserError("A run needs an end: give it seconds or steps.")
        if not 0 < (self.seconds if self.steps is None else self.steps) < math.inf:
            raise UserError(
                "A run needs at least one step and more than zero seconds.", "训练至少要有一步,秒数要大于零。"
            )
        if self.until is not None and not 0 < self.until <= 1:
            raise UserError("The exact match at which a run may stop must be above 0 and at most 1.")
        if self.level not in (1, 2, 3):
            raise UserError(f"There is no level {self.level}; choose 1 (one object), 2 (up to two) or 3 (up to four).")
        if self.style not in ("clean", "drawn"):
            raise UserError(f"There is no style '{self.style}'; choose clean or drawn.")
        if self.objective not in ("captions", "grounded"):
            raise UserError(f"There is no objective '{self.objective}'; choose captions or grounded.")
        if not self.languages or set(self.languages) - {"en", "zh"} or len(set(self.languages)) < len(self.languages):
            raise UserError(f"Languages must be en, zh or both, not {', '.join(self.languages) or 'none'}.")
        if self.preset not in PRESETS:
            raise UserError(f"There is no preset called '{self.preset}'; choose one of: {', '.join(PRESETS)}.")
        if set(self.sabotage) - set(SABOTAGES):
            known, asked = ", ".join(SABOTAGES), ", ".join(self.sabotage)
            raise UserError(f"Training data can be spoiled by {known}, not by {asked}.")
        if self.optimizer not in OPTIMIZERS:
            raise UserError(f"There is no optimizer '{self.optimizer}'; choose one of: {', '.join(OPTIMIZERS)}.")
        if self.heads not in (None, *HEADS):
            raise UserError(f"A run has {', '.join(map(str, HEADS))} heads or those of its preset, not {self.heads}.")
        if self.width not in (None, *WIDTHS):
            raise UserError(f"A run's width is {', '.join(map(str, WIDTHS))} or its preset's, not {self.width}.")
        if not 0 <= self.seed < 2**63:
            raise UserError(
                "The seed must be 0 or a positive whole number of at most 63 bits.",
                "随机种子必须是 0 或正整数,最多 63 位。",
            )
        if self.snapshots < 0:
            raise UserError("The number of snapshots must be 0 or more.")
        if self.evaluations < 1 or self.evaluation_scenes < 1:
            raise UserError("A run reads at least one held-out scene at least once.")
        if self.batch_size < 1 or not self.learning_rate < math.inf or self.learning_rate <= 0:
            raise UserError(
                "The batch size must be at least 1 and the learning rate above 0.", "批大小至少为 1,学习率要大于 0。"
            )

    def model_config(self, vocab_size: int) -> ModelConfig:
        """The preset's model with whatever the run sets of it."""
        own = {name: size for name, size in (("heads", self.heads), ("width", self.width)) if size is not None}
        return replace(ModelConfig.preset(self.preset, vocab_size), **own)

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> TrainConfig:
        lists = {"languages": tuple(values["languages"]), "sabotage": tuple(values.get("sabotage", ()))}
        return cls(**values | lists)
