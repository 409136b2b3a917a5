"""Carrying out changes in a directory of the host's: all of them, or none.

New contents are first written to a folder of their own in that directory, where a full disk does
no harm. Then what is to go is moved there, and what is new comes out of it. Each step leaves word
how to undo it.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from toolguild.sandbox.access import FileChange
from toolguild.sandbox.files import tree
from toolguild.sandbox.files.changes import parents

__all__ = ["STAGING", "carry_out"]

STAGING = ".toolguild-"
"""Beginning of the name of the folder in which a directory's changes wait."""

_FOLDER_MODE, _FILE_MODE = 0o755, 0o644
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_OLD = ".old"


def carry_out(root: int, changes: Sequence[FileChange]) -> None:
    """Change the files below a directory, following no link on the way to any of them.

    Files that are there keep their permissions. Folders are made where they are missing, and stay
    when they become empty, unless a file takes their place.

    Args:
        root: Descriptor of the directory.
        changes: What to do; no path is both a file and a folder of another's.

    Raises:
        OSError: something stands in the way. All is as it was, or else the message says where the
            files are that could not be put back.
    """
    stage = _Stage(root)
    try:
        for number, change in enumerate(changes):
            if change.content is not None:
                stage.write(number, change.content)
        with ExitStack() as undo:
            modes = [stage.set_aside(number, change, undo) for number, change in enumerate(changes)]
            for number, change in enumerate(changes):
                if change.content is not None:
                    stage.put_in_place(number, change.path, modes[number], undo)
            undo.pop_all()
    except BaseException as error:
        if not stage.remove(with_old=False):
            msg = f"{error}; files as they were before are in {stage.name}"
            raise OSError(msg) from error
        raise
    stage.remove(with_old=True)


class _Stage:
    """The folder in which contents wait: new ones to come, and old ones in case of a failure."""

    def __init__(self, root: int) -> None:
        self._root = root
        self.name = STAGING + secrets.token_hex(8)
        os.mkdir(self.name, stat.S_IRWXU, dir_fd=root)
        self._folder = tree.open_folder(root, self.name)

    def write(self, number: int, content: bytes) -> None:
        """Keep the new content of a file."""
        descriptor = os.open(str(number), _NEW_FILE, _FILE_MODE, dir_fd=self._folder)
        with os.fdopen(descriptor, "wb", 0) as file, memoryview(content) as rest:
            written = 0
            while written < len(rest):
                written += file.write(rest[written:])

    def set_aside(self, number: int, change: FileChange, undo: ExitStack) -> int | None:
        """Take away a file that is to be replaced or removed; return its permissions."""
        try:
            with _place(self._root, change.path) as (folder, name):
                mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode) and change.content is not None:
                    return None  # whether that can be replaced is seen later
                if not stat.S_ISREG(mode):
                    raise FileExistsError(errno.EEXIST, "it is no longer a file", change.path)
                os.rename(name, f"{number}{_OLD}", src_dir_fd=folder, dst_dir_fd=self._folder)
        except FileNotFoundError:
            return None
        undo.callback(self._put_back, number, change.path)
        return stat.S_IMODE(mode) & 0o777

    def _put_back(self, number: int, path: str) -> None:
        with _place(self._root, path) as (folder, name):
            os.rename(f"{number}{_OLD}", name, src_dir_fd=self._folder, dst_dir_fd=folder)

    def put_in_place(self, number: int, path: str, mode: int | None, undo: ExitStack) -> None:
        """Move a new content to where it belongs."""
        if mode is not None:
            os.chmod(str(number), mode, dir_fd=self._folder)
        for above in reversed([*parents(path)]):
            _make_folder(self._root, above, undo)
        _give_way(self._root, path, undo)
        with _place(self._root, path) as (folder, name):
            os.rename(str(number), name, src_dir_fd=self._folder, dst_dir_fd=folder)
        undo.callback(_remove, self._root, path)

    def remove(self, *, with_old: bool) -> bool:
        """Remove the folder and the new contents in it; return whether it is gone.

        Args:
            with_old: Remove the old contents, too; otherwise they stay, and the folder with them.
        """
        with suppress(OSError):  # what is asked for is done: this is about what is left of it
            with os.scandir(self._folder) as entries:
                names = [entry.name for entry in entries]
            for name in names:
                if with_old or not name.endswith(_OLD):
                    os.unlink(name, dir_fd=self._folder)
        os.close(self._folder)
        try:
            os.rmdir(self.name, dir_fd=self._root)
        except OSError:
            return False
        return True


@contextmanager
def _place(root: int, path: str) -> Iterator[tuple[int, str]]:
    """Open the folder of a file; the name in it comes along."""
    folder, _, name = path.rpartition("/")
    descriptor = tree.open_folder(root, folder)
    try:
        yield descriptor, name
    finally:
        os.close(descriptor)


def _remove(root: int, path: str) -> None:
    with _place(root, path) as (folder, name):
        os.unlink(name, dir_fd=folder)


def _make_folder(root: int, path: str, undo: ExitStack) -> None:
    with suppress(FileExistsError), _place(root, path) as (folder, name):
        os.mkdir(name, _FOLDER_MODE, dir_fd=folder)
        undo.callback(_remove_folder, root, path)


def _remove_folder(root: int, path: str) -> None:
    with _place(root, path) as (folder, name):
        os.rmdir(name, dir_fd=folder)


def _give_way(root: int, path: str, undo: ExitStack) -> None:
    """Remove a folder, and folders in it, from where a file is to be."""
    try:
        descriptor = tree.open_folder(root, path)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        found = tree.survey(descriptor)
    finally:
        os.close(descriptor)
    if found.files or found.left_out:
        raise OSError(errno.ENOTEMPTY, "there is more in it than the program was shown", path)
    for folder in (*(f"{path}/{below}" for below in reversed(found.folders)), path):
        with _place(root, folder) as (parent, name):
            mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
        _remove_folder(root, folder)
        undo.callback(_restore_folder, root, folder, stat.S_IMODE(mode))


def _restore_folder(root: int, path: str, mode: int) -> None:
    with _place(root, path) as (folder, name):
        os.mkdir(name, mode, dir_fd=folder)
        os.chmod(name, mode, dir_fd=folder)  # past the umask
