"""Starting our own code inside an isolation that holds nothing of ours.

The modules travel as text over stdin, so the inside needs a Python interpreter and no file of
toolguild or of RestrictedPython, and both backends start the same way.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from importlib.abc import InspectLoader
from importlib.machinery import PathFinder
from importlib.util import find_spec
from types import CodeType
from typing import Any

from toolguild.sandbox.errors import SandboxUnavailableError
from toolguild.sandbox.linux.seccomp import Profile, read_profile

__all__ = [
    "COMMAND_LINE",
    "ENVIRONMENT",
    "LAUNCHER_MODULES",
    "PRELOAD",
    "WORKER_MODULES",
    "base_profile",
    "start_message",
]

WORKER_MODULES = (
    "linux", "linux.syscalls", "linux.kernel", "linux.seccomp", "linux.code_pages", "frames",
    "inside", "inside.plain", "inside.byte_queue", "inside.library", "wall", "wall.rules",
    "wall.transformer", "wall.names", "wall.attributes", "wall.patterns", "wall.definitions",
    "wall.policy", "wall.format", "wall.classes", "wall.methods", "wall.guards", "wall.patches",
    "wall.files", "wall.stand_ins", "wall.modules", "wall.wall", "inside.observation",
    "inside.child", "inside.nursery", "inside.call", "inside.job", "inside.oom", "files",
    "files.tree", "files.bundle", "files.worker_files", "network", "network.relay", "seats",
    "inside.inner_pipes", "inside.worker",
)  # fmt: skip
"""What the worker consists of, in the order in which they import one another."""

# Of RestrictedPython 9; what version 8 does not have is left out.
_RESTRICTED_PYTHON = ("_types", "transformer")

LAUNCHER_MODULES = (
    *WORKER_MODULES,
    "linux.landlock",
    "network.loopback",
    "linux.namespaces",
    "linux.launcher",
)
"""The same for a worker that isolates itself first."""

ENVIRONMENT = {
    "HOME": "/",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    # An arena per thread would reserve address space out of proportion to the memory limit.
    "MALLOC_ARENA_MAX": "1",
    # Likewise with the threads of OpenBLAS and MKL, one for each of the machine's processors.
    "OMP_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
}
"""Every variable that a program sees."""

PRELOAD = (
    "abc", "ast", "base64", "binascii", "bisect", "calendar", "collections.abc", "contextlib",
    "copy", "csv", "ctypes", "dataclasses", "datetime", "decimal", "enum", "fractions",
    "functools", "hashlib", "heapq", "io", "itertools", "json", "keyword", "locale", "math",
    "numbers", "operator", "os", "pathlib", "random", "re", "statistics", "string", "struct",
    "textwrap", "threading", "time", "traceback", "types", "typing", "unicodedata",
    "urllib.parse", "warnings", "weakref", "zlib", "_strptime",
)  # fmt: skip
"""Modules that are imported once and for all: those that agents' tools use most.

Each makes every fork a little dearer; `concurrent.futures`, with the logging that it brings, by as
much as a dozen others.
"""

# What `-I` does, except that PYTHONHASHSEED is heeded; the environment is ours, so that is safe.
_FLAGS = ("-s", "-S", "-P", "-B")

# Each module gets builtins of its own: a program that patches the shared ones, or the shared
# `json`, does not reach the code that carries its value.
_BOOTSTRAP = """\
import builtins, json, marshal, os, sys, types

def read(length):
    data = b""
    while len(data) < length:
        part = os.read(0, length - len(data))
        if not part:
            sys.exit(1)
        data += part
    return data

start = json.loads(read(int.from_bytes(read(4), "big")))
for name, text, code in start["modules"]:
    module = sys.modules[name] = types.ModuleType(name)
    module.__dict__.update(__path__=[], __builtins__=dict(vars(builtins)))
    if code:
        code = marshal.loads(bytes.fromhex(code))
    else:
        code = compile(text, f"<{name}>", "exec", dont_inherit=True)
    exec(code, module.__dict__)
for name in list(sys.modules):
    if name.split(".")[0] in ("json", "toolguild", "RestrictedPython"):
        del sys.modules[name]
# What every child would get a copy of, and none has a use for.
main, settings = module.main, start["settings"]
del start, module, name, text, code, read
main(settings)
"""

COMMAND_LINE = (*_FLAGS, "-c", _BOOTSTRAP)
"""Arguments of the interpreter that then waits for `start_message` on its stdin."""


def start_message(
    modules: Sequence[str],
    settings: Mapping[str, Any],
    wall: Mapping[str, Any],
    *,
    same_interpreter: bool = False,
) -> bytes:
    """Return what to write to the interpreter: the modules, the last of which has the `main`.

    Args:
        modules: Names of modules of this package.
        settings: What `main` is given, besides `wall`, which is added.
        wall: The rules of the wall, as `wall.profile` makes them.
        same_interpreter: Whether it is the one that we run in, which can be given what is compiled
            already: compiling takes longer than starting.
    """
    form = _compiled if same_interpreter else _text
    carried = [form(name) for name in (*_restricted_python(), *_own(modules))]
    start = {"modules": carried, "settings": {**settings, "wall": wall}}
    message = json.dumps(start).encode("ascii")
    return len(message).to_bytes(4, "big") + message


def _own(modules: Sequence[str]) -> list[str]:
    return ["toolguild", __package__, *(f"{__package__}.{name}" for name in modules)]


@cache
def _restricted_python() -> tuple[str, ...]:
    """Return the names of the installed modules that the wall is built on.

    Raises:
        SandboxUnavailableError: they are not installed.
    """
    package = find_spec("RestrictedPython")
    if package is None:
        msg = "The sandbox needs RestrictedPython: pip install 'RestrictedPython>=8'."
        raise SandboxUnavailableError(msg)
    names = (f"{package.name}.{leaf}" for leaf in _RESTRICTED_PYTHON)
    return package.name, *(name for name in names if _loader(name))


def _loader(name: str) -> InspectLoader | None:
    """Return the loader of an installed module, None where there is none, without importing it."""
    package = find_spec(name.rpartition(".")[0])
    places = package.submodule_search_locations if package else None
    spec = PathFinder.find_spec(name, places)
    return spec.loader if spec and isinstance(spec.loader, InspectLoader) else None


_EMPTY = (
    "toolguild",
    __package__,
    f"{__package__}.wall",
    f"{__package__}.network",
    f"{__package__}.files",
    f"{__package__}.inside",
    f"{__package__}.linux",
    "RestrictedPython",
)
"""Packages whose own code is left behind: inside they only hold the modules."""


@cache
def _text(name: str) -> tuple[str, str, str]:
    loader = None if name in _EMPTY else _loader(name)
    return name, (loader.get_source(name) or "") if loader else "", ""


@cache
def _compiled(name: str) -> tuple[str, str, str]:
    loader = None if name in _EMPTY else _loader(name)
    code = loader.get_code(name) if loader else None
    return name, "", marshal.dumps(_anonymous(code, f"<{name}>")).hex() if code else ""


def _anonymous(code: CodeType, name: str) -> CodeType:
    """Return code that does not tell where on the host its file lies."""
    constants = tuple(
        _anonymous(each, name) if isinstance(each, CodeType) else each for each in code.co_consts
    )
    return code.replace(co_filename=name, co_consts=constants)


def base_profile() -> tuple[str, Profile]:
    """Return the shipped seccomp profile, as text for Docker and read for the local backend."""
    text = (resources.files(__package__) / "seccomp.json").read_text(encoding="utf-8")
    return text, read_profile(json.loads(text))
