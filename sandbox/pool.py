"""A sandbox as a pool of workers, shared by threads."""

from __future__ import annotations

import math
import os
import threading
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from toolguild.policies import Tier
from toolguild.sandbox.access import NOTHING, Access
from toolguild.sandbox.base import Json, Limits, Outcome, Program, Sandbox, Status, ToolGateway
from toolguild.sandbox.connection import Worker, WorkerLostError
from toolguild.sandbox.errors import SandboxUnavailableError

__all__ = ["RECYCLE_AFTER", "PooledSandbox", "default_size"]

RECYCLE_AFTER = 1000
"""Runs after which a worker is replaced, in case something accumulates in it."""


def default_size() -> int:
    """Return how many workers a pool has unless told otherwise."""
    return min(os.cpu_count() or 1, 4)


class _Held(threading.local):
    """How many workers the current thread holds, in whatever pool."""

    count = 0


_held = _Held()


class PooledSandbox(Sandbox):
    """Runs each program on a worker of its own for the time of the run.

    Workers start when they are needed, are used again while nothing casts doubt on them, and are
    replaced after `recycle_after` runs.
    """

    def __init__(self, *, size: int | None = None, recycle_after: int = RECYCLE_AFTER) -> None:
        """Make a pool without starting anything.

        Args:
            size: Workers at most, by default one for each processor up to four. A run that a
                program's `call_tool` leads to does not count: waiting for a place while
                holding one, it could wait for ever.
            recycle_after: Runs that a worker serves at most.

        Raises:
            ValueError: one of them is below 1.
        """
        self._size = default_size() if size is None else size
        if self._size < 1 or recycle_after < 1:
            msg = f"size and recycle_after must be 1 or more, not {size} and {recycle_after}"
            raise ValueError(msg)
        self._recycle_after = recycle_after
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._starting = 0
        self._closed = False

    @abstractmethod
    def _start(self, limits: Limits) -> Worker:
        """Start a worker that fits the limits.

        Raises:
            SandboxUnavailableError: none can be started.
        """

    def _why_lost(self, lost: WorkerLostError) -> Outcome:
        """Say how a run ended whose worker is gone."""
        return Outcome(Status.KILLED, error=f"The sandbox's worker ended during the run: {lost}.")

    def run(
        self,
        program: Program,
        arguments: Mapping[str, Json],
        *,
        tier: Tier,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        tools: ToolGateway | None = None,
        access: Access = NOTHING,
    ) -> Outcome:
        """Run a program on a free worker, waiting for one if need be; see `Sandbox.run`.

        A worker that is found dead before the program started is replaced: those that had waited
        for a run as often as need be, one that has just started once.

        Raises:
            SandboxUnavailableError: no worker can be started, or the sandbox is closed.
            ValueError: a limit is not a positive finite number, or the arguments are not JSON.
        """
        _check(limits)
        lost_at_start = 0
        while True:
            with self._worker(limits) as worker:
                try:
                    return worker.run(program, arguments, tier, limits, tools)
                except WorkerLostError as lost:
                    if lost.started:
                        return self._why_lost(lost)
                    lost_at_start += worker.runs == 1
                    if lost_at_start == 2:
                        msg = f"The {self.name} sandbox's workers end before they start: {lost}."
                        raise SandboxUnavailableError(msg) from lost

    def close(self) -> None:
        """End every worker, also those that have a run; closing twice is harmless."""
        with self._changed:
            self._closed = True
            idle, busy = [*self._idle], [*self._busy]
            self._idle.clear()
            self._changed.notify_all()
        if os.getpid() != self._process:
            busy.clear()  # in a forked copy: they are the original's
        for worker in busy:
            worker.end()  # whoever has it closes it
        for worker in idle:
            self._drop(worker)

    def _drop(self, worker: Worker) -> None:
        if os.getpid() == self._process:
            worker.close()
        else:
            worker.abandon()

    @contextmanager
    def _worker(self, limits: Limits) -> Iterator[Worker]:
        worker = self._acquire(limits)
        _held.count += 1
        try:
            yield worker
        finally:
            _held.count -= 1
            self._release(worker)

    def _acquire(self, limits: Limits) -> Worker:
        while True:
            unfit: Worker | None = None
            with self._changed:
                self._wait_for_place()
                if self._idle:
                    unfit = worker = self._idle.pop()
                    if worker.fits(limits):
                        self._busy.add(worker)
                        return worker
                else:
                    self._starting += 1
            if not unfit:
                return self._start_counted(limits)
            self._drop(unfit)

    def _wait_for_place(self) -> None:
        if os.getpid() != self._process:
            self._forget_inherited()
        while not self._closed and not self._idle and not _held.count:
            if len(self._busy) + self._starting < self._size:
                break
            self._changed.wait()
        if self._closed:
            msg = f"The {self.name} sandbox is closed; open another."
            raise SandboxUnavailableError(msg)

    def _forget_inherited(self) -> None:
        """In a forked copy of the process: the workers are the original's."""
        for worker in (*self._idle, *self._busy):
            worker.abandon()
        self._idle.clear()
        self._busy.clear()
        self._starting = 0
        self._process = os.getpid()

    def _start_counted(self, limits: Limits) -> Worker:
        worker: Worker | None = None
        try:
            worker = self._start(limits)
        finally:
            with self._changed:
                self._starting -= 1
                if worker and not self._closed:
                    self._busy.add(worker)
                self._changed.notify()
                closed = self._closed
        if closed:
            self._drop(worker)
            msg = f"The {self.name} sandbox was closed while a worker started."
            raise SandboxUnavailableError(msg)
        return worker

    def _release(self, worker: Worker) -> None:
        keep = worker.reusable and worker.runs < self._recycle_after
        if not keep:
            self._drop(worker)
        with self._changed:
            self._busy.discard(worker)
            crowded = len(self._busy) + len(self._idle) + self._starting >= self._size
            if keep and not self._closed and not crowded:
                self._idle.append(worker)
                keep = False
            self._changed.notify()
        if keep:
            self._drop(worker)


def _check(limits: Limits) -> None:
    numbers = (limits.wall_s, limits.memory_mb, limits.output_bytes, limits.processes)
    if not all(math.isfinite(number) and number > 0 for number in numbers):
        msg = f"limits must be positive and finite: {limits}"
        raise ValueError(msg)
