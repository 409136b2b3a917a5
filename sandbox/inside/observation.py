"""Seeing which capabilities a program makes use of, from within its own process.

The interpreter raises audit events (PEP 578) for most of what reaches outside, and the wall one
for what it refuses where a capability is lacking; a hook tells them to whoever asked. It is
information, not a verdict: a hostile program can hide from it, and what raises no event (`os.stat`,
`readlink`, SQL's `ATTACH`) is not seen. What holds it is the isolation.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from toolguild.sandbox.inside.library import IsOwnFile, own_files
from toolguild.sandbox.wall.rules import LACKING

__all__ = ["Listener", "install_hook"]

_READ, _WRITE, _NETWORK = "read", "write", "network"
_NOTHING = ""

Listener: TypeAlias = Callable[[str], None]
"""Called with `read`, `write` or `network` when that is first made use of."""
_Rule: TypeAlias = str | Callable[..., str]
"""What an event means; or what tells it from the event's arguments, behind an `IsOwnFile`.

Such a function only looks at values of the very types that it knows: the arguments are the
program's, and nothing of them may be called from here.
"""

_WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_DEVICES = (os.devnull, "/dev/random", "/dev/urandom", "/dev/zero")
_HARMLESS_DATABASES = (":memory:", "")
_LOCAL_SOCKETS = int(socket.AF_UNIX)
_LOCAL_SCHEMES = ("data:", "file:")  # opening the file is an event of its own


def install_hook() -> Callable[[Listener], None]:
    """Have this process watched, and every one that is forked from it.

    It can be done ahead, where a process forks another for each program: that is what makes it
    cheap. The hook stays for as long as the process lives, and does nothing until it is started.

    Returns:
        What starts it: a function that is given the listener.
    """
    rules, untold, is_own_file = _RULES, set[str](), own_files()
    listeners: list[Listener] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not untold or event not in rules:
            return
        try:
            rule = rules[event]
            capability = rule if type(rule) is str else rule(is_own_file, *arguments)  # type: ignore[operator] # not a str
            if capability in untold:
                untold.remove(capability)  # raises in all threads but one that come this far
                listeners[0](capability)
        except BaseException:
            return  # the program must not get hold of it, nor fail of it

    def start(listener: Listener) -> None:
        listeners.append(listener)
        untold.update((_READ, _WRITE, _NETWORK))

    sys.addaudithook(hook)
    return start


def _of_open(own: IsOwnFile, path: Any, mode: Any = None, flags: Any = 0, *_: Any) -> str:
    if type(path) is str and path in _DEVICES:
        return _NOTHING
    if type(flags) is int and flags & _WRITING_FLAGS:
        return _WRITE
    return _of_looking(own, path)


def _of_looking(own: IsOwnFile, path: Any = None, *_: Any) -> str:
    """Reading what belongs to Python itself, as each import does, is nothing."""
    return _NOTHING if own(path) else _READ


def _of_database(_: IsOwnFile, path: Any, *__: Any) -> str:
    return _NOTHING if type(path) is str and path in _HARMLESS_DATABASES else _WRITE


def _of_socket(_: IsOwnFile, __: Any, family: Any = None, *___: Any) -> str:
    # An event loop makes itself a pair of them to be woken by.
    return _NOTHING if family == _LOCAL_SOCKETS else _NETWORK


def _of_address(_: IsOwnFile, __: Any, address: Any = None, *___: Any) -> str:
    return _NOTHING if type(address) in (str, bytes) else _NETWORK


def _of_url(_: IsOwnFile, url: Any, *__: Any) -> str:
    return _NOTHING if type(url) is str and url[:5].lower() in _LOCAL_SCHEMES else _NETWORK


def _of_lacking(_: IsOwnFile, capability: Any = None, *__: Any) -> str:
    return capability if type(capability) is str else _NOTHING


def _named(package: str, events: Iterable[str], rule: _Rule) -> dict[str, _Rule]:
    return {f"{package}.{event}": rule for event in events}


_RULES: dict[str, _Rule] = {
    LACKING: _of_lacking,
    "open": _of_open,
    "os.listdir": _of_looking,
    "os.scandir": _of_looking,
    "glob.glob": _READ,
    "sqlite3.connect": _of_database,
    "socket.__new__": _of_socket,
    "socket.bind": _of_address,
    "socket.connect": _of_address,
    "urllib.Request": _of_url,
    **_named("os", ("fwalk", "getxattr", "listxattr", "walk"), _READ),
    **_named("pathlib.Path", ("glob", "rglob"), _READ),
    **_named(
        "os",
        (
            "chflags", "chmod", "chown", "link", "mkdir", "remove", "removexattr", "rename",
            "rmdir", "setxattr", "symlink", "truncate", "utime",
        ),
        _WRITE,
    ),
    **_named(
        "shutil",
        (
            "chown", "copyfile", "copymode", "copystat", "copytree", "make_archive", "move",
            "rmtree", "unpack_archive",
        ),
        _WRITE,
    ),
    **_named("tempfile", ("mkdtemp", "mkstemp"), _WRITE),
    **_named(
        "socket",
        (
            "getaddrinfo", "gethostbyaddr", "gethostbyname", "getnameinfo", "sendmsg", "sendto",
        ),
        _NETWORK,
    ),
    **_named("http.client", ("connect", "send"), _NETWORK),
    **_named("ftplib", ("connect", "sendcmd"), _NETWORK),
    **_named("imaplib", ("open", "send"), _NETWORK),
    **_named("nntplib", ("connect", "putline"), _NETWORK),
    **_named("poplib", ("connect", "putline"), _NETWORK),
    **_named("smtplib", ("connect", "send"), _NETWORK),
    **_named("telnetlib.Telnet", ("open", "write"), _NETWORK),
    **_named("webbrowser", ("open",), _NETWORK),
}  # fmt: skip
"""By event; see the table of audit events in Python's documentation."""
