"""A page's run as a file, and a file as a page's run. No Gradio in here."""

from __future__ import annotations

import secrets

from vlm_core.app.runs import Run, Runs
from vlm_core.app.texts import text
from vlm_core.errors import UserError


def pack_run(run: Run | None, language: str) -> bytes:
    """A zip file of a run's model of the last evaluation and its curves. Raises UserError if there is none."""
    from vlm_core.learning.parcel import Parcel, pack

    if run is None or run.vlm is None or run.vlm.trained_steps == 0:
        raise UserError(text(language, "take_no_run"))
    return pack(Parcel(run.vlm, list(run.losses), list(run.scores)))


def bring_back(runs: Runs, content: bytes) -> Run:
    """The run in a zip file, ended and under a new secret id. Raises UserError if the file is no such run."""
    from vlm_core.insight.exam import examine
    from vlm_core.learning.parcel import unpack
    from vlm_core.scenes.tokenizer import WordTokenizer

    parcel = unpack(content)
    vlm, config, world = parcel.vlm, parcel.config, WordTokenizer().vocabulary
    speaks = vlm.tokenizer.vocabulary[: len(world)] == world  # a word that it was taught comes after them
    return runs.adopt(
        Run(
            secrets.token_urlsafe(12), config, events=None, state="finished", vlm=vlm,
            step=vlm.trained_steps, seconds=vlm.run["seconds"], share=1.0, parameters=vlm.num_parameters,
            losses=parcel.losses, scores=parcel.scores,
            exam=examine(vlm, config.level, config.style) if speaks else None,
        )
    )  # fmt: skip
