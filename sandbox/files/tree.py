"""Directories as trees of files, reached by descriptors so that no link is ever followed.

Both ends of a run use it: the host for a caller's workspace, the worker for a program's. Runs
inside the isolation as well as outside it, so it needs the standard library only.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field

__all__ = [
    "CONTROL",
    "MAX_DEPTH",
    "MAX_ENTRIES",
    "MAX_PATH",
    "Survey",
    "open_file",
    "open_folder",
    "path_fault",
    "shown",
    "survey",
]

MAX_ENTRIES = 10_000
"""Files, folders and whatever else that a workspace may hold."""
MAX_DEPTH = 50
"""Names in a path."""
MAX_PATH = 1000
"""Bytes of a path."""
_MAX_NAME = 255  # bytes
_MAX_SHOWN = 200  # characters of a path in a message

_FOLDER = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
# O_NONBLOCK: opening a named pipe waits for whoever writes to it.
_FILE = os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
"""Finds characters that no name of a file may hold here, as a terminal would obey them."""
_SPECIAL = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def path_fault(path: str) -> str:
    """Say what keeps a path from standing for a file of a workspace, "" if nothing does."""
    names = path.split("/")
    if not {"", ".", ".."}.isdisjoint(names):
        return "a name in it is empty or means another folder"
    if CONTROL.search(path):
        return "its name holds control characters"
    try:
        sizes = [len(name.encode("utf-8")) for name in names]
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if max(sizes) > _MAX_NAME:
        return f"its name is longer than {_MAX_NAME} bytes"
    if len(names) > MAX_DEPTH:
        return f"it lies deeper than {MAX_DEPTH} names"
    if sum(sizes) + len(names) - 1 > MAX_PATH:
        return f"its path is longer than {MAX_PATH} bytes"
    return ""


def shown(path: str) -> str:
    """Return a path as it may stand in a message, whatever is in it."""
    text = path.encode("utf-8", "backslashreplace").decode("utf-8")
    text = CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def open_folder(root: int, path: str) -> int:
    """Open a folder below another, given by its descriptor; "" for that one itself.

    Raises:
        OSError: there is none, or a name on the way to it is a link.
    """
    here = os.open(".", _FOLDER, dir_fd=root)
    for name in path.split("/") if path else ():
        try:
            deeper = os.open(name, _FOLDER, dir_fd=here)
        finally:
            os.close(here)
        here = deeper
    return here


def open_file(root: int, path: str) -> int:
    """Open a regular file below a folder, to read.

    Raises:
        OSError: there is none, or a name on the way to it is a link.
    """
    folder, _, name = path.rpartition("/")
    parent = open_folder(root, folder)
    try:
        descriptor = os.open(name, os.O_RDONLY | _FILE, dir_fd=parent)
    finally:
        os.close(parent)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        msg = f"{shown(path)} is no regular file"
        raise OSError(msg)
    return descriptor


@dataclass(slots=True)
class Survey:
    """What there is below a folder."""

    files: dict[str, os.stat_result] = field(default_factory=dict)
    """The regular files."""
    folders: list[str] = field(default_factory=list)
    """Each after the one that it lies in."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Everything else, and what it is; nothing below it was looked at."""
    complete: bool = True
    """False where there are more than `MAX_ENTRIES`, and looking ended there."""

    def __len__(self) -> int:
        return len(self.files) + len(self.folders) + len(self.left_out)


def survey(root: int, *, mend: bool = False) -> Survey:
    """Look at everything below a folder.

    Args:
        root: Descriptor of the folder.
        mend: Give ourselves the right to read and change what is there where its owner, who we
            are, took it away. Only for where nothing else is at work: it names what it changes.

    Raises:
        OSError: a folder cannot be read.
    """
    found = Survey()
    todo = [""]
    while todo and found.complete:
        folder = todo.pop()
        try:
            descriptor = open_folder(root, folder)
        except FileNotFoundError:
            continue  # gone in the meantime, as on the host it may be
        try:
            todo += _look_at(descriptor, f"{folder}/" if folder else "", found, mend=mend)
        finally:
            os.close(descriptor)
    return found


def _look_at(descriptor: int, prefix: str, found: Survey, *, mend: bool) -> list[str]:
    """Add what lies in a folder to what was found; return the folders among it."""
    first = len(found.folders)
    with os.scandir(descriptor) as entries:
        for entry in entries:
            if len(found) >= MAX_ENTRIES:
                found.complete = False
                break
            path = prefix + entry.name
            try:
                info = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if fault := _SPECIAL.get(stat.S_IFMT(info.st_mode)) or path_fault(path):
                found.left_out[path] = fault
                continue
            is_folder = stat.S_ISDIR(info.st_mode)
            needed = stat.S_IRWXU if is_folder else stat.S_IRUSR
            if mend and ~info.st_mode & needed:
                os.chmod(entry.name, needed, dir_fd=descriptor)
            if is_folder:
                found.folders.append(path)
            else:
                found.files[path] = info
    return found.folders[first:]
