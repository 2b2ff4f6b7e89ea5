"""A run on disk: the model as `from_pretrained` reads it, and one file more to resume from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as pack_tensors
from torch import Tensor

from vlm_core.config import TrainConfig
from vlm_core.errors import UserError
from vlm_core.learning.controls import Steering
from vlm_core.model.pretrained import write_atomically
from vlm_core.model.vlm import VLM

RUN_FILE = "run.safetensors"


@dataclass(frozen=True)
class SavedRun:
    """Where a run stood. `optimizer` holds the weights too: the master copies are the model."""

    config: TrainConfig
    step: int
    seconds: float
    history: list[dict]
    optimizer: dict[str, Tensor] | None
    steered: tuple[Steering, ...] = ()

    @classmethod
    def fresh(cls, config: TrainConfig) -> SavedRun:
        """Where every run begins."""
        return cls(config, step=0, seconds=0.0, history=[], optimizer=None)


def save(folder: Path, run: SavedRun, vlm: VLM) -> None:
    """Write both. Each file is whole or not there, and resuming reads one alone. Raises UserError."""
    vlm.save_pretrained(folder)
    story = {"config": run.config.to_dict(), "step": run.step, "seconds": run.seconds, "history": run.history}
    story["steered"] = [asdict(steering) for steering in run.steered]
    tensors = {name: tensor.cpu().contiguous() for name, tensor in run.optimizer.items()}
    try:
        write_atomically(folder / RUN_FILE, pack_tensors(tensors, {"story": json.dumps(story)}))
    except OSError as error:
        raise UserError(f"The run could not be saved to '{folder}' ({error.strerror}).") from error


def load(folder: Path) -> SavedRun:
    """Read what `save` wrote. Raises UserError if it is missing or damaged."""
    path = folder / RUN_FILE
    if not path.is_file():
        raise UserError(f"There is no run to resume in '{folder}': it has no {RUN_FILE}.")
    try:
        with safe_open(path, framework="pt") as file:
            story = json.loads(file.metadata()["story"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        config = TrainConfig.from_dict(story["config"])
        steered = tuple(Steering(**steering) for steering in story.get("steered", ()))
        return SavedRun(config, story["step"], story["seconds"], story["history"], tensors, steered)
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
        raise UserError(f"The run in '{folder}' is damaged and cannot be resumed; start it anew.") from error
