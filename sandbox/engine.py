"""Talking to the Docker engine, with its many errors made into one.

No wait for it is without an end, and each error says what to do about it.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import docker
import requests
import urllib3
from docker.constants import IS_WINDOWS_PLATFORM
from docker.context import ContextAPI
from docker.errors import APIError, DockerException
from docker.utils import kwargs_from_env, parse_host, version_lt

from toolguild.sandbox.errors import SandboxUnavailableError
from toolguild.sandbox.way_to_docker import way_to_docker

__all__ = [
    "check_progress",
    "connect",
    "engine_errors",
    "inspect_engine",
    "ping",
]

_TIMEOUT_S = 30
_LONGEST_S = 300
"""For those answers that docker-py would wait for without end: pulls, imports, ended containers."""

_PING_S = 5
"""For an answer that takes the engine no work."""

_OLDEST_API = "1.41"
"""Of Docker 20.10, the first with control groups of a container's own."""


class _Client(docker.APIClient):
    """docker-py's client, none of whose waits is without an end."""

    def __init__(self, address: str, timeout_s: float, tls: docker.tls.TLSConfig | bool) -> None:
        self._address = address  # first: the other asks for the engine's version at once
        # docker-py declares whole seconds, and passes any number on to requests.
        super().__init__(address, timeout=timeout_s, tls=tls)  # type: ignore[arg-type]

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send a request; see `requests.Session.send`."""
        if options.get("timeout") is None:
            options["timeout"] = _LONGEST_S
        _knock(self._address, self.timeout)
        return super().send(request, **options)


def connect(timeout_s: float = _TIMEOUT_S) -> docker.APIClient:
    """Return a client of the engine that the `docker` command would talk to.

    That is the one that `DOCKER_HOST` names, else `DOCKER_CONTEXT`, else the current context.

    Args:
        timeout_s: Seconds to wait for each answer.

    Raises:
        SandboxUnavailableError: no engine answers there, or it is too old.
    """
    with engine_errors("find out where the Docker engine is"):
        settings = _settings()
    address = str(settings.get("base_url") or parse_host(None, IS_WINDOWS_PLATFORM))
    address = address.removeprefix("http+")
    if address.startswith("npipe://"):
        msg = f"The docker sandbox does not reach engines over {address}. {way_to_docker()}"
        raise SandboxUnavailableError(msg)
    if address.startswith("ssh://"):
        msg = (
            f"The docker sandbox reaches engines over unix and tcp sockets, not over {address}: "
            "forward its socket (`ssh -NL /tmp/docker.sock:/var/run/docker.sock HOST`) and set "
            "DOCKER_HOST=unix:///tmp/docker.sock."
        )
        raise SandboxUnavailableError(msg)
    with engine_errors(f"reach the Docker engine at {address}"):
        client = _Client(address, timeout_s, settings.get("tls", False))
    if version_lt(client.api_version, _OLDEST_API):
        client.close()
        msg = (
            f"The docker sandbox cannot use the engine at {address}: it speaks version "
            f"{client.api_version} of Docker's API, and {_OLDEST_API} is needed. "
            "Update it to Docker 20.10 or later."
        )
        raise SandboxUnavailableError(msg)
    return client


def ping(client: docker.APIClient) -> None:
    """Make sure that the engine answers, before something that may rightly take it longer.

    Raises:
        requests.RequestException: it does not.
    """
    client.get(f"{client.base_url}/_ping", timeout=_PING_S).raise_for_status()


def check_progress(event: Mapping[str, Any]) -> None:
    """Look at one of the messages that the engine sends while it works on something.

    Raises:
        APIError: it failed, after its answer had begun well.
    """
    if error := event.get("error"):
        raise APIError(str(error), explanation=str(error))


def inspect_engine(client: docker.APIClient) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what `docker info` and `docker version` show of the engine.

    Raises:
        SandboxUnavailableError: it does not answer, or does not run Linux containers.
    """
    with engine_errors("look at the engine"):
        info, version = client.info(), client.version()
    if version["Os"] != "linux":
        msg = (
            f"The docker sandbox needs Linux containers, and the engine runs those of "
            f"{version['Os']}: switch Docker Desktop to Linux containers."
        )
        raise SandboxUnavailableError(msg)
    return info, version


def _settings() -> dict[str, Any]:
    settings = dict(kwargs_from_env())
    if "base_url" in settings:
        return settings
    name = os.environ.get("DOCKER_CONTEXT")
    try:
        context = ContextAPI.get_context(name)
    except Exception as error:  # what docker-py raises for a context's file that is no JSON
        raise DockerException(str(error)) from error
    if context is None:
        msg = f"there is no Docker context {name or 'of the name in ~/.docker/config.json'!r}"
        raise DockerException(msg)
    if context.Host:
        settings["base_url"] = context.Host
    if context.TLSConfig:
        settings["tls"] = context.TLSConfig
    return settings


def _knock(address: str, timeout_s: float) -> None:
    """Connect once to a unix socket: docker-py leaks its own where that fails."""
    _, found, path = address.partition("unix://")
    if found:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(timeout_s)
            probe.connect(f"/{path.lstrip('/')}")


@contextmanager
def engine_errors(doing: str, remedy: str = "") -> Iterator[None]:
    """Turn the errors of the engine and of the way to it into ours.

    Args:
        doing: What is tried, to follow `cannot`.
        remedy: What to do if the engine says no and nothing better is known, as a sentence.

    Raises:
        SandboxUnavailableError: the engine is out of reach, or refused; the message says what to
            do.
    """
    try:
        yield
    except (
        DockerException,
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        OSError,
    ) as error:
        reason = _reason(error)
        what_to_do = _remedy(error, reason, remedy)
        msg = f"The docker sandbox cannot {doing}: {reason.rstrip('.')}. {what_to_do}"
        raise SandboxUnavailableError(msg) from error


def _reason(error: BaseException) -> str:
    """Return what a person wants to read of an error: the engine's word, or the system's."""
    if isinstance(error, APIError):
        return str(error.explanation or error)
    if _is_timeout(error):
        return "it does not answer"
    for cause in reversed(_causes(error)):
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return str(error) or type(error).__name__


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and those that it came of, the innermost last.

    requests and urllib3 hand theirs on as arguments.
    """
    found: list[BaseException] = []
    cause: object = error
    while isinstance(cause, BaseException) and cause not in found:
        found.append(cause)
        inside = (each for each in cause.args if isinstance(each, BaseException))
        cause = cause.__cause__ or getattr(cause, "reason", None) or next(inside, None)
    return found


def _is_timeout(error: BaseException) -> bool:
    kinds = (TimeoutError, requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError)
    return any(isinstance(cause, kinds) for cause in _causes(error))


def _remedy(error: BaseException, reason: str, other: str) -> str:
    local = ", or use the local sandbox" if sys.platform == "linux" else ""
    if any(isinstance(cause, PermissionError) for cause in _causes(error)):
        return (
            "This user may not use the engine's socket: join its group (`sudo usermod -aG docker "
            f"$USER`, then log in again){local}."
        )
    if _is_timeout(error):
        return (
            "The engine hangs or is overloaded: see whether `docker info` answers, and restart it "
            f"if not (on Linux `sudo systemctl restart docker`){local}."
        )
    if "no space left on device" in reason.lower():
        return (
            "The engine's disk is full: `docker system df` says what takes the room, and `docker "
            "system prune` frees some of it."
        )
    if isinstance(error, APIError):
        return other or f"The engine's log has more (on Linux `journalctl -u docker`){local}."
    return (
        f"{way_to_docker()} Check with `docker info` that DOCKER_HOST, or the context that `docker "
        f"context ls` marks, leads to it{local}."
    )
