"""Talking to the Docker engine, with its many errors made into one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import docker
import requests
from docker.constants import DEFAULT_UNIX_SOCKET
from docker.errors import DockerException
from docker.utils import kwargs_from_env

from toolguild.sandbox.errors import SandboxUnavailableError

__all__ = ["connect", "engine_errors"]

_TIMEOUT_S = 60


def connect(timeout_s: float = _TIMEOUT_S) -> docker.APIClient:
    """Return a client of the engine that `DOCKER_HOST` or the default socket leads to.

    Args:
        timeout_s: Seconds to wait for each answer.

    Raises:
        SandboxUnavailableError: no engine answers there.
    """
    with engine_errors("reach the Docker engine"):
        settings = kwargs_from_env()
        _knock(settings.get("base_url") or DEFAULT_UNIX_SOCKET)
        # docker-py declares whole seconds, and passes any number on to requests.
        return docker.APIClient(**settings, timeout=timeout_s)  # type: ignore[arg-type]


def _knock(address: str) -> None:
    """Connect once to a unix socket: docker-py leaks its own where that fails."""
    _, found, path = address.partition("unix://")
    if found:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(f"/{path.lstrip('/')}")


@contextmanager
def engine_errors(doing: str) -> Iterator[None]:
    """Turn the errors of the engine and of the way to it into ours.

    Args:
        doing: What is tried, to follow `cannot`.

    Raises:
        SandboxUnavailableError: the engine is out of reach, or refused.
    """
    try:
        yield
    except (DockerException, requests.RequestException, OSError) as error:
        msg = (
            f"The docker sandbox cannot {doing}: {error}. Check with `docker info` that the engine "
            "runs and that DOCKER_HOST is right, or use the local sandbox."
        )
        raise SandboxUnavailableError(msg) from error
