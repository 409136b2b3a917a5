"""The supervisor inside the isolation: forks one fresh process per call, and ends it.

It reads `run` frames from its stdin, forks a child for each from a warm interpreter, passes on
calls of other tools, and reports one `end` frame. Deadline and output are measured here, outside
the program's process; the host keeps a deadline of its own behind this one.

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
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from toolguild.sandbox import kernel, seccomp
from toolguild.sandbox.call import Bounds, Call
from toolguild.sandbox.child import Job
from toolguild.sandbox.frames import Frame, FrameBuffer, FrameError, encode_frame

__all__ = ["main"]

_CHUNK = 1 << 16
_REAP_S = 2.0  # for killed processes to disappear; one that stays is beyond our reach
_MAX_ANSWER = 1 << 30  # bytes of one frame of the host, which is trusted
_FIXED_LIMITS = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_MEMLOCK: 0,
    resource.RLIMIT_NOFILE: 128,
}


class _HostGoneError(Exception):
    """The host closed the connection or no longer speaks frames: time to end."""


def main(settings: Mapping[str, Any]) -> None:
    """Serve runs until the host closes stdin.

    Args:
        settings: `preload` (names of modules to import once), `environment` (the only variables
            that programs see), `program_filter` (assembled seccomp filter for programs, in
            hexadecimal, may be empty), `other_processes` (how many besides the program's own
            RLIMIT_NPROC counts, None where it counts those of others), and optionally
            `worker_filter` (as `program_filter`, for this process too, where nobody else has
            installed it) and `statm` (descriptor of this process's /proc/self/statm).
    """
    host_in, host_out, statm = _arrange_descriptors(settings.get("statm"))
    os.environ.clear()
    os.environ.update(settings["environment"])
    time.tzset()
    for name in settings["preload"]:
        importlib.import_module(name)
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
    supervisor = _Supervisor(settings, host_in, host_out, statm)
    # What lives now lives on in every child: the collector must not touch, and so copy, its pages.
    gc.collect()
    gc.freeze()
    gc.disable()
    os.dup2(0, 2, inheritable=False)
    try:
        supervisor.serve()
    except _HostGoneError:
        supervisor.end_everything()


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
        self, settings: Mapping[str, Any], host_in: int, host_out: int, statm: int
    ) -> None:
        self._host_in, self._host_out, self._statm = host_in, host_out, statm
        self._program_filter = bytes.fromhex(settings["program_filter"])
        self._other_processes: int | None = settings["other_processes"]
        self._frames = FrameBuffer()
        self._oom = _OomCounter()
        self._woken, wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        # Any handler will do, it makes the end of a child wake us. Other signals keep their
        # default disposition: pid 1 of a namespace ignores those from within.
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def serve(self) -> None:
        """Run what the host sends.

        Raises:
            _HostGoneError: the host closed the connection.
        """
        self._tell("ready", python=sys.version.split()[0])
        while True:
            frame = self._next_frame()
            if frame.kind == "run":
                self._run(frame)
            # Else it is an answer that came when its call had already ended.

    def _run(self, frame: Frame) -> None:
        header = frame.header
        bounds = Bounds(float(header["wall_s"]), int(header["output_bytes"]))
        job = self._job(header, bounds, frame.body)
        self._oom.reset()
        # Whatever the host hears about a run carries the token that it gave: an earlier program
        # that had found a way to the host's pipe could not have known it.
        tell = partial(self._tell, token=header["token"])
        call = Call(job, bounds, tell=tell)
        try:
            self._watch(call)
        finally:
            clean = self.end_everything(call.pid)
        call.finish()
        value = call.value if call.status == "ok" else b""
        tell(
            "end",
            value + call.printed,
            status=call.status,
            error=call.error,
            value_bytes=len(value),
            clean=clean,
        )

    def _job(self, header: Mapping[str, Any], bounds: Bounds, arguments: bytes) -> Job:
        processes = int(header["processes"])
        others = self._other_processes
        return Job(
            source=header["source"],
            entry=header["entry"],
            arguments=json.loads(arguments),
            address_space=self._mapped_bytes() + int(header["memory_bytes"]),
            cpu_s=int(bounds.wall_s * processes) + 2,
            processes=0 if others is None else processes + others,
            seccomp_filter=self._program_filter,
        )

    def _mapped_bytes(self) -> int:
        """Return the size of this process's address space, which a child starts with."""
        pages = os.pread(self._statm, 64, 0).split()[0]
        return int(pages) * resource.getpagesize()

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
                elif descriptor == self._woken:
                    self._drain_wake()
                    call.look_for_end(self._oom.happened)
                else:
                    call.write_answers()

    def _wait(self, call: Call, timeout_s: float) -> list[int]:
        poll = select.poll()
        for descriptor in (*call.reading, self._host_in, self._woken):
            poll.register(descriptor, select.POLLIN)
        for descriptor in call.writing:
            poll.register(descriptor, select.POLLOUT)
        return [descriptor for descriptor, _ in poll.poll(timeout_s * 1000 + 1)]

    def _pass_on_answers(self, call: Call) -> None:
        self._read_host()
        while frame := self._pop_frame():
            call.answer(b"v" if frame.header.get("ok") else b"e", frame.body)

    def end_everything(self, child: int = 0) -> bool:
        """Kill what is left of a call; return whether nothing is left."""
        if child:
            # Not yet reaped, so the number is still its own.
            for kill in (os.kill, os.killpg):
                _kill(kill, child)
        until = time.monotonic() + _REAP_S
        while time.monotonic() < until:
            _kill_descendants()
            try:
                reaped, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if not reaped:
                select.select([self._woken], [], [], 0.05)
                self._drain_wake()
        return False

    def _drain_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, _CHUNK)

    def _next_frame(self) -> Frame:
        while not (frame := self._pop_frame()):
            self._read_host()
        return frame

    def _pop_frame(self) -> Frame | None:
        try:
            return self._frames.pop(_MAX_ANSWER)
        except FrameError as error:
            raise _HostGoneError from error

    def _read_host(self) -> None:
        data = os.read(self._host_in, _CHUNK)
        if not data:
            raise _HostGoneError
        self._frames.feed(data)

    def _tell(self, kind: str, body: bytes = b"", **header: Any) -> None:
        data = memoryview(encode_frame({"kind": kind, **header}, body))
        try:
            while data:
                data = data[os.write(self._host_out, data) :]
        except BrokenPipeError:
            raise _HostGoneError from None


def _kill_descendants() -> None:
    if os.getpid() == 1:
        # All of this namespace but us. Anywhere else, -1 would mean the whole machine.
        _kill(os.kill, -1)
        return
    # Without a namespace: whoever lost its parent has become our child. Where /proc is out of
    # reach, the filter is in force that lets a program have no children.
    with contextlib.suppress(OSError):
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
        for child in children.split():
            _kill(os.kill, int(child))


def _kill(kill: Callable[[int, int], None], target: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        kill(target, signal.SIGKILL)


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
