"""The worker's side of a workspace: lays files out, finds what became of them, leaves nothing.

The program has the same identity as this code, and may have done anything to its own files. But
all this happens while no process of a program lives, so nothing changes under its hands.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from toolguild.sandbox.files import tree
from toolguild.sandbox.files.bundle import INDEX_LENGTH, MAX_INDEX, MAX_LEFT_OUT, encode_index

__all__ = ["NO_CHANGES", "Changes", "WorkerFiles"]

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER_MODE, _FILE_MODE = 0o755, 0o644
_OWN = 0o700
_EMPTY_S = 1.0
"""Longer than it takes to remove what programs leave behind. With thousands of folders in one
another it may take minutes, as Landlock follows the whole way up from each: then it is quicker to
end this worker, and its file systems with it."""
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Changes:
    """What a program did to its files, as it goes to the host."""

    index: bytes
    files: tuple[tuple[str, int], ...] = ()
    """Paths and sizes of those whose content follows the index."""
    too_much: str = ""
    """Why nothing of it goes to the host, where it is more than there is room for: a sentence."""

    @property
    def content_bytes(self) -> int:
        """How much follows the index."""
        return sum(size for _, size in self.files)


NO_CHANGES = Changes(b"")


class WorkerFiles:
    """The file systems that the programs of a worker may write to, one program after another."""

    def __init__(self, workspace: str, others: Iterable[str], capacity: int) -> None:
        """Take over empty file systems.

        Args:
            workspace: Where the files lie that come from the host and go back to it.
            others: Where programs may write besides.
            capacity: Bytes that the workspace holds.
        """
        self._workspace = os.open(workspace, _FOLDER)
        self._all = [self._workspace, *(os.open(other, _FOLDER) for other in others)]
        self._capacity = capacity
        self._laid_out: dict[str, tuple[int, bytes]] = {}
        """Size and digest of each file, by its path."""

    def close(self) -> None:
        """Let go of them."""
        for root in self._all:
            os.close(root)

    def lay_out(self, bundle: memoryview) -> None:
        """Put the host's files into the workspace.

        Raises:
            OSError: there is no room for them.
        """
        start = INDEX_LENGTH.size + INDEX_LENGTH.unpack_from(bundle)[0]
        index = json.loads(bytes(bundle[INDEX_LENGTH.size : start]))
        for folder in index["folders"]:
            os.mkdir(folder, _FOLDER_MODE, dir_fd=self._workspace)
        for path, size in index["files"]:
            with bundle[start : start + size] as content:
                self._laid_out[path] = size, hashlib.sha256(content).digest()
                self._write(path, content)
            start += size

    def _write(self, path: str, content: memoryview) -> None:
        descriptor = os.open(path, _NEW_FILE, _FILE_MODE, dir_fd=self._workspace)
        try:
            written = 0
            while written < len(content):
                written += os.write(descriptor, content[written:])
        finally:
            os.close(descriptor)

    def changes(self) -> Changes:
        """Find what is new, changed or gone since the files were laid out, and what cannot go back.

        Raises:
            OSError: the workspace cannot be read.
        """
        os.fchmod(self._workspace, _OWN)
        found = tree.survey(self._workspace, mend=True)
        if not found.complete:
            return _too_much(f"It left more than {tree.MAX_ENTRIES} files and folders")
        left_out = dict(found.left_out)
        changed = []
        for path, info in sorted(found.files.items()):
            if info.st_nlink > 1:
                left_out[path] = "a hard link"
            elif not self._is_as_laid_out(path, info.st_size):
                changed.append((path, info.st_size))
        total = sum(size for _, size in changed)
        if total > self._capacity:
            return _too_much(f"Its files hold {total} bytes, of at most {self._capacity}")
        gone = self._laid_out.keys() - found.files.keys() - left_out.keys()
        index = encode_index(
            {"files": changed, "removed": sorted(gone), "left_out": _lines(left_out)}
        )
        if len(index) > MAX_INDEX:
            return _too_much(f"The names of its files take {len(index)} bytes, of {MAX_INDEX}")
        return Changes(index, tuple(changed))

    def _is_as_laid_out(self, path: str, size: int) -> bool:
        before = self._laid_out.get(path)
        if before is None or before[0] != size:
            return False
        with os.fdopen(tree.open_file(self._workspace, path), "rb") as file:
            return hashlib.file_digest(file, "sha256").digest() == before[1]

    def read(self, changes: Changes) -> Iterator[bytes]:
        """Return the contents of changed files one after the other, piece by piece.

        Raises:
            OSError: one of them cannot be read, or not to the end.
        """
        for path, size in changes.files:
            with os.fdopen(tree.open_file(self._workspace, path), "rb", 0) as file:
                rest = size
                while rest:
                    piece = file.read(min(rest, _CHUNK))
                    if not piece:
                        msg = f"{path} ended {rest} bytes too early"
                        raise OSError(msg)
                    rest -= len(piece)
                    yield piece

    def empty(self) -> None:
        """Make everything as it was before the first program.

        Raises:
            OSError: something stays.
        """
        self._laid_out.clear()
        until = time.monotonic() + _EMPTY_S
        for root in self._all:
            os.fchmod(root, _OWN)
            _empty(root, until)
            os.utime(root, (0, 0))  # times could tell the next program something, too


def _too_much(why: str) -> Changes:
    return Changes(encode_index({"files": [], "removed": [], "left_out": [why]}), too_much=why)


def _lines(left_out: dict[str, str]) -> list[str]:
    lines = [f"{tree.shown(path)}: {why}" for path, why in sorted(left_out.items())]
    more = len(lines) - MAX_LEFT_OUT
    return lines if more <= 0 else [*lines[:MAX_LEFT_OUT], f"and {more} more"]


def _empty(root: int, until: float) -> None:
    """Remove everything below a folder, however deep.

    Nothing recurses and no more than two descriptors are open: the way back up is `..`, which
    leads where it should as nobody else is there to move anything.

    Raises:
        OSError: something stays, or it takes too long.
    """
    here = os.open(".", _FOLDER, dir_fd=root)
    try:
        left = [_remove_files(here)]  # the folders that are still there, on each level down to here
        while left:
            if time.monotonic() > until:
                msg = f"there are still folders after {_EMPTY_S:g} s"
                raise TimeoutError(msg)
            if left[-1]:
                here = _move(here, left[-1][-1])
                left.append(_remove_files(here))
            else:
                left.pop()
                if left:
                    here = _move(here, "..")
                    os.rmdir(left[-1].pop(), dir_fd=here)
    finally:
        os.close(here)


def _remove_files(folder: int) -> list[str]:
    """Remove what is not a folder from one, and return the names of those that are."""
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in found:
        if is_folder:
            os.chmod(name, _OWN, dir_fd=folder)  # the program may have locked us out
        else:
            os.unlink(name, dir_fd=folder)
    return [name for name, is_folder in found if is_folder]


def _move(here: int, name: str) -> int:
    """Open a folder next to this one, and close this one."""
    there = os.open(name, _FOLDER, dir_fd=here)
    os.close(here)
    return there
