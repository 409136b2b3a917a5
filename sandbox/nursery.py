"""The process that forks the children, apart from the one that handles what belongs to runs.

A child starts with the memory of the process that it is forked from. So that one must never have
held anything of a run: it takes orders of one letter over a socket, and pipes that it passes on
unread. There is a price to forking, too, which the supervisor is spared: afterwards each page that
a process writes to is a fault first.

The supervisor orders `f` (fork a child, with the descriptors of its three pipes) and `k` (kill it
and leave nothing of it). The nursery answers `k` with `c` (all is clean) or `d` (something would
not die), and reports `e` when the child ended before, with the `si_code` and `si_status` that
`waitid` gave.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

__all__ = ["ChildEnd", "Nursery", "NurseryClosedError", "RemoteNursery"]

_REAP_S = 2.0  # for killed processes to disappear; one that stays is beyond our reach
_REPORT = struct.Struct("!cBI")
_PIPES = 3

RunChild = Callable[[int, int, int], NoReturn]
"""Takes over a forked process: given the pipes for stdout, to, and from the supervisor."""


class NurseryClosedError(ConnectionError):
    """The nursery is gone, and with it every child."""


class ChildEnd(NamedTuple):
    """How a child ended, in the terms of `waitid`."""

    code: int
    status: int


class Nursery:
    """Serves one supervisor, which is a child of this process as well."""

    def __init__(self, orders: socket.socket, run_child: RunChild) -> None:
        """Take over this process, whose only other child will be the supervisor.

        Args:
            orders: The socket, the other end of which the supervisor has.
            run_child: What a child does.
        """
        self._orders, self._run_child = orders, run_child
        self._supervisor = self._child = 0
        self._reported = False
        self._woken, wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        # Any handler will do, it makes the end of a child wake us. Other signals keep their
        # default disposition: pid 1 of a namespace ignores those from within.
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def serve(self, supervisor: int) -> NoReturn:
        """Obey until the supervisor ends, then end everything.

        The exit code is 0 where the supervisor's was, as when the host is gone, and 1 otherwise.
        """
        self._supervisor = supervisor
        poll = select.poll()
        for descriptor in (self._orders.fileno(), self._woken):
            poll.register(descriptor, select.POLLIN)
        try:
            while not _has_ended(supervisor):
                for descriptor, _ in poll.poll():
                    if descriptor == self._woken:
                        self._drain_wake()
                        self._report_end()
                    else:
                        self._obey()
        finally:
            self._end_child()
            os._exit(1)

    def _obey(self) -> None:
        order, pipes, _, _ = socket.recv_fds(self._orders, 1, _PIPES)
        if order == b"f":
            self._fork(*pipes)
        elif order == b"k":
            self._tell(b"c" if self._end_child() else b"d")
        # Else the supervisor has closed its end, and is about to be seen to have ended.

    def _fork(self, stdout: int, up: int, down: int) -> None:
        self._reported = False
        if "random" in sys.modules:
            # Or every child would draw the same numbers.
            sys.modules["random"].seed()
        self._child = os.fork()
        if self._child == 0:
            try:
                self._run_child(stdout, up, down)
            finally:
                os._exit(1)
        for pipe in (stdout, up, down):
            os.close(pipe)

    def _report_end(self) -> None:
        if not self._child or self._reported:
            return
        # Not reaped: until then its number cannot come to mean another process.
        end = os.waitid(os.P_PID, self._child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if end:
            self._reported = True
            self._tell(b"e", end.si_code, end.si_status)

    def _tell(self, letter: bytes, code: int = 0, status: int = 0) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # its end is seen soon
            self._orders.send(_REPORT.pack(letter, code, status))

    def _end_child(self) -> bool:
        """Kill the child and what it left; return whether nothing is left."""
        if self._child:
            for kill in (os.kill, os.killpg):
                _kill(kill, self._child)
        until = time.monotonic() + _REAP_S
        while time.monotonic() < until:
            left = self._kill_adopted()
            reaped, status = os.waitpid(-1, os.WNOHANG)
            if reaped == self._supervisor:
                os._exit(1 if status else 0)
            if reaped == self._child:
                self._child = 0
            if not reaped:
                if not self._child and not left:
                    return True
                select.select([self._woken], [], [], 0.05)
                self._drain_wake()
        return False

    def _kill_adopted(self) -> bool:
        """Kill whoever lost its parent and so became our child; return whether there was any.

        As process 1 of a namespace we need not look: the supervisor kills all in it.
        """
        if os.getpid() == 1:
            return False
        # Where /proc is out of reach, the filter is in force that lets a program have no children.
        adopted: set[int] = set()
        with contextlib.suppress(OSError):
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
            adopted = {int(child) for child in children.split()} - {self._supervisor}
        for child in adopted:
            _kill(os.kill, child)
        return bool(adopted - {self._child})

    def _drain_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 1 << 10)


class RemoteNursery:
    """The nursery as the supervisor sees it."""

    def __init__(self, socket_: socket.socket, *, own_namespace: bool) -> None:
        """Take the supervisor's end of the socket.

        Args:
            socket_: The other end of it is the nursery's.
            own_namespace: Whether the nursery is process 1 of a namespace that holds nothing but
                it, this process and children.
        """
        self._socket, self._own_namespace = socket_, own_namespace

    def fileno(self) -> int:
        """Return what to wait on for `read_end`."""
        return self._socket.fileno()

    def fork(self, stdout: int, up: int, down: int) -> None:
        """Have a child forked; the pipes may be closed after this."""
        try:
            socket.send_fds(self._socket, [b"f"], [stdout, up, down])
        except OSError as error:
            raise NurseryClosedError(str(error)) from error

    def read_end(self, *, wait: bool = True) -> ChildEnd | None:
        """Return how the child ended by itself, None without `wait` if it has not."""
        flags = 0 if wait else socket.MSG_DONTWAIT
        try:
            _, code, status = self._receive(flags)
        except BlockingIOError:
            return None
        return ChildEnd(code, status)

    def end_child(self) -> bool:
        """Kill the child and what it left; return whether nothing is left.

        Raises:
            NurseryClosedError: there is nothing left at all.
        """
        until = time.monotonic() + _REAP_S
        while time.monotonic() < until:
            self._kill_everyone()
            self._socket.send(b"k")
            while (letter := self._receive()[0]) == b"e":
                pass
            if letter != b"c":
                return False
            if not self._kill_everyone():
                return True
        return False

    def _kill_everyone(self) -> bool:
        """Kill all of the namespace but the nursery and us; return whether there was anyone."""
        if not self._own_namespace:
            return False  # -1 would mean the whole machine
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def _receive(self, flags: int = 0) -> tuple[bytes, int, int]:
        report = self._socket.recv(_REPORT.size, flags)
        if not report:
            raise NurseryClosedError
        letter, code, status = _REPORT.unpack(report)
        return letter, code, status


def _has_ended(process: int) -> bool:
    return bool(os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT))


def _kill(kill: Callable[[int, int], None], target: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        kill(target, signal.SIGKILL)
