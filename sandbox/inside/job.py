"""What the supervisor gives a child: the limits that the kernel holds it to, and its job."""

from __future__ import annotations

import resource
from dataclasses import dataclass

from toolguild.sandbox.inside.byte_queue import ByteQueue
from toolguild.sandbox.inside.child import JOB_HEAD, MESSAGE_HEAD

__all__ = ["ChildLimits", "CodeCache", "Job"]

_MAX_PROGRAMS = 64
"""Whose code is kept; each has `MAX_CODE` bytes at most."""


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What the kernel holds one child to; see `JOB_HEAD`."""

    address_space: int
    cpu_s: int
    processes: int

    def beyond_reach(self) -> str:
        """Return why they cannot be set, where our own are tighter; otherwise nothing."""
        for name, limit, wanted in (
            ("address space", resource.RLIMIT_AS, self.address_space),
            ("processor time", resource.RLIMIT_CPU, self.cpu_s),
            ("processes", resource.RLIMIT_NPROC, self.processes),
        ):
            hard = resource.getrlimit(limit)[1]
            if hard != resource.RLIM_INFINITY and wanted > hard:
                return f"its limit on {name} is to be {wanted}, and ours is {hard}."
        return ""


class Job:
    """The body of a `run` frame, with which the inbox begins until the child has it."""

    def __init__(self, inbox: ByteQueue, length: int, limits: ChildLimits, code: bytes) -> None:
        """Take note of it.

        Args:
            inbox: Where it begins.
            length: In bytes.
            limits: What the child is held to.
            code: Of the program, if that was compiled before.
        """
        self._inbox, self._length, self._limits, self._code = inbox, length, limits, code

    @property
    def is_compiled(self) -> bool:
        """Whether it brings the program's code along."""
        return bool(self._code)

    def give(self, answers: ByteQueue) -> None:
        """Write it as the child wants it."""
        length = JOB_HEAD.size + len(self._code) + self._length
        answers.append(MESSAGE_HEAD.pack(b"j", length))
        limits = self._limits
        numbers = (limits.address_space, limits.cpu_s, limits.processes, len(self._code))
        answers.append(JOB_HEAD.pack(*numbers))
        answers.append(self._code)
        with self._inbox.view(self._length) as body:
            answers.append(body)
        self.forget()

    def forget(self) -> None:
        """Drop it."""
        self._inbox.skip(self._length)
        self._length = 0


class CodeCache:
    """What programs were compiled to, by the host's name for their text; the latest used stay.

    Compiling takes longer than most programs run, behind the wall several times as long. It is done
    by a child, which nothing of its program has run in yet; nobody but children reads what comes of
    it.
    """

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def find(self, program: str) -> bytes:
        """Return a program's code, empty if there is none."""
        code = self._codes.pop(program, b"")
        if code:
            self._codes[program] = code  # now the latest
        return code

    def keep(self, program: str, code: bytes) -> None:
        """Take a program's code, and drop whatever was not used for longest."""
        self._codes[program] = code
        if len(self._codes) > _MAX_PROGRAMS:
            del self._codes[next(iter(self._codes))]
