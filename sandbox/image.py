"""The image that workers run from: a Python found with the engine, or one made of the host's own.

Where no registry is within reach, the running interpreter, its standard library and the shared
libraries it needs become an image of their own (as `docker import` makes it), tagged by what it
was made from, so that it is made once.
"""

from __future__ import annotations

import hashlib
import io
import os
import platform
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

import docker
from docker.errors import ImageNotFound
from docker.utils import parse_repository_tag

from toolguild.sandbox import interpreter
from toolguild.sandbox.engine import engine_errors
from toolguild.sandbox.errors import SandboxUnavailableError

__all__ = ["DEFAULT_IMAGE", "Image", "find_image", "image_source"]

DEFAULT_IMAGE = "python:3.12-slim"
_OWN_REPOSITORY = "toolguild-sandbox"

_LEFT_OUT = interpreter.LEFT_OUT | {"lib2to3", "pydoc_data"}
_FORMAT = 1  # to be raised when the same files come to be laid out differently
_FOLDERS = ("/dev", "/etc", "/proc", "/sys", "/usr", "/usr/bin")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64", "AMD64": "amd64"}
_ACCOUNTS = {
    "/etc/passwd": b"root:x:0:0::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\n",
    "/etc/group": b"root:x:0:\nnobody:x:65534:\n",
}


@dataclass(frozen=True, slots=True)
class Image:
    """An image that the engine has."""

    name: str
    id: str
    """Digest of its configuration, `sha256:...`."""


def find_image(client: docker.APIClient, wanted: str | None = None, *, pull: bool = False) -> Image:
    """Return the image to run workers from.

    Args:
        client: The engine.
        wanted: Its name; by default `DEFAULT_IMAGE` if the engine has it, else one that is made
            from the host's interpreter.
        pull: Fetch it if the engine does not have it.

    Raises:
        SandboxUnavailableError: there is none; the message says how to get one.
    """
    name = wanted or DEFAULT_IMAGE
    found = _inspect(client, name)
    if not found and pull:
        repository, tag = parse_repository_tag(name)
        with engine_errors(f"pull {name}"):
            client.pull(repository, tag=tag or "latest")
        found = _inspect(client, name)
    if not found and not wanted and _can_build(client):
        found = _own_image(client)
    if not found:
        raise SandboxUnavailableError(_NO_IMAGE.format(name=name))
    return found


_NO_IMAGE = (
    "The docker sandbox has no image {name}: run `docker pull {name}`, or open the sandbox with "
    "`pull=True`, or with `image=` naming one that holds a python3 of 3.11 or later."
)


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
            return Image(name, client.inspect_image(name)["Id"])
        except ImageNotFound:
            return None


def _own_image(client: docker.APIClient) -> Image:
    tag = _fingerprint()[:16]
    name = f"{_OWN_REPOSITORY}:{tag}"
    found = _inspect(client, name)
    if not found:
        with tempfile.TemporaryFile() as archive, engine_errors(f"make the image {name}"):
            _write_archive(archive)
            archive.seek(0)
            client.import_image_from_data(archive, repository=_OWN_REPOSITORY, tag=tag)
        found = _inspect(client, name)
    if not found:
        msg = f"The docker sandbox made the image {name}, and the engine does not have it."
        raise SandboxUnavailableError(msg)
    return found


def _contents() -> tuple[dict[str, str], list[Path]]:
    """Return what the image holds: links to make, and paths to copy as they are."""
    library = interpreter.standard_library()
    links, tops = interpreter.without_links(
        [interpreter.executable(), library, *_data_folders(), *_needed_libraries(library)]
    )
    links["/usr/bin/python3"] = str(interpreter.executable())
    return links, [path for top in tops for path in (_below(top) if top.is_dir() else [top])]


def _data_folders() -> list[Path]:
    return [path for path in interpreter.shared_data() if path.is_dir()]


def _below(top: Path) -> Iterator[Path]:
    """Return the files and links in a folder that are worth carrying."""
    bytecode = f".{sys.implementation.cache_tag}.pyc"
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if not _left_out(name))
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_symlink() and not path.resolve().is_relative_to(top):
                continue
            # Bytecode makes starting fast; that of other versions and levels is of no use.
            if not _left_out(name) and (path.suffix != ".pyc" or name.endswith(bytecode)):
                yield path


def _left_out(name: str) -> bool:
    return name in _LEFT_OUT or name.startswith(("config-", "_tkinter."))


def _needed_libraries(library: Path) -> list[Path]:
    """Return the shared libraries, and the loader, of the interpreter and its extension modules."""
    modules = [path for path in library.glob("lib-dynload/*.so") if not _left_out(path.name)]
    try:
        listing = subprocess.run(  # noqa: S603 - it reads our own interpreter's files
            ["ldd", interpreter.executable(), *modules],  # noqa: S607 - wherever it is
            capture_output=True,
            text=True,
            check=False,  # it also fails for modules that are linked statically
        ).stdout
    except OSError as error:
        msg = f"The docker sandbox cannot make an image without ldd: {error}. Pull {DEFAULT_IMAGE}."
        raise SandboxUnavailableError(msg) from error
    # `name => /path (address)`, or for the loader `/path (address)`.
    return sorted({Path(path) for path in re.findall(r"(/\S+) \(0x", listing)})


@cache
def _fingerprint() -> str:
    """Return a digest of the state of everything that the image is made of.

    Of sizes and times and not of the bytes, which would take longer than starting a container. The
    shared libraries count through the loader's cache, which every change to them renews.
    """
    tops = [interpreter.executable(), interpreter.standard_library(), *_data_folders()]
    paths = [path for top in tops for path in (_below(top) if top.is_dir() else [top])]
    digest = hashlib.sha256(repr((_FORMAT, _ACCOUNTS, _FOLDERS)).encode())
    for path in (Path("/etc/ld.so.cache"), *paths):
        if path.exists():
            info = path.lstat()
            digest.update(f"{path} {info.st_mode} {info.st_size} {info.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _write_archive(target: IO[bytes]) -> None:
    links, paths = _contents()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name in _FOLDERS:
            folder = _member(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(folder)
        for name, text in _ACCOUNTS.items():
            account = _member(name)
            account.size = len(text)
            archive.addfile(account, io.BytesIO(text))
        for name, destination in sorted(links.items()):
            link = _member(name)
            link.type, link.linkname = tarfile.SYMTYPE, destination
            archive.addfile(link)
        for path in paths:
            archive.add(path, str(path).lstrip("/"), recursive=False, filter=_owned_by_root)


def _member(name: str) -> tarfile.TarInfo:
    return tarfile.TarInfo(name.lstrip("/"))


def _owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    # Whoever made the files, nobody may read them; and nothing is set-user-id.
    member.mode = (member.mode & 0o755) | 0o444
    return member
