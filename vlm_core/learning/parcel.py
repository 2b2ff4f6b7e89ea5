"""A run as one zip file to take home: the model as `VLM.from_pretrained` reads it, and the run's curves.

What comes back was in other hands: nothing of it is unpacked to disk or run, and nothing is believed unchecked.
"""

from __future__ import annotations

import csv
import io
import json
import math
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_weights

from vlm_core.config import ModelConfig, TrainConfig
from vlm_core.errors import UserError
from vlm_core.model import pretrained
from vlm_core.model.pretrained import CARD_FILE, WEIGHTS_FILE
from vlm_core.model.vlm import VLM
from vlm_core.scenes.tokenizer import tokenizer_from_dict
from vlm_core.scenes.world import LANGUAGES

CURVES_FILE, LOSSES_TABLE, SCORES_TABLE, NOTE_FILE = "curves.json", "losses.csv", "scores.csv", "README.txt"
MOST_BYTES = {WEIGHTS_FILE: 24_000_000, CARD_FILE: 2_000_000, CURVES_FILE: 2_000_000}
"""What is read back, and how large each may be, unpacked. The page's largest model has a tenth of it."""
LEFT_ALONE = (LOSSES_TABLE, SCORES_TABLE, NOTE_FILE)
FIGURES = ("hit", "mass", "chance", "new_pairs")
"""What else an evaluation of the page may have, shares of 0 to 1."""
MOST_ZIPPED = sum(MOST_BYTES.values())
MOST_POINTS, MOST_DEPTH, MOST_TEXT, MOST_TOKENS = 20_000, 8, 500, 2_000
MOST_SIZES = {
    "width": 256, "heads": 16, "feed_forward": 1024, "patch_hidden": 512, "encoder_layers": 8, "decoder_layers": 8,
    "vocab_size": MOST_TOKENS,
}  # fmt: skip
"""The largest model that is built of what somebody brings."""
NOTE = """A run of Simple VLM.

{weights} and {card} are the model. Unpack this file to a folder, then, where vlm_core can be imported:

    from vlm_core import VLM
    vlm = VLM.from_pretrained("this folder")
    print(vlm.caption("picture.png").text)

{card} also holds the settings of the run ("config") and its evaluations ("metrics").
{curves}, {losses} and {scores} are its curves: the loss, and the share of unseen scenes captioned right,
over the share of the budget that was spent. The page takes this file back as it is.
"""


@dataclass(frozen=True)
class Parcel:
    vlm: VLM
    """On the CPU, ready to caption; its `run` tells its steps and settings."""
    losses: list[tuple[float, float]]
    """(share of the budget, loss)."""
    scores: list[dict]
    """One entry per evaluation: share, step, exact_match per language, slots, and those of FIGURES that were taken."""

    @property
    def config(self) -> TrainConfig:
        return TrainConfig.from_dict(self.vlm.run["config"])


def pack(parcel: Parcel) -> bytes:
    """The zip file's content."""
    curves = {"losses": [list(point) for point in parcel.losses], "scores": parcel.scores}
    kinds = sorted({kind for score in parcel.scores for kind in score["slots"]})
    scores = [
        [
            score["step"], score["share"], *map(score["exact_match"].get, LANGUAGES), *map(score["slots"].get, kinds),
            *map(score.get, FIGURES),
        ]
        for score in parcel.scores
    ]  # fmt: skip
    columns = ["step", "share", *(f"exact_match_{language}" for language in LANGUAGES)]
    names = {"weights": WEIGHTS_FILE, "card": CARD_FILE, "curves": CURVES_FILE}
    files = {
        **pretrained.to_files(parcel.vlm),
        CURVES_FILE: json.dumps(curves).encode(),
        LOSSES_TABLE: _table(["share", "loss"], parcel.losses),
        SCORES_TABLE: _table([*columns, *kinds, *FIGURES], scores),
        NOTE_FILE: NOTE.format(**names, losses=LOSSES_TABLE, scores=SCORES_TABLE).encode(),
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def unpack(content: bytes) -> Parcel:
    """The run in a zip file that `pack` made, or somebody else. Raises UserError if it is unusable."""
    if len(content) > MOST_ZIPPED:
        most = MOST_ZIPPED // 1_000_000
        raise UserError(
            f"This file is larger than {most} MB, which no run of this page is; use one that was downloaded here.",
            f"这个文件超过 {most} MB,不是本页的训练;请使用在这里下载的文件。",
        )
    try:
        files = _read(content)
        card, curves = json.loads(files[CARD_FILE]), json.loads(files[CURVES_FILE])
        vlm = _build(_tame(card), files[WEIGHTS_FILE])
        return Parcel(vlm, *_curves(_tame(curves)))
    except UserError:
        raise
    except (
        zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, SafetensorError,
        ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, RuntimeError, OverflowError,
    ) as error:  # fmt: skip
        raise UserError(
            "This file is damaged or no run of this page; use one that was downloaded here.",
            "这个文件已损坏,或不是本页的训练;请使用在这里下载的文件。",
        ) from error


def _read(content: bytes) -> dict[str, bytes]:
    """The files that matter, none larger than it may be; no name is ever a place on this machine's disk."""
    files = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            name = entry.filename
            if PurePosixPath(name).name != name or name not in (*MOST_BYTES, *LEFT_ALONE) or name in files:
                raise UserError(
                    f"This file holds '{name[:60]}', which no run has; use one that was downloaded here.",
                    f"这个文件里有 '{name[:60]}',训练里不会有它;请使用在这里下载的文件。",
                )
            if name in LEFT_ALONE:
                continue
            with archive.open(entry) as file:
                files[name] = file.read(MOST_BYTES[name] + 1)  # what its size is said to be may be a lie
            if len(files[name]) > MOST_BYTES[name]:
                raise UserError(
                    f"'{name}' in this file is larger than any run of this page has it; use one downloaded here.",
                    f"这个文件里的 '{name}' 比本页的任何训练都大;请使用在这里下载的文件。",
                )
    missing = [name for name in MOST_BYTES if name not in files]
    if missing:
        raise UserError(
            f"This file has no {missing[0]}; use a run that was downloaded here.",
            f"这个文件里没有 {missing[0]};请使用在这里下载的文件。",
        )
    return files


def _tame(value, depth: int = 0):
    """JSON as it came, if every number in it is finite and nothing is too deep or too long. Raises ValueError."""
    if depth > MOST_DEPTH:
        raise ValueError("too deep")
    match value:
        case bool() | None:
            return value
        case int() | float():
            if not math.isfinite(value) or abs(value) > 1e15:
                raise ValueError("no number")
            return value
        case str():
            if len(value) > MOST_TEXT:
                raise ValueError("too long")
            return value
        case list():
            if len(value) > MOST_POINTS:
                raise ValueError("too many")
            return [_tame(item, depth + 1) for item in value]
    return {_tame(name): _tame(item, depth + 1) for name, item in value.items()}


def _build(card: dict, weights: bytes) -> VLM:
    """The model, if it is one that this page could have made: the world's pictures, sizes within MOST_SIZES."""
    config = ModelConfig.from_dict(card["config"])
    sizes = {name: getattr(config, name) for name in MOST_SIZES}
    whole = all(type(size) is int and 0 < size <= MOST_SIZES[name] for name, size in sizes.items() if size is not None)
    if not whole or (config.image_size, config.patch_size, config.max_text) != (224, 16, 64):
        raise UserError(
            "The model in this file has other sizes than this page's models; use one downloaded here.",
            "这个文件里的模型与本页的模型大小不同;请使用在这里下载的文件。",
        )
    tokenizer = tokenizer_from_dict(card["tokenizer"])
    if len(tokenizer) != config.vocab_size or not all(isinstance(token, str) for token in tokenizer.vocabulary):
        raise ValueError("the vocabulary does not fit")
    tensors = parse_weights(weights)
    if not all(tensor.dtype == torch.float32 and tensor.isfinite().all() for tensor in tensors.values()):
        raise ValueError("weights that are no numbers")
    run = card["run"]
    TrainConfig.from_dict(run["config"])
    if type(run["steps"]) is not int or run["steps"] < 0 or not isinstance(run["seconds"], int | float):
        raise ValueError("no story of a run")
    vlm = VLM(config, tokenizer, run)
    pretrained.fill(vlm, tensors)
    return vlm.eval()


def _curves(curves: dict) -> tuple[list[tuple[float, float]], list[dict]]:
    """Both curves, if they are such. Raises ValueError, TypeError or KeyError."""
    losses = [(float(share), float(loss)) for share, loss in curves["losses"]]
    scores = [
        {
            "share": _share(score["share"]),
            "step": int(score["step"]),
            "exact_match": {name: _share(value) for name, value in score["exact_match"].items() if name in LANGUAGES},
            "slots": {str(name): _share(value) for name, value in score["slots"].items()},
            **{name: _share(score[name]) for name in FIGURES if name in score},
        }
        for score in curves["scores"]
    ]
    if not all(0 <= share <= 1 for share, _ in losses):
        raise ValueError("no shares")
    return losses, scores


def _share(value) -> float:
    if not 0 <= value <= 1:
        raise ValueError("no share")
    return float(value)


def _table(names: list[str], rows: Iterable[Iterable]) -> bytes:
    """Rows as CSV; what was not measured stays empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue().encode()
