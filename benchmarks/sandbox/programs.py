"""What the soak calls: programs with how a call of them may end."""

from __future__ import annotations

import random
from dataclasses import dataclass

from toolguild.policies import Capability
from toolguild.sandbox import Program, Status

__all__ = ["Case", "mixture"]


@dataclass(frozen=True, slots=True)
class Case:
    """A program and how a call of it may end."""

    program: Program
    ends: frozenset[Status]
    value: object = None
    """What it returns, where it may end with `ok`."""


def _good(value: object, source: str, *, needs: frozenset[Capability] = frozenset()) -> Case:
    return Case(Program(source, "tool", needs=needs), frozenset({Status.OK}), value)


def _bad(source: str, *ends: Status, walled: bool = False) -> Case:
    """Return a program that mostly meets the isolation alone: the wall would stop it before."""
    return Case(Program(source, "tool", walled=walled), frozenset(ends))


_ORDINARY = (
    _good(3, "def tool(): return 1 + 2"),
    _good([1, 2, 3], "def tool(): return sorted([3, 1, 2])"),
    _good({"a": 2, "b": 1}, "from collections import Counter\ndef tool(): return Counter('aab')"),
    _good("2026-11-21", "import datetime\ndef tool(): return str(datetime.date(2026, 11, 21))"),
    _good(["1", "22"], "import re\ndef tool(): return re.findall(r'[0-9]+', 'a1b22')"),
    _good(285, "def tool(): return sum(n * n for n in range(10))"),
    _good("x" * 50_000, "def tool(): return 'x' * 50_000"),
    _good(
        5, "def tool():\n    print('line\\n' * 100)\n    return call_tool('five', {'n': [1] * 99})"
    ),
    _bad("def tool(): raise ValueError('no')", Status.ERROR, walled=True),
    _bad("def tool(): return {1, 2}", Status.ERROR, walled=True),
)

_WRITING = _good(
    6,
    "def tool():\n    with open('notes.txt', 'w') as file:\n        return file.write('thrown')\n",
    needs=frozenset({Capability.WRITE}),
)

_HOSTILE = (
    _bad("def tool():\n    while True: pass", Status.TIMEOUT),
    _bad("def tool(): return 'y' * 200_000", Status.OUTPUT_LIMIT),
    _bad("def tool():\n    while True: print('y' * 1000)", Status.OUTPUT_LIMIT),
    _bad("def tool():\n    h = []\n    while True: h.append(' ' * 10**7)", Status.MEMORY),
    _bad("import os\ndef tool(): os._exit(3)", Status.KILLED),
    _bad("import ctypes\ndef tool(): ctypes.string_at(0)", Status.KILLED),
    _bad("import os\ndef tool():\n    while True: os.fork()", Status.ERROR),
    _bad("import os\ndef tool(): os.kill(os.getppid(), 9)", Status.ERROR),
    _bad("import os\ndef tool(): os.closerange(0, 99)", Status.KILLED, Status.ERROR),
    _bad("import os\ndef tool():\n    os.write(3, b'z' * 99)\n    return 1", Status.KILLED),
    _bad("def tool():\n    open('/tmp/toolguild-soak', 'w')", Status.ERROR),
    _bad("import socket\ndef tool(): socket.socket()", Status.ERROR),
    _bad("def tool(): return ().__class__.__base__", Status.REFUSED, walled=True),
    _bad("import threading, time\ndef tool():\n    while True:\n"
         "        threading.Thread(target=time.sleep, args=[9], daemon=True).start()",
         Status.ERROR, Status.TIMEOUT, Status.MEMORY),
)  # fmt: skip


def mixture(count: int, chance: random.Random) -> list[Case]:
    """Draw so many: one in ten is hostile, one in a hundred wants a workspace.

    The latter needs a worker of its own kind, for which another may have to go.
    """
    return [
        _WRITING if number % 100 == 50 else chance.choice(_ORDINARY if number % 10 else _HOSTILE)
        for number in range(1, count + 1)
    ]
