"""A second process that renders training batches ahead of time.

Rendering is Python and Pillow, which hold the interpreter's lock; in a thread it would stall the training step.
A plain child with pipes, rather than `multiprocessing`, so that a script which trains needs no
`if __name__ == "__main__"` and a page is not imported twice.
"""

from __future__ import annotations

import itertools
import pickle
import subprocess
import sys
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

from vlm_core.scenes.batches import Batch, training_batch

AHEAD = 3
"""Finished batches that may wait to be used."""


class BatchRenderer:
    """Renders batches `first`, `first` + 1, … of a run in a child process, a few ahead of use.

    Use as a context manager: the child ends with it. `arguments` are those of `training_batch` but for `index`.
    """

    def __init__(self, first: int, **arguments):
        self._child = subprocess.Popen(
            [sys.executable, "-m", "vlm_core.learning.renderer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).resolve().parents[2],
        )
        pickle.dump((first, arguments), self._child.stdin)
        self._child.stdin.flush()
        self._ready: Queue[Batch | None] = Queue(AHEAD)
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def next(self) -> Batch:
        """The next batch; waits for it. Raises RuntimeError if the child died."""
        batch = self._ready.get()
        if batch is None:
            raise RuntimeError(f"the process that renders training pictures ended with status {self._child.wait()}")
        return batch

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
        while self._reader.is_alive():  # it may wait for room in the queue
            try:
                self._ready.get(timeout=0.05)
            except Empty:
                continue
        self._child.wait()
        self._child.stdin.close()
        self._child.stdout.close()


def main() -> None:
    """The child: read where to begin, then render until nobody reads any more."""
    first, arguments = pickle.load(sys.stdin.buffer)
    try:
        for index in itertools.count(first):
            pickle.dump(training_batch(index=index, **arguments), sys.stdout.buffer, protocol=5)
            sys.stdout.buffer.flush()
    except (BrokenPipeError, KeyboardInterrupt):
        # Python would complain once more when it closes stdout.
        sys.stdout = None


if __name__ == "__main__":
    main()
