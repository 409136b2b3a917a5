"""The supervisor inside the isolation: forks one fresh process per call, and ends it.

It reads `run` frames from its stdin, gives each to a child that the nursery has forked from a warm
interpreter, passes on calls of other tools, and reports one `end` frame. The next child is forked
once nothing is left of the last. Deadline and output are measured here, outside the program's
process; the host keeps a deadline of its own behind this one.

The program's process never holds the supervisor's descriptors, and what it sends is believed to
be no more than its value, its exception, or its request.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from toolguild.sandbox import kernel, seccomp
from toolguild.sandbox.byte_queue import ByteQueue
from toolguild.sandbox.call import Bounds, Call, Child
from toolguild.sandbox.child import (
    JOB_LIMITS,
    MAX_DESCRIPTORS,
    MESSAGE_HEAD,
    MODULE_NAME,
    run_child,
)
from toolguild.sandbox.frames import FRAME_LENGTHS, Header, frame_head
from toolguild.sandbox.nursery import Nursery, NurseryClosedError, RemoteNursery
from toolguild.sandbox.wall import Rules, Wall

__all__ = ["main"]

_CHUNK = 1 << 16
_FIXED_LIMITS = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_MEMLOCK: 0,
    resource.RLIMIT_NOFILE: MAX_DESCRIPTORS,
}


class _HostGoneError(Exception):
    """The host closed the connection: time to end."""


def main(settings: Mapping[str, Any]) -> None:
    """Serve runs until the host closes stdin.

    Args:
        settings: `preload` (names of modules to import once), `environment` (the only variables
            that programs see), `program_filter` (assembled seccomp filter for programs, in
            hexadecimal, may be empty), `wall` (see `wall_profile`), `other_processes` (how many
            besides the program's own RLIMIT_NPROC counts, None where it counts those of others),
            and optionally `worker_filter` (as `program_filter`, for this process too, where nobody
            else has installed it) and `statm` (descriptor of this process's /proc/self/statm).
    """
    host_in, host_out, statm = _arrange_descriptors(settings.get("statm"))
    os.environ.clear()
    os.environ.update(settings["environment"])
    time.tzset()
    _preload(settings["preload"])
    for limit, value in _FIXED_LIMITS.items():
        resource.setrlimit(limit, (value, value))
    if settings.get("worker_filter"):
        kernel.forbid_new_privileges()
        seccomp.install(bytes.fromhex(settings["worker_filter"]))
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    # Keeps programs out of this process's memory and descriptors; children inherit it.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    sys.argv, sys.orig_argv = [""], []
    sys.modules["__main__"] = ModuleType("__main__")
    ours, nurserys = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    wall = Wall(Rules.from_plain(settings["wall"]), ModuleType(MODULE_NAME))
    program_filter = bytes.fromhex(settings["program_filter"])
    nursery = Nursery(nurserys, partial(run_child, program_filter, wall))
    # What lives now lives on in every child: the collector must not touch, and so copy, its pages.
    gc.collect()
    gc.freeze()
    gc.disable()
    os.dup2(0, 2, inheritable=False)
    mapped = _mapped_bytes(statm)
    own_namespace = os.getpid() == 1
    supervisor = os.fork()
    if supervisor:
        for descriptor in (host_in, host_out, ours.detach()):
            os.close(descriptor)
        nursery.serve(supervisor)
    nurserys.close()
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    remote = RemoteNursery(ours, own_namespace=own_namespace)
    try:
        _Supervisor(settings, mapped, remote, host_in, host_out).serve()
    except (_HostGoneError, NurseryClosedError):
        os._exit(0)  # the nursery sees it, and ends what there is


def _mapped_bytes(statm: int) -> int:
    """Return the size of this process's address space, which a child starts with."""
    pages = os.pread(statm, 64, 0).split()[0]
    return int(pages) * resource.getpagesize()


def _preload(names: Iterable[str]) -> None:
    """Import modules, but not what they want done in every forked process.

    That is to mend what other threads left behind, and this process has none; it costs more than
    the fork itself. What `random` wants, other numbers in each, the nursery sees to.
    """
    register = os.register_at_fork
    os.register_at_fork = lambda **hooks: None
    try:
        for name in names:
            importlib.import_module(name)
    finally:
        os.register_at_fork = register


def _arrange_descriptors(statm: int | None) -> tuple[int, int, int]:
    """Move what is ours out of the way of the numbers that a child uses.

    Those, 0 to 4, become /dev/null here, so that no pipe opened later gets one of them; stderr
    only once there is nothing more to go wrong that the host should read of.
    """
    if statm is None:
        statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    host_in, host_out, statm = (
        fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10) for number in (0, 1, statm)
    )
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for number in (0, 1, 3, 4):
        if number != null:
            os.dup2(null, number, inheritable=False)
    return host_in, host_out, statm


class _Supervisor:
    def __init__(
        self,
        settings: Mapping[str, Any],
        mapped: int,
        nursery: RemoteNursery,
        host_in: int,
        host_out: int,
    ) -> None:
        self._mapped, self._nursery = mapped, nursery
        self._host_in, self._host_out = host_in, host_out
        self._other_processes: int | None = settings["other_processes"]
        self._inbox = ByteQueue()
        self._oom = _OomCounter()

    def serve(self) -> None:
        """Run what the host sends.

        Raises:
            _HostGoneError: the host closed the connection.
        """
        self._tell("ready", python=sys.version.split()[0])
        child = Child(self._nursery)
        while True:
            header, body_bytes = self._next_frame(child)
            if header["kind"] == "run":
                self._run(child, header, body_bytes)
                child = Child(self._nursery)
            else:  # an answer that came when its call had already ended
                self._inbox.skip(body_bytes)

    def _run(self, child: Child, header: Header, job_bytes: int) -> None:
        if self._nursery.read_end(wait=False):
            # While it waited, by somebody else's doing.
            self._nursery.end_child()
            child.close()
            child = Child(self._nursery)
        bounds = Bounds(float(header["wall_s"]), int(header["output_bytes"]))
        limits = self._limits(header, bounds)
        job = _Job(self._inbox, job_bytes, limits)
        self._oom.reset()
        # Whatever the host hears about a run carries the token that it gave: an earlier program
        # that had found a way to the host's pipe could not have known it.
        tell = partial(self._tell, token=header["token"])
        walled = bool(header["walled"])
        call = Call(child, bounds, walled=walled, give_job=job.give, tell=tell)
        if unfit := limits.beyond_reach():
            call.decide("unavailable", unfit)
        try:
            self._watch(call)
        finally:
            clean = self._nursery.end_child()
        job.forget()
        call.take_last_prints()
        self._tell_end(call, header["token"], clean=clean)
        child.close()

    def _tell_end(self, call: Call, token: str, *, clean: bool) -> None:
        payload_bytes = call.payload_bytes if call.status in ("ok", "failed", "refused") else 0
        with (
            call.child.received.view(payload_bytes) as payload,
            call.child.printed.view() as printed,
        ):
            self._tell(
                "end",
                payload,
                printed,
                token=token,
                status=call.status,
                error=call.error,
                payload_bytes=payload_bytes,
                clean=clean,
            )

    def _limits(self, header: Header, bounds: Bounds) -> _Limits:
        processes = int(header["processes"])
        others = self._other_processes
        return _Limits(
            address_space=self._mapped + int(header["memory_bytes"]),
            cpu_s=int(bounds.wall_s * processes) + 2,
            processes=0 if others is None else processes + others,
        )

    def _watch(self, call: Call) -> None:
        """Wait for whatever comes first: a verdict of the call, its end, or its deadline."""
        while not call.status:
            remaining_s = call.deadline - time.monotonic()
            if remaining_s <= 0:
                call.decide("timeout", "The deadline passed.")
                return
            for descriptor in self._wait(call, remaining_s):
                if descriptor in call.reading:
                    call.read(descriptor)
                elif descriptor == self._host_in:
                    self._pass_on_answers(call)
                elif descriptor == self._nursery.fileno():
                    if end := self._nursery.read_end():
                        call.take_end(end, self._oom.happened)
                else:
                    call.write_answers()

    def _wait(self, call: Call, timeout_s: float) -> list[int]:
        poll = select.poll()
        for descriptor in (*call.reading, self._host_in, self._nursery.fileno()):
            poll.register(descriptor, select.POLLIN)
        for descriptor in call.writing:
            poll.register(descriptor, select.POLLOUT)
        return [descriptor for descriptor, _ in poll.poll(timeout_s * 1000 + 1)]

    def _pass_on_answers(self, call: Call) -> None:
        self._read_host()
        while frame := self._pop_frame():
            header, body_bytes = frame
            with self._inbox.view(body_bytes) as body:
                call.answer(b"v" if header.get("ok") else b"e", body)
            self._inbox.skip(body_bytes)

    def _next_frame(self, child: Child) -> tuple[Header, int]:
        if not (frame := self._pop_frame()):
            if self._wait_idle(child):
                child.rehearse()
            while not (frame := self._pop_frame()):
                self._read_host()
        return frame

    def _wait_idle(self, child: Child) -> bool:
        """Wait for a child to be set up or for the host; return whether the host wants nothing."""
        poll = select.poll()
        for descriptor in (child.results, self._host_in):
            poll.register(descriptor, select.POLLIN)
        return self._host_in not in dict(poll.poll())

    def _pop_frame(self) -> tuple[Header, int] | None:
        """Return a header and the length of its body, with which the inbox then begins."""
        if len(self._inbox) < FRAME_LENGTHS.size:
            return None
        with self._inbox.view(FRAME_LENGTHS.size) as lengths:
            head_bytes, body_bytes = FRAME_LENGTHS.unpack(lengths)
        head_end = FRAME_LENGTHS.size + head_bytes
        if len(self._inbox) < head_end + body_bytes:
            return None
        with self._inbox.view(head_end) as head:
            header: Header = json.loads(bytes(head[FRAME_LENGTHS.size :]))
        self._inbox.skip(head_end)
        return header, body_bytes

    def _read_host(self) -> None:
        if not self._inbox.read_from(self._host_in):
            raise _HostGoneError

    def _tell(self, kind: str, *bodies: memoryview, **header: Any) -> None:
        head = frame_head({"kind": kind, **header}, sum(map(len, bodies)))
        pieces = [memoryview(head), *bodies]
        try:
            while pieces:
                count = os.writev(self._host_out, pieces)
                while pieces and count >= len(pieces[0]):
                    count -= len(pieces.pop(0))
                if count:
                    pieces[0] = pieces[0][count:]
        except BrokenPipeError:
            raise _HostGoneError from None


@dataclass(frozen=True, slots=True)
class _Limits:
    """What the kernel holds one child to; see `JOB_LIMITS`."""

    address_space: int
    cpu_s: int
    processes: int

    def packed(self) -> bytes:
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


class _Job:
    """The body of a `run` frame, with which the inbox begins until the child has it."""

    def __init__(self, inbox: ByteQueue, length: int, limits: _Limits) -> None:
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


class _OomCounter:
    """Whether the kernel killed for want of memory, as the control group of this worker tells."""

    # Version 2 and version 1, as they are mounted in a container.
    _FILES = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")

    def __init__(self) -> None:
        self._file = -1
        for name in self._FILES:
            with contextlib.suppress(OSError):
                self._file = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
        self._before = self._count()

    def reset(self) -> None:
        """Count from now on."""
        self._before = self._count()

    def happened(self) -> bool:
        """Return whether it happened since the last reset."""
        return self._count() > self._before

    def _count(self) -> int:
        if self._file < 0:
            return 0
        lines = os.pread(self._file, _CHUNK, 0).splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(b"oom_kill "))
