"""The page for scripts: what `gradio_client` can call, with plain values in and plain dictionaries out.

The signatures are what the page's API documentation shows, so they are not left as strings (no `annotations` import).
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import gradio as gr
from gradio.utils import get_upload_folder

from vlm_core.app.downloads import put_down
from vlm_core.app.homecoming import pack_run
from vlm_core.app.runs import Run, Runs
from vlm_core.app.speakers import bundled_model
from vlm_core.config import TrainConfig
from vlm_core.errors import UserError
from vlm_core.pictures import open_picture

MOST_SCENES = 256
MOST_SECONDS, MOST_STEPS = 3600, 20_000
ROUNDED = 4


def offer(runs: Runs) -> None:
    """Make the endpoints; call it where the page's Blocks are open."""
    endpoints = Endpoints(runs)
    for function in (
        endpoints.caption, endpoints.train, endpoints.status, endpoints.stop, endpoints.evaluate, endpoints.download
    ):  # fmt: skip
        gr.api(function, api_name=function.__name__, concurrency_limit=4, concurrency_id="api")


def telling_client(endpoint: Callable) -> Callable:
    """`endpoint` with every UserError as the sentence that the client raises."""

    @functools.wraps(endpoint)
    def told(*arguments, **named):
        try:
            return endpoint(*arguments, **named)
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return told


class Endpoints:
    def __init__(self, runs: Runs):
        self.runs = runs

    @telling_client
    def caption(self, image: gr.FileData, language: Literal["en", "zh"] = "en", run: str = "") -> dict:
        """Say what is in a picture. Gives {"text", "language", "trained_steps", "words": [{"text", "probability",
        "alternatives": [[text, probability], ...], "null_mass", "attention": 14 rows of 14 shares (mean of all heads)},
        ...]}. `run` names a run that /train began; without one the bundled model speaks.
        """
        vlm = self._model(run)
        spoken = vlm.caption(open_picture(uploaded(image)), language)
        words = [
            {
                "text": token.text,
                "probability": round(token.probability, ROUNDED),
                "alternatives": [[name, round(share, ROUNDED)] for name, share in token.alternatives],
                "null_mass": round(float(token.null_mass.mean()), ROUNDED),
                "attention": token.attention.mean(axis=(0, 1)).astype(float).round(ROUNDED).tolist(),
            }
            for token in spoken.tokens
        ]
        return {"text": spoken.text, "language": language, "trained_steps": vlm.trained_steps, "words": words}

    @telling_client
    def train(
        self,
        seconds: float = 60.0,
        level: Literal[1, 2, 3] = 2,
        style: Literal["clean", "drawn"] = "drawn",
        objective: Literal["captions", "grounded"] = "captions",
        preset: Literal["lecture", "classic"] = "lecture",
        seed: int = 0,
        learning_rate: float = 1.0,
        optimizer: Literal["muon", "adamw"] = "muon",
        heads: int | None = None,
        width: int | None = None,
        languages: list[str] = ["en", "zh"],  # noqa: B006 (read, never written)
        sabotage: list[str] = [],  # noqa: B006
        steps: int | None = None,
    ) -> dict:
        """Train a model from random weights; it goes on after this answers. Gives {"run": its id}, which is a secret:
        whoever knows it can use, stop and download the run. A few runs learn at once, each for as long as `seconds` of
        its own time, or for so many `steps`.
        """
        if (seconds or 0) > MOST_SECONDS or (steps or 0) > MOST_STEPS:
            raise UserError(f"A run here lasts at most {MOST_SECONDS} seconds or {MOST_STEPS} steps.")
        config = TrainConfig(
            seconds=seconds, level=level, style=style, objective=objective, preset=preset, seed=seed,
            learning_rate=learning_rate, optimizer=optimizer, heads=heads, width=width,
            languages=tuple(languages), sabotage=tuple(sabotage), steps=steps,
        )  # fmt: skip
        return {"run": self.runs.start(config, None).id}

    @telling_client
    def status(self, run: str) -> dict:
        """How a run goes: {"state": "running", "paused", "stopped", "finished", "diverged" or "failed", "step",
        "seconds", "share" of its budget, "loss", "exact_match" per language and "slots" at its last evaluation,
        "message"}.
        """
        known = self._run(run)
        last = known.scores[-1] if known.scores else {"exact_match": {}, "slots": {}}
        return {
            "state": known.state,
            "step": known.step,
            "seconds": round(known.seconds, 2),
            "share": round(known.share, ROUNDED),
            "loss": known.losses[-1][1] if known.losses else None,
            "exact_match": last["exact_match"],
            "slots": last["slots"],
            "message": known.message,
        }

    @telling_client
    def stop(self, run: str) -> dict:
        """End a run; its model of the last evaluation stays. Gives what /status gives."""
        self.runs.stop(self._run(run).id)
        return self.status(run)

    @telling_client
    def evaluate(
        self,
        run: str = "",
        level: Literal[1, 2, 3] = 2,
        style: Literal["clean", "drawn"] = "drawn",
        scenes: int = 128,
    ) -> dict:
        """Score a model on scenes that no training can draw, at most 256 of them: {"scenes", "exact_match" per language
        and "slots", shares of 0 to 1; "hit", "mass" and "chance" of its maps on colour and shape words; "new_pairs",
        exact match on colours and shapes that it never saw together}. Without `run`, of the bundled model.
        """
        from vlm_core.insight.exam import examine
        from vlm_core.learning.evaluation import score_captions
        from vlm_core.scenes.batches import evaluation_scenes, to_batch

        TrainConfig(level=level, style=style)  # knows which there are
        if not 1 <= scenes <= MOST_SCENES:
            raise UserError(f"An evaluation reads 1 to {MOST_SCENES} scenes.")
        vlm = self._model(run)
        batch = to_batch(evaluation_scenes(scenes, level, style), vlm.languages, vlm.tokenizer)
        exact, slots = score_captions(vlm, [batch], vlm.languages).shares()
        exam = examine(vlm, level, style)
        maps = {name: getattr(exam, name) for name in ("hit", "mass", "chance", "new_pairs")}
        return {"scenes": scenes, "exact_match": exact, "slots": slots, **maps}

    @telling_client
    def download(self, run: str) -> gr.FileData:
        """A run as a zip file: weights (safetensors), settings and evaluations (JSON), curves (JSON and CSV). Unpacked,
        VLM.from_pretrained reads it; the page takes it back as it is.
        """
        path = put_down("simple-vlm-run.zip", pack_run(self._run(run), "en"))
        return gr.FileData(path=path, orig_name="simple-vlm-run.zip").model_dump()

    def _run(self, run_id: str) -> Run:
        run = self.runs.get(run_id)
        if run is None:
            raise UserError("There is no run of this id, or it is forgotten; /train begins one.")
        return run

    def _model(self, run_id: str):
        if not run_id:
            return bundled_model()
        vlm = self._run(run_id).vlm
        if vlm is None:
            raise UserError("This run has just begun and has no model yet; ask again in a second.")
        return vlm


def uploaded(image: dict) -> Path:
    """The file that a client sent. Raises UserError for any other file of this machine."""
    folder = Path(get_upload_folder()).resolve()
    path = Path(str(image.get("path", "")) if isinstance(image, dict) else "").resolve()
    if folder not in path.parents or not path.is_file():
        raise UserError("This is no picture that was sent; give handle_file('picture.png') or its address.")
    return path
