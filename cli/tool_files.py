"""The files that commands read tools from: single ones, whole folders, and stdin."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from toolguild.policies import ToolguildError

__all__ = ["STDIN", "STDOUT", "InputFileError", "read_text", "tool_files"]

MAX_TOOL_BYTES = 1_000_000
STDIN = Path("-")
STDOUT = "-"
_SUFFIX = ".py"
_LEFT_OUT = frozenset({"__pycache__", "build", "dist", "node_modules", "venv"})
"""Folders without tools in them, besides those whose names start with a dot."""


class InputFileError(ToolguildError, ValueError):
    """A file given to a command cannot be used; the message names it and its line."""


def tool_files(path: Path) -> list[Path]:
    """Return a file as it is, and of a folder the Python files in it, sorted.

    Symbolic links to folders are not followed.

    Raises:
        InputFileError: there is no such file, or no Python file in the folder.
    """
    if path == STDIN or not path.is_dir():
        return [path]
    found = sorted(_python_files(path))
    if not found:
        message = f"{path}: no Python file in this folder"
        raise InputFileError(message)
    return found


def _python_files(folder: Path) -> Iterator[Path]:
    for top, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _LEFT_OUT and name[0] != "."]
        yield from (Path(top, name) for name in names if name.endswith(_SUFFIX))


def read_text(path: Path) -> str:
    """Return the text of a tool, from a file or with `-` from stdin.

    Raises:
        InputFileError: it cannot be read, is no UTF-8, or is bigger than any tool may be.
    """
    try:
        if path == STDIN:
            return _decoded(sys.stdin.buffer, path)
        with path.open("rb") as file:
            return _decoded(file, path)
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise InputFileError(message) from error


def _decoded(file: BinaryIO, path: Path) -> str:
    data = file.read(MAX_TOOL_BYTES + 1)
    if len(data) > MAX_TOOL_BYTES:
        message = f"{path}: larger than {MAX_TOOL_BYTES:,} bytes, which no tool may be"
        raise InputFileError(message)
    try:
        # Not `utf-8-sig`: a mark at the start is part of the text, and the gate refuses it.
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"{path}: not UTF-8 text (byte {error.start})"
        raise InputFileError(message) from error
