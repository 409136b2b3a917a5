"""The supervisor inside the isolation: forks one fresh process per call, and ends it.

It reads `run` frames from its stdin, gives each to a child that the nursery has forked from a warm
interpreter, passes on calls of other tools, and reports one `end` frame. The next child is forked
once nothing is left of the last. Deadline and output are measured here, outside the program's
process; the host keeps a deadline of its own behind this one.

The program's process never holds the supervisor's descriptors, and what it sends is believed to
be no more than its value, its exception, or its request.
"""

from __future__ import annotations

import fcntl
import gc
import importlib
import json
import math
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Iterable, Mapping
from functools import partial
from types import ModuleType
from typing import Any

from toolguild.sandbox.files.worker_files import NO_CHANGES, Changes, WorkerFiles
from toolguild.sandbox.frames import FRAME_LENGTHS, Header, frame_head
from toolguild.sandbox.inside.byte_queue import ByteQueue
from toolguild.sandbox.inside.call import Bounds, Call, Child
from toolguild.sandbox.inside.child import MAX_DESCRIPTORS, MODULE_NAME, rehearse, run_child
from toolguild.sandbox.inside.inner_pipes import open_pipes
from toolguild.sandbox.inside.job import ChildLimits, CodeCache, Job
from toolguild.sandbox.inside.nursery import Nursery, NurseryClosedError, RemoteNursery
from toolguild.sandbox.inside.observation import install_hook
from toolguild.sandbox.inside.oom import OomCounter
from toolguild.sandbox.linux import kernel, seccomp
from toolguild.sandbox.linux.code_pages import copy_code_on_fork
from toolguild.sandbox.network.relay import Relay
from toolguild.sandbox.seats import keep_to_processor
from toolguild.sandbox.wall.wall import Rules, Wall

__all__ = ["main"]

_QUICK_S = 0.002
"""For a program to end before the host is told that it began."""
_REHEARSALS = 20
"""Before anything is forked: Python adapts code to its use in the first runs (PEP 659), and
children that found it unfinished would each do so again, in copies of its pages."""

_FIXED_LIMITS = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_MEMLOCK: 0,
    resource.RLIMIT_NOFILE: MAX_DESCRIPTORS,
}


class _HostGoneError(Exception):
    """The host closed the connection: time to end."""


class _SpoiledError(Exception):
    """Something of a run cannot be removed: no other may come after it."""


def main(settings: Mapping[str, Any]) -> None:
    """Serve runs until the host closes stdin.

    Args:
        settings: `preload` (names of modules to import once), `environment` (the only variables
            that programs see), `program_filter` (assembled seccomp filter for programs, in
            hexadecimal, may be empty), `wall` (see `wall.profile`), `other_processes` (how many
            besides the program's own RLIMIT_NPROC counts, None where it counts those of others),
            `seat` (see `seats`), `folder` (where programs start), `writable` (file systems that
            programs may write to, the workspace first; empty where they may write nothing),
            `workspace_bytes` (what that holds), `network` (whether programs find a relay), and
            optionally `packages` (folders of packages that programs can import), `worker_filter`
            (as `program_filter`, for this process too, where nobody else has installed it), `pipes`
            (whether to look for some, see `inner_pipes`) and `statm` (descriptor of this process's
            /proc/self/statm).
    """
    keep_to_processor(settings["seat"])
    pipes = open_pipes() if settings.get("pipes") else None
    host_in, host_out, statm = _arrange_descriptors(pipes or (0, 1), settings.get("statm"))
    os.environ.clear()
    os.environ.update(settings["environment"])
    time.tzset()
    _preload(settings["preload"])
    # Last: nothing among the packages stands before the standard library.
    sys.path += settings.get("packages", ())
    for limit, value in _FIXED_LIMITS.items():
        resource.setrlimit(limit, (value, value))
    resource.setrlimit(resource.RLIMIT_FSIZE, (settings["workspace_bytes"],) * 2)
    os.chdir(settings["folder"])
    if settings.get("worker_filter"):
        kernel.forbid_new_privileges()
        seccomp.Filter(bytes.fromhex(settings["worker_filter"])).install()
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    # Keeps programs out of this process's memory and descriptors; children inherit it.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    sys.argv, sys.orig_argv = [""], []
    sys.modules["__main__"] = ModuleType("__main__")
    ours, nurserys = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    wall = Wall(Rules.from_plain(settings["wall"]), ModuleType(MODULE_NAME))
    program_filter = seccomp.Filter(bytes.fromhex(settings["program_filter"]))
    nursery = Nursery(nurserys, partial(run_child, program_filter, wall, install_hook()))
    copy_code_on_fork()
    for _ in range(_REHEARSALS):
        rehearse(wall)
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
    except _HostGoneError:
        os._exit(0)  # the nursery sees it, and ends what there is
    except (_SpoiledError, NurseryClosedError):
        os._exit(1)


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


def _arrange_descriptors(host: tuple[int, int], statm: int | None) -> tuple[int, int, int]:
    """Move what is ours out of the way of the numbers that a child uses.

    Those, 0 to 4, become /dev/null here, so that no pipe opened later gets one of them; stderr
    only once there is nothing more to go wrong that the host should read of.
    """
    if statm is None:
        statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    host_in, host_out, statm = (
        fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10) for number in (*host, statm)
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
        self._codes = CodeCache()
        self._oom = OomCounter()
        self._files: WorkerFiles | None = None
        if settings["writable"]:
            workspace, *others = settings["writable"]
            self._files = WorkerFiles(workspace, others, settings["workspace_bytes"])
        self._has_network = bool(settings["network"])
        self._relay: Relay | None = None

    def serve(self) -> None:
        """Run what the host sends.

        Raises:
            _HostGoneError: the host closed the connection.
            _SpoiledError: a run left something that stays.
        """
        if self._has_network:
            self._open_relay()
        self._tell("ready", python=sys.version.split()[0])
        child = Child(self._nursery)
        while True:
            header, body_bytes = self._next_frame(child)
            if header["kind"] == "run":
                self._run(child, header, body_bytes)
                child = Child(self._nursery)
            else:  # an answer that came when its call had already ended
                self._inbox.skip(body_bytes)

    def _open_relay(self) -> None:
        try:
            self._relay = Relay()
            self._relay.check()
        except OSError as error:
            self._tell("failed", layer="network", error=f"the way to the host's proxy: {error}")
            raise _SpoiledError from error

    def _run(self, child: Child, header: Header, body_bytes: int) -> None:
        if child.has_ended:
            # While it waited, by somebody else's doing.
            self._nursery.end_child()
            child.close()
            child = Child(self._nursery)
        files_bytes = int(header["files_bytes"])
        unfit = self._lay_out(files_bytes)
        bounds = Bounds(float(header["wall_s"]), int(header["output_bytes"]))
        limits = self._limits(header, bounds)
        program = str(header["program"])
        job = Job(self._inbox, body_bytes - files_bytes, limits, self._codes.find(program))
        self._oom.reset()
        # Whatever the host hears about a run carries the token that it gave: an earlier program
        # that had found a way to the host's pipe could not have known it.
        tell = partial(self._tell, token=header["token"])
        call = Call(
            child,
            bounds,
            give_job=job.give,
            keep_code=partial(self._codes.keep, program),
            is_compiled=job.is_compiled,
            reaches_out=self._has_network,
            tell=tell,
        )
        if unfit := unfit or limits.beyond_reach():
            call.decide("unavailable", unfit)
        try:
            self._watch(call)
        except BaseException:
            self._nursery.end_child()
            raise
        try:
            clean = self._finish(call, job, header["token"])
            child.close()
            if self._files:
                self._files.empty()
        except OSError as error:
            raise _SpoiledError from error
        if not clean:
            raise _SpoiledError

    def _finish(self, call: Call, job: Job, token: str) -> bool:
        """End a call's processes and say how it ended; return whether nothing is left of them."""
        if call.status == "ok" and not self._files and self._nursery.stop_child():
            # The host need not wait until what is killed is gone, too.
            self._settle(call, job)
            self._tell_end(call, token, clean=True)
            return self._nursery.end_child()
        clean = self._nursery.end_child()
        self._settle(call, job)
        self._tell_end(call, token, clean=clean)
        return clean

    def _settle(self, call: Call, job: Job) -> None:
        if self._relay:
            self._end_connections(self._relay, call)
        job.forget()
        call.take_last_prints()

    def _end_connections(self, relay: Relay, call: Call) -> None:
        relay.cut()
        if relay.failure:
            call.excuse(f"the host's proxy was out of reach: {relay.failure}")
            relay.failure = ""

    def _lay_out(self, files_bytes: int) -> str:
        """Take the files with which the inbox begins; return what kept them from their place."""
        try:
            if self._files:
                with self._inbox.view(files_bytes) as bundle:
                    self._files.lay_out(bundle)
        except OSError as error:
            return f"there is no room for its files: {error}."
        finally:
            self._inbox.skip(files_bytes)
        return ""

    def _tell_end(self, call: Call, token: str, *, clean: bool) -> None:
        """Say how a call ended.

        Raises:
            OSError: the program's files cannot be read.
        """
        changes = self._changes(call, clean=clean)
        payload_bytes = call.payload_bytes if call.status in ("ok", "failed", "refused") else 0
        with (
            call.child.received.view(payload_bytes) as payload,
            call.child.printed.view() as printed,
        ):
            self._tell(
                "end",
                payload,
                printed,
                memoryview(changes.index),
                later_bytes=changes.content_bytes,
                token=token,
                status=call.status,
                error=call.error,
                effects=sorted(call.effects),
                payload_bytes=payload_bytes,
                files_bytes=len(changes.index) + changes.content_bytes,
                clean=clean,
            )
        if self._files:
            # Piece by piece, as the memory of this process may be counted as the program's.
            for piece in self._files.read(changes):
                self._write(memoryview(piece))

    def _changes(self, call: Call, *, clean: bool) -> Changes:
        """Find what the program did to its files; more than there is room for is no success."""
        if not self._files or call.status == "unavailable":
            return NO_CHANGES
        if not clean:
            call.withdraw("killed", "A process of the program would not end; its files are lost.")
            return NO_CHANGES
        changes = self._files.changes()
        if changes.too_much:
            call.withdraw("output_limit", f"{changes.too_much}.")
        return changes

    def _limits(self, header: Header, bounds: Bounds) -> ChildLimits:
        processes = int(header["processes"])
        others = self._other_processes
        return ChildLimits(
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
            ready = self._wait(
                call, min(remaining_s, _QUICK_S if call.start_is_untold else math.inf)
            )
            if not ready and call.start_is_untold:
                call.tell_start()
            for descriptor in ready:
                if descriptor in call.reading:
                    call.read(descriptor)
                    if call.is_cut_off:
                        call.take_end(self._nursery.how_ended(), self._oom.happened)
                elif descriptor == self._host_in:
                    self._pass_on_answers(call)
                elif self._relay and descriptor == self._relay.fileno():
                    self._relay.serve()
                else:
                    call.write_answers()

    def _wait(self, call: Call, timeout_s: float) -> list[int]:
        poll = select.poll()
        for descriptor in (*call.reading, self._host_in):
            poll.register(descriptor, select.POLLIN)
        if self._relay:
            poll.register(self._relay.fileno(), select.POLLIN)
        for descriptor in call.writing:
            poll.register(descriptor, select.POLLOUT)
        return [descriptor for descriptor, _ in poll.poll(math.ceil(timeout_s * 1000))]

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

    def _tell(self, kind: str, *bodies: memoryview, later_bytes: int = 0, **header: Any) -> None:
        """Send a frame, of whose body the last bytes may come later."""
        head = frame_head({"kind": kind, **header}, sum(map(len, bodies)) + later_bytes)
        self._write(memoryview(head), *bodies)

    def _write(self, *pieces: memoryview) -> None:
        rest = [*pieces]
        try:
            while rest:
                count = os.writev(self._host_out, rest)
                while rest and count >= len(rest[0]):
                    count -= len(rest.pop(0))
                if count:
                    rest[0] = rest[0][count:]
        except BrokenPipeError:
            raise _HostGoneError from None
