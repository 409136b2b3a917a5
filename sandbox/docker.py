"""The Docker backend: warm, hardened containers, each with the same worker as the local backend."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
from docker.errors import ImageNotFound
from docker.types import Healthcheck, HostConfig, LogConfig, Ulimit

from toolguild.policies import Profile
from toolguild.sandbox.attached import AttachedChannel
from toolguild.sandbox.base import Limits
from toolguild.sandbox.bootstrap import (
    COMMAND_LINE,
    ENVIRONMENT,
    WORKER_MODULES,
    start_message,
)
from toolguild.sandbox.channel import Channel
from toolguild.sandbox.connection import Worker
from toolguild.sandbox.container_end import what_ended
from toolguild.sandbox.disposal import Disposal, remove_orphans
from toolguild.sandbox.engine import connect, engine_errors, inspect_engine
from toolguild.sandbox.errors import SandboxUnavailableError
from toolguild.sandbox.files.tree import MAX_ENTRIES
from toolguild.sandbox.frames import Frame
from toolguild.sandbox.images.image import Image, find_image
from toolguild.sandbox.images.packages import PACKAGES_FOLDER
from toolguild.sandbox.images.requirements import normalise_requirements
from toolguild.sandbox.inside import inner_pipes
from toolguild.sandbox.linux import seccomp
from toolguild.sandbox.network import relay
from toolguild.sandbox.network.setup import (
    environment,
    opened_egress,
    preload,
    program_profile,
    worker_profile,
)
from toolguild.sandbox.owner import LABEL, Owner
from toolguild.sandbox.pipes import Pipes
from toolguild.sandbox.pool import RECYCLE_AFTER, PooledSandbox
from toolguild.sandbox.setting import (
    NOBODY,
    Identity,
    Setting,
    require_free,
    require_readable,
)
from toolguild.sandbox.wall.profile import wall_rules

if TYPE_CHECKING:  # it brings asyncio along, which takes as long as starting a sandbox
    from toolguild.sandbox.network.egress import Egress

__all__ = ["LABEL", "DockerSandbox"]

_START_S = 30.0
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}

# What the supervisor needs besides the program: memory in MiB, and processes. A runtime that puts
# a kernel of its own into the control group, as gVisor does, needs more of both.
_OVERHEAD = (64, 2)
_OVERHEAD_OWN_KERNEL = (256, 256)

# gVisor puts a writable tmpfs on an empty /tmp, unless something else is there.
_TMPFS_OWN_KERNEL = {"/tmp": "ro,nosuid,nodev,noexec,size=4k"}  # noqa: S108 - not a file of ours

_STARTING_THREADS = 32
"""More processes, for the runtime's own threads while it starts a container."""

# What Docker masks by default, and what tells of the host besides.
_MASKED = (
    "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware",
    "/proc/cmdline", "/proc/config.gz", "/proc/kallsyms", "/proc/modules", "/proc/sysrq-trigger",
)  # fmt: skip
_READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys")


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What is asked of the engine once."""

    client: docker.APIClient
    image: Image
    runtime: str
    machine: str
    """Architecture, as `seccomp.assemble` names it."""


class DockerSandbox(PooledSandbox):
    """Runs programs in containers without network or privileges.

    Each worker is a container that lives for many runs; each run is a process of its own in it,
    with threads, which cannot start another. A container is told its owner: what a crashed process
    leaves behind ends by itself when the connection breaks, or is removed by the next to start.
    """

    name = "docker"

    def __init__(
        self,
        *,
        size: int | None = None,
        recycle_after: int = RECYCLE_AFTER,
        image: str | None = None,
        pull: bool = False,
        requirements: Sequence[str] = (),
        runtime: str | None = None,
        profile: Profile | None = None,
    ) -> None:
        """Describe the containers; nothing is asked of the engine before it is needed.

        Args:
            size: Containers at most.
            recycle_after: Runs that a container serves at most.
            image: An image with a `python3` of 3.11 or later, instead of one found or made.
            pull: Fetch the image if the engine does not have it.
            requirements: Packages for programs, as in a requirements file, to be baked into an
                image derived from that one.
            runtime: OCI runtime, for example `runsc`, instead of the engine's own choice.
            profile: What the wall goes by, by default the shipped one.

        Raises:
            RequirementsError: a requirement is none.
        """
        super().__init__(size=size, recycle_after=recycle_after, profile=profile)
        self._wanted_image, self._pull, self._runtime = image, pull, runtime
        self._requirements = normalise_requirements(requirements)
        self._prepared: _Prepared | None = None
        self._preparing = threading.Lock()
        self._disposal = Disposal()
        self._pipes_work: bool | None = None
        """Whether containers can be reached past the engine; None until one has started."""

    def close(self) -> None:
        """End every container; closing twice is harmless."""
        super().close()
        with self._preparing:
            if self._prepared:
                self._disposal.finish(self._prepared.client)
                self._prepared.client.close()

    @property
    def level(self) -> str:
        """Runtime, filter and image in force, for example `docker:runc+seccomp@sha256:0123...`.

        Raises:
            SandboxUnavailableError: the engine or an image is out of reach.
        """
        prepared = self._prepare()
        return f"docker:{prepared.runtime}+seccomp@{prepared.image.id}"

    @contextlib.contextmanager
    def _made_pipes(self, prepared: _Prepared) -> Iterator[Pipes | None]:
        """Make pipes for the start of a container, where they can be expected to work."""
        pipes = None
        if self._pipes_work is not False and _shares_kernel(prepared):
            with contextlib.suppress(OSError):
                pipes = Pipes()
        try:
            yield pipes
        finally:
            if pipes:
                pipes.close()

    def _prepare(self) -> _Prepared:
        with self._preparing:
            if self._prepared is None:
                client = connect()
                try:
                    self._prepared = self._ask(client)
                except BaseException:
                    client.close()
                    raise
            return self._prepared

    def _ask(self, client: docker.APIClient) -> _Prepared:
        info, version = inspect_engine(client)
        runtime = self._runtime or info["DefaultRuntime"]
        if runtime not in info["Runtimes"]:
            msg = (
                f"The Docker engine has no runtime {runtime}, only "
                f"{', '.join(info['Runtimes'])}: add it to /etc/docker/daemon.json."
            )
            raise SandboxUnavailableError(msg)
        image = find_image(
            client, self._wanted_image, pull=self._pull, requirements=self._requirements
        )
        remove_orphans(client)
        return _Prepared(client, image, runtime, _machine(version["Arch"]))

    def _start(self, limits: Limits, setting: Setting, seat: int) -> Worker:
        require_readable(setting.mounts, _identity(setting))
        try:
            return self._start_container(limits, setting, seat)
        except _ImageGoneError:
            # Removed since it was found: it can be found, fetched or made again.
            with self._preparing:
                if self._prepared:
                    self._prepared = self._ask(self._prepared.client)
            return self._start_container(limits, setting, seat)

    def _start_container(self, limits: Limits, setting: Setting, seat: int) -> Worker:
        prepared = self._prepare()
        require_free(setting, [PACKAGES_FOLDER] if prepared.image.packages else [])
        self._disposal.catch_up(prepared.client)
        with opened_egress(network=setting.network) as egress, self._made_pipes(prepared) as pipes:
            try:
                return self._start_with(prepared, limits, setting, seat, egress, pipes)
            except SandboxUnavailableError as error:
                if not pipes or self._pipes_work or isinstance(error, _ImageGoneError):
                    raise
            # The engine may be unable to show a directory of this machine.
            worker = self._start_with(prepared, limits, setting, seat, egress, None)
            self._pipes_work = False
            return worker

    def _start_with(
        self,
        prepared: _Prepared,
        limits: Limits,
        setting: Setting,
        seat: int,
        egress: Egress | None,
        pipes: Pipes | None,
    ) -> Worker:
        container = f"toolguild-{secrets.token_hex(8)}"
        try:
            _create(prepared, container, limits, setting, egress, pipes)
            channel: Channel = (attached := _attach(prepared.client, container))
            try:
                with engine_errors("start a container"):
                    prepared.client.start(container)
                wall = wall_rules(self.profile, setting.capabilities)
                channel = _hand_over(attached, prepared, setting, seat, pipes, wall)
                if pipes:
                    self._pipes_work = channel is not attached
                _limit_processes(prepared, container, limits)
            except BaseException:
                channel.close()
                raise
        except BaseException:
            self._disposal.doubt(container)  # which the engine may still be making
            with contextlib.suppress(SandboxUnavailableError):
                self._disposal.remove(prepared.client, container)
            raise
        return Worker(
            channel,
            partial(self._disposal.remove, prepared.client, container),
            fits=lambda other, wanted: wanted == setting and _same_room(limits, other),
            what_ended=partial(what_ended, prepared.client, container),
            egress=egress,
        )


def _has_own_kernel(runtime: str) -> bool:
    return runtime.startswith("runsc")


def _shares_kernel(prepared: _Prepared) -> bool:
    """Whether containers may well run on the kernel that this process runs on."""
    is_near = prepared.client.base_url.startswith("http+docker://")
    return sys.platform == "linux" and is_near and not _has_own_kernel(prepared.runtime)


def _machine(architecture: str) -> str:
    machine = _MACHINES.get(architecture)
    if machine is None:
        msg = f"The docker sandbox has no filter for engines of architecture {architecture}."
        raise SandboxUnavailableError(msg)
    return machine


def _filters(prepared: _Prepared, setting: Setting) -> dict[str, str]:
    """Return the assembled filters that the worker installs, in hexadecimal."""

    def assembled(profile: seccomp.Profile) -> str:
        return seccomp.assemble(profile, prepared.machine).hex()

    filters = {"program_filter": assembled(program_profile(network=setting.network))}
    if _has_own_kernel(prepared.runtime):
        # gVisor does not apply the profile that Docker hands it.
        filters["worker_filter"] = assembled(worker_profile(network=setting.network)[1])
    return filters


class _ImageGoneError(SandboxUnavailableError):
    pass


def _same_room(made_for: Limits, limits: Limits) -> bool:
    """Whether a container made for some limits bounds others exactly."""
    return (made_for.memory_mb, made_for.processes) == (limits.memory_mb, limits.processes)


def _create(
    prepared: _Prepared,
    container: str,
    limits: Limits,
    setting: Setting,
    egress: Egress | None,
    pipes: Pipes | None,
) -> None:
    client = prepared.client
    with engine_errors("create a container"):
        try:
            binds = _binds(setting, egress, pipes)
            config = _container_config(prepared, limits, setting, binds)
            client.create_container_from_config(config, name=container)
        except ImageNotFound as error:
            msg = f"The docker sandbox's image {prepared.image.name} is gone: {error}"
            raise _ImageGoneError(msg) from error


def _container_config(
    prepared: _Prepared, limits: Limits, setting: Setting, binds: Sequence[docker.types.Mount]
) -> dict[str, Any]:
    user = _identity(setting)
    config = prepared.client.create_container_config(
        image=prepared.image.id,
        command=list(COMMAND_LINE),
        entrypoint=["python3"],
        environment=ENVIRONMENT,
        hostname="sandbox",
        user=f"{user.user}:{user.group}",
        working_dir="/",
        labels={LABEL: str(Owner.current())},
        stdin_open=True,
        network_disabled=True,
        healthcheck=Healthcheck(test=["NONE"]),
        stop_signal="SIGKILL",
        host_config=_host_config(prepared, limits, setting, binds),
    )
    return dict(config)


def _overhead(runtime: str) -> tuple[int, int]:
    return _OVERHEAD_OWN_KERNEL if _has_own_kernel(runtime) else _OVERHEAD


def _identity(setting: Setting) -> Identity:
    """Return whom the programs run as: ourselves where they read what may be ours alone."""
    return Identity.of_caller() if setting.mounts and os.geteuid() != 0 else NOBODY


def _bind(source: Path, target: str) -> docker.types.Mount:
    bind = docker.types.Mount(target, str(source), "bind", read_only=True, propagation="rprivate")
    # Only the topmost file system of a bind is made read-only: what is mounted below stays away.
    bind["BindOptions"]["NonRecursive"] = True
    return bind


def _file_systems(prepared: _Prepared, setting: Setting) -> dict[str, str]:
    """Return the file systems in memory: where, and with which options."""
    if not setting.writable:
        return _TMPFS_OWN_KERNEL if _has_own_kernel(prepared.runtime) else {}
    user = _identity(setting)
    options = (
        f"rw,nosuid,nodev,noexec,size={setting.workspace_mb}m,nr_inodes={MAX_ENTRIES + 1},"
        f"mode=0700,uid={user.user},gid={user.group}"
    )
    return dict.fromkeys(setting.writable, options)


def _binds(
    setting: Setting, egress: Egress | None, pipes: Pipes | None
) -> list[docker.types.Mount]:
    binds = [_bind(mount.source, mount.target) for mount in setting.mounts]
    if egress:
        binds.append(_bind(egress.directory, relay.FOLDER))
    if pipes:
        binds.append(_bind(pipes.directory, inner_pipes.FOLDER))
    return binds


def _host_config(
    prepared: _Prepared, limits: Limits, setting: Setting, binds: Sequence[docker.types.Mount]
) -> HostConfig:
    profile, _ = worker_profile(network=setting.network)
    memory_mb, processes = _overhead(prepared.runtime)
    memory_mb += limits.memory_mb + len(setting.writable) * setting.workspace_mb
    memory = memory_mb << 20
    config = prepared.client.create_host_config(
        runtime=prepared.runtime,
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true", f"seccomp={profile}"],
        pids_limit=limits.processes + processes + _STARTING_THREADS,
        mem_limit=memory,
        memswap_limit=memory,
        nano_cpus=1_000_000_000,
        ulimits=[
            Ulimit(name="nofile", soft=128, hard=128),
            Ulimit(name="core", soft=0, hard=0),
        ],
        group_add=[str(group) for group in sorted(_identity(setting).others)],
        ipc_mode="none",
        mounts=list(binds),
        tmpfs=_file_systems(prepared, setting),
        cgroupns="private",
        log_config=LogConfig(type="none"),
        auto_remove=True,
    )
    config.update(MaskedPaths=list(_MASKED), ReadonlyPaths=list(_READ_ONLY))
    return config


def _attach(client: docker.APIClient, container: str) -> AttachedChannel:
    """Connect to a container that has not started: its stdin ends with this connection."""
    with engine_errors("attach to a container"):
        return AttachedChannel(
            client.attach_socket(
                container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            )
        )


def _hand_over(
    attached: AttachedChannel,
    prepared: _Prepared,
    setting: Setting,
    seat: int,
    pipes: Pipes | None,
    wall: Mapping[str, Any],
) -> Channel:
    """Send the worker into the container; return the way to it, once it is ready."""
    until = time.monotonic() + _START_S
    settings = {
        "environment": environment(network=setting.network),
        "preload": preload(network=setting.network),
        "packages": [PACKAGES_FOLDER] if prepared.image.packages else [],
        **_filters(prepared, setting),
        **setting.inside(),
        "seat": seat,
        "pipes": pipes is not None,
        # On a shared kernel, others on the machine may have this identity.
        "other_processes": 2 if _has_own_kernel(prepared.runtime) else None,
    }
    channel: Channel = attached
    with contextlib.ExitStack() as undo:
        try:
            attached.send(start_message(WORKER_MODULES, settings, wall), until)
            ready = attached.receive(0, until)
            if pipes and ready.kind == "pipes":
                channel = pipes.connect(attached)
                undo.callback(channel.close)
                ready = channel.receive(0, until)
        except OSError as error:
            said = attached.errors.decode("utf-8", "replace").strip() or str(error) or "it hangs"
            msg = (
                f"The docker sandbox's container did not become ready: {said}. Its image "
                f"{prepared.image.name} must hold a python3 of 3.11 or later."
            )
            raise SandboxUnavailableError(msg) from error
        _require_ready(ready, prepared)
        undo.pop_all()
    return channel


def _require_ready(first: Frame, prepared: _Prepared) -> None:
    """Make sure that a worker's first frame says that it is ready.

    Raises:
        SandboxUnavailableError: it says something else.
    """
    if first.kind == "failed":
        layer, reason = first.header["layer"], first.header["error"]
        msg = f"The docker sandbox's worker failed at {layer}: {reason}."
        if layer == "network" and _has_own_kernel(prepared.runtime):
            msg += (
                " Add `--host-uds=open` to the runtime's arguments in /etc/docker/daemon.json, "
                "and restart the engine."
            )
        raise SandboxUnavailableError(msg)
    if first.kind != "ready":
        msg = f"The docker sandbox's container began with a frame of kind {first.kind!r}."
        raise SandboxUnavailableError(msg)


def _limit_processes(prepared: _Prepared, container: str, limits: Limits) -> None:
    """Bring the limit down to what the program may have, now that the runtime is done."""
    if _has_own_kernel(prepared.runtime):
        return  # its threads come and go, and the program's are not among those counted
    client = prepared.client
    processes = limits.processes + _overhead(prepared.runtime)[1]
    with engine_errors("limit a container's processes"):
        # docker-py's update_container does not know this limit; its client is a requests session.
        url = f"{client.base_url}/v{client.api_version}/containers/{container}/update"
        answer = client.post(url, json={"PidsLimit": processes}, timeout=client.timeout)
        answer.raise_for_status()
