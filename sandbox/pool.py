"""A sandbox as a pool of workers, shared by threads."""

from __future__ import annotations

import contextlib
import math
import os
import threading
from abc import abstractmethod
from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache

from toolguild.policies import Profile, Tier, load_profile
from toolguild.sandbox.access import NOTHING, Access, Reach, reach
from toolguild.sandbox.base import Json, Limits, Outcome, Program, Sandbox, Status, ToolGateway
from toolguild.sandbox.connection import Worker, WorkerLostError, with_hosts
from toolguild.sandbox.errors import SandboxUnavailableError
from toolguild.sandbox.files.changes import Parcel
from toolguild.sandbox.places import Places, PlacesClosedError
from toolguild.sandbox.seats import Seats
from toolguild.sandbox.setting import Setting

__all__ = ["MAX_WORKSPACE_MB", "RECYCLE_AFTER", "PooledSandbox", "default_size"]

MAX_WORKSPACE_MB = 1024
"""Of a run; its files are held in memory several times on their way."""

RECYCLE_AFTER = 5000
"""Runs after which a worker is replaced, in case something accumulates in it."""


def default_size() -> int:
    """Return how many workers a pool has unless told otherwise."""
    return min(os.cpu_count() or 1, 4)


_held = ContextVar("_held", default=0)
"""How many workers the current thread, and whoever it works for, holds in whatever pool."""


class PooledSandbox(Sandbox):
    """Runs each program on a worker of its own for the time of the run.

    Workers start when they are needed, are used again while nothing casts doubt on them, and are
    replaced after `recycle_after` runs.
    """

    def __init__(
        self,
        *,
        size: int | None = None,
        recycle_after: int = RECYCLE_AFTER,
        profile: Profile | None = None,
    ) -> None:
        """Make a pool without starting anything.

        Args:
            size: Workers at most, by default one for each processor up to four. A run that a
                program's `call_tool` leads to does not count: waiting for a place while
                holding one, it could wait for ever.
            recycle_after: Runs that a worker serves at most.
            profile: What the wall of every worker goes by, by default the shipped one.

        Raises:
            ValueError: `size` or `recycle_after` is below 1.
        """
        self._size = default_size() if size is None else size
        if self._size < 1 or recycle_after < 1:
            msg = f"size and recycle_after must be 1 or more, not {size} and {recycle_after}"
            raise ValueError(msg)
        self._recycle_after = recycle_after
        self._profile = profile
        self._process = os.getpid()
        self._forgetting = threading.Lock()
        self._places = Places(self._size)
        self._seats = Seats()
        self._seat_of: dict[Worker, int] = {}

    @property
    def profile(self) -> Profile:
        """What the wall goes by."""
        # Not read before it is asked for: meanwhile, the first worker's interpreter starts.
        return self._profile or load_profile()

    @abstractmethod
    def _start(self, limits: Limits, setting: Setting, seat: int) -> Worker:
        """Start a worker that fits, and that keeps to the processor of its seat.

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
        reached = reach(program.needs, tier, access)
        setting = Setting.of(reached, limits)
        if not setting.writable:
            return self._run(program, arguments, tier, limits, tools, setting, reached)
        if not reached.workspace:
            empty = Parcel.of((), {}, limits.workspace_mb << 20)
            return self._run(program, arguments, tier, limits, tools, setting, reached, empty)
        # Imported only here: most runs have no use for it.
        from toolguild.sandbox.files.workspace import Workspace

        with Workspace(reached.workspace) as workspace:
            parcel = workspace.read(limits.workspace_mb)
            outcome = self._run(program, arguments, tier, limits, tools, setting, reached, parcel)
            return workspace.settle(outcome) if reached.kept and outcome.ok else outcome

    def _run(
        self,
        program: Program,
        arguments: Mapping[str, Json],
        tier: Tier,
        limits: Limits,
        tools: ToolGateway | None,
        setting: Setting,
        reached: Reach,
        parcel: Parcel | None = None,
    ) -> Outcome:
        lost_at_start = 0
        while True:
            worker = self._acquire(limits, setting)
            before = _held.set(_held.get() + 1)
            try:
                return worker.run(program, arguments, tier, limits, tools, parcel, reached.hosts)
            except WorkerLostError as lost:
                if lost.started:
                    return with_hosts(self._why_lost(lost), lost.hosts)
                lost_at_start += worker.runs == 1
                if lost_at_start == 2:
                    msg = f"The {self.name} sandbox's workers end before they start: {lost}."
                    raise SandboxUnavailableError(msg) from lost
            finally:
                _held.reset(before)
                self._release(worker)

    def close(self) -> None:
        """End every worker, also those that have a run; closing twice is harmless."""
        self._forget_inherited()
        idle, busy = self._places.close()
        for worker in busy:
            with contextlib.suppress(SandboxUnavailableError):
                worker.end()  # whoever has it closes it
        for worker in idle:
            self._drop(worker)

    def _drop(self, worker: Worker) -> None:
        seat = self._seat_of.pop(worker, None)
        if seat is not None:
            self._seats.give_back(seat)
        if os.getpid() == self._process:
            # One that cannot be ended ends as its connection does; the run before is over anyway.
            with contextlib.suppress(SandboxUnavailableError):
                worker.close()
        else:
            worker.abandon()

    def _acquire(self, limits: Limits, setting: Setting) -> Worker:
        self._forget_inherited()
        try:
            # Waiting for a place while holding one, it could wait for ever.
            worker, unfit = self._places.take(
                lambda worker: worker.fits(limits, setting), at_once=_held.get() > 0
            )
        except PlacesClosedError:
            msg = f"The {self.name} sandbox is closed; open another."
            raise SandboxUnavailableError(msg) from None
        return worker or self._start_in_place(limits, setting, unfit)

    def _start_in_place(self, limits: Limits, setting: Setting, unfit: Worker | None) -> Worker:
        worker: Worker | None = None
        try:
            if unfit:
                self._drop(unfit)
            worker = self._start_on_seat(limits, setting)
        finally:
            usable = self._places.started(worker)
        if not usable:
            self._drop(worker)
            msg = f"The {self.name} sandbox was closed while a worker started."
            raise SandboxUnavailableError(msg)
        return worker

    def _adopt(self, worker: Worker, seat: int) -> None:
        """Take in a worker that was started while the pool was made."""
        self._seat_of[worker] = seat
        self._places.add(worker)

    def _start_on_seat(self, limits: Limits, setting: Setting) -> Worker:
        seat = self._seats.take()
        try:
            worker = self._start(limits, setting, seat)
        except BaseException:
            self._seats.give_back(seat)
            raise
        self._seat_of[worker] = seat
        return worker

    def _release(self, worker: Worker) -> None:
        keep = worker.reusable and worker.runs < self._recycle_after
        if not keep:
            self._drop(worker)
        if not self._places.give_back(worker, keep=keep) and keep:
            self._drop(worker)

    def _forget_inherited(self) -> None:
        """In a forked copy of the process: the workers are the original's, and so are the locks."""
        if os.getpid() == self._process:
            return
        with self._forgetting:
            if os.getpid() != self._process:
                for worker in (*self._places.idle, *self._places.busy):
                    worker.abandon()
                self._places = Places(self._size)
                self._seats, self._seat_of = Seats(), {}
                self._process = os.getpid()


@lru_cache(maxsize=64)
def _check(limits: Limits) -> None:
    numbers = (limits.wall_s, limits.memory_mb, limits.output_bytes, limits.processes)
    if not all(math.isfinite(number) and number > 0 for number in (*numbers, limits.workspace_mb)):
        msg = f"limits must be positive and finite: {limits}"
        raise ValueError(msg)
    if limits.workspace_mb > MAX_WORKSPACE_MB:
        msg = f"a workspace may have {MAX_WORKSPACE_MB} MiB at most, not {limits.workspace_mb}"
        raise ValueError(msg)
