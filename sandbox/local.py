"""The local backend: Linux's own isolation, without Docker and without privileges."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from toolguild.policies import Profile, load_profile
from toolguild.sandbox import interpreter
from toolguild.sandbox.base import Limits
from toolguild.sandbox.bootstrap import (
    COMMAND_LINE,
    ENVIRONMENT,
    LAUNCHER_MODULES,
    start_message,
)
from toolguild.sandbox.channel import ChannelClosedError, PipeChannel
from toolguild.sandbox.connection import Worker
from toolguild.sandbox.errors import SandboxUnavailableError
from toolguild.sandbox.frames import Frame
from toolguild.sandbox.linux import landlock, seccomp
from toolguild.sandbox.network import relay
from toolguild.sandbox.network.setup import (
    environment,
    opened_egress,
    preload,
    program_profile,
    worker_profile,
)
from toolguild.sandbox.pool import RECYCLE_AFTER, PooledSandbox
from toolguild.sandbox.setting import (
    BARE,
    NOBODY,
    Identity,
    Setting,
    require_free,
    require_readable,
)
from toolguild.sandbox.wall.profile import wall_rules

if TYPE_CHECKING:  # it brings asyncio along, which takes as long as starting a sandbox
    from toolguild.sandbox.network.egress import Egress
from toolguild.sandbox.way_to_docker import way_to_docker

__all__ = ["Isolation", "LocalSandbox", "available_isolation"]

_START_S = 15.0
_END_S = 2.0
_MAX_ERRORS = 2000  # characters of what a worker that fails to start writes
_LAYERS = ("userns", "landlock", "seccomp")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")


@dataclass(frozen=True, slots=True)
class Isolation:
    """What stands between a program and the machine."""

    layers: tuple[str, ...]
    """Those in force, of `userns`, `landlock` and `seccomp`."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """The others, each with the reason why it is missing."""

    @property
    def level(self) -> str:
        """The layers in one word, `process-only` where there are none."""
        return "+".join(self.layers) or "process-only"

    @property
    def sufficient(self) -> bool:
        """Whether hostile programs may run behind it."""
        return {"landlock", "seccomp"} <= set(self.layers)

    @property
    def reasons(self) -> str:
        """What is missing and why, in one line."""
        return "; ".join(f"{layer}: {reason}" for layer, reason in self.missing.items())

    def without(self, layer: str, reason: str) -> Isolation:
        """Return what is left when a layer turned out not to work."""
        if layer not in self.layers:
            msg = f"The local sandbox failed at {layer}: {reason}."
            raise SandboxUnavailableError(msg)
        layers = tuple(name for name in self.layers if name != layer)
        return Isolation(layers, {**self.missing, layer: reason})


_known: list[Isolation] = []
"""What this machine offers, once somebody has tried."""


def available_isolation() -> Isolation:
    """Find out what this machine offers, by trying it once in processes that run nothing.

    Raises:
        SandboxUnavailableError: not even a process could be started.
    """
    if not _known:
        isolation, process = _strongest(check=True)
        if process:
            process.close()
        _known.append(isolation)
    return _known[0]


def _strongest(
    seat: int = 0, *, check: bool = False, profile: Profile | None = None
) -> tuple[Isolation, _Process | None]:
    """Return what this machine offers, and the process behind all of it, where there is one."""
    if sys.platform != "linux":
        return Isolation((), dict.fromkeys(_LAYERS, f"this is {sys.platform} and not Linux")), None
    isolation = Isolation(_LAYERS)
    while isolation.layers:
        process = _Process()
        try:
            answer = process.begin(isolation, seat=seat, check=check, profile=profile)
        except BaseException:
            process.close()
            raise
        if answer.kind != "failed":
            return isolation, process
        process.close()
        isolation = isolation.without(answer.header["layer"], answer.header["error"])
    return isolation, None


class LocalSandbox(PooledSandbox):
    """Runs programs in processes of this machine that can reach nothing of it.

    Each worker is an interpreter in namespaces of its own (user, mount, process, network, IPC,
    host name), whose root holds the standard library and what programs are given, under Landlock
    and a seccomp filter, without capabilities. A program is one process in it, with threads, and
    cannot start another.
    """

    name = "local"

    def __init__(
        self,
        *,
        size: int | None = None,
        recycle_after: int = RECYCLE_AFTER,
        profile: Profile | None = None,
        weakest: bool = False,
        isolation: Isolation | None = None,
    ) -> None:
        """Find out what isolation there is; the other workers start when they are needed.

        Args:
            size: Workers at most.
            recycle_after: Runs that a worker serves at most.
            profile: What the wall goes by, by default the shipped one.
            weakest: Accept whatever isolation there is, even none but a process with limits.
            isolation: Use these layers instead of all there are, to see how a machine with less
                would do.

        Raises:
            SandboxUnavailableError: the machine offers less than Landlock with seccomp.
        """
        super().__init__(size=size, recycle_after=recycle_after, profile=profile)
        if isolation or _known:
            self._isolation = isolation or available_isolation()
            self._require_sufficient(weakest=weakest)
        else:
            self._try_out(weakest=weakest)

    def _try_out(self, *, weakest: bool) -> None:
        """Find out what isolation there is; the process that does becomes the first worker."""
        seat = self._seats.take()
        self._isolation, process = _strongest(seat, profile=self._profile)
        _known.append(self._isolation)
        if process:
            self._adopt(process.as_worker(BARE), seat)
        else:
            self._seats.give_back(seat)
        try:
            self._require_sufficient(weakest=weakest)
        except BaseException:
            self.close()
            raise

    def _require_sufficient(self, *, weakest: bool) -> None:
        if sys.platform != "linux":
            msg = (
                f"The local sandbox cannot run here: this is {sys.platform} and not Linux. Use the "
                f"docker sandbox (`open_sandbox('docker')`). {way_to_docker()}"
            )
            raise SandboxUnavailableError(msg)
        if not (weakest or self._isolation.sufficient):
            msg = (
                f"The local sandbox cannot isolate programs here: {self._isolation.reasons}. "
                "Use Docker (`open_sandbox('docker')`), or accept less with `weakest=True`."
            )
            raise SandboxUnavailableError(msg)

    @property
    def level(self) -> str:
        """The layers in force, for example `userns+landlock+seccomp`."""
        return self._isolation.level

    def _start(self, limits: Limits, setting: Setting, seat: int) -> Worker:
        _require_possible(setting, self._isolation)
        with opened_egress(network=setting.network) as egress:
            return self._start_with(setting, seat, egress)

    def _start_with(self, setting: Setting, seat: int, egress: Egress | None) -> Worker:
        process = _Process()
        try:
            answer = process.begin(self._isolation, setting, seat, egress, profile=self._profile)
            if answer.kind != "ready":
                header = answer.header
                msg = f"The local sandbox failed at {header['layer']}: {header['error']}."
                raise SandboxUnavailableError(msg)
        except BaseException:
            process.close()
            raise
        return process.as_worker(setting, egress)


class _Process:
    """A launcher and, below it, its worker."""

    def __init__(self) -> None:
        """Start an interpreter that waits for `begin`.

        Raises:
            SandboxUnavailableError: it cannot be started.
        """
        try:
            self._popen = subprocess.Popen(  # noqa: S603 - our own interpreter
                [interpreter.executable(), *COMMAND_LINE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            msg = f"The local sandbox cannot start {interpreter.executable()}: {error}."
            raise SandboxUnavailableError(msg) from error
        to_child, from_child, errors = self._popen.stdin, self._popen.stdout, self._popen.stderr
        assert to_child and from_child and errors  # noqa: S101 - pipes, as was asked for
        self.channel = PipeChannel(from_child, to_child)
        self._errors = errors
        self._ending = threading.Lock()

    def begin(
        self,
        isolation: Isolation,
        setting: Setting = BARE,
        seat: int = 0,
        egress: Egress | None = None,
        *,
        check: bool = False,
        profile: Profile | None = None,
    ) -> Frame:
        """Send it on its way and return what it says first, or end it.

        Raises:
            SandboxUnavailableError: it ended, or hangs, without a word.
        """
        until = time.monotonic() + _START_S
        mounts = [(str(mount.source), mount.target) for mount in setting.mounts]
        if egress:
            mounts.append((str(egress.directory), relay.FOLDER))
        settings = {
            **_settings(isolation, setting, check=check),
            **setting.inside(),
            "mounts": mounts,
            "seat": seat,
        }
        message = start_message(
            LAUNCHER_MODULES,
            settings,
            wall_rules(profile or load_profile(), setting.capabilities),
            same_interpreter=True,
        )
        try:
            self.channel.send(message, until)
            return self.channel.receive(0, until)
        except (ChannelClosedError, TimeoutError) as error:
            self.end()
            why = self._last_words() or error or "it hangs"
            msg = f"The local sandbox's worker did not become ready: {why}"
            raise SandboxUnavailableError(msg) from error
        except BaseException:
            self.end()
            raise
        finally:
            self._errors.close()

    def as_worker(self, setting: Setting, egress: Egress | None = None) -> Worker:
        """Return it as what it has become."""
        return Worker(
            self.channel,
            self.end,
            fits=lambda limits, wanted: wanted == setting,
            egress=egress,
        )

    def _last_words(self) -> str:
        """Return what it wrote before it ended, without waiting for more."""
        os.set_blocking(self._errors.fileno(), False)
        return (self._errors.read(_MAX_ERRORS) or b"").decode("utf-8", "replace").strip()

    def close(self) -> None:
        """End everything and close the connection."""
        self.end()
        self.channel.close()

    def end(self) -> None:
        """End the launcher, which takes everything below it along."""
        with self._ending:
            if self._popen.returncode is None:
                os.kill(self._popen.pid, signal.SIGTERM)
                try:
                    with contextlib.suppress(OSError):  # no descriptor is left to wait with
                        self._await_end()
                finally:
                    # One that was stopped on its way inside outlives the launcher. As that is
                    # reaped only afterwards, the number can mean no other group.
                    os.killpg(self._popen.pid, signal.SIGKILL)
                    self._popen.wait()

    def _await_end(self) -> None:
        launcher = os.pidfd_open(self._popen.pid)
        try:
            poll = select.poll()
            poll.register(launcher, select.POLLIN)
            poll.poll(_END_S * 1000)
        finally:
            os.close(launcher)


def _require_possible(setting: Setting, isolation: Isolation) -> None:
    """Make sure that programs can be given what they are to have.

    Raises:
        SandboxUnavailableError: they cannot, and why.
    """
    if "userns" not in isolation.layers:
        _require_namespaces_unneeded(setting, isolation)
    require_free(setting, (*_visible()["files"], *_visible()["links"]))
    as_nobody = "userns" in isolation.layers and os.geteuid() == 0
    require_readable(setting.mounts, NOBODY if as_nobody else Identity.of_caller())


def _require_namespaces_unneeded(setting: Setting, isolation: Isolation) -> None:
    moved = [mount for mount in setting.mounts if str(mount.source) != mount.target]
    if setting.writable:
        cannot = "cannot give programs a file system of their own to write to"
    elif setting.network:
        cannot = "cannot keep programs with network to the hosts that they may connect to"
    elif moved:
        cannot = f"can show {moved[0].source} in its own place only, not at {moved[0].target},"
    else:
        return
    reason = isolation.missing.get("userns", "this sandbox was told to do without")
    msg = (
        f"The local sandbox {cannot} without user namespaces ({reason}). Allow them, as "
        "`toolguild doctor` says how, or use Docker (`open_sandbox('docker')`)."
    )
    raise SandboxUnavailableError(msg)


def _settings(isolation: Isolation, setting: Setting, *, check: bool) -> dict[str, Any]:
    network = setting.network
    return {
        **_visible(),
        "host": os.getpid(),
        "check": check,
        "layers": isolation.layers,
        "base_filter": _assembled(worker_profile(network=network)[1], isolation),
        "program_filter": _assembled(program_profile(network=network), isolation),
        "other_processes": _other_processes(isolation),
        "environment": environment(network=network),
        "preload": preload(network=network),
    }


def _assembled(profile: seccomp.Profile, isolation: Isolation) -> str:
    machine = os.uname().machine
    if "seccomp" not in isolation.layers or machine not in seccomp.ARCHITECTURES:
        return ""  # which the launcher reports as the layer that is missing
    return seccomp.assemble(profile, machine).hex()


def _other_processes(isolation: Isolation) -> int | None:
    if "userns" not in isolation.layers:
        return None  # there the kernel counts every process of the user
    # The nursery, the supervisor and, where it has the same identity, the launcher.
    return 2 if os.geteuid() == 0 else 3


@cache
def _visible() -> dict[str, Any]:
    """Return what a program can see: only what the interpreter needs, to read."""
    library = interpreter.standard_library()
    paths = (library, *interpreter.system_libraries(), *interpreter.shared_data())
    links, real = interpreter.without_links(paths)
    grants = [landlock.Grant(str(path)) for path in real if path != library]
    # Names may be listed, as importing needs that; other people's packages cannot be read.
    grants.append(landlock.Grant(str(library), read=False))
    grants += [
        landlock.Grant(str(entry))
        for entry in sorted(library.iterdir())
        if entry.name not in interpreter.LEFT_OUT
    ]
    grants += [landlock.Grant(name, write=name == os.devnull) for name in _DEVICES]
    return {
        "files": [str(path) for path in real],
        "devices": _DEVICES,
        "links": links,
        "grants": [astuple(grant) for grant in grants],
    }
