"""The Docker backend: warm, hardened containers, each with the same worker as the local backend."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

import docker
from docker.errors import APIError, ImageNotFound, NotFound
from docker.types import Healthcheck, HostConfig, LogConfig, Ulimit

from toolguild.sandbox import seccomp
from toolguild.sandbox.attached import AttachedChannel
from toolguild.sandbox.base import Limits
from toolguild.sandbox.bootstrap import (
    COMMAND_LINE,
    ENVIRONMENT,
    PRELOAD,
    WORKER_MODULES,
    base_profile,
    start_message,
)
from toolguild.sandbox.channel import ChannelClosedError
from toolguild.sandbox.connection import Worker
from toolguild.sandbox.engine import connect, engine_errors
from toolguild.sandbox.errors import SandboxUnavailableError
from toolguild.sandbox.image import Image, find_image
from toolguild.sandbox.owner import Owner
from toolguild.sandbox.pool import RECYCLE_AFTER, PooledSandbox

__all__ = ["LABEL", "DockerSandbox"]

LABEL = "toolguild.sandbox.owner"
"""Label of every container of ours; its value tells whose it is."""

_START_S = 30.0
_NOBODY = "65534:65534"
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
    filters: Mapping[str, str]
    """Assembled filters that the worker installs, in hexadecimal, by the name of the setting."""


class DockerSandbox(PooledSandbox):
    """Runs programs in containers without network, privileges, or a place to write.

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
        runtime: str | None = None,
    ) -> None:
        """Describe the containers; nothing is asked of the engine before it is needed.

        Args:
            size: Containers at most.
            recycle_after: Runs that a container serves at most.
            image: An image with a `python3` of 3.11 or later, instead of one found or made.
            pull: Fetch the image if the engine does not have it.
            runtime: OCI runtime, for example `runsc`, instead of the engine's own choice.
        """
        super().__init__(size=size, recycle_after=recycle_after)
        self._wanted_image, self._pull, self._runtime = image, pull, runtime
        self._prepared: _Prepared | None = None
        self._preparing = threading.Lock()

    def close(self) -> None:
        """End every container; closing twice is harmless."""
        super().close()
        with self._preparing:
            if self._prepared:
                self._prepared.client.close()

    @property
    def level(self) -> str:
        """Runtime, filter and image in force, for example `docker:runc+seccomp@sha256:0123...`.

        Raises:
            SandboxUnavailableError: the engine or an image is out of reach.
        """
        prepared = self._prepare()
        return f"docker:{prepared.runtime}+seccomp@{prepared.image.id}"

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
        with engine_errors("look at the engine"):
            info, version = client.info(), client.version()
        runtime = self._runtime or info["DefaultRuntime"]
        if runtime not in info["Runtimes"]:
            msg = (
                f"The Docker engine has no runtime {runtime}, only "
                f"{', '.join(info['Runtimes'])}: add it to /etc/docker/daemon.json."
            )
            raise SandboxUnavailableError(msg)
        image = find_image(client, self._wanted_image, pull=self._pull)
        _remove_orphans(client)
        return _Prepared(client, image, runtime, _filters(version["Arch"], runtime))

    def _start(self, limits: Limits) -> Worker:
        try:
            return self._start_container(limits)
        except _ImageGoneError:
            # Removed since it was found: it can be found, fetched or made again.
            with self._preparing:
                if self._prepared:
                    self._prepared = self._ask(self._prepared.client)
            return self._start_container(limits)

    def _start_container(self, limits: Limits) -> Worker:
        prepared = self._prepare()
        container = _create(prepared, limits)
        try:
            channel = _attach(prepared.client, container)
            try:
                with engine_errors("start a container"):
                    prepared.client.start(container)
                _hand_over(channel, prepared)
                _limit_processes(prepared, container, limits)
            except BaseException:
                channel.close()
                raise
        except BaseException:
            _remove(prepared.client, container)
            raise
        return Worker(
            channel,
            partial(_remove, prepared.client, container),
            fits=partial(_same_room, limits),
        )


def _has_own_kernel(runtime: str) -> bool:
    return runtime.startswith("runsc")


def _filters(architecture: str, runtime: str) -> dict[str, str]:
    machine = _MACHINES.get(architecture)
    if machine is None:
        msg = f"The docker sandbox has no filter for engines of architecture {architecture}."
        raise SandboxUnavailableError(msg)
    filters = {"program_filter": seccomp.assemble(seccomp.ONE_PROCESS, machine).hex()}
    if _has_own_kernel(runtime):
        # gVisor does not apply the profile that Docker hands it.
        filters["worker_filter"] = seccomp.assemble(base_profile()[1], machine).hex()
    return filters


class _ImageGoneError(SandboxUnavailableError):
    pass


def _same_room(made_for: Limits, limits: Limits) -> bool:
    """Whether a container made for some limits bounds others exactly."""
    return (made_for.memory_mb, made_for.processes) == (limits.memory_mb, limits.processes)


def _create(prepared: _Prepared, limits: Limits) -> str:
    client = prepared.client
    with engine_errors("create a container"):
        try:
            created = client.create_container_from_config(_container_config(prepared, limits))
        except ImageNotFound as error:
            msg = f"The docker sandbox's image {prepared.image.name} is gone: {error}"
            raise _ImageGoneError(msg) from error
    return str(created["Id"])


def _container_config(prepared: _Prepared, limits: Limits) -> dict[str, Any]:
    config = prepared.client.create_container_config(
        image=prepared.image.id,
        command=list(COMMAND_LINE),
        entrypoint=["python3"],
        environment=ENVIRONMENT,
        hostname="sandbox",
        user=_NOBODY,
        working_dir="/",
        labels={LABEL: str(Owner.current())},
        stdin_open=True,
        network_disabled=True,
        healthcheck=Healthcheck(test=["NONE"]),
        stop_signal="SIGKILL",
        host_config=_host_config(prepared, limits),
    )
    return dict(config)


def _overhead(runtime: str) -> tuple[int, int]:
    return _OVERHEAD_OWN_KERNEL if _has_own_kernel(runtime) else _OVERHEAD


def _host_config(prepared: _Prepared, limits: Limits) -> HostConfig:
    memory_mb, processes = _overhead(prepared.runtime)
    memory = (limits.memory_mb + memory_mb) << 20
    config = prepared.client.create_host_config(
        runtime=prepared.runtime,
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true", f"seccomp={base_profile()[0]}"],
        pids_limit=limits.processes + processes + _STARTING_THREADS,
        mem_limit=memory,
        memswap_limit=memory,
        nano_cpus=1_000_000_000,
        ulimits=[
            Ulimit(name="nofile", soft=128, hard=128),
            Ulimit(name="core", soft=0, hard=0),
        ],
        ipc_mode="none",
        tmpfs=_TMPFS_OWN_KERNEL if _has_own_kernel(prepared.runtime) else None,
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


def _hand_over(channel: AttachedChannel, prepared: _Prepared) -> None:
    """Send the worker into the container and wait until it is ready."""
    until = time.monotonic() + _START_S
    settings = {
        "environment": ENVIRONMENT,
        "preload": PRELOAD,
        **prepared.filters,
        # On a shared kernel, others on the machine may have this identity.
        "other_processes": 2 if _has_own_kernel(prepared.runtime) else None,
    }
    try:
        channel.send(start_message(WORKER_MODULES, settings), until)
        ready = channel.receive(0, until)
    except (TimeoutError, ChannelClosedError) as error:
        said = channel.errors.decode("utf-8", "replace").strip() or str(error) or "it hangs"
        msg = (
            f"The docker sandbox's container did not become ready: {said}. Its image "
            f"{prepared.image.name} must hold a python3 of 3.11 or later."
        )
        raise SandboxUnavailableError(msg) from error
    if ready.kind != "ready":
        msg = f"The docker sandbox's container began with a frame of kind {ready.kind!r}."
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


def _remove(client: docker.APIClient, container: str) -> None:
    """Kill and remove a container, or find that it is gone already."""
    with engine_errors("remove a container"), contextlib.suppress(NotFound):
        try:
            client.remove_container(container, force=True, v=True)
        except APIError as error:
            if error.status_code != HTTPStatus.CONFLICT:  # it is being removed
                raise


def _remove_orphans(client: docker.APIClient) -> None:
    """Remove the containers of processes that have ended."""
    with engine_errors("list containers"):
        containers = client.containers(all=True, filters={"label": LABEL})
    for container in containers:
        owner = Owner.parse(container["Labels"][LABEL])
        if owner and owner.surely_gone:
            _remove(client, container["Id"])
