"""Takes the steps into the isolation one by one, then becomes the worker.

Two processes come of it: this one stays outside as a guard, which ends the worker when the host
is gone, and its child goes inside and serves.
"""

from __future__ import annotations

import errno
import os
import select
import signal
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from toolguild.sandbox.files import tree
from toolguild.sandbox.frames import encode_frame
from toolguild.sandbox.inside import worker
from toolguild.sandbox.linux import kernel, landlock, namespaces, seccomp
from toolguild.sandbox.network import loopback, relay

__all__ = ["main"]

_T = TypeVar("_T")


def main(settings: Mapping[str, Any]) -> None:
    """Isolate as the settings say, then serve, or end if only a check was asked for.

    A step that fails is reported as a frame of kind `failed`, with `layer` and `error`, and ends
    everything: no program runs under less than was asked for.

    Args:
        settings: `host` (process id), `check` (end once isolated), `layers` (of `userns`,
            `landlock` and `seccomp`), `files`, `devices`, `links` and `grants` (what stays
            visible), `mounts` (directories to show: source and target each), `base_filter`
            (assembled, in hexadecimal), and those of `worker.main`.
    """
    # Whatever the host's, or the new root would be closed to those who are to live in it.
    os.umask(0o022)
    host = os.pidfd_open(settings["host"])
    # Opened now: while the worker builds its root, which this process shares, there is no /dev.
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    kernel.forbid_new_privileges()
    if "userns" in settings["layers"]:
        _step("userns", namespaces.enter)
    guard = os.pidfd_open(os.getpid())
    inside = os.fork()
    if inside == 0:
        _go_inside(settings, guard)
    _guard(host, inside, null)


def _step(layer: str, action: Callable[[], _T]) -> _T:
    try:
        return action()
    except Exception as error:
        reason = str(error) if isinstance(error, OSError) else repr(error)
        os.write(1, encode_frame({"kind": "failed", "layer": layer, "error": reason}))
        os._exit(1)


def _go_inside(settings: Mapping[str, Any], guard: int) -> NoReturn:
    _end_with(guard)
    # Opened now: inside there is no /proc, and the worker measures itself by this.
    statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    if "userns" in settings["layers"]:
        _step("userns", lambda: _move_house(settings))
    _step("privileges", kernel.drop_capabilities)
    _end_with(guard)  # again: the kernel forgets it where the identity changes
    os.close(guard)
    os.chdir("/")
    if "landlock" in settings["layers"]:
        grants = [landlock.Grant(*grant) for grant in settings["grants"]]
        grants += [landlock.Grant(target) for _, target in settings["mounts"]]
        grants += [landlock.Grant(place, change=True) for place in settings["writable"]]
        ports = [relay.ADDRESS[1]] if settings["network"] else []
        _step("landlock", lambda: landlock.restrict(grants, ports))
    if "seccomp" in settings["layers"]:
        _step("seccomp", lambda: _install(bytes.fromhex(settings["base_filter"])))
    if not settings["check"]:
        worker.main({**settings, "statm": statm})
    else:
        os.write(1, encode_frame({"kind": "isolated"}))
    os._exit(0)


def _end_with(guard: int) -> None:
    """Have the kernel end this process with the guard, which may have ended already."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    poll = select.poll()
    poll.register(guard, select.POLLIN)
    if poll.poll(0):
        os._exit(1)


def _install(base_filter: bytes) -> None:
    if not base_filter:
        raise OSError(errno.ENOSYS, f"there is no filter for {os.uname().machine}")
    seccomp.Filter(base_filter).install()


def _move_house(settings: Mapping[str, Any]) -> None:
    namespaces.Root(
        files=settings["files"],
        devices=settings["devices"],
        links=settings["links"],
        mounts=settings["mounts"],
        writable=settings["writable"],
        writable_bytes=settings["workspace_bytes"],
        writable_entries=tree.MAX_ENTRIES,
    ).build()
    if settings["network"]:
        loopback.bring_up_loopback()
    namespaces.give_up_identity()


def _guard(host: int, inside: int, null: int) -> None:
    """Wait until the worker ends, the host is gone, or the host asks to end; leave nothing."""
    signal.signal(signal.SIGTERM, lambda number, frame: _end(inside))
    for standard in (0, 1, 2):
        # So that the host's pipes end with the worker, and not with this process.
        os.dup2(null, standard)
    worker_end = os.pidfd_open(inside)
    poll = select.poll()
    poll.register(host, select.POLLIN)
    poll.register(worker_end, select.POLLIN)
    poll.poll()
    _end(inside)


def _end(inside: int) -> NoReturn:
    os.kill(inside, signal.SIGKILL)
    os.waitpid(inside, 0)
    os._exit(0)
