"""One child and the pipes to it, seen from the supervisor's side."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from toolguild.sandbox.child import MESSAGE_HEAD, Job, run_child

__all__ = ["Bounds", "Call"]

_CHUNK = 1 << 16
_MAX_NOTE = 1 << 16  # bytes of a message that is neither a value nor a request
_NOT_OURS = "The program wrote to the sandbox's own channel."


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the supervisor itself measures."""

    wall_s: float
    output_bytes: int


class Call:
    """Runs one job in a child, and settles how it ended.

    The first verdict stands: `status` is empty until there is one.
    """

    def __init__(self, job: Job, bounds: Bounds, tell: Callable[[str, bytes], None]) -> None:
        """Fork the child.

        Args:
            job: What it does.
            bounds: Its deadline and how much may come out of it.
            tell: Called with `started`, or with `call` and the request of another tool.
        """
        self.deadline = time.monotonic() + bounds.wall_s
        self.status = ""
        self.error = ""
        self.value = b""
        self.printed = bytearray()
        self._bounds = bounds
        self._tell = tell
        self._received = bytearray()
        self._answers = bytearray()
        self._set_up = False
        self._results, child_up = os.pipe()
        self._stdout, child_stdout = os.pipe()
        child_down, self._down = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                run_child(job, child_stdout, child_up, child_down)
            finally:
                os._exit(1)
        for theirs in (child_up, child_stdout, child_down):
            os.close(theirs)
        for ours in (self._results, self._stdout, self._down):
            os.set_blocking(ours, False)

    @property
    def reading(self) -> list[int]:
        """Descriptors to wait on for `read`."""
        return [pipe for pipe in (self._results, self._stdout) if pipe >= 0]

    @property
    def writing(self) -> list[int]:
        """Descriptors to wait on for `write_answers`."""
        return [self._down] if self._answers else []

    def decide(self, status: str, error: str = "") -> None:
        """Settle how the call ended, if nothing has yet."""
        if not self.status:
            self.status, self.error = status, error

    def read(self, descriptor: int) -> bool:
        """Take what a pipe holds; return whether there may be more."""
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return False
        if descriptor == self._results:
            self._take_results(data)
        else:
            self._take_stdout(data)
        return bool(data)

    def _take_stdout(self, data: bytes) -> None:
        if not data:
            os.close(self._stdout)
            self._stdout = -1
        self.printed += data
        limit = self._bounds.output_bytes
        if len(self.printed) > limit:
            del self.printed[limit:]
            self.decide("output_limit", f"The program printed more than {limit} bytes.")

    def _take_results(self, data: bytes) -> None:
        if not data:
            os.close(self._results)
            self._results = -1
        self._received += data
        while not self.status and len(self._received) >= MESSAGE_HEAD.size:
            kind, length = MESSAGE_HEAD.unpack_from(self._received)
            limit = self._bounds.output_bytes if kind in (b"v", b"c") else _MAX_NOTE
            if length > limit:
                self._refuse_length(kind, length)
                return
            end = MESSAGE_HEAD.size + length
            if len(self._received) < end:
                return
            payload = bytes(self._received[MESSAGE_HEAD.size : end])
            del self._received[:end]
            self._take_message(kind, payload)

    def _refuse_length(self, kind: bytes, length: int) -> None:
        what = {b"v": "The result", b"c": "A call of another tool"}.get(kind)
        if what is None:
            self.decide("killed", _NOT_OURS)
            return
        limit = self._bounds.output_bytes
        self.decide("output_limit", f"{what} has {length} bytes as JSON; the limit is {limit}.")

    def _take_message(self, kind: bytes, payload: bytes) -> None:
        if not self._set_up:
            if kind == b"s":
                self._set_up = True
                self._tell("started", b"")
                self.answer(b"g", b"")
            else:
                self.decide("unavailable", payload.decode("utf-8", "replace"))
        elif kind == b"v":
            self.value = payload
            self.decide("ok")
        elif kind == b"c":
            self._tell("call", payload)
        elif kind == b"e":
            self._take_failure(payload)
        else:
            self.decide("killed", _NOT_OURS)

    def _take_failure(self, payload: bytes) -> None:
        try:
            failure = json.loads(payload)
            status, error = failure["status"], failure["error"]
        except (ValueError, LookupError, TypeError, RecursionError):
            status, error = "killed", _NOT_OURS
        if status not in ("error", "memory", "killed") or not isinstance(error, str):
            status, error = "killed", _NOT_OURS
        self.decide(status, error)

    def answer(self, kind: bytes, body: bytes) -> None:
        """Send a message to the child: `g` to go on, or `v` or `e` as the answer to a request."""
        self._answers += MESSAGE_HEAD.pack(kind, len(body)) + body
        self.write_answers()

    def write_answers(self) -> None:
        """Write as much of the answers as the child takes."""
        try:
            del self._answers[: os.write(self._down, self._answers)]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self._answers.clear()  # the program closed its end: it will not read them

    def look_for_end(self, oom_killed: Callable[[], bool]) -> None:
        """Settle the call if its process has ended; leaves the process to be reaped.

        Until then its number cannot come to mean another process.
        """
        end = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if end is None:
            return
        while self._results >= 0 and not self.status and self.read(self._results):
            pass  # the last words may still be in the pipe
        if not self._set_up:
            self.decide("unavailable", "The program's process ended before it was set up.")
        elif end.si_code == os.CLD_EXITED:
            self.decide("killed", f"The program left with exit code {end.si_status}.")
        elif end.si_status == signal.SIGXCPU:
            self.decide("timeout", "The limit of processor time was reached.")
        elif end.si_status == signal.SIGKILL and oom_killed():
            self.decide("memory", "The memory limit was reached.")
        else:
            name = signal.Signals(end.si_status).name
            self.decide("killed", f"The program's process died of {name}.")

    def finish(self) -> None:
        """Take what was printed last, and close the pipes; the child must be dead."""
        while self._stdout >= 0 and self.read(self._stdout):
            pass
        for descriptor in (self._results, self._stdout, self._down):
            if descriptor >= 0:
                os.close(descriptor)
