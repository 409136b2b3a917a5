"""An image for peers that expect more than an interpreter in theirs.

Theirs are built on images from a registry. So that they can be measured where none is in reach, and
on the same interpreter as ours: our own image, with the commands that they call, from the host, and
with the packages that their Dockerfile installs.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from toolguild.sandbox.engine import connect
from toolguild.sandbox.images.image import find_image

__all__ = ["peer_image"]

_COMMANDS = ("cat", "chmod", "ls", "mkdir", "rm", "sh", "sleep", "tail")
_JUPYTER = ("jupyter_kernel_gateway", "jupyter_client", "ipykernel")
_NAME, _TAG = "toolguild-benchmark-peers", "latest"
_FOLDER = "peers"

_CONFIGURATION = (
    f"ENV PYTHONPATH=/{_FOLDER}",
    "EXPOSE 8888",
    'CMD ["python3", "-m", "kernel_gateway", "--KernelGatewayApp.ip=0.0.0.0", '
    '"--KernelGatewayApp.port=8888"]',
)
"""In the form of a Dockerfile: what that of smolagents 1.26 says, too."""


@contextmanager
def peer_image(python: Path) -> Iterator[str]:
    """Make the image, and remove it in the end.

    Args:
        python: An interpreter with a pip, of the version that is in the image.
    """
    with closing(connect()) as client:
        container = client.create_container(find_image(client).id, ["python3"])["Id"]
        try:
            client.put_archive(container, "/", _archive(python))
            client.commit(container, repository=_NAME, tag=_TAG, changes=list(_CONFIGURATION))
        finally:
            client.remove_container(container)
        try:
            yield f"{_NAME}:{_TAG}"
        finally:
            client.remove_image(f"{_NAME}:{_TAG}", force=True)


def _archive(python: Path) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, path in _commands().items():
            tar.add(path, name.lstrip("/"))
        link = tarfile.TarInfo("usr/bin/python")
        link.type, link.linkname = tarfile.SYMTYPE, "python3"
        tar.addfile(link)
        with tempfile.TemporaryDirectory() as folder:
            install = [
                str(python),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ]
            subprocess.run(
                [*install, "--target", folder, *_JUPYTER], check=True, stderr=subprocess.DEVNULL
            )
            tar.add(folder, _FOLDER)
    return archive.getvalue()


def _commands() -> dict[str, Path]:
    """Return the files of the commands and of the libraries that they need, by where they go."""
    found = {name: shutil.which(name) for name in _COMMANDS}
    files = {f"/usr/bin/{name}": Path(path).resolve() for name, path in found.items() if path}
    listing = subprocess.run(  # of files of the host's own
        ["ldd", *files.values()],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    libraries = re.findall(r"(/\S+) \(0x", listing)
    return files | {path: Path(path).resolve() for path in libraries}
