"""Attacks on the gate itself: on what it takes names, classes, annotations and calls to be.

Those under `PROVEN` return the number of their own process when Python runs them without anything
around: they got hold of `os`. None of them needs a name that looks dangerous.
"""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from toolguild.policies import Capability, Tier
from toolguild.sandbox import Program, Sandbox, Status, open_sandbox
from toolguild.synth.validation.static import SAFETY_FAMILIES, check_source, examine, refused

INJECTION = '''
import copy
from dataclasses import MISSING, dataclass
LOOT = []
class Same:
    def __eq__(self, other): return True
class Fake:
    def __init__(self):
        self.name = "x: LOOT.append(__import__('os').getpid()) or _"
        self.init = self.repr = self.kw_only = self.compare = self.hash = self.frozen = False
        self.default = self.default_factory = MISSING
        self.type = int
        self._field_type = Same()
class Base: pass
def reduce(self, protocol):
    """Let `copy` set attributes that no code names."""
    return lambda: Base, (), (None, {"__dataclass_fields__": {"x": Fake()},
                                     "__dataclass_params__": Fake()})
def inject(one):
    copy.copy(one)
    try:
        @dataclass(repr=False, eq=False)
        class Child(Base): pass
    except Exception: pass
    return LOOT[0]
'''
"""With a class or an object made of data, `copy` sets attributes by name, and `dataclass` turns the
names of fields into code."""

PROVEN = {
    "a base that stands for type": INJECTION + """
import typing
class Meta(typing.Type): pass
def tool():
    return inject(Meta("One", (), {"__reduce_ex__": reduce})())
""",
    "the class of a class called with a class": INJECTION + """
def tool():
    meta = type(int)(int)
    return inject(meta("One", (), {"__reduce_ex__": reduce})())
""",
    "cls.__class__ called with a class": INJECTION + """
class V:
    @classmethod
    def f(cls, o): return cls.__class__(o)
def tool():
    return inject(V.f(int)("One", (), {"__reduce_ex__": reduce})())
""",
    "a method given a class for self": INJECTION + """
class V:
    def f(self, o): return type(self)(o)
def tool():
    return inject(V.f(int, int)("One", (), {"__reduce_ex__": reduce})())
""",
    "type kept as the key of a dict": INJECTION + """
def tool():
    kept = {}
    kept[type(int)] = 1
    return inject(list(kept)[0]("One", (), {"__reduce_ex__": reduce})())
""",
    "type kept by a defaultdict that is asked for it": INJECTION + """
from collections import defaultdict
def tool():
    kept = defaultdict(int)
    kept[type(int)]
    return inject(list(kept)[0]("One", (), {"__reduce_ex__": reduce})())
""",
    "type in an annotation, given to __getitem__": INJECTION + """
class Box:
    def __getitem__(self, item): self.item = item
BOX = Box()
def tool():
    def f(x: BOX[type]): pass
    return inject(BOX.item("One", (), {"__reduce_ex__": reduce})())
""",
    "type in an annotation, given to __or__": INJECTION + """
class Box:
    def __or__(self, other): self.item = other
BOX = Box()
def tool():
    def f(x: BOX | type): pass
    return inject(BOX.item("One", (), {"__reduce_ex__": reduce})())
""",
    "type in an annotation, given to a class": INJECTION + """
class Box:
    def __init__(self, item): Box.item = item
def tool():
    def f(x: Box(item=type)): pass
    return inject(Box.item("One", (), {"__reduce_ex__": reduce})())
""",
    "type in an annotation, given to what cast gives": INJECTION + """
import typing
class Box:
    def __getitem__(self, item): Box.item = item
BOX = typing.cast(int, Box())
def tool():
    def f(x: BOX[type]): pass
    return inject(Box.item("One", (), {"__reduce_ex__": reduce})())
""",
    "type among the keys of a registry": INJECTION + """
from functools import singledispatch
@singledispatch
def f(x): pass
@f.register
def _(x: type): pass
def tool():
    return inject(list(f.registry)[-1]("One", (), {"__reduce_ex__": reduce})())
""",
    "the name under which cached_property keeps its value": INJECTION + """
import functools
class One:
    @functools.cached_property
    def x(self): return lambda protocol: reduce(self, protocol)
def tool():
    One.x.attrname = "__reduce_ex__"
    one = One()
    one.x
    return inject(one)
""",
    "a cached_property made by a call": INJECTION + """
import functools
class One: pass
def tool():
    made = functools.cached_property(lambda self: lambda protocol: reduce(self, protocol))
    made.attrname = "__reduce_ex__"
    One.x = made
    one = One()
    one.x
    return inject(one)
""",
    "__match_args__ of a base": INJECTION + """
class One:
    __match_args__ = ("__dict__",)
class Two(One): pass
def tool():
    two = Two()
    match two:
        case Two(names): pass
    names["__reduce_ex__"] = lambda protocol: reduce(two, protocol)
    return inject(two)
""",
    "a decorator that puts another class under a name": INJECTION + """
class One:
    __match_args__ = ("__dict__",)
def other(c): return One
@other
class Two: pass
def tool():
    one = One()
    match one:
        case Two(names): pass
    names["__reduce_ex__"] = lambda protocol: reduce(one, protocol)
    return inject(one)
""",
}  # fmt: skip

REFUSED = {
    # --- classes that are made of data, or got hold of
    "Enum in an annotation, given to __or__": """
import enum
class Box:
    def __or__(self, other): self.item = other
BOX = Box()
def tool():
    def f(x: BOX | enum.Enum): pass
    return BOX.item("X", "A B")
""",
    "a metaclass derived from that of Enum": """
import enum
class Meta(enum.EnumMeta):
    A = 1
def tool(d): return Meta("X", (), d)
""",
    "the metaclass of a TypedDict, by keywords": """
import typing
class T(typing.TypedDict):
    x: int
def tool(d): return T.__class__(name="X", bases=(), ns=d)
""",
    "the metaclass of an Enum, by keywords": """
from enum import Enum
class E(Enum):
    A = 1
def tool(d): return E.__class__("X", bases=(), classdict=d)
""",
    "an operator of the text's own that gives a class": """
class V:
    def __add__(self, o): return int
def tool(): return type(int)(V() + 1)
""",
    "a comparison of the text's own that gives a class": """
class V:
    def __lt__(self, o): return int
def tool(): return type(int)(V() < 1)
""",
    "a decorated class as a base": """
import io
def other(c): return io.TextIOWrapper
@other
class A: pass
class B(A): pass
""",
    "a decorated class called while loading": """
def other(c): return print
@other
class A: pass
X = A("hello")
""",
    "type as a base through a Generic": """
from typing import Generic, TypeVar
T = TypeVar("T")
class G(Generic[T]): pass
class H(G[type]): pass
def tool(): return H.__orig_bases__
""",
    "type as the keyword of a class": """
class A:
    def __init_subclass__(cls, m=None): cls.m = m
class B(A, m=type): pass
""",
    "type in a slice of an annotation": """
class Box:
    def __getitem__(self, item): self.item = item
BOX = Box()
def tool(x: BOX[1:type]): return x
""",
    "type under a generic's name that the text took": """
class Box:
    def __getitem__(self, item): self.item = item
dict = Box()
def tool(x: dict[str, type]): return x
""",
    "type under a typing name that the text took": """
class Box:
    def __or__(self, other): self.item = other
TypeVar = Box
T = TypeVar()
def tool(x: T | type): return x
""",
    "type by a class pattern": """
def tool(x):
    match x:
        case type(): return 1
""",
    "type in except": "def tool():\n    try: pass\n    except (type,): pass",
    "type among the metadata of an annotation": """
from typing import Annotated
class C:
    def __init__(self, t): C.t = t
def tool(x: Annotated[int, C(type)]): return x
""",
    # --- attributes set or read by data
    "__slots__ that makes a special attribute": 'class A:\n    __slots__ = ("__reduce_ex__",)',
    "__slots__ made of data": 'class A:\n    __slots__ = "__reduce_ex__".split()',
    "__match_args__ in an if": """
class A:
    if True:
        __match_args__ = ("__dict__",)
def tool(v):
    match v:
        case A(d): return d
""",
    "__match_args__ by a chain of assignments": """
class A:
    x = __match_args__ = ("__dict__",)
def tool(v):
    match v:
        case A(d): return d
""",
    "__match_args__ by unpacking": """
class A:
    __match_args__, x = ("__dict__",), 1
def tool(v):
    match v:
        case A(d): return d
""",
    "__match_args__ put together": """
class A:
    __match_args__ = ("__di" + "ct__",)
def tool(v):
    match v:
        case A(d): return d
""",
    "__match_args__ three bases up": """
class A:
    __match_args__ = ("__dict__",)
class B(A): pass
class C(B): pass
class D(C): pass
def tool(v):
    match v:
        case D(d): return d
""",
    "a pattern of a nested class": """
class K:
    class P:
        __match_args__ = ("__dict__",)
def tool(v):
    match v:
        case K.P(d): return d
""",
    "a pattern of a class that a nested function replaces": """
def tool(v):
    class P: pass
    def g():
        nonlocal P
        P = AttributeError
    g()
    match v:
        case P(d): return d
""",
    "a name tested against a list that grows": """
NAMES = ["real"]
def tool(x, n):
    NAMES.append("__class__")
    if n not in NAMES: raise ValueError
    return getattr(x, n)
""",
    "a name tested by an equality of the text's own": """
class S(str):
    def __eq__(self, o): return True
    __hash__ = str.__hash__
def read(x, n):
    if n not in ("real",): raise ValueError
    return getattr(x, n)
def tool(x): return read(x, S("__class__"))
""",
    "a name tested in another call": """
def outer(x, n):
    if n not in ("real",): raise ValueError
    def inner(n): return getattr(x, n)
    return inner("__class__")
""",
    "a name tested and changed": """
def tool(x, n):
    if n not in ("real",): raise ValueError
    n = "__cla" + x
    return getattr(x, n)
""",
    "a name tested without a consequence": """
def tool(x, n):
    if n not in ("real",): print(n)
    return getattr(x, n)
""",
    "a name tested on another way": """
def tool(x, n, y):
    if y:
        if n not in ("real",): raise ValueError
    return getattr(x, n)
""",
    "a constant that a walrus changes": """
def tool(x, v):
    n = "real"
    [n := y for y in v]
    return getattr(x, n)
""",
    "a constant that a pattern changes": """
def tool(x, v):
    n = "real"
    match v:
        case [*n]: pass
    return getattr(x, n)
""",
    "a constant that an import changes": """
N = "real"
def tool(x):
    global N
    import json as N
    return getattr(x, N)
""",
    "a constant that a handler changes": """
def tool(x):
    n = "real"
    try: pass
    except ValueError as n: pass
    return getattr(x, n)
""",
    "a constant that an inner function changes": """
def tool(x, v):
    n = "real"
    def g():
        nonlocal n
        n = v
    g()
    return getattr(x, n)
""",
    "a template in a constant of a class": """
class K:
    T = "{0.gi_frame}"
def tool(x): return K.T.format(x)
""",
    "attrgetter of a split name": """
from operator import attrgetter
def tool(x): return attrgetter(*"a __class__".split())(x)
""",
    "methodcaller of a hook": """
from operator import methodcaller
def tool(x): return methodcaller("__getattribute__", "__class__")(x)
""",
    "object.__setattr__ by data": "def tool(o, n): object.__setattr__(o, n, 1)",
    "super().__setattr__ by data": """
class A:
    def f(self, n): super().__setattr__(n, 1)
""",
    "partial's state": """
from functools import partial
def tool(): partial(print).__setstate__((len, (), {}, {}))
""",
    # --- what others hold
    "a method of a library's class, through its generic": """
import typing
def tool(): typing.Counter[int].most_common = lambda self: 1
""",
    "a method of a library's class, through a value": """
from collections import Counter
def tool(): type(Counter()).most_common = lambda self: 1
""",
    "a method of a library's class, through __class__": """
from collections import Counter
def tool(): Counter().__class__.most_common = lambda self: 1
""",
    "a method of a library's class, under another name": """
from collections import Counter
def tool():
    mine = Counter
    mine.most_common = lambda self: 1
""",
    "a method of a library's class, deleted": """
import json
def tool(): del json.JSONEncoder.default
""",
    "the table by which tarfile calls": """
import tarfile
def tool(): tarfile.TarFile.OPEN_METH["tar"] = "gzopen"
""",
    "a builder of documents that fetches addresses": """
from xml.dom.minidom import Document
def tool(u): return Document().implementation.createDOMBuilder(1, None).parseURI(u)
""",
    "the traceback that __exit__ is given": """
class M:
    def __enter__(self): return self
    def __exit__(self, t, v, tb): self.frame = tb.tb_frame
""",
    "the traceback that ExitStack hands on": """
from contextlib import ExitStack
def tool():
    with ExitStack() as stack:
        stack.push(lambda t, v, tb: tb.tb_next)
""",
    "the generator of a context manager": """
from contextlib import contextmanager
@contextmanager
def cm(): yield
def tool(): return cm().gen.gi_frame
""",
    "an exception's object, out of a group": """
def tool():
    group = ExceptionGroup("x", [AttributeError(1)])
    return group.subgroup(lambda e: e.obj)
""",
    "the frame of an asynchronous generator": "async def g(): yield 1\ndef tool(): g().ag_frame",
    "the coroutine of a task": """
import asyncio
async def g(): return asyncio.create_task(g()).get_coro()
""",
    "the loop of a queue": """
import asyncio
async def g(): return asyncio.Queue()._get_loop()
""",
    "a name that is another one inside of its class": """
class gi:
    def f(self, o): return o.__frame
""",
    "a name that is a module's inside of a class": """
import json as _C__m
class C:
    def f(self): return __m.codecs
""",
    # --- the interpreter's own names
    "__builtins__ in a function": "def tool(): return __builtins__",
    "__loader__": "def tool(): return __loader__",
    "__class__ in a method": "class A:\n    def f(self): return __class__",
    "__annotations__ in a class": 'class A:\n    __annotations__["x=1"] = int',
    "__getattr__ of the module": "def __getattr__(n): return 1",
    "warnings.sys": "import warnings\ndef tool(): return warnings.sys",
    "typing.get_type_hints": "from typing import get_type_hints\ndef tool(): pass",
    "string.Formatter": "from string import Formatter\ndef tool(): pass",
    "functools.update_wrapper": "from functools import update_wrapper\ndef tool(): pass",
    "dataclasses.make_dataclass": "from dataclasses import make_dataclass\ndef tool(): pass",
    "types.new_class": "from types import new_class\ndef tool(): pass",
    "copy.replace": "from copy import replace\ndef tool(): pass",
    "operator.call": "from operator import call\ndef tool(): pass",
    "enum.property": "from enum import property as p\ndef tool(): pass",
    "re.Scanner": "import re\ndef tool(): return re.Scanner([])",
    "logging": "import logging\ndef tool(t): logging.getLogger().info(t)",
}  # fmt: skip

EFFECTS = {
    "getattr names the method": (
        Capability.WRITE,
        """
from pathlib import Path
def tool(p): getattr(Path(p), "write_text")("x")
""",
    ),
    "attrgetter names the method": (
        Capability.WRITE,
        """
from pathlib import Path
from operator import attrgetter
def tool(p): attrgetter("unlink")(Path(p))()
""",
    ),
    "methodcaller names the method": (
        Capability.WRITE,
        """
from pathlib import Path
from operator import methodcaller
def tool(p): methodcaller("write_text", "x")(Path(p))
""",
    ),
    "a class pattern names the method": (
        Capability.WRITE,
        """
from pathlib import Path
def tool(p):
    match Path(p):
        case Path(write_text=w): w("x")
""",
    ),
    "a tested name names the method": (
        Capability.WRITE,
        """
from pathlib import Path
def tool(p, n):
    if n not in ("unlink", "exists"): return
    getattr(Path(p), n)()
""",
    ),
    "a class of the text's own has a method of that name": (
        Capability.WRITE,
        """
from pathlib import Path
class A:
    write_text = 1
def tool(p): Path(p).write_text("x")
""",
    ),
    "a path's replace that is handed on": (
        Capability.WRITE,
        """
from pathlib import Path
def tool(p, q): return list(map(Path(p).replace, [q]))
""",
    ),
    "a path's replace by keyword": (
        Capability.WRITE,
        """
from pathlib import Path
def tool(p, q): Path(p).replace(target=q)
""",
    ),
    "the class of a connection": (
        Capability.WRITE,
        """
import sqlite3
def tool(): return type(sqlite3.connect(":memory:"))("x.db")
""",
    ),
    "the class of an open file": (
        Capability.WRITE,
        """
def tool(p): return open(p, "rb").raw.__class__("y", "w")
""",
    ),
    "a file in memory in another place": (
        Capability.WRITE,
        """
import tarfile, io
def tool(p): return tarfile.open(p, "w", tarinfo=io.BytesIO())
""",
    ),
    "a file in memory as the level of compression": (
        Capability.WRITE,
        """
import gzip, io
def tool(p): return gzip.GzipFile(p, "w", io.BytesIO())
""",
    ),
    "SQL put together": (
        Capability.WRITE,
        """
import sqlite3
def tool(p): sqlite3.connect(":memory:").execute("ATT" + "ACH '" + p + "' AS y")
""",
    ),
    "SQL under another name": (
        Capability.WRITE,
        """
import sqlite3
def tool(q):
    run = sqlite3.connect(":memory:").execute
    return run(q)
""",
    ),
    "a script of SQL that goes on": (
        Capability.WRITE,
        """
import sqlite3
def tool(q): sqlite3.connect(":memory:").executescript("SELECT 1;" + q)
""",
    ),
    "a parser that reads a path": (
        Capability.READ,
        """
import configparser
def tool(p): return configparser.ConfigParser().read(p)
""",
    ),
    "an archive that reads a file": (
        Capability.READ,
        """
import zipfile, io
def tool(p): zipfile.ZipFile(io.BytesIO(), "w").write(p)
""",
    ),
    "a tree that reads a file": (
        Capability.READ,
        """
import xml.etree.ElementTree as ET
def tool(p): return ET.ElementTree(None, p)
""",
    ),
}


@pytest.mark.parametrize("attack", PROVEN)
def test_a_proven_way_out_is_refused_at_every_tier(attack: str) -> None:
    for tier in Tier:
        assert refused(check_source(PROVEN[attack], tier, families=SAFETY_FAMILIES))


@pytest.fixture(scope="module")
def local_sandbox() -> Iterator[Sandbox]:
    with open_sandbox("local") as sandbox:
        yield sandbox


@pytest.mark.parametrize("attack", PROVEN)
def test_behind_the_wall_a_proven_way_out_is_none(attack: str, local_sandbox: Sandbox) -> None:
    outcome = local_sandbox.run(Program(PROVEN[attack], "tool"), {}, tier=Tier.SANDBOX)
    assert outcome.status in (Status.REFUSED, Status.ERROR), outcome
    assert "RefusedError" in outcome.error or outcome.status is Status.REFUSED, outcome


@pytest.mark.parametrize("attack", PROVEN)
def test_a_proven_way_out_is_one(attack: str) -> None:
    program = f"{PROVEN[attack]}\nimport os\nprint(tool() == os.getpid())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr
    assert done.returncode == os.EX_OK


@pytest.mark.parametrize("attack", REFUSED)
def test_an_attack_is_refused_at_every_tier(attack: str) -> None:
    for tier in Tier:
        assert refused(check_source(REFUSED[attack], tier, families=SAFETY_FAMILIES))


@pytest.mark.parametrize("attack", EFFECTS)
def test_a_hidden_effect_is_seen(attack: str) -> None:
    capability, text = EFFECTS[attack]
    told = examine(text, Tier.SANDBOX)
    assert capability in told.needs
    safety = check_source(text, Tier.SANDBOX, families=SAFETY_FAMILIES)
    assert refused(safety) is (capability not in Tier.SANDBOX.capabilities)
