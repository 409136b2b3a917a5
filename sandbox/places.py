"""Who gets which worker of a pool, and who waits.

A worker fits some runs and not others, and starting one takes as long as a hundred runs. So a
thread that a free worker fits goes ahead of one that needs another kind, and a worker that was in
use just now is kept for whoever may come back for it. Neither for ever.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from toolguild.sandbox.connection import Worker

__all__ = ["Place", "Places", "PlacesClosedError"]

_PATIENCE = 20
"""How often others may go ahead of a thread that needs a kind of worker which nobody has."""
_PATIENCE_S = 0.25
"""How long a worker must have been idle, or a thread have waited, for it to be given up: about as
long as starting one takes, so that no wait is much more than twice as long as need be."""


class PlacesClosedError(RuntimeError):
    """There are no places any more."""


class Place(NamedTuple):
    """What a thread gets: a worker, or room to start one."""

    worker: Worker | None
    unfit: Worker | None = None
    """A worker to end first, which was idle and made room."""


@dataclass(eq=False, slots=True)
class _Turn:
    """A thread that waits."""

    fits: Callable[[Worker], bool]
    come: threading.Lock
    """Held until it is the thread's turn: not a condition, whose lock it would wait for, too."""
    place: Place | None = None
    passed: int = 0
    """How often others went ahead."""
    patient: bool = True
    """Whether it may have to wait for the sake of others, as it has not waited for long yet."""


class Places:
    """A bounded number of places for workers, handed out in turn; safe to share between threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._waiting: list[_Turn] = []
        self._starting = 0
        self._closed = False
        self.idle: dict[Worker, float] = {}
        """Since when (on the clock of `time.monotonic`); the one that was used last comes last."""
        self.busy: set[Worker] = set()

    def take(self, fits: Callable[[Worker], bool], *, at_once: bool = False) -> Place:
        """Return a place, once there is one; `started` must follow where it is without a worker.

        Args:
            fits: Whether the thread can use a worker.
            at_once: Do not wait, even if that makes more workers than there are places.

        Raises:
            PlacesClosedError: there are none any more.
        """
        if (worker := self._at_hand(fits)) is not None:
            return Place(worker)
        turn = _Turn(fits, threading.Lock())
        turn.come.acquire()
        try:
            self._join(turn, at_once=at_once)
            while not turn.place and not self._closed:
                turn.come.acquire(timeout=_PATIENCE_S if turn.patient else -1)
                if not turn.place:
                    self._lose_patience(turn)
        except BaseException:
            self._leave(turn)
            raise
        if not turn.place:
            raise PlacesClosedError
        return turn.place

    def add(self, worker: Worker) -> None:
        """Put a worker on one of the places, for whoever comes."""
        with self._lock:
            self.idle[worker] = time.monotonic()
            self._decide()

    def started(self, worker: Worker | None) -> bool:
        """Fill a place with the worker that was started for it, or free it where there is none.

        Returns:
            Whether it may be used: all may have been closed meanwhile.
        """
        with self._lock:
            self._starting -= 1
            usable = worker is not None and not self._closed
            if worker and usable:
                self.busy.add(worker)
            self._decide()
        return usable

    def give_back(self, worker: Worker, *, keep: bool) -> bool:
        """Free a place; return whether the worker stays for others."""
        with self._lock:
            self.busy.discard(worker)
            kept = keep and not self._closed and self._has_room()
            if kept:
                self.idle[worker] = time.monotonic()
            self._decide()
        return kept

    def close(self) -> tuple[list[Worker], list[Worker]]:
        """Send everybody away; return the workers that were idle, and those that are busy."""
        with self._lock:
            self._closed = True
            idle, busy = [*self.idle], [*self.busy]
            self.idle.clear()
            for turn in self._waiting:
                turn.come.release()
            self._waiting.clear()
        return idle, busy

    def _at_hand(self, fits: Callable[[Worker], bool]) -> Worker | None:
        """Take a worker that is idle while nobody waits: so it mostly is, and the rest is dear."""
        with self._lock:
            if self._waiting or self._closed:
                return None
            return self._take_idle(fits)

    def _take_idle(self, fits: Callable[[Worker], bool]) -> Worker | None:
        for worker in reversed(self.idle):
            if fits(worker):
                del self.idle[worker]
                self.busy.add(worker)
                return worker
        return None

    def _join(self, turn: _Turn, *, at_once: bool) -> None:
        with self._lock:
            if at_once and not self._closed:
                self._serve(turn)
                return
            # Where nobody else is at work, nobody comes back for a worker either.
            turn.patient = bool(self._waiting or self.busy or self._starting)
            self._waiting.append(turn)
            self._decide()

    def _lose_patience(self, turn: _Turn) -> None:
        with self._lock:
            turn.patient = False
            self._decide()

    def _leave(self, turn: _Turn) -> None:
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
            if turn.place:
                self._take_back(turn.place)

    def _decide(self) -> None:
        """Give what is free to those who wait."""
        while self._waiting and not self._closed:
            turn = self._next()
            if turn is None:
                return
            self._serve(turn)
            position = self._waiting.index(turn)
            for ahead in self._waiting[:position]:
                ahead.passed += 1
            del self._waiting[position]
            turn.come.release()

    def _next(self) -> _Turn | None:
        first = self._waiting[0]
        candidates = [first] if self._is_neglected(first) else self._waiting
        for turn in candidates:
            if any(map(turn.fits, self.idle)):
                return turn
        if self._has_room():
            return first
        for turn in candidates:
            impatient = not turn.patient or self._is_neglected(turn)
            if self.idle and (impatient or self._has_rested()):
                return turn
        return None

    def _is_neglected(self, turn: _Turn) -> bool:
        """Whether enough others went ahead, and what it needs is neither at work nor on its way."""
        if turn.passed < _PATIENCE or self._starting:
            return False
        return not any(map(turn.fits, self.busy))

    def _has_rested(self) -> bool:
        """Whether there is a worker that nobody has used for long."""
        return time.monotonic() - next(iter(self.idle.values())) > _PATIENCE_S

    def _serve(self, turn: _Turn) -> None:
        if (worker := self._take_idle(turn.fits)) is not None:
            turn.place = Place(worker)
            return
        # The longest idle goes, where there is no room otherwise.
        unfit = next(iter(self.idle), None) if not self._has_room() else None
        if unfit:
            del self.idle[unfit]
        self._starting += 1
        turn.place = Place(None, unfit)

    def _take_back(self, place: Place) -> None:
        if place.worker:
            self.busy.discard(place.worker)
        else:
            self._starting -= 1
        self.idle.update((worker, time.monotonic()) for worker in place if worker)
        self._decide()

    def _has_room(self) -> bool:
        return len(self.busy) + len(self.idle) + self._starting < self._size
