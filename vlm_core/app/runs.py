"""Every live run of the page: one thread pulls them in turn, and each belongs to whoever knows its id.

No Gradio in here: the page asks `Runs` for a run by id and reads what it shows.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from PIL import Image

from vlm_core.config import TrainConfig
from vlm_core.errors import UserError

SLICE_SECONDS = 0.2
"""How long one run is pulled before the next has its turn."""
MOST_LIVE = 4
"""Runs that learn at once; more would make every one of them too slow to watch."""
FORGET_AFTER = 45 * 60
"""Seconds without anybody asking for a run until it is freed."""
MOST_LIVES = 12
"""Ended runs whose life can still be looked back on, those asked for last; each takes some 70 MB."""
CURVE_POINTS = 240


@dataclass
class Run:
    """What the page shows of one training. Written by the scheduler's thread, read by handlers."""

    id: str
    config: TrainConfig
    events: Iterator | None
    """What is still to come; None when the run has ended. Only the scheduler's thread touches it."""
    state: str = "running"
    """"running", "paused", "stopped", "finished", "diverged" or "failed"."""
    step: int = 0
    seconds: float = 0.0
    share: float = 0.0
    speed: float = 0.0
    losses: list[tuple[float, float]] = field(default_factory=list)
    """(share of the budget, loss), thinned to at most CURVE_POINTS."""
    scores: list[dict] = field(default_factory=list)
    """One entry per evaluation: share, step, exact match per language, accuracy per slot."""
    life: list = field(default_factory=list)
    """Copies of the model over the run (`Snapshot`), the oldest first."""
    exam: object = None
    """How the model of the last evaluation points and what it makes of new pairs (`Exam`); None before the first."""
    captions: dict = field(default_factory=dict)
    """The person's own picture, captioned at the last evaluation, per language."""
    vlm: object = None
    """The model at the last evaluation (`VLM`)."""
    message: str = ""
    version: int = 0
    """Grows with every change, so that a page knows whether it has seen it."""
    pulled: float = 0.0
    """Seconds of the thread's time that it has had."""
    asked: float = field(default_factory=time.monotonic)

    @property
    def live(self) -> bool:
        return self.state in ("running", "paused")


class Runs:
    """All runs of one server, and the thread that pulls them.

    The run that has had the least time is pulled next, so that each gets a fair share whatever a step of it
    costs. A paused run is simply not pulled.
    """

    def __init__(self):
        self._runs: dict[str, Run] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self, config: TrainConfig, picture: Image.Image | None, train=None) -> Run:
        """Begin a run; `train` is vlm_core's unless a test brings its own. Raises UserError when too many are live."""
        if train is None:
            from vlm_core.learning.trainer import train
        with self._changed:
            live = [run for run in self._runs.values() if run.live]
            if len(live) >= MOST_LIVE:
                raise UserError(f"{MOST_LIVE} models are learning here already; try again when one of them is done.")
            run = Run(secrets.token_urlsafe(12), config, train(config, picture))
            # A newcomer waits for nobody and makes nobody wait for what they had before.
            run.pulled = min((other.pulled for other in live), default=0.0)
            self._runs[run.id] = run
            if self._thread is None:
                self._thread = threading.Thread(target=self._pull_forever, name="training", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return run

    def get(self, run_id: str | None) -> Run | None:
        """The run of that id, if it is still known."""
        with self._changed:
            run = self._runs.get(run_id or "")
            if run:
                run.asked = time.monotonic()
            return run

    def pause(self, run_id: str) -> None:
        self._switch(run_id, "running", "paused")

    def resume(self, run_id: str) -> None:
        self._switch(run_id, "paused", "running")

    def stop(self, run_id: str) -> None:
        """End a run; its model of the last evaluation stays."""
        for state in ("running", "paused"):
            self._switch(run_id, state, "stopped")

    def _switch(self, run_id: str, before: str, after: str) -> None:
        with self._changed:
            run = self._runs.get(run_id)
            if run and run.state == before:
                run.state = after
                run.version += 1
                self._changed.notify_all()

    def _sweep(self) -> None:
        """Close what has ended and forget what nobody has asked for in a long time."""
        for run in list(self._runs.values()):
            forgotten = time.monotonic() - run.asked > FORGET_AFTER
            if forgotten and run.live:
                run.state = "stopped"
            if not run.live and run.events is not None:
                run.events.close()
                run.events = None
            if forgotten:
                del self._runs[run.id]
        ended = [run for run in self._runs.values() if not run.live and run.life]
        for run in sorted(ended, key=lambda run: run.asked)[:-MOST_LIVES]:
            run.life = []

    def _pull_forever(self) -> None:
        while True:
            with self._changed:
                self._sweep()
                running = [run for run in self._runs.values() if run.state == "running"]
                if not running:
                    self._changed.wait(timeout=60)
                    continue
                run = min(running, key=lambda run: run.pulled)
            self._pull(run)

    def _pull(self, run: Run) -> None:
        """Give a run its slice; whatever goes wrong in it is that run's alone."""
        began = time.monotonic()
        try:
            while run.state == "running" and time.monotonic() - began < SLICE_SECONDS:
                event = next(run.events, None)
                if event is None:
                    break
                record(run, event)
        except UserError as error:
            run.state, run.message = "failed", str(error)
        except Exception:
            logging.getLogger(__name__).exception("run failed")
            run.state, run.message = "failed", "This run failed on the server; start another one."
        run.pulled += time.monotonic() - began
        run.version += 1


def record(run: Run, event) -> None:
    """Take down what an event of the trainer says."""
    from vlm_core.insight.exam import examine
    from vlm_core.learning.events import Evaluated, Finished, Sampled, Snapshot, Started, Step

    match event:
        case Started():
            run.vlm = event.vlm
        case Step():
            run.step, run.seconds, run.share, run.speed = (
                event.step, event.seconds, event.share, event.pictures_per_second,
            )  # fmt: skip
            run.losses.append((event.share, event.loss))
            if len(run.losses) > 2 * CURVE_POINTS:
                run.losses = run.losses[::2]
        case Snapshot():
            run.life.append(event)
        case Evaluated():
            run.exam = examine(event.vlm, run.config.level, run.config.style)
            run.scores.append(
                {"share": run.share, "step": event.step, "exact_match": event.exact_match, "slots": event.slots}
            )
            run.vlm = event.vlm
        case Sampled():
            run.captions = event.captions
        case Finished():
            run.vlm, run.message = event.vlm, event.message
            # A run may be paused in its last moment, and is done all the same; stopped it stays stopped.
            if run.live:
                run.state = "diverged" if event.reason == "diverged" else "finished"
