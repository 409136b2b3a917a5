"""What this machine offers for running programs, and which sandbox to take."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from toolguild.sandbox.errors import SandboxUnavailableError
from toolguild.sandbox.linux import landlock
from toolguild.sandbox.local import Isolation, available_isolation

if TYPE_CHECKING:  # importing it takes longer than most answers here
    import docker

__all__ = ["Check", "Choice", "choose", "diagnose"]

_PATIENCE_S = 1.0
"""How long an engine may take to answer before it counts as absent."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a sandbox can make use of."""

    name: str
    ok: bool
    detail: str
    """What was found."""
    remedy: str = ""
    """What to do where it is not `ok`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which sandbox `auto` stands for on this machine."""

    kind: Literal["docker", "local"]
    why: str


def choose(*, own_image: bool = False) -> Choice:
    """Take Docker if an engine answers and has an image or can be given one, otherwise local.

    Args:
        own_image: Whether the caller sees to an image himself.

    Raises:
        SandboxUnavailableError: neither can be used; the message says why not.
    """
    try:
        with closing(_engine()) as client:
            source = "" if own_image else f", and {_image_source(client)}"
            return Choice("docker", f"An engine answers{source}.")
    except SandboxUnavailableError as error:
        without_docker = str(error)
    isolation = available_isolation()
    if isolation.sufficient:
        return Choice("local", f"{isolation.level} is there. {without_docker}")
    reasons = isolation.reasons if sys.platform == "linux" else "it needs Linux"
    msg = f"No sandbox can run here. {without_docker} For local: {reasons}."
    raise SandboxUnavailableError(msg)


def diagnose() -> list[Check]:
    """Look at everything that the sandboxes can make use of; nothing is changed."""
    return [*_docker_checks(), *_local_checks()]


def _engine() -> docker.APIClient:
    from toolguild.sandbox.engine import connect

    return connect(_PATIENCE_S)


def _image_source(client: docker.APIClient) -> str:
    from toolguild.sandbox.images.image import image_source

    return image_source(client)


def _docker_checks() -> list[Check]:
    try:
        with closing(_engine()) as client:
            info, version = _facts(client)
            engine = f"{version['Version']} on {version['Os']}/{version['Arch']}"
            return [Check("Docker engine", True, engine), _image_check(client), _gvisor_check(info)]
    except SandboxUnavailableError as error:
        return [Check("Docker engine", False, str(error), "Install Docker and start its engine.")]


def _facts(client: docker.APIClient) -> tuple[dict[str, Any], dict[str, Any]]:
    from toolguild.sandbox.engine import inspect_engine

    return inspect_engine(client)


def _image_check(client: docker.APIClient) -> Check:
    try:
        return Check("Docker image", True, _image_source(client))
    except SandboxUnavailableError as error:
        return Check("Docker image", False, str(error), "docker pull python:3.12-slim")


_GVISOR_REMEDY = (
    "Optional: install gVisor (Debian: `apt-get install runsc`), add it to the engine (`runsc "
    "install -- --network=none`) and restart that."
)


def _gvisor_check(info: Mapping[str, Any]) -> Check:
    ok = "runsc" in info["Runtimes"]
    detail = f"the engine has the runtimes {', '.join(sorted(info['Runtimes']))}"
    remedy = "" if ok else _GVISOR_REMEDY
    return Check("gVisor runtime", ok, detail, remedy)


_LOCAL_NAMES = {"userns": "User namespaces", "landlock": "Landlock", "seccomp": "seccomp filters"}
_LOCAL_REMEDIES = {
    "userns": (
        "Allow unprivileged user namespaces: kernel.apparmor_restrict_unprivileged_userns=0 "
        "(Ubuntu), kernel.unprivileged_userns_clone=1 (Debian), user.max_user_namespaces above 0."
    ),
    "landlock": "Boot Linux 5.13 or later with `landlock` among the security modules (lsm=...).",
    "seccomp": "Use a kernel with CONFIG_SECCOMP_FILTER on x86_64 or aarch64.",
}


def _local_checks() -> list[Check]:
    if sys.platform != "linux":
        return [Check("Local sandbox", False, f"this is {sys.platform}", "It needs Linux.")]
    try:
        isolation = available_isolation()
    except SandboxUnavailableError as error:
        isolation = Isolation((), dict.fromkeys(_LOCAL_NAMES, str(error)))
    return [_layer_check(isolation, layer, name) for layer, name in _LOCAL_NAMES.items()]


def _layer_check(isolation: Isolation, layer: str, name: str) -> Check:
    if layer not in isolation.layers:
        return Check(name, False, isolation.missing.get(layer, ""), _LOCAL_REMEDIES[layer])
    return Check(name, True, f"ABI {landlock.abi()}" if layer == "landlock" else "tried, and works")
