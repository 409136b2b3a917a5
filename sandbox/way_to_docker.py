"""How a person gets to a Docker engine, by operating system."""

from __future__ import annotations

import sys

__all__ = ["way_to_docker"]

_PODMAN = "Podman (`podman machine init`, then `podman machine start`)"
_COLIMA = "Colima (`brew install docker colima`, then `colima start`)"
_WAYS = {
    "linux": (
        "Start Docker (`sudo systemctl start docker`; on Debian and Ubuntu `sudo apt-get install "
        "docker.io` installs it)."
    ),
    "darwin": (
        f"Start Docker Desktop, {_COLIMA} or {_PODMAN}. Where `docker info` does not find it, set "
        "DOCKER_HOST=unix:///PATH/OF/ITS/SOCKET."
    ),
    "win32": (
        "Run toolguild inside WSL 2, where it finds Docker Desktop's engine and has the local "
        "sandbox as well."
    ),
}
_ELSEWHERE = (
    "Set DOCKER_HOST to where a Docker engine for Linux containers is, as tcp:// or unix://."
)


def way_to_docker() -> str:
    """Return the way to an engine on this system, in a sentence or two."""
    return _WAYS.get(sys.platform, _ELSEWHERE)
