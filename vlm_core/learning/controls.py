"""What a person may change of a run while it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from vlm_core.errors import UserError

MOST_RATE = 10.0


@dataclass(frozen=True)
class Steering:
    """A change of the learning rate by hand: from this step on another factor."""

    step: int
    """Steps that the run had taken by then."""
    learning_rate: float


class Controls:
    """Hand one to `train` and keep it: what is set on it holds from the run's next step on. Any thread may."""

    def __init__(self):
        self._lock = Lock()
        self._learning_rate: float | None = None
        self.steered: tuple[Steering, ...] = ()
        """What the run has made of it; written by the run."""

    @property
    def learning_rate(self) -> float | None:
        """Takes the place of `TrainConfig.learning_rate`; None: nothing has been set."""
        with self._lock:
            return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, factor: float) -> None:
        """0 to MOST_RATE; at 0 the weights stand still. Raises UserError for anything else."""
        if not 0 <= factor <= MOST_RATE:
            raise UserError(f"A learning rate can be set to 0 to {MOST_RATE:g} times the recipe's, not {factor:g}.")
        with self._lock:
            self._learning_rate = float(factor)
