"""Files that belong to Python itself, which its library reads of its own accord."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["IsOwnFile", "own_files"]

IsOwnFile: TypeAlias = Callable[[object], bool]
"""Whether a path is one of Python's own files or folders, as far as its spelling tells."""

_DATA = ("/etc/mime.types", "/usr/share/zoneinfo")
"""What `mimetypes` and `zoneinfo` look up."""


def own_files() -> IsOwnFile:
    """Return what tells Python's own files, among them all below `sys.path` as it is now.

    What comes of it calls nothing of a path, which may be of a class of the program's.
    """
    folders = tuple(
        folder.rstrip("/")
        for folder in (*sys.path, *_DATA)
        if folder.startswith("/") and folder != "/"
    )

    def is_own_file(path: object) -> bool:
        if type(path) is not str or ".." in path:
            return False
        return any(
            path.startswith(folder) and path[len(folder) : len(folder) + 1] in ("", "/")
            for folder in folders
        )

    return is_own_file
