"""The page for scripts: what `gradio_client` can call, with plain values in and plain dictionaries out.

The signatures are what the page's API documentation shows, so they are not left as strings (no `annotations` import).
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import gradio as gr
from gradio.utils import get_upload_folder

from vlm_core.app import teaching
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
        endpoints.caption, endpoints.what_if, endpoints.train, endpoints.teach, endpoints.status, endpoints.stop,
        endpoints.evaluate, endpoints.download,
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
        """Say what is in a picture. Gives {"text", "language", "trained_steps", "unsure", "words": [{"text",
        "probability", "alternatives": [[text, probability], ...], "null_mass", "attention": 14 rows of 14 shares (mean
        of all heads)}, ...]}. `run` names a run that /train began; without one the bundled model speaks. "unsure" is
        null, or why the caption is to be doubted: "word", "differs" (in another language) or "nonsense".
        """
        from vlm_core.insight.certainty import certainty_of

        vlm, picture = self._model(run), open_picture(uploaded(image))
        spoken = vlm.caption(picture, language)
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
        told = {"text": spoken.text, "language": language, "trained_steps": vlm.trained_steps}
        return {**told, "unsure": certainty_of(vlm, picture, spoken.tokens, language).reason, "words": words}

    @telling_client
    def what_if(
        self,
        image: gr.FileData,
        language: Literal["en", "zh"] = "en",
        run: str = "",
        hidden: list[int] = [],  # noqa: B006 (read, never written)
        heads_off: list[list[int]] = [],  # noqa: B006
        forced: dict[str, str] = {},  # noqa: B006
        need: int | None = None,
    ) -> dict:
        """Caption a picture with something changed: `hidden` patches (0 to 195, row by row), `heads_off` as [layer,
        head], words `forced` at their place ({"0": "a"}). Gives {"before": [{"text", "probability", "after": what it is
        under all changes, "looked": its attention on what is hidden, "fall": how far hiding alone takes it down,
        "verdict": "needed", "unneeded", "unseen" or null}, ...], "after": [{"text", "probability"}, ...], "need"}. With
        `need`, the place of a word, that says how far the word falls without the patches it looked at ("attended"), and
        without as many random ones.
        """
        from vlm_core.insight.what_if import measure_need, what_if
        from vlm_core.model.intervention import Intervention

        vlm, picture = self._model(run), open_picture(uploaded(image))
        vocabulary = vlm.tokenizer.vocabulary
        try:
            words = tuple((int(place), vocabulary.index(word)) for place, word in forced.items())
            changes = Intervention(frozenset(hidden), frozenset((layer, head) for layer, head in heads_off), words)
        except (ValueError, TypeError) as error:
            raise UserError("Hide patches by number, switch off [layer, head], force words that it knows.") from error
        found = what_if(vlm, picture, language, changes)
        before = [
            {"text": token.text, "probability": round(token.probability, ROUNDED), **_rounded(vars(effect))}
            for token, effect in zip(found.before.tokens, found.effects, strict=True)
        ]
        after = [{"text": token.text, "probability": round(token.probability, ROUNDED)} for token in found.after.tokens]
        if need is not None and not 0 <= need < len(before):
            raise UserError(f"The caption has words 0 to {len(before) - 1}; `need` is the place of one of them.")
        told = None if need is None else _rounded(measure_need(vlm, picture, language, need).told())
        return {"before": before, "after": after, "need": told}

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
    def teach(self, images: list[gr.FileData], word: str, run: str = "", seconds: float = teaching.SECONDS) -> dict:
        """Teach a model a new word, in English letters or Chinese characters, from pictures of one such thing each.
        Gives {"run": the id of a new run}; when that has finished, its model says the word, and /status tells what is
        left of what it knew. `run` is whose model learns; without it, the bundled one does.
        """
        if not images or len(images) > teaching.MOST_EXAMPLES:
            raise UserError(f"A word is taught with 1 to {teaching.MOST_EXAMPLES} pictures.")
        if not 0 < seconds <= teaching.MOST_SECONDS:
            raise UserError(f"A word is taught for at most {teaching.MOST_SECONDS:g} seconds.")
        pictures = [open_picture(uploaded(image)) for image in images]
        return {"run": teaching.begin_teaching(self.runs, self._model(run), word, pictures, seconds).id}

    @telling_client
    def status(self, run: str) -> dict:
        """How a run goes: {"state": "running", "paused", "stopped", "finished", "diverged" or "failed", "step",
        "seconds", "share" of its budget, "loss", "exact_match" per language and "slots" at its last evaluation,
        "message", "taught": of a run of /teach the word's share of right answers before and, in the end, after it}.
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
            "taught": [event.share for event in known.recognized],
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


def _rounded(figures: dict) -> dict:
    return {name: round(value, ROUNDED) if isinstance(value, float) else value for name, value in figures.items()}


def uploaded(image: dict) -> Path:
    """The file that a client sent. Raises UserError for any other file of this machine."""
    folder = Path(get_upload_folder()).resolve()
    path = Path(str(image.get("path", "")) if isinstance(image, dict) else "").resolve()
    if folder not in path.parents or not path.is_file():
        raise UserError("This is no picture that was sent; give handle_file('picture.png') or its address.")
    return path
