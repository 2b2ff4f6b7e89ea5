"""A model on disk: `model.safetensors` for the weights, `model.json` for what they mean."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError
from safetensors.torch import load as parse_weights
from safetensors.torch import save as pack_weights
from torch import Tensor

from vlm_core.config import ModelConfig
from vlm_core.errors import UserError
from vlm_core.scenes.tokenizer import Tokenizer, tokenizer_from_dict

if TYPE_CHECKING:
    from vlm_core.model.vlm import VLM

BUNDLED = Path(__file__).resolve().parents[2] / "assets" / "pretrained"
WEIGHTS_FILE, CARD_FILE = "model.safetensors", "model.json"


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a power cut, sees the old content or the new, never a half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def to_files(vlm: VLM) -> dict[str, bytes]:
    """What a folder holds that `load` reads: content by name."""
    weights = {name: tensor.detach().cpu().float().contiguous() for name, tensor in vlm.state_dict().items()}
    card = {"config": vlm.config.to_dict(), "tokenizer": vlm.tokenizer.to_dict(), "run": vlm.run}
    card_text = json.dumps(card, ensure_ascii=False, indent=2)
    return {WEIGHTS_FILE: pack_weights(weights), CARD_FILE: card_text.encode()}


def save(vlm: VLM, folder: str | Path) -> Path:
    folder = Path(folder)
    try:
        for name, content in to_files(vlm).items():
            write_atomically(folder / name, content)
    except OSError as error:
        raise UserError(f"The model could not be saved to '{folder}' ({error.strerror}).") from error
    return folder


def load(source: str | Path | None) -> tuple[ModelConfig, Tokenizer, dict, dict[str, Tensor]]:
    """Config, tokenizer, run and weights from the bundled folder (None), a folder, a weights file or a Hub id."""
    folder, weights_path = _locate(source)
    try:
        card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
        config = ModelConfig.from_dict(card["config"])
        tokenizer = tokenizer_from_dict(card["tokenizer"])
        run = card["run"]
        weights = parse_weights(weights_path.read_bytes())
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        raise UserError(f"There is no checkpoint at '{weights_path}': the file {missing} is missing.") from error
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
        raise UserError(f"The checkpoint '{weights_path}' is damaged; use another copy of it.") from error
    return config, tokenizer, run, weights


def fill(vlm: VLM, weights: dict[str, Tensor]) -> None:
    """Load weights whose names and shapes must be the model's own."""
    expected = {name: tuple(tensor.shape) for name, tensor in vlm.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise UserError(
                f"The checkpoint does not fit this model: '{name}' is {found.get(name, 'missing')} there "
                f"and {expected.get(name, 'unknown')} here; use weights and model.json of the same run."
            )
    vlm.load_state_dict(weights)


def push(vlm: VLM, repo_id: str, **options) -> str:
    from huggingface_hub import HfApi

    api = HfApi()
    api.create_repo(repo_id, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        save(vlm, folder)
        return str(api.upload_folder(repo_id=repo_id, folder_path=folder, **options))


def _locate(source: str | Path | None) -> tuple[Path, Path]:
    path = BUNDLED if source is None else Path(source)
    if path.suffix == ".safetensors":
        return path.parent, path
    if path.is_dir() or source is None or not _is_hub_id(str(source)):
        return path, path / WEIGHTS_FILE
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(str(source), allow_patterns=[WEIGHTS_FILE, CARD_FILE]))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise UserError(f"There is no folder '{source}', and no such model could be fetched from the Hub.") from error
    return folder, folder / WEIGHTS_FILE


def _is_hub_id(source: str) -> bool:
    return source.count("/") == 1 and not source.startswith((".", "/", "~"))
