"""The image that workers run from: a Python found with the engine, or one made here.

Where the engine has no image of Python, and no registry is within reach, one is made of the running
interpreter. Packages for programs come in a layer on top.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import docker
from docker.errors import ImageNotFound
from docker.utils import parse_repository_tag

from toolguild.sandbox.engine import check_progress, engine_errors
from toolguild.sandbox.errors import SandboxUnavailableError
from toolguild.sandbox.images.own_image import make_own_image, own_image_name
from toolguild.sandbox.images.packages import build_packages_image, packages_image_name, packages_in

__all__ = ["DEFAULT_IMAGE", "Image", "find_image", "image_source"]

DEFAULT_IMAGE = "python:3.12-slim"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64", "AMD64": "amd64"}


@dataclass(frozen=True, slots=True)
class Image:
    """An image that the engine has."""

    name: str
    id: str
    """Digest of its configuration, `sha256:...`."""
    size_bytes: int = 0
    packages: Mapping[str, str] = field(default_factory=dict)
    """Versions of the packages that programs can import, by name."""


def find_image(
    client: docker.APIClient,
    wanted: str | None = None,
    *,
    pull: bool = False,
    requirements: Sequence[str] = (),
    rebuild: bool = False,
    say: Callable[[str], None] = lambda step: None,
) -> Image:
    """Return the image to run workers from.

    Args:
        client: The engine.
        wanted: Its name; by default `DEFAULT_IMAGE` if the engine has it, else one that is made
            from the host's interpreter.
        pull: Fetch it if the engine does not have it.
        requirements: What programs want to import, normalised (see `normalise_requirements`): where
            there are any, an image derived from that one, which is made once.
        rebuild: Make that one anew, with the newest versions that meet the requirements.
        say: Told of each step that takes time.

    Raises:
        SandboxUnavailableError: there is none; the message says how to get one.
    """
    base = _find_base(client, wanted, pull=pull, say=say)
    if not requirements:
        return base
    name = packages_image_name(base.id, requirements)
    found = None if rebuild else _inspect(client, name)
    if not found:
        build_packages_image(client, base.id, requirements, name, say)
        found = _inspect(client, name)
    return _made(found, name)


def image_source(client: docker.APIClient) -> str:
    """Return where `find_image` would take an image from, without making one.

    Raises:
        SandboxUnavailableError: from nowhere.
    """
    if _inspect(client, DEFAULT_IMAGE):
        return f"the engine has {DEFAULT_IMAGE}"
    if _can_build(client):
        return "an image is made of this interpreter"
    raise SandboxUnavailableError(_NO_IMAGE.format(name=DEFAULT_IMAGE))


_NO_IMAGE = (
    "The docker sandbox has no image {name}: run `docker pull {name}` or `toolguild image --pull`, "
    "or open the sandbox with `pull=True`, or with `image=` for one that has Python 3.11 or later."
)


def _find_base(
    client: docker.APIClient, wanted: str | None, *, pull: bool, say: Callable[[str], None]
) -> Image:
    name = wanted or DEFAULT_IMAGE
    found = _inspect(client, name)
    if not found and pull:
        say(f"Pulling {name}.")
        _pull(client, name)
        found = _inspect(client, name)
    if not found and not wanted and _can_build(client):
        name = own_image_name()
        found = _inspect(client, name)
        if not found:
            say(f"Making an image of this interpreter, Python {platform.python_version()}.")
            make_own_image(client)
            found = _made(_inspect(client, name), name)
    if not found:
        raise SandboxUnavailableError(_NO_IMAGE.format(name=name))
    return found


def _pull(client: docker.APIClient, name: str) -> None:
    repository, tag = parse_repository_tag(name)
    remedy = (
        "The engine needs the registry within its reach. Where no image is named or pulled, one is "
        "made of this interpreter."
    )
    with engine_errors(f"pull {name}", remedy):
        for event in client.pull(repository, tag=tag or "latest", stream=True, decode=True):
            check_progress(event)


def _can_build(client: docker.APIClient) -> bool:
    """Return whether an image of the host's interpreter would run on the engine."""
    if sys.platform != "linux":
        return False
    with engine_errors("ask the engine for its version"):
        engine = client.version()
    return bool(
        engine["Os"] == "linux" and engine["Arch"] == _ARCHITECTURES.get(platform.machine())
    )


def _inspect(client: docker.APIClient, name: str) -> Image | None:
    with engine_errors(f"look for the image {name}"):
        try:
            found = client.inspect_image(name)
        except ImageNotFound:
            return None
    labels = found["Config"].get("Labels") or {}
    return Image(name, found["Id"], found["Size"], packages_in(labels))


def _made(found: Image | None, name: str) -> Image:
    if not found:
        msg = f"The docker sandbox made the image {name}, and the engine does not have it."
        raise SandboxUnavailableError(msg)
    return found
