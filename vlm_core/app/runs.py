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
from vlm_core.learning.heap import keep_heap

SLICE_SECONDS = 0.2
"""How long one run is pulled before the next has its turn."""
MOST_LIVE = 4
"""Runs that learn at once; more would make every one of them too slow to watch."""
FORGET_AFTER = 45 * 60
"""Seconds without anybody asking for a run until it is freed."""
MOST_ENDED = 60
"""Ended runs that are kept with settings, curves and last model; of more, those asked for last."""
MOST_LIVES = 12
"""Ended runs whose life can still be looked back on, those asked for last; each takes some 70 MB."""
CURVE_POINTS = 120
"""Of a curve, evenly over the run's budget: the fall of its first seconds is as finely drawn as its end."""


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
    """(share of the budget, loss), about CURVE_POINTS at most."""
    scores: list[dict] = field(default_factory=list)
    """One entry per evaluation: share, step, exact match per language, accuracy per slot, and the exam's figures."""
    signals: list[tuple[float, dict]] = field(default_factory=list)
    """(share of the budget, signal per kind of word), about CURVE_POINTS at most."""
    stages: dict = field(default_factory=dict)
    """The stages of learning seen so far (`stages.Moment`), by name."""
    parameters: int = 0
    began: float = field(default_factory=time.time)
    """Seconds since 1970."""
    controls: object = None
    """How its learning rate is changed (`Controls`); None where it cannot be."""
    stepping: bool = False
    """Paused, but one more step is asked for."""
    life: list = field(default_factory=list)
    """Copies of the model over the run (`Snapshot`), the oldest first."""
    exam: object = None
    """How the model of the last evaluation points and what it makes of new pairs (`Exam`); None before the first."""
    recognized: list = field(default_factory=list)
    """If it teaches a word: how well that was known before and after (`Recognized`)."""
    captions: dict = field(default_factory=dict)
    """The person's own picture, captioned at the last evaluation, per language."""
    sampled: int = 0
    """How often it was captioned."""
    vlm: object = None
    """The model at the last evaluation (`VLM`)."""
    message: str = ""
    chinese: str = ""
    """The message on the Chinese page."""
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
        keep_heap()  # before there are threads: theirs would be heaps of which nothing is kept
        self._runs: dict[str, Run] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self, config: TrainConfig, picture: Image.Image | None, train=None) -> Run:
        """Begin a run; `train` is vlm_core's unless somebody brings another. Raises UserError if too many are live."""
        return self.start_all((config,), picture, train)[0]

    def start_all(self, configs: tuple[TrainConfig, ...], picture: Image.Image | None, train=None) -> list[Run]:
        """Begin several runs at the same moment, or none of them and raise UserError."""
        with self._changed:
            live = [run for run in self._runs.values() if run.live]
            if len(live) + len(configs) > MOST_LIVE:
                raise UserError(
                    f"At most {MOST_LIVE} models learn here at once, and {len(live)} do already; "
                    "try again when one of them is done.",
                    f"这里最多同时训练 {MOST_LIVE} 个模型,现在已有 {len(live)} 个;请等其中一个结束后再试。",
                )
            # A newcomer waits for nobody and makes nobody wait for what they had before.
            had = min((other.pulled for other in live), default=0.0)
            begun = [_begin(config, picture, train) for config in configs]
            for run in begun:
                run.pulled = had
                self._runs[run.id] = run
            self._wake()
        return begun

    def adopt(self, run: Run) -> Run:
        """Take in a run that ended elsewhere: from now on it belongs to whoever knows its id."""
        with self._changed:
            self._runs[run.id] = run
            self._wake()
        return run

    def _wake(self) -> None:
        """Have the thread see to what has changed."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._pull_forever, name="training", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def get(self, run_id: str | None) -> Run | None:
        """The run of that id, if it is still known."""
        with self._changed:
            run = self._runs.get(run_id or "")
            if run:
                run.asked = time.monotonic()
            return run

    def step(self, run_id: str) -> None:
        """Have a paused run take one step more."""
        with self._changed:
            run = self._runs.get(run_id)
            if run and run.state == "paused":
                run.stepping = True
                self._changed.notify_all()

    def steer(self, run_id: str, learning_rate: float | None) -> None:
        """Change a live run's learning rate; raises UserError for a factor that it cannot have. None changes nothing:
        an emptied field is on its way to another number."""
        run = self.get(run_id)
        if run and run.live and run.controls and learning_rate is not None:
            run.controls.learning_rate = learning_rate

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
                run.state, run.stepping = after, False
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
        ended = sorted((run for run in self._runs.values() if not run.live), key=lambda run: run.asked)
        for run in ended[:-MOST_ENDED]:
            del self._runs[run.id]
        for run in [run for run in ended if run.life][:-MOST_LIVES]:
            run.life = []

    def _pull_forever(self) -> None:
        while True:
            with self._changed:
                self._sweep()
                running = [run for run in self._runs.values() if run.state == "running" or run.stepping]
                if not running:
                    self._changed.wait(timeout=60)
                    continue
                run = min(running, key=lambda run: run.pulled)
            self._pull(run)

    def _pull(self, run: Run) -> None:
        """Give a run its slice, or the one step it is to take; whatever goes wrong in it is that run's alone."""
        began, before = time.monotonic(), run.step
        try:
            while (run.state == "running" and time.monotonic() - began < SLICE_SECONDS) or run.stepping:
                event = next(run.events, None)
                if event is None:  # over without a word: pulled on and on, it would take a whole core
                    run.state = "stopped"
                    break
                record(run, event)
                if run.step > before or not run.live:
                    run.stepping = False
        except UserError as error:
            run.state, run.message, run.chinese = "failed", str(error), error.chinese or str(error)
        except Exception:
            logging.getLogger(__name__).exception("run failed")
            run.state, run.message = "failed", "This run failed on the server; start another one."
            run.chinese = "这次训练在服务器上出错了;请重新开始。"
        run.stepping = run.stepping and run.live
        run.pulled += time.monotonic() - began
        run.version += 1


def _begin(config: TrainConfig, picture: Image.Image | None, train) -> Run:
    run = Run(secrets.token_urlsafe(12), config, None)
    if train is None:
        from vlm_core.learning.controls import Controls
        from vlm_core.learning.trainer import train as learn

        run.controls = Controls()
        run.events = learn(config, picture, controls=run.controls)
    else:
        run.events = train(config, picture)
    return run


def record(run: Run, event) -> None:
    """Take down what an event of the trainer says."""
    from vlm_core.insight.exam import examine
    from vlm_core.learning.events import Evaluated, Finished, Recognized, Sampled, Snapshot, Started, Step
    from vlm_core.learning.stages import Moment, add_stages

    match event:
        case Started():
            run.vlm, run.parameters = event.vlm, event.num_parameters
            if event.config.snapshots:
                run.life.append(Snapshot(event.vlm.trained_steps, 0.0, event.vlm))
        case Step():
            run.step, run.seconds, run.share, run.speed = (
                event.step, event.seconds, event.share, event.pictures_per_second,
            )  # fmt: skip
            run.losses = _continued(run.losses, (event.share, event.loss))
            if event.signals:
                run.signals = _continued(run.signals, (event.share, event.signals))
                run.stages = add_stages(run.stages, Moment(event.step, event.share, event.signals))
        case Snapshot():
            run.life.append(event)
        case Evaluated():
            run.exam = exam = examine(event.vlm, run.config.level, run.config.style)
            figures = {"hit": exam.hit, "mass": exam.mass, "chance": exam.chance, "new_pairs": exam.new_pairs}
            run.scores.append(
                {"share": run.share, "step": event.step, "exact_match": event.exact_match, "slots": event.slots,
                 **figures}
            )  # fmt: skip
            moment = Moment(
                event.step, run.share, run.signals[-1][1] if run.signals else {},
                sum(event.exact_match.values()) / len(event.exact_match), exam.hit, exam.mass, exam.chance,
            )  # fmt: skip
            run.stages = add_stages(run.stages, moment)
            run.vlm = event.vlm
        case Recognized():
            run.recognized.append(event)
        case Sampled():
            run.captions = event.captions
            run.sampled += 1
        case Finished():
            run.vlm, run.message = event.vlm, event.message
            if event.reason != "diverged":
                run.share = 1.0  # its last step may have begun well before: what came after it spent the rest
            # A run may be paused in its last moment, and is done all the same; stopped it stays stopped.
            if run.live:
                run.state = "diverged" if event.reason == "diverged" else "finished"


def _continued(points: list, newest: tuple) -> list:
    """A curve with its newest point; the one before gives way where it is too near to its own predecessor to be told
    from it. Readers of the list keep the one they have."""
    near = len(points) > 1 and points[-1][0] - points[-2][0] < 1 / CURVE_POINTS
    return [*points[:-1], newest] if near else [*points, newest]
