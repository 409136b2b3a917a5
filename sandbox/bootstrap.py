"""Starting our own code inside an isolation that holds nothing of ours.

The modules travel as text over stdin, so the inside needs a Python interpreter and no file of
toolguild, and both backends start the same way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from toolguild.sandbox.seccomp import Profile, read_profile

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
    "syscalls", "kernel", "seccomp", "frames", "plain", "child", "call", "worker",
)  # fmt: skip
"""What the worker consists of, in the order in which they import one another."""

LAUNCHER_MODULES = (*WORKER_MODULES, "landlock", "namespaces", "launcher")

ENVIRONMENT = {
    "HOME": "/",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    # An arena per thread would reserve address space out of proportion to the memory limit.
    "MALLOC_ARENA_MAX": "1",
    "PATH": "/usr/bin:/bin",
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
}
"""Every variable that a program sees."""

PRELOAD = (
    "abc", "array", "ast", "base64", "binascii", "bisect", "calendar", "cmath", "collections.abc",
    "colorsys", "concurrent.futures", "contextlib", "copy", "csv", "ctypes", "dataclasses",
    "datetime", "decimal", "difflib", "enum", "fractions", "functools", "hashlib", "heapq",
    "hmac", "html", "io", "ipaddress", "itertools", "json", "keyword", "locale", "math",
    "numbers", "operator", "os", "pathlib", "pprint", "random", "re", "secrets", "shlex",
    "statistics", "string", "struct", "textwrap", "threading", "time", "traceback", "types",
    "typing", "unicodedata", "urllib.parse", "uuid", "warnings", "weakref", "zlib", "zoneinfo",
    "_strptime",
)  # fmt: skip
"""Modules that are imported once and for all: those that agents' tools use most."""

# What `-I` does, except that PYTHONHASHSEED is heeded; the environment is ours, so that is safe.
_FLAGS = ("-s", "-S", "-P", "-B")

# Each module gets builtins of its own: a program that patches the shared ones, or the shared
# `json`, does not reach the code that carries its value.
_BOOTSTRAP = """\
import builtins, json, os, sys, types

def read(length):
    data = b""
    while len(data) < length:
        part = os.read(0, length - len(data))
        if not part:
            sys.exit(1)
        data += part
    return data

start = json.loads(read(int.from_bytes(read(4), "big")))
for name, text in start["modules"]:
    module = sys.modules[name] = types.ModuleType(name)
    module.__dict__.update(__path__=[], __builtins__=dict(vars(builtins)))
    exec(compile(text, f"<{name}>", "exec", dont_inherit=True), module.__dict__)
for name in list(sys.modules):
    if name.split(".")[0] in ("json", "toolguild"):
        del sys.modules[name]
module.main(start["settings"])
"""

COMMAND_LINE = (*_FLAGS, "-c", _BOOTSTRAP)
"""Arguments of the interpreter that then waits for `start_message` on its stdin."""


def start_message(modules: Sequence[str], settings: Mapping[str, Any]) -> bytes:
    """Return what to write to the interpreter: the modules, the last of which has the `main`."""
    package = __package__
    texts = [("toolguild", ""), (package, "")]
    folder = resources.files(package)
    for name in modules:
        texts.append((f"{package}.{name}", (folder / f"{name}.py").read_text(encoding="utf-8")))
    message = json.dumps({"modules": texts, "settings": dict(settings)}).encode("ascii")
    return len(message).to_bytes(4, "big") + message


def base_profile() -> tuple[str, Profile]:
    """Return the shipped seccomp profile, as text for Docker and read for the local backend."""
    text = (resources.files(__package__) / "seccomp.json").read_text(encoding="utf-8")
    return text, read_profile(json.loads(text))
