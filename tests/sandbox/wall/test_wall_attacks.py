"""Programs that try to get around the wall, with no isolation behind it."""

from __future__ import annotations

import json
from typing import Any

import pytest

CANARY = "canary-7f3a9c"

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
    "any attribute by an error of urllib": """
import json, urllib.error
def tool():
    error = urllib.error.HTTPError("u", 1, "m", None, json.dumps)
    found = super(urllib.error.HTTPError, error).__getattr__("__globals__")
    return found["__builtins__"]["__import__"]("os").getpid()
""",
    "any attribute by a class of such errors": """
import json
from urllib.error import HTTPError
class Any(HTTPError):
    def __init__(self, file): self.file = file
    def any(self, name): return super().__getattr__(name)
def tool(): return str(Any(json.dumps).any("__globals__"))
""",
    "format of a text in an error of urllib": """
import json, urllib.error
def tool():
    return urllib.error.HTTPError("u", 1, "m", None, "{0.__globals__}").format(json.dumps)
""",
    "format_map of a text in an error of urllib, by data": """
import json, operator, urllib.error
def tool():
    error = urllib.error.HTTPError("u", 1, "m", None, "{a.__globals__}")
    return operator.attrgetter("format" + "_map")(error)({"a": json.dumps})
""",
    "register of a class in an error of urllib": """
import abc, urllib.error
class Own(abc.ABC): pass
def tool():
    try: 1 / 0
    except ZeroDivisionError as error:
        urllib.error.HTTPError("u", 1, "m", None, Own).register(type(error))
        return "registered"
""",
    "private of a library class by wraps": """
import asyncio, functools
def borrowed(): pass
functools.wraps(asyncio.Queue)(borrowed)
def tool():
    async def main(): return str(borrowed._get_loop(asyncio.Queue()))
    return asyncio.run(main())
""",
    "special method by an enum made of data": """
import copy, enum
def tool():
    Odd = enum.Enum("Odd", {"__reduce_ex__": lambda self, protocol: (list, ()), "A": 1})
    return str(copy.copy(Odd.A))
""",
    "special method by an enum made of pairs": """
import enum
def tool(): return str(enum.IntEnum("Odd", [("__match_args__", ("real",)), ("A", 1)]))
""",
    "special method by an enum made of a name that lies": """
import enum
class Name(str):
    def startswith(self, what): return False
def tool(): return str(enum.Enum("Odd", [(Name("__match_args__"), ("real",))]))
""",
    "library class mixed into an enum made of data": """
import enum, gzip
def tool(): return str(enum.Enum("Odd", "A", type=gzip.GzipFile))
""",
    "registered library class": """
import asyncio
from abc import ABC
class Queue(ABC):
    __match_args__ = ("_get_loop",)
class Other(Queue):
    __match_args__ = ("put",)
def tool():
    Other.register(asyncio.Queue)
    async def main():
        match asyncio.Queue():
            case Queue(get): return str(get())
    return asyncio.run(main())
""",
    "register captured by a pattern": """
import asyncio
from abc import ABC
class Queue(ABC):
    __match_args__ = ("_get_loop",)
def tool():
    match Queue:
        case object(register=register): register(asyncio.Queue)
    return "registered"
""",
    "format captured by a pattern whose guard fails": """
import json
from abc import ABC
class Text(ABC):
    __match_args__ = ("format",)
Text.register(str)
def tool():
    try:
        match "{0.__globals__}":
            case Text(found): pass
    except Exception: pass
    return found(json.dumps)
""",
    "format captured by fields of a dataclass that is refused": """
import json
from abc import ABC
from dataclasses import dataclass
class Text(ABC):
    format: int = 0
try: dataclass(Text)
except Exception: pass
Text.register(str)
def tool():
    match "{0.__globals__}":
        case Text(found): return found(json.dumps)
""",
    "format captured by a named tuple": """
import json
from abc import ABC
from collections import namedtuple
found = []
class Spy:
    def __init_subclass__(cls): found.append(cls)
try:
    class Text(Spy, namedtuple("Base", "format"), ABC): pass
except Exception: pass
def tool():
    Text = found[0]
    Text.register(str)
    match "{0.__globals__}":
        case Text(method): return method(json.dumps)
""",
    "private by a protocol seen by a hook": """
import asyncio
from typing import Protocol, runtime_checkable
found = []
class Spy:
    def __set_name__(self, owner, name): found.append(owner)
try:
    @runtime_checkable
    class Queue(Protocol):
        __match_args__ = ("_get_loop",)
        spy = Spy()
        def put(self): ...
except Exception: pass
def tool():
    Queue = runtime_checkable(found[0])
    async def main():
        match asyncio.Queue():
            case Queue(get): return str(get())
    return asyncio.run(main())
""",
    "private by fields of a dataclass that is a protocol": """
import asyncio
from dataclasses import dataclass
from typing import Protocol, runtime_checkable
@dataclass(match_args=False)
class Base:
    _get_loop: int = 0
@runtime_checkable
class Queue(Protocol):
    def put(self): ...
try: dataclass(Queue)
except Exception: pass
class Both(Base, Protocol): pass
def tool(): return str(dataclass(Both))
""",
    "private by fields of a protocol whose base keeps quiet": """
import asyncio
from dataclasses import dataclass
from typing import Protocol, runtime_checkable
@dataclass(match_args=False)
class Base:
    _get_loop: int = 0
    def __init_subclass__(cls): pass
@runtime_checkable
class Queue(Base, Protocol):
    _is_protocol = True
    def put(self): ...
try: dataclass(Queue)
except Exception: pass
def tool():
    async def main():
        match asyncio.Queue():
            case Queue(get): return str(get())
        raise LookupError("no match")
    return asyncio.run(main())
""",
    "base that stands for another each time": """
import gzip
class Base:
    def __getattr__(self, name):
        if name != "__mro_entries__": raise AttributeError(name)
        kinds = [(gzip.GzipFile,), (object,)]
        return lambda bases: kinds.pop()
class Gzip(Base()): pass
def tool(): return str(Gzip)
""",
    "module captured by a pattern whose guard fails": """
import json
class Holder:
    held = json.JSONDecoder
def tool():
    try:
        match Holder():
            case Holder(held=type() as kind): pass
    except Exception: pass
    return str(kind.__class__("X", (), {}))
""",
    "match args by a loop": """
class Odd:
    for __match_args__ in [("__self__",)]: pass
def tool():
    match print:
        case Odd(module): return str(module)
    return "read"
""",
    "match args by a sum": """
class Odd:
    __match_args__ = ("__se" + "lf__",)
def tool(): return "read"
""",
    "match args beside another name": """
class Odd:
    names = __match_args__ = ("__self__",)
def tool(): return "read"
""",
    "match args by annotation": """
class Odd:
    __match_args__: tuple = tuple(["__self__"])
def tool(): return "read"
""",
    "hook read of anything": """
import functools, json
def super(value): return value
def tool():
    prop = functools.cached_property(lambda self: 42)
    super(prop).__set_name__(json.JSONEncoder, "default")
    return super(prop).__get__(json.JSONEncoder(), None)
""",
    "super as a parameter": """
def look(super): return super(1).__get__
def tool(): return str(look(int))
""",
    "derived from an object": """
import decimal
class Odd(decimal.Decimal(1)): pass
def tool(): return str(Odd)
""",
    "derived from a library class": """
import asyncio
class Queue(asyncio.Queue): pass
def tool(): return str(Queue)
""",
    "derived from a class of no name": """
class Odd(type(iter([]))): pass
def tool(): return str(Odd)
""",
    "total ordering of a library class": """
import decimal, functools
def tool():
    functools.total_ordering(decimal.Context)
    return "written"
""",
    "attribute of a library class by a copy": """
import copy, json
class Odd:
    __slots__ = ("default",)
    target = None
    def __new__(cls): return cls.target or object.__new__(cls)
def tool():
    odd = Odd()
    odd.default = lambda self, value: 42
    Odd.target = json.JSONEncoder
    copy.copy(odd)
    return json.JSONEncoder().encode({1})
""",
    "match args by a copy": """
import copy, json
from abc import ABC
class Text(ABC): pass
Text.register(str)
class Odd:
    __slots__ = ("__match_args__",)
    target = None
    def __new__(cls): return cls.target or object.__new__(cls)
    def __getattr__(self, name):
        if name == "__match_args__": return ("format",)
        raise AttributeError(name)
def tool():
    odd = Odd()
    Odd.target = Text
    copy.copy(odd)
    match "{0.__globals__}":
        case Text(found): return found(json.dumps)
""",
    "special method of an object by a copy": """
import copy
class Name(str):
    def startswith(self, what): return False
    def __len__(self): return 0
class Odd:
    __slots__ = (Name("__class__"),)
    def __getattr__(self, name): return Other
class Other: pass
def tool(): return type(copy.deepcopy(Odd())).__name__
""",
    "private of a library object by a copied container": """
import contextlib, copy
from collections import UserDict
class Odd(UserDict):
    target = None
    def __new__(cls, *given): return cls.target or super().__new__(cls)
def tool():
    odd = Odd()
    odd._exit_callbacks = 42
    Odd.target = contextlib.ExitStack()
    copy.copy(odd)
    return "written"
""",
    "private of a library object by a container's own copy": """
import contextlib
from collections import UserList
class Odd(UserList):
    target = None
    def __new__(cls, *given): return cls.target or super().__new__(cls)
def tool():
    odd = Odd()
    odd._exit_callbacks = 42
    Odd.target = contextlib.ExitStack()
    odd.__copy__()
    return "written"
""",
    "object made anew by an enum": """
import enum, json
found = json.JSONEncoder()
class Odd(enum.Enum):
    def __new__(cls, *given): return found
    A = (True, False)
def tool(): return str(found.skipkeys)
""",
    "import by a suggestion": """
import traceback
def tool():
    error = ImportError("odd")
    error.name, error.name_from = "this", "nothing"
    text = traceback.format_exception_only(error)
    import sys
    raise LookupError(str(text))
""",
    "network by a document": """
import xml.dom.minidom
def tool():
    builder = getattr(xml.dom.minidom.Document().implementation, "create" + "DOMBuilder")
    return str(builder(1, None).parseURI("http://localhost/"))
""",
}


@pytest.mark.parametrize("capabilities", [(), ("read",), ("read", "write")], ids="+".join)
def test_every_attack_is_refused_or_fails_before_it_has_anything(alone, capabilities) -> None:
    endings = alone(ATTACKS.values(), capabilities)
    for name, ending in zip(ATTACKS, endings, strict=True):
        assert ending.kind in ("refused", "error"), f"{name}: {ending}"
        assert CANARY not in ending.what, name
        assert str(ending.pid) not in ending.what, name


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def tool():\n    return eval('1')", "line 2: `eval` is not available. Use `ast.literal"),
        ("import os\nx = os.environ", "line 2: the attribute `environ` is out of reach"),
        ("import numpy", "line 1: the module `numpy` cannot be imported. Use `math`"),
        ("import urllib.request", "line 1: `urllib.request` needs the network, which only a tool"),
        ("from os import listdir", "line 1: `os.listdir` needs the capability `read`: it must be"),
        ("from os import *", "line 1: import the names of `os` that are needed, not `*`"),
        ("from . import x", "line 1: a program is one module"),
        ("_getattr_ = 1", "line 1: the name `_getattr_` belongs to the interpreter"),
        ("a = 1\nb = a.__dict__\nc = a.__bases__", "line 2: the attribute `__dict__` is out of"),
    ],
)
def test_a_refusal_names_the_line_and_what_to_do(alone, source, says) -> None:
    [ending] = alone([source])
    assert ending.kind == "refused"
    assert ending.what.startswith(says), ending


def test_hints_of_registered_functions_are_looked_up_and_never_evaluated(alone) -> None:
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
    [ending] = alone([source])
    assert ending.value == ["int", "other"], ending


def test_a_text_in_a_hint_cannot_reach_the_class_of_all_classes(alone) -> None:
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
    [ending] = alone([source])
    assert ending.kind == "error"
    assert "ForwardRef" in ending.what  # still text


HARMLESS = {
    "S179": "the cookie means nothing: the text is compiled as text",
    "S180": "the cookie means nothing: the text is compiled as text",
}
"""Rows that run to their end behind the wall, and why that is no way out."""

ABOUT_PATHS = {"S160": ("read",), "S202": ("write",), "S204": ("write",)}
"""Rows that do nothing but name a path, once they may read or write: the isolation's matter."""


@pytest.mark.traces
@pytest.mark.parametrize("capabilities", [(), ("read",), ("read", "write")], ids="+".join)
def test_the_wall_alone_stops_every_bypass_of_the_static_gate(alone, shared, capabilities) -> None:
    path = shared / "corpora" / "escapes.jsonl"
    if not path.is_file():
        pytest.skip(f"no corpora in {shared}; set TOOLGUILD_SHARED to where they are")
    rows: list[dict[str, Any]] = [
        row
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
        if row["category"].startswith("static-bypass/")
        and "sandbox" in row["tiers"]
        and not set(ABOUT_PATHS.get(row["id"], ())) & set(capabilities)
    ]
    run_to_the_end = {}
    for row, ending in zip(rows, alone([row["code"] for row in rows], capabilities), strict=True):
        name = f"{row['id']} {row['technique']}: {ending}"
        assert CANARY not in ending.what, name
        assert str(ending.pid) not in ending.what, name
        proof = row["proof"].partition("contains:")[2]
        assert not (ending.kind == "value" and proof and proof in ending.what), name
        if ending.kind == "value":
            run_to_the_end[row["id"]] = ending.value
        else:  # what a view does not show is not there
            missing = ending.what.startswith("AttributeError: 'module ")
            assert ending.kind == "refused" or missing, name
    assert run_to_the_end == dict.fromkeys(HARMLESS, 0)
