"""Which files a Python program needs: those of the running interpreter, and nothing else."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path

__all__ = [
    "LEFT_OUT",
    "executable",
    "shared_data",
    "standard_library",
    "system_libraries",
    "without_links",
]

LEFT_OUT = frozenset(
    {"site-packages", "dist-packages", "test", "idlelib", "turtledemo", "ensurepip", "tkinter"}
)
"""Entries of the standard library's folder that no program inside a sandbox gets to see."""


@cache
def executable() -> Path:
    """Return the interpreter itself, behind any virtual environment."""
    return Path(sys.executable).resolve()


@cache
def standard_library() -> Path:
    """Return the folder of the standard library."""
    return Path(sysconfig.get_path("stdlib")).resolve()


@cache
def system_libraries() -> tuple[Path, ...]:
    """Return where the loader finds the libraries of extension modules, as paths it looks at."""
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    folders = [
        Path(root, leaf)
        for root in ("/lib", "/usr/lib")
        for leaf in ([multiarch] if multiarch else [])
    ]
    folders += [Path("/lib64"), Path("/usr/lib64")]
    own = Path(sysconfig.get_config_var("LIBDIR") or "/usr/lib").resolve()
    return tuple(path for path in (*folders, *sorted(own.glob("lib*.so*"))) if path.exists())


@cache
def shared_data() -> tuple[Path, ...]:
    """Return what the standard library reads from elsewhere, such as time zones."""
    candidates = ("/usr/share/zoneinfo", "/usr/lib/locale/C.utf8", "/etc/ld.so.cache")
    return tuple(Path(name) for name in candidates if Path(name).exists())


def without_links(paths: Iterable[Path]) -> tuple[dict[str, str], list[Path]]:
    """Return the symbolic links that the paths lead through, and the real files behind them.

    Files inside a folder that is among them are left out.
    """
    links: dict[str, str] = {}
    tops: list[Path] = []
    # In order, whatever lies in a folder comes right after it.
    for path in sorted({_follow(path, links) for path in paths}):
        if not tops or not path.is_relative_to(tops[-1]):
            tops.append(path)
    return links, tops


def _follow(path: Path, links: dict[str, str]) -> Path:
    done, todo = Path("/"), list(path.parts[1:])
    while todo:
        part = todo.pop(0)
        if part == "..":
            done = done.parent
            continue
        here = done / part
        if not here.is_symlink():
            done = here
            continue
        target = here.readlink()
        links[str(here)] = str(target)
        if target.is_absolute():
            done, todo = Path("/"), [*target.parts[1:], *todo]
        else:
            todo = [*target.parts, *todo]
    return done
