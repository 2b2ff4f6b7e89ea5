"""Who speaks on a page: the model trained there, or the one that comes with the project. No Gradio in here."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from vlm_core.app.runs import Runs

if TYPE_CHECKING:
    from vlm_core.insight.exam import Exam
    from vlm_core.model.vlm import VLM


class Speaker(NamedTuple):
    vlm: VLM
    exam: Exam | None
    """How well its maps point; None before a run's first evaluation, and of a moment that is looked back on."""
    name: str
    """"run" or "bundled"."""
    learning: bool
    """Whether its run still goes on."""


def once(make: Callable) -> Callable:
    """`make`, done a single time for the same arguments however many people ask for it at once."""
    lock, kept = threading.Lock(), functools.cache(make)

    @functools.wraps(make)
    def made(*asked):
        with lock:
            return kept(*asked)

    return made


def speaking(runs: Runs, wanted: str, run_id: str | None, moment: int | None = None) -> Speaker:
    """The model of a page's run if that is `wanted` and there is one, else the bundled one.

    `moment` is a step of the run's life to which the page looks back, whoever is wanted; None, as is one that is no
    longer kept, for now.
    """
    run = runs.get(run_id)
    learning = bool(run and run.live)
    for then in run.life if run and moment is not None else ():
        if then.step == moment:
            return Speaker(then.vlm, None, "run", learning)
    if wanted == "run" and run and run.vlm:
        return Speaker(run.vlm, run.exam, "run", learning)
    return Speaker(bundled_model(), bundled_exam(), "bundled", learning)


@once
def bundled_model() -> VLM:
    """The weights that come with the project, read on first use: PyTorch would hold up the first page."""
    from vlm_core.model.vlm import VLM

    return VLM.from_pretrained()


@once
def bundled_exam() -> Exam:
    """How well the bundled model points, measured here and now."""
    from vlm_core.insight.exam import examine

    return examine(bundled_model(), level=2, style="drawn")
