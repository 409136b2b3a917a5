"""Files that belong to Python itself, which its library reads of its own accord."""

from __future__ import annotations

import sys

__all__ = ["is_own_file"]

_DATA = ("/etc/mime.types", "/usr/share/zoneinfo")
_FOLDERS = tuple(
    folder.rstrip("/") for folder in (*sys.path, *_DATA) if folder.startswith("/") and folder != "/"
)
"""Where modules are found, as long as nobody has changed that, and what `mimetypes` and `zoneinfo`
look up."""


def is_own_file(path: object) -> bool:
    """Whether a path is one of Python's own files or folders, as far as its spelling tells.

    Of a hostile path nothing is called: it may be an instance of a class of the program's.
    """
    if type(path) is not str or ".." in path:
        return False
    return any(
        path.startswith(folder) and path[len(folder) : len(folder) + 1] in ("", "/")
        for folder in _FOLDERS
    )
