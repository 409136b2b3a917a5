"""TG211, TG217, TG218, TG306: how are classes made?

A class that is made out of data has special methods that no rule has seen, and `dataclass` turns
the names of fields into source text. So classes are made by `class` statements only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from toolguild.policies.code_rules import listed
from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.index import FunctionNode
from toolguild.synth.validation.static.rules.base import Question, TreeRule, shown
from toolguild.synth.validation.static.rules.class_of_value import QUESTIONS, is_argument_of
from toolguild.synth.validation.static.scopes import ScopeKind
from toolguild.synth.validation.static.source import ToolSource
from toolguild.synth.validation.static.type_hints import is_type_hint

__all__ = ["ClassHeader", "DecoratorOnly", "FieldHeld", "HeaderOnly"]


class ClassHeader(TreeRule[ast.ClassDef]):
    """A class that derives from something whose inner workings it could take over."""

    code = "TG211"
    title = "class header"
    why = (
        "A metaclass decides what `isinstance` says, and subclasses of some library classes choose"
        " what these open or set. Besides its own classes a tool has the listed bases."
    )
    remedy = "Derive from a class of the tool, a builtin data type, an exception, or nothing."
    good = (
        "class A: pass\nclass B(A): pass",
        "from enum import Enum\nclass C(str, Enum):\n    X = 'x'",
        "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass G(Generic[T]): pass",
        "from collections import namedtuple\nclass P(namedtuple('P', 'a b')): pass",
        "from typing import TypedDict\nclass D(TypedDict, total=False): pass",
        "import abc\nclass I(metaclass=abc.ABCMeta): pass",
        "import json\nclass E(json.JSONEncoder): pass",
    )
    bad = (
        "import array\nclass M(array.array): pass",
        "class G(ExceptionGroup): pass",
        "def b(*a): pass\nclass L(metaclass=b): pass",
        "def f(x):\n    class A(x): pass",
        "class A(*[int]): pass",
        "class A(**{'x': 1}): pass",
        "def f(x):\n    class A(x()): pass",
        "class A: pass\nA = int\nclass B(A): pass",
        "import typing\nclass M(typing.Type): pass",
        "import enum\nclass M(enum.EnumMeta):\n    A = 1",
        "def own(c): return ExceptionGroup\n@own\nclass A: pass\nclass B(A): pass",
        "import io\nclass R(io.TextIOWrapper): pass",
        "class int(Exception): pass\nclass B(int): pass\nint = list",
        "import enum\nclass E(enum.Enum): pass",
        "import enum\nclass E(enum.Enum):\n    x = property()",
    )
    visits = (ast.ClassDef,)

    def check(
        self, node: ast.ClassDef, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look at the bases and at the keywords."""
        yield from self._bases(node, source, question)
        for keyword in node.keywords:
            metaclass = source.certain_origin(keyword.value)
            if keyword.arg == "metaclass" and metaclass in question.profile.definitions.metaclasses:
                continue
            if keyword.arg in (None, "metaclass") or not isinstance(keyword.value, ast.Constant):
                message = f"the keyword {shown(keyword.arg or '**')} decides how the class is made"
                yield self.at(keyword, source, message, "Leave the keyword out.")

    def _bases(
        self, node: ast.ClassDef, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        rules = question.profile.definitions
        for base in node.bases:
            plain = base.value if isinstance(base, ast.Subscript) else base
            if source.own_class(plain) is not None:
                continue
            called = isinstance(plain, ast.Call)
            origin = source.certain_origin(plain.func if isinstance(plain, ast.Call) else plain)
            if origin is None or not listed(rules.base_calls if called else rules.bases, origin):
                message = f"a tool's class may not derive from {shown(origin or 'this')}"
                yield self.at(base, source, message)
            elif origin in rules.header_only and not any(
                _is_member(item, source) for item in node.body
            ):
                # A member-less `Enum` can be called to make classes out of data.
                message = "a class derived from Enum has at least one constant member"
                yield self.at(base, source, message, "Write `NAME = value` in its body.")


def _is_member(node: ast.stmt, source: ToolSource) -> bool:
    """Whether a statement gives an `Enum` a member; values with methods of their own might not."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if not name.startswith("_"):
            if isinstance(value, ast.Call):
                return source.certain_origin(value.func) == "enum.auto"
            return isinstance(value, ast.Constant | ast.Tuple | ast.List | ast.UnaryOp)
    return False


class HeaderOnly(TreeRule[ast.Name | ast.Attribute]):
    """`Enum` or a metaclass, used in another way than to derive a class."""

    code = "TG217"
    title = "class made by a call"
    why = (
        "`Enum('X', data)` and `ABCMeta('X', (), data)` make classes out of data, with any special"
        " method in them. `class` statements show what a class holds."
    )
    remedy = "Write a `class` statement."
    good = (
        "from enum import Enum\nclass C(Enum):\n    A = 1\ndef f(x): return isinstance(x, Enum)",
        "from abc import ABCMeta\nclass I(metaclass=ABCMeta): pass",
        "import enum\ndef f(x: enum.Enum | None): pass",
    )
    bad = (
        "from enum import Enum\ndef f(): return Enum('C', 'A B')",
        "import enum\nE = enum.Enum",
        "import enum\nclass B:\n    def __ror__(self, t): return t\nb = B()\n"
        "def f(x: enum.Enum | b): pass",
        "import abc\ndef f(d): return abc.ABCMeta('X', (), d)",
        "def f():\n    from enum import IntEnum as E\n    return [E]",
    )
    visits = (ast.Name, ast.Attribute)

    def check(
        self, node: ast.Name | ast.Attribute, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look at what holds one of the classes."""
        found = source.origins(node) & question.profile.definitions.header_only
        parent = source.parent(node)
        in_header = isinstance(parent, ast.ClassDef) or (
            isinstance(parent, ast.keyword) and isinstance(source.parent(parent), ast.ClassDef)
        )
        if not found or not source.is_read(node) or in_header or is_type_hint(node, source):
            return
        if not is_argument_of(node, QUESTIONS, source):
            yield self.at(node, source, f"{min(found)} can make classes out of data")


class DecoratorOnly(TreeRule[ast.Name | ast.Attribute]):
    """`dataclass` or `wraps` used as a function."""

    code = "TG306"
    title = "decorator used as a function"
    why = (
        "`dataclass` writes the names of fields into source text and runs it; given a class made"
        " out of data it runs data. `wraps` copies annotations from whatever to whatever."
    )
    remedy = "Put it behind an `@`, as the last one before the `class` or `def`."
    good = (
        "from dataclasses import dataclass\n@dataclass(order=True)\nclass A:\n    x: int",
        "from functools import total_ordering as t\nimport dataclasses as d\n"
        "@d.dataclass\n@t\nclass A:\n    x: int",
        "import functools\ndef d(f):\n    @functools.wraps(f)\n    def g(*a): f(*a)\n    return g",
        "class A:\n    def __init_subclass__(cls): pass",
    )
    bad = (
        "import dataclasses, typing\n"
        "T = typing.TypedDict('T', {'x=1': int})\ndef f(): return dataclasses.dataclass(T)",
        "from dataclasses import dataclass\nd = dataclass",
        "from dataclasses import dataclass\ndef own(c): return c\n@dataclass\n@own\nclass A: pass",
        "import functools, json\ndef f(c): functools.wraps(json.dumps)(c)",
        "from functools import wraps\n@wraps(len)\nclass A: pass",
        "from dataclasses import dataclass\n@dataclass\nclass A: pass\n"
        "class B:\n    def __init_subclass__(cls): pass",
        "from dataclasses import dataclass\n@dataclass\nclass A: pass\n"
        "class B:\n    def __set_name__(self, o, n): pass",
    )
    visits = (ast.Name, ast.Attribute)

    # These see a class before its decorators do, and could change what `dataclass` reads.
    _hooks = frozenset({"__init_subclass__", "__set_name__"})

    def check(
        self, node: ast.Name | ast.Attribute, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look at what one of the decorators decorates."""
        found = source.origins(node) & question.profile.definitions.decorator_only
        if not found or not source.is_read(node):
            return
        name = min(found)
        decorator = source.called_as(node) or node
        owner = source.parent(decorator)
        wanted = ast.ClassDef if name == "dataclasses.dataclass" else FunctionNode
        if not isinstance(owner, wanted) or decorator not in owner.decorator_list:
            yield self.at(node, source, f"{name} is used as something else than a decorator")
        elif isinstance(owner, ast.ClassDef):
            inner = owner.decorator_list[owner.decorator_list.index(decorator) + 1 :]
            decorators = question.profile.definitions.decorators
            if not all(source.certain_origin(d) in decorators for d in inner):
                yield self.at(node, source, "another decorator could change the class before")
            for hook in sorted(self._hooks & source.own_attributes):
                message = f"{shown(hook)} could change a class before {name} reads it"
                yield self.at(node, source, message, "Do without the hook.")


class FieldHeld(TreeRule[ast.Name | ast.Attribute]):
    """`dataclasses.field` anywhere but behind a field of a dataclass."""

    code = "TG218"
    title = "field held"
    why = (
        "What `field()` gives can be renamed, and `dataclass` writes names of fields into source"
        " text that it runs. So nothing but the dataclass may hold it."
    )
    remedy = "Write `name: type = field(...)` in the body of a dataclass."
    good = (
        "from dataclasses import dataclass, field\n@dataclass\nclass A:\n"
        "    x: list = field(default_factory=list)",
    )
    bad = (
        "from dataclasses import field\nF = field(default=1)",
        "from dataclasses import field\nclass A:\n    x: int = field(default=1)",
        "from dataclasses import dataclass, field\n@dataclass\nclass A:\n    x = field()",
        "from dataclasses import dataclass, field\n@dataclass\nclass A:\n"
        "    x: int = field(default=1)\n    y: object = (x,)",
        "import dataclasses as d\nf = [d.field]",
        "from dataclasses import dataclass, field\n@dataclass\nclass A:\n"
        "    x: int = field(default=1)\n    y: int = x",
    )
    visits = (ast.Name, ast.Attribute)

    def check(
        self, node: ast.Name | ast.Attribute, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look at where `field` is called, and at reads of what it was assigned to."""
        if not source.is_read(node):
            return
        if "dataclasses.field" in source.origins(node):
            call = source.called_as(node)
            if call is None or not self._is_field(call, source):
                yield self.at(node, source, "`field` is called outside of a field of a dataclass")
        elif isinstance(node, ast.Name) and any(
            isinstance(binding.value, ast.Call)
            and "dataclasses.field" in source.origins(binding.value.func)
            for binding in source.resolve(node).bindings
        ):
            yield self.at(node, source, f"{shown(node.id)} hands out the field itself")

    def _is_field(self, call: ast.Call, source: ToolSource) -> bool:
        statement = source.parent(call)
        owner = source.scope(call).node
        if (
            not isinstance(statement, ast.AnnAssign)
            or source.scope(call).kind is not ScopeKind.CLASS
        ):
            return False
        decorators = owner.decorator_list if isinstance(owner, ast.ClassDef) else []
        functions = (d.func if isinstance(d, ast.Call) else d for d in decorators)
        is_target = isinstance(statement.target, ast.Name) and statement.value is call
        return is_target and any(
            source.certain_origin(function) == "dataclasses.dataclass" for function in functions
        )
