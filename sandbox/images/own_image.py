"""An image made of the running interpreter, its standard library and the shared libraries it needs.

For where no registry is within reach. Its name says what it was made from, so it is made once.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO

import docker

from toolguild.sandbox import interpreter
from toolguild.sandbox.engine import check_progress, engine_errors
from toolguild.sandbox.errors import SandboxUnavailableError

__all__ = ["make_own_image", "own_image_name", "owned_by_root"]

_REPOSITORY = "toolguild-sandbox"

_LEFT_OUT = interpreter.LEFT_OUT | {"lib2to3", "pydoc_data"}
_FORMAT = 2  # to be raised when the same files come to be laid out differently
_WHEELS_NEED = (
    "libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libnsl.so.1", "libpthread.so.0",
    "libresolv.so.2", "librt.so.1", "libstdc++.so.6", "libutil.so.1",
)  # fmt: skip
_FOLDERS = ("/dev", "/etc", "/proc", "/sys", "/usr", "/usr/bin")
_ACCOUNTS = {
    "/etc/passwd": b"root:x:0:0::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\n",
    "/etc/group": b"root:x:0:\nnobody:x:65534:\n",
}


def own_image_name() -> str:
    """Return the name of the image that would be made now."""
    return f"{_REPOSITORY}:{_fingerprint()[:16]}"


def make_own_image(client: docker.APIClient) -> None:
    """Make the image, as `docker import` does.

    Raises:
        SandboxUnavailableError: the engine does not take it, or there is no `ldd` here.
    """
    name = own_image_name()
    repository, _, tag = name.partition(":")
    with tempfile.TemporaryFile() as archive:
        try:
            _write_archive(archive)
            archive.seek(0)
        except OSError as error:
            msg = f"The docker sandbox cannot pack this interpreter for an image: {error}."
            raise SandboxUnavailableError(msg) from error
        with engine_errors(f"make the image {name}"):
            progress = client.import_image_from_data(archive, repository=repository, tag=tag)
            for line in progress.splitlines():
                check_progress(json.loads(line))


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
        msg = (
            f"The docker sandbox cannot make an image of this interpreter without ldd: {error}. "
            "Install it (Debian: libc-bin), or pull an image that holds a Python."
        )
        raise SandboxUnavailableError(msg) from error
    # `name => /path (address)`, or for the loader `/path (address)`.
    found = {Path(path) for path in re.findall(r"(/\S+) \(0x", listing)}
    return sorted(found | _libraries_for_wheels())


def _libraries_for_wheels() -> set[Path]:
    """Return the libraries that wheels take for granted, where this machine has them.

    Those that PEP 513 names, except for graphics.
    """
    folders = [path for path in interpreter.system_libraries() if path.is_dir()]
    candidates = [Path(top, name) for name in _WHEELS_NEED for top in folders]
    return {path for path in candidates if path.exists()}


@cache
def _fingerprint() -> str:
    """Return a digest of the state of everything that the image is made of.

    Of sizes and times and not of the bytes, which would take longer than starting a container. The
    shared libraries count through the loader's cache, which every change to them renews.
    """
    tops = [interpreter.executable(), interpreter.standard_library(), *_data_folders()]
    paths = [path for top in tops for path in (_below(top) if top.is_dir() else [top])]
    digest = hashlib.sha256(repr((_FORMAT, _ACCOUNTS, _FOLDERS, _WHEELS_NEED)).encode())
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
            archive.add(path, str(path).lstrip("/"), recursive=False, filter=owned_by_root)


def _member(name: str) -> tarfile.TarInfo:
    return tarfile.TarInfo(name.lstrip("/"))


def owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return a member of an archive as it may lie in an image; a filter for `TarFile.add`."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    # Whoever made the files, nobody may read them; and nothing is set-user-id.
    member.mode = 0o755 if member.isdir() else (member.mode & 0o755) | 0o444
    return member
