"""An image for peers that expect more than an interpreter in theirs.

Where no registry is in reach there is only our own image, which holds no shell and no `mkdir`. They
are added from the host, with the libraries they need.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolguild.sandbox.engine import connect
from toolguild.sandbox.image import find_image

__all__ = ["peer_image"]

_COMMANDS = ("cat", "chmod", "ls", "mkdir", "rm", "sh", "sleep", "tail")
_NAME, _TAG = "toolguild-benchmark-peers", "latest"


@contextmanager
def peer_image() -> Iterator[str]:
    """Make the image, and remove it in the end."""
    client = connect()
    try:
        container = client.create_container(find_image(client).id, ["python3"])["Id"]
        try:
            client.put_archive(container, "/", _archive())
            client.commit(container, repository=_NAME, tag=_TAG)
        finally:
            client.remove_container(container)
        try:
            yield f"{_NAME}:{_TAG}"
        finally:
            client.remove_image(f"{_NAME}:{_TAG}", force=True)
    finally:
        client.close()


def _archive() -> bytes:
    found = {name: shutil.which(name) for name in _COMMANDS}
    files = {f"/usr/bin/{name}": Path(path).resolve() for name, path in found.items() if path}
    listing = subprocess.run(  # of files of the host's own
        ["ldd", *files.values()],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    files.update({path: Path(path).resolve() for path in re.findall(r"(/\S+) \(0x", listing)})
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, path in files.items():
            tar.add(path, name.lstrip("/"))
        link = tarfile.TarInfo("usr/bin/python")
        link.type, link.linkname = tarfile.SYMTYPE, "python3"
        tar.addfile(link)
    return archive.getvalue()
