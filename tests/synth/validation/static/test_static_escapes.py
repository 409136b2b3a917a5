"""Ways out that are not in the corpora; most were found while the rules were written."""

import pytest

from toolguild.policies import Tier
from toolguild.synth.validation.static import SAFETY_FAMILIES, check_source, refused

ESCAPES = {
    "names of fields made of data become code in dataclass": """
import dataclasses, typing
def tool():
    T = typing.TypedDict("T", {"x, y=__import__('os')": int})
    return dataclasses.dataclass(T)
""",
    "a field renamed after its class was made becomes code in a subclass": """
from dataclasses import dataclass, field
F = field(default=0)
@dataclass
class A:
    x: int = F
def tool():
    F.name = "x, y=__import__('os')"
    @dataclass
    class B(A):
        pass
    return B
""",
    "the field held by a list in the class body": """
from dataclasses import dataclass, field
@dataclass
class A:
    x: int = field(default=0)
    y: object = (x,)
def tool():
    A.y[0].name = "z"
""",
    "wraps copies annotations made of data before dataclass reads them": """
import functools, typing
from dataclasses import dataclass
T = typing.TypedDict("T", {"x, y=1": int})
class Base:
    def __init_subclass__(cls):
        functools.wraps(T)(cls)
def tool():
    @dataclass
    class A(Base):
        pass
""",
    "wraps updates one function's globals with another's": """
from functools import wraps
import json
codecs = None
def tool():
    @wraps(json.dumps, (), ("__globals__",))
    def own(): pass
    return codecs
""",
    "an augmented assignment hands a module to the right operand": """
import json
class E:
    def __radd__(self, other):
        return other
def tool():
    global json
    json += E()
    return json
""",
    "an augmented assignment hands a builtin to the right operand": """
class E:
    def __radd__(self, other):
        return other
def tool():
    class C:
        eval += E()
    return C.eval("1")
""",
    "a mangled name reads a module-level import": """
import json as _C__m
class C:
    x = __m.decoder
    __m = 1
def tool():
    return C.x
""",
    "an import in a class body makes the module an attribute": """
class C:
    import json as j
def tool():
    return C.j.decoder
""",
    "a comprehension under global sees the import and not the variable around": """
import json as m
def tool():
    m = 1
    def inner():
        global m
        return [m.decoder for _ in (1,)]
    return inner()
""",
    "nonlocal brings a module into an outer function's variable": """
def tool():
    def a():
        def b():
            nonlocal m
            import json as m
        b()
    m = 1
    a()
    return m.decoder
""",
    "a class body falls back to the builtin": """
def tool():
    class C:
        e = eval
        eval = 1
    return C.e("1")
""",
    "a deleted module variable falls back to the builtin": """
eval = 1
def tool():
    global eval
    del eval
    return eval("1")
""",
    "the class of a class makes classes out of data": """
def tool():
    return type(type(1))("X", (), {})
""",
    "Enum makes classes out of data": """
from enum import Enum
def tool(data):
    return Enum("X", data)
""",
    "an Enum without members can be called to make classes": """
from enum import Enum
class E(Enum):
    pass
def tool(data):
    return E("X", data)
""",
    "a metaclass called in an annotation": """
def tool():
    def g(x: (t := type("X", (), {}))): pass
    return t
""",
    "a forward reference is evaluated": """
from typing import Optional
class A:
    def _evaluate(self, a, b, c): pass
    def f(self):
        return self._evaluate({}, {}, frozenset())
def tool(ref):
    return A.f(ref)
""",
    "singledispatch evaluates the quoted annotation of an alias": """
from functools import singledispatch
from typing import Optional
A = Optional["exit()"]
@singledispatch
def f(x): pass
def tool():
    @f.register
    def _(x: A): pass
""",
    "a class pattern on a builtin's name that the text took over": """
class int(Exception):
    __match_args__ = ("__traceback__",)
def tool(e):
    match e:
        case int(t): return t
""",
    "a template built by a subclass of str": """
class S(str):
    def f(self, x):
        return super().format(x)
def tool(x):
    return S("{0.gi_frame}").f(x)
""",
    "a constant template that a function changes": """
T = "{}"
def change():
    global T
    T = "{0.gi_frame}"
def tool(x):
    return T.format(x)
""",
    "the private alias of a module, made the tool's own name": """
import pathlib
class A:
    _flavour = 1
def tool():
    return pathlib.Path("x")._flavour.os
""",
    "environment variables through a path": """
import os
def tool():
    return os.path.expandvars("$HOME")
""",
    "an open descriptor": "def tool(): return open(0).read()",
    "SQL opens a further file": """
import sqlite3
def tool():
    sqlite3.connect(":memory:").execute("ATTACH DATABASE 'x.db' AS y")
""",
}


@pytest.mark.parametrize("tier", [Tier.SANDBOX])
@pytest.mark.parametrize("way", ESCAPES)
def test_way_out_is_refused(way: str, tier: Tier) -> None:
    assert refused(check_source(ESCAPES[way], tier, families=SAFETY_FAMILIES))


def test_many_warnings_do_not_crowd_out_an_error() -> None:
    parameters = ", ".join(f"p{number}: object" for number in range(300))
    source = f"def tool({parameters}) -> None:\n    eval('1')"
    assert refused(check_source(source, Tier.SANDBOX))
