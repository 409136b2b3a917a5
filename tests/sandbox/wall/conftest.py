"""Programs behind the wall with no isolation behind it: each in a process forked for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

import toolguild
from toolguild.sandbox import Json

CANARY = "canary-7f3a9c"

_RUNNER = """
import json, os, sys, types
from toolguild.policies import Capability, load_profile
from toolguild.sandbox.wall.wall import RefusedError, Rules, Wall, line_of
from toolguild.sandbox.wall.profile import wall_rules

def run(job):
    module = sys.modules["tool"] = types.ModuleType("tool")
    module.call_tool = lambda name, arguments: None
    try:
        if job["walled"]:
            wall = Wall(RULES[tuple(job["capabilities"])], module)
            code = wall.compile(job["source"])
            wall.enter()
        else:
            code = compile(job["source"], "<tool>", "exec")
        exec(code, module.__dict__)
        value = module.tool(**job["arguments"])
        return "value", repr(value), value
    except RefusedError as error:
        return "refused", f"{line_of(error)}{error}", None
    except BaseException as error:
        return "error", f"{type(error).__name__}: {error}", None

RULES = {
    names: Rules.from_plain(wall_rules(load_profile(), frozenset(map(Capability, names))))
    for names in ((), ("read",), ("write",), ("read", "write"))
}
for line in sys.stdin:
    job = json.loads(line)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.chdir(job["folder"])
        for printed in (1, 2):
            os.dup2(os.open(os.devnull, os.O_RDWR), printed)
        kind, shown, value = run(job)
        try:
            answer = json.dumps([kind, shown[:30000], os.getpid(), value])
        except (TypeError, ValueError):
            answer = json.dumps([kind, shown[:30000], os.getpid(), None])
        os.write(write, answer.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        print(answer.read() or '["died", "", 0, null]')
    os.waitpid(child, 0)
"""


class Ending(NamedTuple):
    """How a program ended."""

    kind: str
    """`value`, `refused` (by the wall), `error` or `died`."""
    what: str
    """The value's repr or the exception's message."""
    pid: int
    value: Json
    """The value, where it is JSON."""


class Alone(Protocol):
    """Runs the `tool` of programs behind the wall, in a folder, with capabilities.

    A program is a text, or a text and the arguments of its `tool`.
    """

    def __call__(
        self,
        programs: Iterable[str | tuple[str, dict[str, Json]]],
        capabilities: Sequence[str] = (),
        folder: Path = ...,
        *,
        walled: bool = ...,
    ) -> list[Ending]: ...


@pytest.fixture(scope="session")
def alone() -> Alone:
    def alone(
        programs: Iterable[str | tuple[str, dict[str, Json]]],
        capabilities: Sequence[str] = (),
        folder: Path = Path("/"),
        *,
        walled: bool = True,
    ) -> list[Ending]:
        jobs = [(each, {}) if isinstance(each, str) else each for each in programs]
        setting = {"capabilities": sorted(capabilities), "folder": str(folder), "walled": walled}
        lines = [
            json.dumps({"source": source, "arguments": arguments, **setting})
            for source, arguments in jobs
        ]
        done = subprocess.run(
            [sys.executable, "-c", _RUNNER],
            input="\n".join(lines),
            capture_output=True,
            text=True,
            check=True,
            timeout=240,
            env={**os.environ, "SBX_CANARY": CANARY},
        )
        assert not done.stderr, done.stderr
        return [Ending(*json.loads(line)) for line in done.stdout.splitlines()]

    return alone


@pytest.fixture(scope="session")
def shared() -> Path:
    """Where the corpora are."""
    beside = Path(toolguild.__file__).resolve().parent.parent / "shared"
    return Path(os.environ.get("TOOLGUILD_SHARED", beside))
