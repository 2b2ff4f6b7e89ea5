"""A second process that renders training batches ahead of time.

Rendering is Python and Pillow, which hold the interpreter's lock; in a thread it would stall the training step.
A plain child with pipes, rather than `multiprocessing`, so that a script which trains needs no
`if __name__ == "__main__"` and a page is not imported twice.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from threading import Thread

from vlm_core.learning.heap import keep_heap
from vlm_core.scenes.batches import Batch, training_batch

AHEAD = 3
"""Batches that are asked for before they are needed."""
PIPE_BYTES = 1 << 20
"""What a pipe takes in one go, where that can be chosen: with the usual 64 KB a batch wakes both its ends 30 times."""


class BatchRenderer:
    """Renders batches `first`, `first` + 1, … of a run in a child process, a few ahead of use.

    Use as a context manager: the child ends with it. `style` names the style of a batch by its index, `arguments`
    are the other arguments of `make`.
    """

    def __init__(
        self, first: int, style: Callable[[int], str], make: Callable[..., Batch] = training_batch, **arguments
    ):
        self._child = subprocess.Popen(
            [sys.executable, "-m", "vlm_core.learning.renderer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pipesize=PIPE_BYTES,
            cwd=Path(__file__).resolve().parents[2],
        )
        self._asked, self._style = first, style
        self._ready: Queue[Batch | None] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self._send((make, arguments))
        for _ in range(AHEAD):
            self._ask()

    def next(self) -> Batch:
        """The next batch; waits for it. Raises RuntimeError if the child died."""
        self._ask()
        batch = self._ready.get()
        if batch is None:
            raise RuntimeError(f"the process that renders training pictures ended with status {self._child.wait()}")
        return batch

    def _ask(self) -> None:
        self._send((self._asked, self._style(self._asked)))
        self._asked += 1

    def _send(self, message) -> None:
        with contextlib.suppress(BrokenPipeError):  # the child is gone: `next` says so
            pickle.dump(message, self._child.stdin)
            self._child.stdin.flush()

    def _read(self) -> None:
        try:
            while True:
                self._ready.put(pickle.load(self._child.stdout))
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            self._ready.put(None)

    def __enter__(self) -> BatchRenderer:
        return self

    def __exit__(self, *_) -> None:
        self._child.kill()
        self._child.wait()
        self._reader.join()
        self._child.stdout.close()
        with contextlib.suppress(BrokenPipeError):  # what was asked last may not have been sent
            self._child.stdin.close()


def main() -> None:
    """The child: read the run's arguments, then render what is asked for until nobody asks any more."""
    keep_heap()
    if hasattr(os, "nice"):
        os.nice(10)  # Whoever else wakes up is to take this core, not the one that learns.
    make, arguments = pickle.load(sys.stdin.buffer)
    try:
        while True:
            index, style = pickle.load(sys.stdin.buffer)
            pickle.dump(make(index=index, style=style, **arguments), sys.stdout.buffer, protocol=5)
            sys.stdout.buffer.flush()
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        # Python would complain once more when it closes stdout.
        sys.stdout = None


if __name__ == "__main__":
    main()
