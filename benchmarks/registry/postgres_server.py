"""A PostgreSQL server of one's own, from Debian's packages; the test suite runs on it as well.

It is made in a temporary folder, is reached by a socket in there, and is gone when it is left.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

__all__ = ["NoServerError", "Server", "postgres_server"]

_INSTALLED = Path("/usr/lib/postgresql")
_USER = "postgres"
"""Whom the server runs as where this runs as root, which PostgreSQL refuses."""
_WITHOUT_DISK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class NoServerError(Exception):
    """No server is installed; the message says how to install one."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    folder: Path
    """Where its socket is."""

    def url(self, database: str = "postgres", **parameters: str) -> str:
        """Return the URL of one of its databases."""
        told = {"host": str(self.folder), **parameters}
        query = "&".join(f"{name}={quote(value)}" for name, value in told.items())
        return f"postgresql://toolguild@/{database}?{query}"


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[Server]:
    """Run a server.

    Args:
        durable: Whether it writes to the disk as servers do that are meant.

    Raises:
        NoServerError: none is installed.
        CalledProcessError: it does not start; its `output` is what was said.
    """
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="toolguild-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _USER)
        data = folder / "data"
        account = ["--username=toolguild", "--auth=trust"]
        texts = ["--encoding=UTF8", "--locale=C.UTF-8"]
        _run([binaries / "initdb", "--pgdata", data, *account, *texts, "--no-sync"])
        control = [binaries / "pg_ctl", "--pgdata", data, "--wait"]
        options = ["listen_addresses=", f"unix_socket_directories={folder}", "max_connections=200"]
        # In its folder: in /dev/shm, what a server leaves that is stopped at once would stay.
        options.append("dynamic_shared_memory_type=mmap")
        options += [] if durable else _WITHOUT_DISK
        told = " ".join(f"-c {option}" for option in options)
        _run([*control, "--log", folder / "log", "--options", told, "start"])
        try:
            yield Server(folder)
        finally:
            _run([*control, "--mode=immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    found = sorted(_INSTALLED.glob("*/bin/initdb"), key=lambda path: path.parts[-3])
    if not found:
        msg = f"no PostgreSQL server in {_INSTALLED}; run: apt-get install postgresql"
        raise NoServerError(msg)
    return found[-1].parent


def _run(command: Sequence[str | Path]) -> None:
    as_user: list[str] = []
    if os.geteuid() == 0:
        account = pwd.getpwnam(_USER)
        as_user = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}"]
        as_user.append("--clear-groups")
    # The server inherits what it is started with, so that a pipe would never be closed.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            [*as_user, *map(str, command)], cwd="/", stdout=said, stderr=said, check=False
        )
        if done.returncode:
            said.seek(0)
            raise subprocess.CalledProcessError(done.returncode, done.args, said.read().decode())
