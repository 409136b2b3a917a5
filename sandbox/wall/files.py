"""What a program behind the wall may do with files: decided by the mode, and by capability.

About paths the isolation decides. All of the library that opens a file for a program does it
through the `open` of here, so that nobody gets around it by way of `zipfile` or `configparser`.
File descriptors are no way to name a file: some are the sandbox's own.
"""

from __future__ import annotations

import functools
import io
import os
import re
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

from toolguild.sandbox.inside.library import own_files
from toolguild.sandbox.wall.patches import Change
from toolguild.sandbox.wall.rules import Rules, lacking, refuse

__all__ = ["Files"]

_READ, _WRITE = "read", "write"
_PLACES = (
    ("builtins", "open"),
    ("io", "open"),
    ("bz2", "_builtin_open"),
    ("tarfile", "bltn_open"),
)
"""Where the library finds its `open`."""
_PATH_OPTIONS = ("f1", "f2", "filename", "name", "path", "s", "src", "top")
_MOVES = ("copy", "copy_into", "move", "move_into", "replace")
"""Methods of `pathlib.Path` that write and cannot be told by name: a list has a `copy`, too."""
_LOOKS = ("cwd", "group", "home", "owner")
"""Those that read, for the same reason: a match of a pattern has a `group`."""
_READ_ONLY_DATABASE = re.compile(r"file:[^?#]*\?mode=ro(&immutable=1)?")

_open = io.open


class Files:
    """The files of one program."""

    def __init__(self, rules: Rules) -> None:
        """Take what the program may do."""
        self._writes = _WRITE in rules.capabilities
        self._reads = self._writes or _READ in rules.capabilities
        self._paths = rules.paths
        self._is_own_file = own_files()
        self.open = self._make_open(for_library=False)
        """What the program finds under the name `open`."""

    # --- opening -------------------------------------------------------------------------------

    def changes(self) -> list[Change]:
        """Return where the library is to find another `open`, in the modules that are there."""
        opener = self._make_open(for_library=True)
        return [
            (vars(sys.modules[module]), name, opener)
            for module, name in _PLACES
            if module in sys.modules
        ]

    def _make_open(self, *, for_library: bool) -> Callable[..., Any]:
        def open(
            file: Any,
            mode: Any = "r",
            buffering: int = -1,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
            closefd: bool = True,
            opener: object = None,
        ) -> Any:
            if opener is not None:
                refuse("`open` with an `opener` is not available; give it a path")
            path, plain_mode = _path_of(file, "open"), _plain(mode)
            if not (for_library and not _is_writing(plain_mode) and self._is_own_file(path)):
                self._check("open", plain_mode)
            return _open(path, plain_mode, buffering, encoding, errors, newline, closefd)

        return open

    def _check(self, what: str, mode: Any) -> None:
        if _is_writing(mode) and not self._writes:
            refuse(lacking(f"`{what}` with the mode {mode!r}", _WRITE))
        if not self._reads:
            refuse(lacking(f"`{what}`", _READ))

    # --- functions and classes of the library --------------------------------------------------

    def stand_in(self, dotted: str, function: Any) -> Any:
        """Return what the program finds under the name of a function."""
        if dotted == "io.open":
            return self.open
        if dotted == "sqlite3.connect":
            return self._connect(function)
        if dotted == "shutil.rmtree":
            return _rmtree(function)
        return _by_path(dotted, function) if dotted in self._paths else function

    def _connect(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def connect(database: Any, *arguments: Any, **options: Any) -> Any:
            path = _path_of(database, "sqlite3.connect")
            if self._writes:
                return real(path, *arguments, **options)
            if path != ":memory:":
                reading = type(path) is str and _READ_ONLY_DATABASE.fullmatch(path)
                if not (reading and options.get("uri") is True):
                    refuse(lacking("`sqlite3.connect` with a file", _WRITE))
                self._check("sqlite3.connect", "r")
            connection = real(path, *arguments, **options)
            # Or SQL could open others: `ATTACH`, `VACUUM INTO`.
            connection.setlimit(sys.modules["sqlite3"].SQLITE_LIMIT_ATTACHED, 0)
            return connection

        return connect

    def prepare(self, module: ModuleType) -> None:
        """Close the ways of a module to files that do not lead through `open`."""
        if module.__name__ == "tarfile":
            _replace(module, "_LowLevelFile", self._low_level)
        elif module.__name__ == "tempfile":
            # Opens by descriptors of its own making, which no program can get at.
            real = vars(module)["_io"] = ModuleType("io")
            vars(real).update(vars(io), open=_open)
        elif module.__name__ == "pathlib":
            self._close_paths(module.Path)

    def _close_paths(self, path: Any) -> None:
        closed = {} if self._reads else dict.fromkeys(_LOOKS, _READ)
        closed |= {} if self._writes else dict.fromkeys(_MOVES, _WRITE)
        for name, capability in closed.items():
            if hasattr(path, name):
                setattr(path, name, _refused(f"`.{name}` of a path", capability))

    def _low_level(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def low_level(name: Any, mode: Any) -> Any:
            path, plain_mode = _path_of(name, "tarfile.open"), _plain(mode)
            self._check("tarfile.open", plain_mode)
            return real(path, plain_mode)

        return low_level


def _replace(module: ModuleType, name: str, make: Callable[[Any], Any]) -> None:
    vars(module)[name] = make(vars(module)[name])


def _refused(what: str, capability: str) -> Callable[..., NoReturn]:
    def refused(*arguments: object, **options: object) -> NoReturn:
        refuse(lacking(what, capability))

    return refused


def _rmtree(real: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(real)
    def rmtree(path: Any, ignore_errors: bool = False, **options: object) -> None:
        if options:  # one hands over functions of `os`, another takes a descriptor
            refuse(f"`shutil.rmtree` takes a path and `ignore_errors`, not `{min(options)}`")
        real(_path_of(path, "shutil.rmtree"), bool(ignore_errors))

    return rmtree


def _by_path(dotted: str, real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that takes paths, but not the descriptors that the real one takes too."""

    @functools.wraps(real)
    def by_path(*arguments: Any, **options: Any) -> Any:
        named = [options[name] for name in _PATH_OPTIONS if name in options]
        for value in (*arguments[: _paths_of(dotted)], *named):
            if _is_number(value):
                refuse(f"`{dotted}` takes a path; file descriptors are not available")
        for name, value in options.items():
            if name.endswith("dir_fd") and value is not None:
                refuse(f"`{dotted}` with `{name}` is not available; give it a whole path")
        return real(*arguments, **options)

    return by_path


def _paths_of(dotted: str) -> int:
    """Return how many of a function's arguments are paths; of others, the second is a number."""
    return 2 if dotted == "os.path.samefile" else 1


def _path_of(value: Any, what: str) -> str | bytes:
    """Return a path as nothing but text, asked for once.

    Raises:
        RefusedError: it is a file descriptor.
        TypeError: it is no path.
    """
    if _is_number(value):
        refuse(f"`{what}` takes a path; file descriptors are not available")
    path: str | bytes = _plain(os.fspath(value))
    return path


def _plain(value: Any) -> Any:
    """Return a text without what a subclass makes of it."""
    if type(value) is str or not isinstance(value, (str, bytes)):
        return value
    return "".join((value,)) if isinstance(value, str) else b"".join((value,))


def _is_number(value: Any) -> bool:
    return hasattr(type(value), "__index__")


def _is_writing(mode: Any) -> bool:
    return type(mode) is not str or not {"w", "a", "x", "+"}.isdisjoint(mode)
