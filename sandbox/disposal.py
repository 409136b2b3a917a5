"""Removing containers: our own, also when the engine fails just then, and those of the dead."""

from __future__ import annotations

import contextlib
import threading
import time
from http import HTTPStatus

import docker
from docker.errors import APIError, NotFound

from toolguild.sandbox.engine import engine_errors, ping
from toolguild.sandbox.errors import SandboxUnavailableError
from toolguild.sandbox.owner import LABEL, Owner

__all__ = ["Disposal", "remove_orphans"]

_MAKING_S = 30.0
"""How long an engine may go on making a container that nobody waits for any more."""
_LAST_WAIT_S = 2.0
_AGAIN_S = 0.1


class Disposal:
    """Removes containers by the names that we gave them, and remembers where that is in doubt.

    A container that runs ends by itself once it has lost its connection to us. But one that never
    started does not, and the engine may make one without our hearing of it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._doubtful: dict[str, float] = {}
        """Until when the engine may yet make it, by name; on the clock of `time.monotonic`."""

    def doubt(self, container: str) -> None:
        """Remember a container that may be there, or may yet come to be."""
        with self._lock:
            self._doubtful[container] = time.monotonic() + _MAKING_S

    def remove(self, client: docker.APIClient, container: str) -> None:
        """Kill and remove a container, or find that it is gone already.

        Raises:
            SandboxUnavailableError: the engine did not do it; the container is remembered.
        """
        try:
            found = _remove(client, container)
        except SandboxUnavailableError:
            self.doubt(container)
            raise
        if found:
            self._forget(container)

    def catch_up(self, client: docker.APIClient) -> None:
        """Remove what is remembered, as far as it is there and the engine does it now."""
        with self._lock:
            doubtful = {**self._doubtful}
        for container, until in doubtful.items():
            try:
                found = _remove(client, container)
            except SandboxUnavailableError:
                return  # as it would be with the others
            if found or time.monotonic() > until:
                self._forget(container)

    def finish(self, client: docker.APIClient) -> None:
        """Do the same for the last time, and give the engine a moment to come forth with more."""
        until = time.monotonic() + _LAST_WAIT_S
        self.catch_up(client)
        while self._doubtful and time.monotonic() < until:
            time.sleep(_AGAIN_S)
            self.catch_up(client)

    def _forget(self, container: str) -> None:
        with self._lock:
            self._doubtful.pop(container, None)


def remove_orphans(client: docker.APIClient) -> None:
    """Remove the containers of processes that have ended.

    Raises:
        SandboxUnavailableError: the engine does not do it.
    """
    with engine_errors("list containers"):
        containers = client.containers(all=True, filters={"label": LABEL})
    for container in containers:
        owner = Owner.parse(container["Labels"][LABEL])
        if owner and owner.surely_gone:
            _remove(client, container["Id"])


def _remove(client: docker.APIClient, container: str) -> bool:
    """Kill and remove a container; return whether there was one."""
    with engine_errors("remove a container"), contextlib.suppress(NotFound):
        ping(client)  # one that hangs is found out sooner
        try:
            client.remove_container(container, force=True, v=True)
        except APIError as error:
            if error.status_code != HTTPStatus.CONFLICT:  # it is being removed
                raise
        return True
    return False
