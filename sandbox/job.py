"""What the supervisor gives a child: the limits that the kernel holds it to, and its job."""

from __future__ import annotations

import resource
from dataclasses import dataclass

from toolguild.sandbox.byte_queue import ByteQueue
from toolguild.sandbox.child import JOB_LIMITS, MESSAGE_HEAD

__all__ = ["ChildLimits", "Job"]


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What the kernel holds one child to; see `JOB_LIMITS`."""

    address_space: int
    cpu_s: int
    processes: int

    def packed(self) -> bytes:
        """Return them as the child reads them."""
        return JOB_LIMITS.pack(self.address_space, self.cpu_s, self.processes)

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

    def __init__(self, inbox: ByteQueue, length: int, limits: ChildLimits) -> None:
        self._inbox, self._length, self._limits = inbox, length, limits

    def give(self, answers: ByteQueue) -> None:
        """Write it as the child wants it."""
        answers.append(MESSAGE_HEAD.pack(b"j", JOB_LIMITS.size + self._length))
        answers.append(self._limits.packed())
        with self._inbox.view(self._length) as body:
            answers.append(body)
        self.forget()

    def forget(self) -> None:
        """Drop it."""
        self._inbox.skip(self._length)
        self._length = 0
