"""A caller's workspace on the host: its files go to a program, and what it did to them comes back.

The directory is reached by one descriptor from the first to the last, and no link in it is
followed. It is locked while its files are read, and while changes are carried out, so that two
runs at once see each other's changes whole. `flock` leaves nothing in the directory, holds between
threads and processes alike, and ends with whoever has it.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from toolguild.sandbox.access import FileChange
from toolguild.sandbox.base import Outcome
from toolguild.sandbox.errors import SandboxUnavailableError
from toolguild.sandbox.files import tree
from toolguild.sandbox.files.carry_out import STAGING, carry_out
from toolguild.sandbox.files.changes import Parcel, parents

__all__ = ["Workspace"]

_LOCK_S = 30.0
"""How long others may hold the lock; they read or write some megabytes under it."""
_PAGE = 4096
"""Bytes by which a file in memory grows, on most machines."""


class Workspace:
    """One directory, for the time of one run."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            SandboxUnavailableError: it cannot be opened.
        """
        self._path = path
        self._hidden: dict[str, str] = {}
        """What lies in it that programs are not shown, and why."""
        try:
            self._root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            msg = f"The workspace cannot be opened: {error}."
            raise SandboxUnavailableError(msg) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._root)

    def read(self, capacity_mb: int) -> Parcel:
        """Return its regular files; links, special files and names that are no text stay hidden.

        Args:
            capacity_mb: Mebibytes that a program's copy may hold.

        Raises:
            SandboxUnavailableError: there is more in it, or it cannot be read.
        """
        try:
            with _locked(self._root, fcntl.LOCK_SH):
                return self._read(capacity_mb)
        except OSError as error:
            msg = f"The workspace {self._path} cannot be read: {error}."
            raise SandboxUnavailableError(msg) from error

    def _read(self, capacity_mb: int) -> Parcel:
        found = tree.survey(self._root)
        if not found.complete:
            self._refuse(f"more than {tree.MAX_ENTRIES} files and folders, which is the limit")
        self._hidden = dict(found.left_out)
        for path in (*found.folders, *found.files):
            if path.startswith(STAGING):
                self._hidden[path] = "left behind when changes were interrupted"
        sizes = [info.st_size for path, info in found.files.items() if path not in self._hidden]
        self._check_room(sizes, capacity_mb)
        files: dict[str, bytes] = {}
        for path in sorted(found.files.keys() - self._hidden.keys()):
            with suppress(FileNotFoundError):  # gone in the meantime
                files[path] = self._content(path, capacity_mb << 20)
        self._check_room([*map(len, files.values())], capacity_mb)  # they may have grown
        folders = [path for path in found.folders if path not in self._hidden]
        return Parcel.of(folders, files, capacity_mb << 20)

    def _content(self, path: str, at_most: int) -> bytes:
        with os.fdopen(tree.open_file(self._root, path), "rb") as file:
            return file.read(at_most + 1)

    def _check_room(self, sizes: Sequence[int], capacity_mb: int) -> None:
        taken = sum(-(-size // _PAGE) * _PAGE for size in sizes)
        if taken > capacity_mb << 20:
            self._refuse(
                f"{len(sizes)} files with {sum(sizes)} bytes, which take {taken / (1 << 20):.1f} "
                f"MiB, and `Limits.workspace_mb` is {capacity_mb}"
            )

    def _refuse(self, what: str) -> NoReturn:
        msg = f"The workspace {self._path} is too large to work on a copy of it: it holds {what}."
        raise SandboxUnavailableError(msg)

    def settle(self, outcome: Outcome) -> Outcome:
        """Carry out what a run changed, all of it or nothing, and tell how that went.

        A change is left out that would lead through something which the program was not shown, as
        a link: the program could not know. Such a thing that appeared only during the run is
        reason to carry out nothing.

        Raises:
            SandboxUnavailableError: something stands in the way, or there is no room.
        """
        obstacles = self._obstacles(outcome.changes)
        changes = tuple(change for change in outcome.changes if change.path not in obstacles)
        if changes:
            # On its own descriptor, as this one may be closed before all is done.
            root = os.dup(self._root)
            _uninterrupted(partial(self._carry_out, root, changes), partial(os.close, root))
        lines = (f"{tree.shown(path)}: {why}" for path, why in obstacles.items())
        return replace(outcome, changes=changes, left_out=(*outcome.left_out, *lines))

    def _carry_out(self, root: int, changes: Sequence[FileChange]) -> None:
        try:
            with _locked(root, fcntl.LOCK_EX):
                carry_out(root, changes)
        except OSError as error:
            msg = f"The run's changes to {self._path} cannot be carried out: {error}."
            raise SandboxUnavailableError(msg) from error

    def _obstacles(self, changes: Iterable[FileChange]) -> dict[str, str]:
        above = {folder for path in self._hidden for folder in parents(path)}
        found = {}
        for change in changes:
            for place in (change.path, *parents(change.path)):
                if why := self._hidden.get(place):
                    found[change.path] = f"{tree.shown(place)} is there, not shown ({why})"
            if change.path in above:
                found[change.path] = "a folder is there, with things in it that are not shown"
        return found


@contextmanager
def _locked(directory: int, kind: int) -> Iterator[None]:
    until = time.monotonic() + _LOCK_S
    while True:
        try:
            fcntl.flock(directory, kind | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > until:
                msg = f"another process has had it locked for {_LOCK_S:g} s"
                raise TimeoutError(msg) from None
            time.sleep(0.01)
    try:
        yield
    finally:
        fcntl.flock(directory, fcntl.LOCK_UN)


def _uninterrupted(action: Callable[[], None], release: Callable[[], None]) -> None:
    """Do something as a whole or not at all, even where the user interrupts the process.

    `KeyboardInterrupt` is raised in the main thread only; raised between two steps of an action,
    it would leave half of it.

    Args:
        action: What to do.
        release: What to do when that has ended, or will not begin.
    """
    begin = threading.Event()
    future: Future[None] = Future()
    future.add_done_callback(lambda _: release())

    def work() -> None:
        begin.wait()
        if future.set_running_or_notify_cancel():
            try:
                action()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(None)

    try:
        threading.Thread(target=work).start()
        begin.set()
        future.result()
    except BaseException:
        interrupted_early = future.cancel()
        begin.set()
        if not interrupted_early:
            wait([future])
        raise
