"""Memory that a process has used once, kept for its next step."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # glibc's numbers of what `mallopt` sets
_LARGEST, _KEPT = 32 << 20, 512 << 20  # bytes


def keep_heap() -> None:
    """Have freed memory stay with the process, where the C library is glibc; elsewhere nothing happens.

    A step frees and asks again for some hundred MB. Given back to the system in between, every page of it is cleared
    and mapped anew: a sixth of the step. Where a model learns in a thread, this must come before the thread: threads
    that begin earlier have heaps of their own, which nothing keeps.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST)
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_ARENA_MAX, 1)
