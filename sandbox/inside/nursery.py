"""The process that forks the children, apart from the one that handles what belongs to runs.

A child starts with the memory of the process that it is forked from. So that one must never have
held anything of a run: it takes orders of one letter over a socket, and pipes that it passes on
unread. There is a price to forking, too, which the supervisor is spared: afterwards each page that
a process writes to is a fault first.

The supervisor orders `f` (fork a child, with the descriptors of its three pipes), `w` (say how it
ended) and `k` (kill it and leave nothing of it). The nursery answers `w` with `e` and the `si_code`
and `si_status` that `waitid` gave, or with `n` where it did not end, and `k` with `c`.
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
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

__all__ = ["ChildEnd", "Nursery", "NurseryClosedError", "RemoteNursery"]

_REAP_S = 2.0  # for killed processes to disappear; one that stays is beyond our reach
_EXIT_S = 0.1  # for a process to end that has closed its descriptors, as the kernel does first
_REPORT = struct.Struct("!cBI")
_PIPES = 3
_PIPES_BYTES = socket.CMSG_SPACE(_PIPES * array("i").itemsize)

RunChild = Callable[[int, int, int], NoReturn]
"""Takes over a forked process: given the pipes for stdout, to, and from the supervisor."""


class NurseryClosedError(ConnectionError):
    """The nursery is gone, and with it every child."""


class ChildEnd(NamedTuple):
    """How a child ended, in the terms of `waitid`."""

    code: int
    status: int


class Nursery:
    """Serves one supervisor, which is a child of this process as well.

    It waits for orders and for nothing else: signals that it handled, each child would have to
    forget again.
    """

    def __init__(self, orders: socket.socket, run_child: RunChild) -> None:
        """Take over this process, whose only other child will be the supervisor.

        Args:
            orders: The socket, the other end of which the supervisor has.
            run_child: What a child does.
        """
        self._orders, self._run_child = orders, run_child
        self._supervisor = self._child = 0
        self._is_first = os.getpid() == 1
        """Whether all that lives in its namespace comes from it, and ends with it."""

    def serve(self, supervisor: int) -> NoReturn:
        """Obey until the supervisor ends, then end everything.

        The exit code is 0 where the supervisor's was, as when the host is gone, and 1 otherwise.
        """
        self._supervisor = supervisor
        try:
            while self._obey():
                pass
            if not self._is_first:  # else the kernel does it
                self._end_child()
            # Its socket is closed before it has quite ended.
            _, status = os.waitpid(supervisor, 0)
            os._exit(1 if status else 0)
        finally:
            os._exit(1)

    def _obey(self) -> bool:
        """Carry out an order; return whether there may be more."""
        order, ancillary, _, _ = self._orders.recvmsg(1, _PIPES_BYTES)
        if order == b"f":
            self._fork(*array("i", ancillary[0][2]))
        elif order == b"w":
            self._tell_end()
        elif order == b"k":
            self._end_child()
            self._tell(b"c")
        return bool(order)

    def _fork(self, stdout: int, up: int, down: int) -> None:
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

    def _tell_end(self) -> None:
        until = time.monotonic() + _EXIT_S
        while True:
            # Not reaped: until then its number cannot come to mean another process.
            end = os.waitid(os.P_PID, self._child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if end:
                self._tell(b"e", end.si_code, end.si_status)
                return
            if time.monotonic() > until:
                self._tell(b"n")
                return
            time.sleep(0.001)

    def _tell(self, letter: bytes, code: int = 0, status: int = 0) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # its end is seen soon
            self._orders.send(_REPORT.pack(letter, code, status))

    def _kill_child(self) -> None:
        """Kill the child and what it left."""
        if self._child:
            for kill in (os.kill, os.killpg):
                _kill(kill, self._child)
            os.waitpid(self._child, 0)
            self._child = 0
        while adopted := _adopted() - {self._supervisor}:
            for child in adopted:
                _kill(os.kill, child)
            for child in adopted:
                os.waitpid(child, 0)

    def _end_child(self) -> None:
        """See to it that the child and what it left are gone."""
        if not self._is_first:  # else the supervisor has killed all in the namespace
            self._kill_child()
        if self._child:
            os.waitpid(self._child, 0)
            self._child = 0
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while (end := os.waitid(os.P_ALL, 0, look)) and end.si_pid != self._supervisor:
            os.waitpid(end.si_pid, 0)


def _adopted() -> set[int]:
    """Return the children of this process, some of whom may have lost their own parent."""
    # Where /proc is out of reach, the filter is in force that lets a program have no children.
    with contextlib.suppress(OSError):
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
        return {int(child) for child in children.split()}
    return set()


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

    def fork(self, stdout: int, up: int, down: int) -> None:
        """Have a child forked; the pipes may be closed after this."""
        try:
            socket.send_fds(self._socket, [b"f"], [stdout, up, down])
        except OSError as error:
            raise NurseryClosedError(str(error)) from error

    def how_ended(self) -> ChildEnd | None:
        """Return how the child ended, None where it goes on.

        Raises:
            NurseryClosedError: there is no nursery any more.
        """
        self._socket.send(b"w")
        letter, code, status = self._receive()
        return ChildEnd(code, status) if letter == b"e" else None

    def stop_child(self) -> bool:
        """See to it that nothing of the child runs from now on; return whether that was possible.

        `end_child` must follow, which waits until it is gone.
        """
        if self._own_namespace:
            self._kill_everyone()
        return self._own_namespace

    def end_child(self) -> bool:
        """Kill the child and what it left; return whether nothing is left.

        Raises:
            NurseryClosedError: there is nothing left at all.
        """
        until = time.monotonic() + _REAP_S
        while time.monotonic() < until:
            self._kill_everyone()
            self._socket.send(b"k")
            if not select.select([self._socket], [], [], _REAP_S)[0]:
                return False
            self._receive()
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

    def _receive(self) -> tuple[bytes, int, int]:
        report = self._socket.recv(_REPORT.size)
        if not report:
            raise NurseryClosedError
        letter, code, status = _REPORT.unpack(report)
        return letter, code, status


def _kill(kill: Callable[[int, int], None], target: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        kill(target, signal.SIGKILL)
