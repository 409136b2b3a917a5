"""One child and the pipes to it, seen from the supervisor's side."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from toolguild.sandbox.inside.byte_queue import ByteQueue
from toolguild.sandbox.inside.child import MAX_CODE, MESSAGE_HEAD
from toolguild.sandbox.inside.nursery import ChildEnd, RemoteNursery

__all__ = ["Bounds", "Call", "Child"]

_MAX_NOTE = MAX_CODE  # bytes of a message that is neither a value nor a request
_CAPABILITIES = frozenset({"read", "write", "network"})
_NOT_OURS = "The program wrote to the sandbox's own channel."


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the supervisor itself measures."""

    wall_s: float
    output_bytes: int


class Child:
    """The supervisor's ends of the pipes to a process that waits for its one job.

    It is forked ahead, so that a job finds it ready.
    """

    def __init__(self, nursery: RemoteNursery) -> None:
        """Have it forked."""
        self.results, child_up = os.pipe()
        self.stdout, child_stdout = os.pipe()
        child_down, self.down = os.pipe()
        nursery.fork(child_stdout, child_up, child_down)
        for theirs in (child_up, child_stdout, child_down):
            os.close(theirs)
        for ours in (self.results, self.stdout, self.down):
            os.set_blocking(ours, False)
        self.received = ByteQueue()
        self.printed = ByteQueue()
        self.answers = ByteQueue()
        self._rehearses = False

    @property
    def has_ended(self) -> bool:
        """Whether it has, seen while it has no job yet."""
        poll = select.poll()
        poll.register(self.results, 0)
        return bool(poll.poll(0))

    def rehearse(self) -> None:
        """Let it use the time until its job comes; asked again, it is left alone."""
        if self._rehearses:
            return
        self._rehearses = True
        with contextlib.suppress(BrokenPipeError):  # it failed to set itself up, as it will say
            os.write(self.down, MESSAGE_HEAD.pack(b"w", 0))

    def close(self) -> None:
        """Close the pipes."""
        for descriptor in (self.results, self.stdout, self.down):
            if descriptor >= 0:
                os.close(descriptor)


class Call:
    """Gives a child its job, and settles how that ended.

    The first verdict stands: `status` is empty until there is one. With `ok` the child's `received`
    begins with the value, with `failed` or `refused` with what the child says about that; it is
    `payload_bytes` long.
    """

    def __init__(
        self,
        child: Child,
        bounds: Bounds,
        *,
        give_job: Callable[[ByteQueue], None],
        keep_code: Callable[[bytes], None],
        is_compiled: bool,
        reaches_out: bool,
        tell: Callable[..., None],
    ) -> None:
        """Take over a child that has no job yet.

        Args:
            child: What is to run it.
            bounds: Its deadline and how much may come out of it.
            give_job: Writes the job's message, once the child is ready for it.
            keep_code: Called with the program's code, if that was compiled for this call.
            is_compiled: Whether the job brings that code along.
            reaches_out: Whether the program can have effects at once that remain.
            tell: Called with `started`, or with `call` and the request of another tool.
        """
        self.child = child
        self.deadline = time.monotonic() + bounds.wall_s
        self.status = ""
        self.error = ""
        self.payload_bytes = 0
        self.effects: set[str] = set()
        """Capabilities that the program was seen to use; its own word, in the end."""
        self._bounds = bounds
        self._give_job = give_job
        self._keep_code = keep_code
        self._tell = tell
        self._has_job = False
        self.start_is_untold = False
        """Whether the program runs and the host does not know."""
        self._reaches_out = reaches_out
        # Until it says that it does, it is our own code that speaks.
        self._program_runs = is_compiled

    @property
    def reading(self) -> list[int]:
        """Descriptors to wait on for `read`."""
        return [pipe for pipe in (self.child.results, self.child.stdout) if pipe >= 0]

    @property
    def writing(self) -> list[int]:
        """Descriptors to wait on for `write_answers`."""
        return [self.child.down] if self.child.answers else []

    def decide(self, status: str, error: str = "") -> None:
        """Settle how the call ended, if nothing has yet."""
        if not self.status:
            self.status, self.error = status, error

    def withdraw(self, status: str, error: str) -> None:
        """Settle otherwise how a call ended that had succeeded."""
        if self.status == "ok":
            self.status, self.error, self.payload_bytes = status, error, 0

    def excuse(self, error: str) -> None:
        """Settle otherwise how a call ended that failed, as it was no fault of the program's."""
        if self.status != "ok":
            self.status, self.error, self.payload_bytes = "unavailable", error, 0

    def read(self, descriptor: int) -> bool:
        """Take what a pipe holds; return whether there may be more."""
        child = self.child
        try:
            if descriptor == child.results:
                count = child.received.read_from(descriptor)
                child.results = child.results if count else _closed(descriptor)
                self._take_results()
            else:
                count = child.printed.read_from(descriptor)
                child.stdout = child.stdout if count else _closed(descriptor)
                self._bound_stdout()
        except BlockingIOError:
            return False
        return bool(count)

    def _bound_stdout(self) -> None:
        limit = self._bounds.output_bytes
        if len(self.child.printed) > limit:
            self.child.printed.cut(limit)
            self.decide("output_limit", f"The program printed more than {limit} bytes.")

    def _take_results(self) -> None:
        received = self.child.received
        while not self.status and len(received) >= MESSAGE_HEAD.size:
            with received.view(MESSAGE_HEAD.size) as head:
                kind, length = MESSAGE_HEAD.unpack(head)
            limit = self._bounds.output_bytes if kind in (b"v", b"c") else _MAX_NOTE
            if length > limit:
                self._refuse_length(kind, length)
                return
            if len(received) < MESSAGE_HEAD.size + length:
                return
            received.skip(MESSAGE_HEAD.size)
            self._take_message(kind, length)

    def _refuse_length(self, kind: bytes, length: int) -> None:
        what = {b"v": "The result", b"c": "A call of another tool"}.get(kind)
        if what is None:
            self.decide("killed", _NOT_OURS)
            return
        limit = self._bounds.output_bytes
        self.decide("output_limit", f"{what} has {length} bytes as JSON; the limit is {limit}.")

    def _take_message(self, kind: bytes, length: int) -> None:
        received = self.child.received
        if not self._has_job:
            self._take_readiness(kind, length)
        elif kind in (b"v", b"e"):
            self.payload_bytes = length
            self.decide("ok" if kind == b"v" else "failed")
        elif kind == b"p" and not self._program_runs:
            self._program_runs = True
            if length:
                with received.view(length) as code:
                    self._keep_code(bytes(code))
                received.skip(length)
        elif kind == b"r" and not self._program_runs:
            self.payload_bytes = length
            self.decide("refused")
        elif kind == b"u":
            with received.view(length) as capability:
                self.effects |= _CAPABILITIES & {str(capability, "ascii", "replace")}
            received.skip(length)
        elif kind == b"c":
            with received.view(length) as request:
                self.start_is_untold = False  # the host can tell from this
                self._tell("call", request)
            received.skip(length)
        else:
            self.decide("killed", _NOT_OURS)

    def _take_readiness(self, kind: bytes, length: int) -> None:
        received = self.child.received
        if kind == b"s":
            self._has_job = True
            self.start_is_untold = True
            if self._reaches_out:
                self.tell_start()
            self._give_job(self.child.answers)
            self.write_answers()
        else:
            with received.view(length) as reason:
                self.decide("unavailable", str(reason, "utf-8", "replace"))
        received.skip(length)

    def tell_start(self) -> None:
        """Tell the host that the program runs, so that it will not be tried again.

        For by now the end of the worker may be its doing. While nothing of it has left the
        sandbox, and for as long as most programs take, that can wait: it often need not be told at
        all.
        """
        self.start_is_untold = False
        self._tell("started")

    def answer(self, kind: bytes, body: memoryview) -> None:
        """Send the child a message: `v` or `e`, as the answer to a request."""
        self.child.answers.append(MESSAGE_HEAD.pack(kind, len(body)))
        self.child.answers.append(body)
        self.write_answers()

    def write_answers(self) -> None:
        """Write as much of the answers as the child takes."""
        answers = self.child.answers
        try:
            answers.write_to(self.child.down)
        except BlockingIOError:
            pass
        except BrokenPipeError:
            answers.clear()  # the program closed its end: it will not read them

    @property
    def is_cut_off(self) -> bool:
        """Whether nothing can come that would settle the call."""
        return not self.status and self.child.results < 0

    def take_end(self, end: ChildEnd | None, oom_killed: Callable[[], bool]) -> None:
        """Settle a call that is cut off, usually as its process has ended."""
        if not self._has_job:
            self.decide("unavailable", "The program's process ended before it was set up.")
        elif end is None:
            self.decide("killed", "The program closed the sandbox's own channel.")
        elif end.code == os.CLD_EXITED:
            self.decide("killed", f"The program left with exit code {end.status}.")
        elif end.status == signal.SIGXCPU:
            self.decide("timeout", "The limit of processor time was reached.")
        elif end.status == signal.SIGKILL and oom_killed():
            self.decide("memory", "The memory limit was reached.")
        else:
            name = signal.Signals(end.status).name
            self.decide("killed", f"The program's process died of {name}.")

    def take_last_prints(self) -> None:
        """Take what was printed last; the child must be dead."""
        while self.child.stdout >= 0 and self.read(self.child.stdout):
            pass


def _closed(descriptor: int) -> int:
    os.close(descriptor)
    return -1
