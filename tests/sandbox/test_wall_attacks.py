"""Programs that try to get around the wall, with no isolation behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import toolguild

CANARY = "canary-7f3a9c"
_BESIDE = Path(toolguild.__file__).resolve().parent.parent / "shared"
SHARED = Path(os.environ.get("TOOLGUILD_SHARED", _BESIDE))

# Runs each program in a process of its own, forked from one that nothing is kept in.
_ALONE = """
import json, os, sys, types
from toolguild.sandbox.wall import RefusedError, Rules, Wall
from toolguild.sandbox.wall_profile import wall_rules

RULES = Rules.from_plain(wall_rules())

def run(source):
    module = sys.modules["tool"] = types.ModuleType("tool")
    module.call_tool = lambda name, arguments: None
    try:
        wall = Wall(RULES, module)
        code = wall.compile(source)
        wall.enter()
        exec(code, module.__dict__)
        return "value", repr(module.tool())
    except RefusedError as error:
        return "refused", str(error)
    except BaseException as error:
        return "error", f"{type(error).__name__}: {error}"

for line in sys.stdin:
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os.write(write, json.dumps([*run(json.loads(line)), os.getpid()]).encode()[:60000])
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        print(answer.read() or '["died", "", 0]')
    os.waitpid(child, 0)
"""


def behind_the_wall_alone(sources: list[str]) -> list[tuple[str, str, int]]:
    """Return for each program how it ended, what it gave, and its process id."""
    done = subprocess.run(
        [sys.executable, "-c", _ALONE],
        input="".join(json.dumps(source) + "\n" for source in sources),
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
        env={**os.environ, "SBX_CANARY": CANARY},
    )
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def ending(source: str) -> tuple[str, str]:
    [(kind, what, _)] = behind_the_wall_alone([source])
    return kind, what


ATTACKS = {
    "singledispatch text annotation": """\
from functools import singledispatch
@singledispatch
def f(x): return 0
def tool():
    def g(x: "box.append([c for c in ().__class__.__base__.__subclasses__()])"): return 1
    f.register(g)
""",
    "ABCMeta called": """\
import abc
def tool(): return str(abc.ABCMeta("X", (), {"__match_args__": ("__self__",)}))
""",
    "ABCMeta via class of ABC": """\
import abc
def tool(): return str(abc.ABC.__class__("X", (), {}))
""",
    "type of ABC": """\
import abc
def tool(): return str(type(abc.ABC)("X", (), {}))
""",
    "type 3": """\
def tool(): return str(type("X", (), {}))
""",
    "type alias called": """\
def tool(): return str(type[int]("X", (), {}))
""",
    "type of type": """\
def tool(): return str(type(type(1))("X", (), {}))
""",
    "class of class": """\
def tool(): return str((1).__class__.__class__("X", (), {}))
""",
    "derive from type": """\
class M(type):
    pass
def tool(): return str(M("X", (), {}))
""",
    "match args of a namedtuple": """\
from abc import ABC
from collections import namedtuple
class P(namedtuple("B", "tb_frame"), ABC): pass
class Grab:
    def __enter__(self): return self
    def __exit__(self, kind, exc, tb):
        P.register(type(tb))
        match tb:
            case P(frame): self.box = [frame]
        return True
def tool():
    g = Grab()
    with g: 1/0
    return str(g.box)
""",
    "match args of a dataclass": """\
from dataclasses import dataclass
@dataclass
class P:
    tb_frame: int
def tool(): return 1
""",
    "private attribute by a registered class": """\
import asyncio
from abc import ABC
class P(ABC):
    __match_args__ = ("_get_loop",)
P.register(asyncio.Queue)
async def main():
    match asyncio.Queue():
        case P(get): return str(get())
def tool(): return asyncio.run(main())
""",
    "private attribute by a protocol": """\
import asyncio
from typing import Protocol, runtime_checkable
@runtime_checkable
class P(Protocol):
    __match_args__ = ("_get_loop",)
    def put(self): ...
async def main():
    match asyncio.Queue():
        case P(get): return str(get())
def tool(): return asyncio.run(main())
""",
    "pattern captures a method of str": """\
def tool():
    match "{0.__class__}":
        case str(format=f): return f(1)
""",
    "UserString.format": """\
from collections import UserString
import json
def tool(): return str(UserString("{0.__globals__}").format(json.dumps))
""",
    "UserString.format unbound": """\
from collections import UserString
import json
def tool(): return str(UserString.format(UserString("{0.__globals__}"), json.dumps))
""",
    "subclass of str": """\
class S(str):
    def go(self, *a): return super().format(*a)
    f = str.format
import json
def tool():
    return S("{0.__globals__}").go(json.dumps)
""",
    "format in class": """\
import json
class S(str):
    f = str.format
def tool(): return S("{0.__globals__}").f(json.dumps)
""",
    "map str.format": """\
import json
def tool(): return list(map(str.format, ["{0.__globals__}"], [json.dumps]))
""",
    "methodcaller format": """\
import json, operator
def tool(): return operator.methodcaller("format", json.dumps)("{0.__globals__}")
""",
    "nested spec": """\
import json
def tool(): return "{:{0.__globals__}}".format(json.dumps)
""",
    "attrgetter": """\
import json, operator
def tool(): return str(operator.attrgetter("dumps.__globals__")(json))
""",
    "alias write": """\
import typing, collections
def tool():
    typing.ChainMap[str, int].get = lambda *a: 42
    return collections.ChainMap({}).get("x")
""",
    "wraps onto a library class": """\
import json, functools
def f(): pass
def tool():
    functools.wraps(f)(json.JSONEncoder)
    json.JSONEncoder.default = 1
    return "written"
""",
    "dataclass onto a library class": """\
import json, dataclasses
def tool():
    dataclasses.dataclass(json.JSONEncoder)
    return "written"
""",
    "loop of a queue": """\
import asyncio
class Q(asyncio.Queue):
    def go(self): return self._get_loop()
async def main(): return str(Q().go())
def tool(): return asyncio.run(main())
""",
    "loop of a queue by super": """\
import asyncio
class Q(asyncio.Queue):
    def _get_loop(self): return super()._get_loop()
async def main(): return str(Q()._get_loop())
def tool(): return asyncio.run(main())
""",
    "submodule by from": """\
from collections import abc
def tool(): return str(abc.sys)
""",
    "os.path": """\
import os.path
def tool(): return os.path.genericpath
""",
    "os.path os by data": """\
import os
def tool(): return str(getattr(os.path, "".join("os")))
""",
    "view own": """\
import math
def tool(): return str(getattr(math, "wall describe"))
""",
    "metaclass token": """\
import abc
def tool(): return [str(getattr(abc.ABCMeta, n)) for n in ("reveal", "real")]
""",
    "metaclass by stars": """\
def f(*a): return 42
class X(**{"metaclass": f}): pass
def tool(): return str(X)
""",
    "except star": """\
class Odd(ExceptionGroup):
    def split(self, x): return 42
def tool():
    try: raise Odd("x", [ValueError()])
    except* ValueError: pass
""",
    "write to view": """\
import math
def tool():
    math.pi = 3
    return "written"
""",
    "write by for": """\
import math
def tool():
    for math.pi in [3]: pass
    return "written"
""",
    "augmented write to view": """\
import math
def tool():
    math.pi += 3
    return "written"
""",
    "del from view": """\
import math
def tool():
    del math.pi
    return "written"
""",
    "write to a library class": """\
import json
def tool():
    json.JSONEncoder.default = 1
    return "written"
""",
    "write to the class of a view": """\
import math
def tool():
    type(math).pi = 1
    return "written"
""",
    "write to a guard": """\
def tool():
    getattr.x = 1
    return "written"
""",
    "write to call_tool": """\
def tool():
    call_tool.x = 1
    return "written"
""",
    "write to a library function": """\
import json
def tool():
    json.dumps.x = 1
    return "written"
""",
    "self of getattr": """\
def tool(): return str(getattr(getattr, "__self" + "__"))
""",
    "func of getattr": """\
def tool(): return str(getattr(getattr, "__func" + "__"))
""",
    "closure of attrgetter": """\
import operator
def tool(): return str(operator.attrgetter("x").__closure__)
""",
    "frame of a generator by data": """\
def tool(): return str(getattr((x for x in ()), "gi_" + "frame"))
""",
    "guard called by name": """\
def tool(): return __import__("os")
""",
    "module getattr": """\
def __getattr__(name): return 1
def tool(): return 1
""",
    "builtins name": """\
def tool(): return str(__builtins__)
""",
    "loader": """\
def tool(): return str(__loader__)
""",
    "globals through a lambda": """\
def tool(): return str((lambda: 0).__globals__)
""",
    "object of AttributeError by match": """\
def tool():
    try: (1).x
    except AttributeError as e:
        match e:
            case AttributeError(obj=o): return "got"
""",
    "exec by sqlite": """\
import sqlite3
def tool(): return sqlite3.connect("/etc/passwd").execute("select 1").fetchone()
""",
    "zip of a path": """\
import zipfile
def tool(): return str(zipfile.ZipFile("/etc/passwd"))
""",
    "io.open": """\
import io
def tool(): return io.open("/etc/hostname").read()
""",
    "reduce": """\
import copy
class R:
    def __reduce__(self): return (print, ())
def tool(): return copy.copy(R())
""",
    "private of a library": """\
import json
def tool(): return str(json.JSONEncoder()._x)
""",
    "parser of a path": """\
import pathlib
def tool(): return str(pathlib.PurePath("a").parser)
""",
    "flavour by data": """\
import pathlib
def tool(): return str(getattr(pathlib.PurePath("a"), "_fla" + "vour"))
""",
    "mangled": """\
class A:
    def f(self): return self.__dict__
def tool(): return str(A().f())
""",
    "mangled foreign": """\
class A:
    def f(self, o): return o.__x
import json
def tool(): return str(A().f(json.JSONEncoder()))
""",
    "annotations assigned": """\
class A:
    __annotations__ = {"x": "().__class__"}
def tool(): return 1
""",
    "typing hints": """\
import typing
def tool(): return typing.get_type_hints
""",
}


def test_every_attack_is_refused_or_fails_before_it_has_anything() -> None:
    for name, (kind, what, pid) in zip(
        ATTACKS, behind_the_wall_alone([*ATTACKS.values()]), strict=True
    ):
        assert kind in ("refused", "error"), f"{name}: {kind} {what}"
        assert CANARY not in what, name
        assert str(pid) not in what, name


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def tool():\n    return eval('1')", "line 2: `eval` is not available. Use `ast.literal"),
        ("import os\nx = os.environ", "line 2: the attribute `environ` is out of reach"),
        ("import numpy", "line 1: the module `numpy` cannot be imported. Use `math`"),
        ("import urllib.request", "line 1: `urllib.request` needs the capability to network"),
        ("from os import listdir", "line 1: `os.listdir` needs the capability to read"),
        ("from os import *", "line 1: import the names of `os` that are needed, not `*`"),
        ("from . import x", "line 1: a program is one module"),
        ("_getattr_ = 1", "line 1: the name `_getattr_` belongs to the interpreter"),
        ("a = 1\nb = a.__dict__\nc = a.__bases__", "line 2: the attribute `__dict__` is out of"),
    ],
)
def test_a_refusal_names_the_line_and_what_to_do(source, says) -> None:
    kind, what = ending(source)
    assert kind == "refused"
    assert what.startswith(says), what


def test_hints_of_registered_functions_are_looked_up_and_never_evaluated() -> None:
    # `functools.singledispatch` would evaluate them, in code that no compiler of ours has seen.
    source = """
from __future__ import annotations
from functools import singledispatch
@singledispatch
def kind(value) -> str: return "other"
@kind.register
def _(value: int) -> str: return "int"
def tool(): return [kind(1), kind("x")]
"""
    assert ending(source) == ("value", "['int', 'other']")


def test_a_text_in_a_hint_cannot_reach_the_class_of_all_classes() -> None:
    made = '"".join(["().__cl", "ass__.__base__.__subcl", "asses__()"])'
    source = f"""
import typing
from functools import singledispatch
HINT = typing.Optional[{made}]
@singledispatch
def kind(value): return "other"
def tool():
    def registered(value: HINT): return "reached"
    kind.register(registered)
"""
    kind, what = ending(source)
    assert kind == "error"
    assert "ForwardRef" in what  # still text


def test_methods_of_files_are_out_of_reach_by_data_too() -> None:
    source = """
import pathlib
def tool(): return getattr(pathlib.Path("/proc/self/environ"), "read_" + "text")()
"""
    assert ending(source) == (
        "refused",
        "`.read_text` of what `pathlib` gives is out of reach.",
    )


HARMLESS = {
    "S179": "the cookie means nothing: the text is compiled as text",
    "S180": "the cookie means nothing: the text is compiled as text",
}
"""Rows that run to their end behind the wall, and why that is no way out."""


@pytest.mark.traces
def test_the_wall_alone_stops_every_bypass_of_the_static_gate() -> None:
    path = SHARED / "corpora" / "escapes.jsonl"
    if not path.is_file():
        pytest.skip(f"no corpora in {SHARED}; set TOOLGUILD_SHARED to where they are")
    rows: list[dict[str, Any]] = [
        row
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
        if row["category"].startswith("static-bypass/") and "sandbox" in row["tiers"]
    ]
    run_to_the_end = {}
    for row, (kind, what, pid) in zip(
        rows, behind_the_wall_alone([row["code"] for row in rows]), strict=True
    ):
        name = f"{row['id']} {row['technique']}"
        assert CANARY not in what, name
        assert str(pid) not in what, name
        proof = row["proof"].partition("contains:")[2]
        assert not (kind == "value" and proof and proof in what), name
        if kind == "value":
            run_to_the_end[row["id"]] = what
        else:  # what a view does not show is not there
            assert kind == "refused" or what.startswith("AttributeError: 'module "), name
    assert run_to_the_end == dict.fromkeys(HARMLESS, "0")
