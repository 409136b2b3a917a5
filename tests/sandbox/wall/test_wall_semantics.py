"""Behind the wall a program means what it means without: the same values, errors and prints."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolguild.policies import Tier
from toolguild.sandbox import Limits, Outcome, Program, Sandbox, Status

QUICK = Limits(wall_s=10)


def both(sandbox: Sandbox, source: str) -> tuple[Outcome, Outcome]:
    """Run a program behind the wall and without it."""
    text = textwrap.dedent(source)
    walled, plain = (
        sandbox.run(Program(text, "tool", walled=walled), {}, tier=Tier.SANDBOX, limits=QUICK)
        for walled in (True, False)
    )
    return walled, plain


def told(outcome: Outcome) -> tuple[Status, object, str, str]:
    return outcome.status, repr(outcome.value), outcome.error, outcome.stdout


CONSTRUCTS = {
    "annotated and augmented assignment": """
        class Box:
            total: int = 0
            def __init__(self): self.items: list[int] = [1, 2]; self.n = 3
        calls = []
        def at(i): calls.append(i); return i
        def box(b): calls.append("box"); return b
        def tool():
            b, d = Box(), {"k": 1}
            box(b).n += 4
            b.items[at(0)] += 10
            b.items[at(1):] *= 2
            d["k"] -= 5
            Box.total |= 6
            del d["k"], b.n
            return [b.items, d, Box.total, calls, hasattr(b, "n")]
        """,
    "dataclasses": """
        from dataclasses import asdict, dataclass, field, replace
        from typing import ClassVar
        @dataclass(order=True)
        class P:
            x: int
            tags: list[str] = field(default_factory=list)
            kind: ClassVar[str] = "point"
            _hidden: int = 7
            def __post_init__(self): self.y = self.x * 2
        @dataclass(frozen=True, slots=True)
        class S:
            a: int
            _b: int = 2
            def both(self): return self.a + self._b
        @dataclass(slots=True)
        class M:
            a: int
        def tool():
            m = M(1); m.a += 1
            try: S(1).a = 2
            except Exception as e: failed = type(e).__name__
            match P(3):
                case P(x, [], y=y): matched = [x, y]
            return [asdict(P(1, ["t"])), replace(P(1), x=5).y, P(1) < P(2), S(1).both(), m.a,
                    failed, matched, P.kind]
        """,
    "lazy annotations": """
        from __future__ import annotations
        import typing
        from dataclasses import dataclass
        @dataclass
        class P:
            x: typing.Optional[int] = None
            shared: typing.ClassVar[list[int]] = []
            def next(self) -> P: return P(1)
        def tool(): return [P().next().x, sorted(P(3).__class__.__name__), P.shared]
        """,
    "enums, named tuples, typed dicts, abstract classes": """
        import abc, enum
        from collections import namedtuple
        from typing import NamedTuple, TypedDict, Protocol, Generic, TypeVar, runtime_checkable
        T = TypeVar("T")
        class Colour(enum.Enum):
            RED = "r"
            _ignore_me = 3
            @property
            def label(self): return self.name.title() + self._value_
        class Size(str, enum.Enum):
            BIG = "{}!"
        class Flag(enum.IntFlag):
            A = enum.auto(); B = enum.auto()
        class P(NamedTuple):
            x: int
            y: int = 2
            def total(self): return self.x + self.y
        class D(TypedDict, total=False):
            a: int
        class Base(abc.ABC):
            @abc.abstractmethod
            def go(self): ...
        class Sub(Base):
            def go(self): return super().__init__()
        class Meta(metaclass=abc.ABCMeta):
            pass
        @runtime_checkable
        class Goes(Protocol):
            def go(self): ...
        class Stack(Generic[T]):
            def __init__(self): self._items = []
            def push(self, item: T): self._items.append(item); return self
        Q = namedtuple("Q", "a b")
        def tool():
            try: Base()
            except TypeError as e: refused = "abstract" in str(e)
            return [Colour("r").label, Colour.RED.name, list(Colour.__members__), Flag.A | Flag.B,
                    P(1)._replace(y=5).total(), P(1)._asdict(), D(a=1), Sub().go(), refused,
                    Q(1, 2)._fields, isinstance(Sub(), Goes), Stack[int]().push(1)._items,
                    Size.BIG.format(1), isinstance(Meta(), Meta), Colour.RED.__class__.__name__]
        """,
    "special methods and inheritance": """
        class V:
            __slots__ = ("_x", "y")
            def __init__(self, x): self._x = x
            def __add__(self, o): return V(self._x + o._x)
            __radd__ = __add__
            def __eq__(self, o): return isinstance(o, V) and o._x == self._x
            def __hash__(self): return hash(self._x)
            def __getitem__(self, i): return self._x * i
            def __repr__(self): return f"V({self._x!r})"
            def __len__(self): return 3
            def __call__(self, *a, **k): return [a, k]
            def __enter__(self): return self
            def __exit__(self, *e): return True
            def __bool__(self): return False
        class W(V):
            def __init__(self, x): super().__init__(x); self.__secret = x
            def get(self): return self.__secret, type(self).__name__, self.__class__.__name__
            @classmethod
            def make(cls, x): return cls(x)
            @staticmethod
            def twice(x): return x * 2
            @property
            def p(self): return self._x
            @p.setter
            def p(self, v): self._x = v
            def __getattr__(self, name): return "no " + name
        def tool():
            w = W.make(3); w.p = 4; w.p += 1
            with w: 1 / 0
            return [repr(V(1) + V(2)), V(1) == V(1), V(2)[3], len(V(1)), V(1)(1, a=2), w.get(),
                    w.p, W.twice(2), w.missing, {V(1): 1}[V(1)], not V(1), w._W__secret]
        """,
    "match": """
        class P:
            __match_args__ = ("x", "y")
            def __init__(self, x, y): self.x, self.y = x, y
        class K:
            ONE = 1
        def kind(v):
            match v:
                case K.ONE: return "one"
                case P(0, y=other) if other > 1: return ["big", other]
                case P(x, y): return ["p", x, y]
                case int(n) | float(n): return ["n", n]
                case {"k": [first, *rest], **more}: return [first, rest, more]
                case [P(x=a), _, *_]: return ["list", a]
                case str() as s: return s.upper()
                case None: return "none"
                case _: return "?"
        def tool():
            return [kind(v) for v in (1, P(0, 2), P(0, 1), 2.5, {"k": [1, 2], "z": 3},
                                      [P(7, 8), 1], "text", None, ())]
        """,
    "scopes, functions and comprehensions": """
        import functools, itertools
        _count = 0
        def _outer(a, /, b=2, *args, c, d=4, **kw):
            n = 0
            def inner():
                nonlocal n
                global _count
                n += 1; _count += 1
                return n
            return [inner(), inner(), a, b, args, c, d, kw]
        @functools.lru_cache(maxsize=None)
        def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
        def logged(f):
            @functools.wraps(f)
            def wrapper(*a, **k):
                wrapper.calls += 1
                return f(*a, **k)
            wrapper.calls = 0
            return wrapper
        @logged
        def add(x, y): return x + y
        def tool():
            (a, (b, *c)), d = (1, (2, 3, 4)), [5]
            for i, (j, k) in enumerate(zip("ab", "cd")): last = i, j, k
            else: last += ("else",)
            if (m := 10) > 5: m += 1
            gen = (x * y for x in range(3) for y in range(x) if y != 1)
            add(1, 2); add(x=3, y=4)
            return [_outer(1, 3, 5, c=6, e=7, **{"f": 8}), _count, fib(30), a, b, c, d, last, m,
                    list(gen), {k: v for k, v in zip("xy", (1, 2))}, sorted({1, 2} | {3}),
                    add.calls, add.__name__, [*range(2), *"ab"], (lambda x, *y: [x, y])(1, 2),
                    list(itertools.accumulate([1, 2, 3])), _outer.__name__, __name__]
        """,
    "errors": """
        import contextlib, traceback
        class Mine(ValueError):
            def __init__(self, code): super().__init__(f"code {code}"); self.code = code
        @contextlib.contextmanager
        def managed(log):
            try: yield log
            finally: log.append("closed")
        def tool():
            log = []
            try:
                with managed(log): raise Mine(3) from KeyError("x")
            except (Mine, TypeError) as error:
                error.extra = 1
                log += [error.code, str(error), repr(error.__cause__), error.extra]
            finally: log.append("finally")
            try: raise ExceptionGroup("g", [ValueError(1), TypeError(2), KeyError(3)])
            except* ValueError as e: log.append(len(e.exceptions))
            except* (TypeError, KeyError) as e: log.append([str(x) for x in e.exceptions])
            try: 1 / 0
            except ZeroDivisionError: log.append("in tool" in traceback.format_exc())
            try: None.missing
            except AttributeError as e: log.append(str(e))
            return log
        """,
    "async": """
        import asyncio
        class Aio:
            async def __aenter__(self): return self
            async def __aexit__(self, *e): return False
            def __aiter__(self): self.n = 0; return self
            async def __anext__(self):
                self.n += 1
                if self.n > 3: raise StopAsyncIteration
                return self.n
        async def gen():
            for i in range(3): yield i; await asyncio.sleep(0)
        async def main():
            async with Aio() as a: got = [i async for i in a]
            async for i in gen(): got.append(i)
            return got + list(await asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0, 2)))
        def tool(): return asyncio.run(main())
        """,
    "texts": """
        from collections import UserString
        class P:
            def __init__(self): self.x = [1, {"k": 2.5}]; self._y = "hidden"
            def __format__(self, spec): return f"<{spec}>"
        def tool():
            p, width = P(), 7
            return ["{} {}".format(1, 2), "{0.x[1][k]:>{1}}|{a!r:^5}".format(p, width, a="q"),
                    "{.x} {}".format(p, 3), "{p:abc}".format(p=p),
                    "{x[0]}{{}}".format_map({"x": [1]}), str.format("{:>4}{.x}", 1, p),
                    "%s-%d" % ("a", 1), "%(a)s" % {"a": 1},
                    f"{p.x[1]['k']:>{width}.2f} {width=} {p!s:.3}"[:12], "{0._y}".format(p),
                    list(map("{:02d}".format, [1, 2])), UserString("{} b").format("a"),
                    "a,b".split(",")[1].join("xy"), "{0.real}".format(3), b"x".decode()]
        """,
    "modules": """
        import collections.abc, datetime as dt, decimal, json, math, operator, os.path, re, string
        import xml.etree.ElementTree as ET
        from collections import Counter, OrderedDict, defaultdict, deque
        from concurrent import futures
        from urllib.parse import urlsplit
        def tool():
            decimal.getcontext().prec = 5
            root = ET.fromstring("<a><b>1</b></a>"); root.find("b").text = "2"
            d = defaultdict(list); d["x"].append(1)
            Point = type(dt.date(2024, 1, 1))
            with futures.ThreadPoolExecutor(2) as pool:
                squares = list(pool.map(lambda n: n * n, [1, 2]))
            return [math.pi, os.path.join("a", "b"), re.sub("a", lambda m: m[0].upper(), "banana"),
                    json.dumps({"a": [1]}, sort_keys=True), dt.datetime.strptime("2024", "%Y").year,
                    str(decimal.Decimal(1) / 3), ET.tostring(root, encoding="unicode"), dict(d),
                    urlsplit("http://a/b?c").netloc, isinstance({}, collections.abc.Mapping),
                    operator.attrgetter("year", "month")(Point(2024, 5, 6)), squares,
                    operator.methodcaller("split", ",")("a,b"), string.digits, deque([1, 2])[0],
                    getattr("x", "upper")(), getattr("x", "nothing", 5), hasattr(1, "real"),
                    type(1) is int, isinstance(int, type), type(int) is type, Counter("aab")["a"],
                    type(3).__name__, str(type("")), OrderedDict(a=1).popitem(last=False)]
        """,
    "prints and a failure": """
        def tool():
            print("one", 2, sep="-", end="!\\n")
            return [][1]
        """,
}


@pytest.mark.parametrize("source", CONSTRUCTS.values(), ids=CONSTRUCTS.keys())
def test_ordinary_constructs_mean_the_same(sandbox, source) -> None:
    walled, plain = both(sandbox, source)
    assert told(walled) == told(plain)
    assert plain.ok or plain.error.startswith("IndexError"), plain.error


# --- generated programs -----------------------------------------------------------------------

_NAMES = st.sampled_from(["a", "b", "c"])


def _combine(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds(
            "({} {} {})".format,
            inner,
            st.sampled_from(["+", "-", "*", "//", "%", "==", "<", "and", "or"]),
            inner,
        ),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("xs[{} % len(xs)]".format, inner),
        st.builds("d.get(str({}), {})".format, inner, inner),
        st.builds("box.value({})".format, inner),
        st.builds("sum(i * {} for i in range(3) if i != {})".format, inner, inner),
        st.builds("len(f'{{{}}}-{{box.n:>4}}')".format, inner),
        st.builds("(lambda q, *r: q + len(r))({}, {})".format, inner, inner),
        st.builds("max([{}, *xs[:2], box.n])".format, inner),
    )


_EXPRESSIONS = st.recursive(
    _NAMES | st.integers(0, 9).map(str) | st.sampled_from(["box.n", "box._p", "len(xs)", "xs[0]"]),
    _combine,
    max_leaves=5,
)
_SIMPLE = st.one_of(
    st.builds("{} = {}".format, _NAMES, _EXPRESSIONS),
    st.builds("{} += {}".format, _NAMES, _EXPRESSIONS),
    st.builds("box.n -= {}".format, _EXPRESSIONS),
    st.builds("box._p = {}".format, _EXPRESSIONS),
    st.builds("xs[{} % len(xs)] += {}".format, _EXPRESSIONS, _EXPRESSIONS),
    st.builds("d[str({})] = {}".format, _EXPRESSIONS, _EXPRESSIONS),
    st.builds("xs.append({})".format, _EXPRESSIONS),
    st.builds("a, (b, *_) = {}, [{}, 1]".format, _EXPRESSIONS, _EXPRESSIONS),
    st.builds("print('{{0.n}} {{}}'.format(box) if {} else 'x{{:>{{}}}}'.format({}, 5))".format,
              _EXPRESSIONS, _EXPRESSIONS),
)  # fmt: skip


def _indented(lines: list[str]) -> str:
    return textwrap.indent("\n".join(lines), "    ")


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, min_size=1, max_size=3).map(_indented)
    return st.one_of(
        st.builds("for c in xs[:3]:\n{}".format, body),
        st.builds("if {}:\n{}\nelse:\n{}".format, _EXPRESSIONS, body, body),
        st.builds("try:\n{}\nexcept ZeroDivisionError as e:\n    d[str(e)] = 1".format, body),
        st.builds(
            "match [{}, box]:\n    case [0, _]: a = 1\n    case [int(k), Box(n=m)] if m > 1:\n"
            "        b = k + m\n    case _:\n{}".format,
            _EXPRESSIONS,
            body.map(lambda text: textwrap.indent(text, "    ")),
        ),
        st.builds(
            "for _ in [0]:\n    def f(x, y={}): return x + y + a\n    c = f(b)".format, _EXPRESSIONS
        ),
    )


_PROGRAMS = st.lists(st.recursive(_SIMPLE, _blocks, max_leaves=6), min_size=1, max_size=6)
_FRAME = """\
class Box:
    n: int = 1
    def __init__(self, p): self._p = p
    def value(self, x): return x % 7 + self.n + self._p
def tool():
    a, b, c, xs, d, box = 1, 2, 3, [4, 5, 6], {{}}, Box(2)
{}
    return [a, b, c, xs, d, box.n, box._p]
"""


@given(lines=_PROGRAMS)
@settings(
    max_examples=80,
    deadline=None,
    # The sandbox is shared by all examples on purpose: none may see another.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_generated_programs_mean_the_same(sandbox, lines) -> None:
    walled, plain = both(sandbox, _FRAME.format(_indented(lines)))
    assert told(walled) == told(plain)
