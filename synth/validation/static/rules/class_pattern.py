"""TG209: which attributes do patterns read?"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.rules.attributes import objection
from toolguild.synth.validation.static.rules.base import Question, TreeRule
from toolguild.synth.validation.static.source import ToolSource

__all__ = ["ClassPattern"]


class ClassPattern(TreeRule[ast.MatchClass]):
    """A class pattern that reads attributes which the text does not show."""

    code = "TG209"
    title = "class pattern"
    why = (
        "`case Point(x)` reads the attributes that `Point.__match_args__` names. The text shows"
        " them for builtin types and for plain classes of its own only."
    )
    remedy = "Name the attributes: `case Point(x=x, y=y)`."
    good = (
        "def f(v):\n    match v:\n        case int(n) | str(n): n",
        "class P:\n    __match_args__ = ('x',)\ndef f(v):\n    match v:\n        case P(x): x",
        "from datetime import date\ndef f(v):\n    match v:\n        case date(year=y): y",
        "from typing import NamedTuple as T\nclass N(T):\n    a: int\n"
        "def f(v):\n    match v:\n        case N(a): a",
    )
    bad = (
        "def f(v):\n    match v:\n        case object(__self__=s): s",
        "def f(v):\n    match v:\n        case AttributeError(obj=o): o",
        "class P(Exception): pass\ndef f(v):\n    match v:\n        case P(x): x",
        "def f(v, C):\n    match v:\n        case C(x): x",
        "class P:\n    __match_args__ = ('__self__',)\n"
        "def f(v):\n    match v:\n        case P(x): x",
        "class P:\n    __match_args__ = ('__dict__',)\nclass Q(P): pass\n"
        "def f(v):\n    match v:\n        case Q(x): x",
        "class P:\n    __match_args__ = tuple('x')\ndef f(v):\n    match v:\n        case P(x): x",
        "def f(v):\n    match v:\n        case str(format=g): g",
        "class E(Exception): pass\ndef own(c): return E\n@own\nclass P: pass\n"
        "def f(v):\n    match v:\n        case P(x): x",
        "class P: pass\nP = int\ndef f(v):\n    match v:\n        case P(x): x",
        "class int(Exception): pass\ndef f(v):\n    match v:\n        case int(x): x",
    )
    visits = (ast.MatchClass,)

    # Types for which a single positional pattern means the value itself (PEP 634).
    _whole_values = frozenset(
        f"builtins.{name}"
        for name in (
            "bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "set",
            "str", "tuple",
        )
    )  # fmt: skip

    def check(
        self, node: ast.MatchClass, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look at the attributes named, and at the class where they are not named."""
        for name in node.kwd_attrs:
            if message := objection(name, source):
                yield self.at(node, source, message)
        if not node.patterns or source.certain_origin(node.cls) in self._whole_values:
            return
        own = source.own_class(node.cls)
        if own is None or not _is_plain(own, source):
            message = "the pattern reads attributes that the text does not show"
            yield self.at(node, source, message)
            return
        for name in _match_args(own, source):
            if message := objection(name, source) if name else "__match_args__ is no literal":
                yield self.at(node, source, message)


def _is_plain(node: ast.ClassDef, source: ToolSource, depth: int = 10) -> bool:
    """Whether `isinstance` with a class cannot be fooled: neither it nor a base has a metaclass."""
    if node.keywords or depth == 0:
        return False
    for base in node.bases:
        own = source.own_class(base)
        if source.certain_origin(base) in ("typing.NamedTuple", "builtins.object"):
            continue
        if own is None or not _is_plain(own, source, depth - 1):
            return False
    return True


def _match_args(node: ast.ClassDef, source: ToolSource, depth: int = 10) -> Iterator[str]:
    """Yield the attributes in `__match_args__` of a class and its bases; '' for no literal."""
    for base in node.bases if depth else ():
        if (own := source.own_class(base)) is not None:
            yield from _match_args(own, source, depth - 1)
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="__match_args__")], value=ast.Tuple(elts=items)):
                for item in items:
                    is_text = isinstance(item, ast.Constant) and isinstance(item.value, str)
                    yield str(item.value) if is_text and isinstance(item, ast.Constant) else ""
            case ast.Assign() | ast.AnnAssign() | ast.If() | ast.For() | ast.With():
                names = (n.id for n in ast.walk(statement) if isinstance(n, ast.Name))
                if "__match_args__" in names:
                    yield ""
