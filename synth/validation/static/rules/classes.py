"""TG211, TG216, TG217, TG306: how are classes made, and who gets hold of the class of a class?

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
from toolguild.synth.validation.static.scopes import ScopeKind
from toolguild.synth.validation.static.source import ToolSource
from toolguild.synth.validation.static.type_hints import is_type_hint

__all__ = ["ClassHeader", "ClassOfValue", "DecoratorOnly", "FieldHeld", "HeaderOnly"]


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
        if not _is_argument_of(node, _QUESTIONS, source):
            yield self.at(node, source, f"{min(found)} can make classes out of data")


_QUESTIONS = frozenset({"builtins.isinstance", "builtins.issubclass"})
_DISPLAYS = frozenset(f"builtins.{name}" for name in ("hash", "id", "print", "repr", "str"))


def _is_argument_of(node: ast.AST, functions: frozenset[str], source: ToolSource) -> bool:
    parent = source.parent(node)
    if isinstance(parent, ast.Tuple):
        node, parent = parent, source.parent(parent)
    in_call = isinstance(parent, ast.Call) and node in parent.args and not parent.keywords
    if not in_call or not isinstance(parent, ast.Call):
        return False
    # A builtin of that name, not something of the text's own.
    return source.certain_origin(parent.func) in functions


class ClassOfValue(TreeRule[ast.Call | ast.Attribute]):
    """`type(x)` or `x.__class__` that is handed around, or changed."""

    code = "TG216"
    title = "class of a value handed around"
    why = (
        "The class of a class is `type`, which makes classes out of data. So what `type(x)` gives"
        " is compared, shown, looked up in a dict that is written out, or called where it stands"
        " with what cannot be a class: `type(int)(int)` is `type` again."
    )
    remedy = "Use `isinstance`, `type(x).__name__`, or the class by its name."
    good = (
        "def f(x): return type(x).__name__",
        "def f(a, b): return type(a) is type(b)",
        "def f(a, d): return isinstance(1, type(a)), d.get(type(a)), f'{type(a)}'",
        "D = {int: 'n', str: 's'}\ndef f(a): return D[type(a)]",
        "class V:\n    def f(self, o): return type(self)(o, 2), self.__class__(1)",
        "class V:\n    def f(self, o): return type(self)(int(o)), type(self)([o]), type(self)()",
        "class V:\n    def f(self, o): return type(self)(self.x + o.x)",
        "def f(a): return type(a) in (int, str), type(a) == dict, str(type(a))",
    )
    bad = (
        "def f(a): t = type(a)",
        "def f(a): return type(type(a))",
        "def f(a, *b): return type(a)(*b)",
        "def f(a): return type(a)('X', (), {})",
        "x = (1).__class__.__class__",
        "def f(a): return a.__class__",
        "class E:\n    def __eq__(self, o): return o\ndef f(a): return type(a) == E()",
        "class G:\n    def __getitem__(self, o): return o\ndef f(a): return G()[type(a)]",
        "def f(a): return [type(a)]",
        "def str(x): return x\ndef f(a): return str(type(a))",
        "def f(a): return type(a).__class__",
        "def f(e, a): a = e or a.__class__",
        "def f(a): return type(a)(a)",
        "from typing import TypedDict\nclass T(TypedDict):\n    x: int\n"
        "def f(d): return T.__class__(name='X', bases=(), ns=d)",
        "class V:\n    @classmethod\n    def f(cls, o): return cls.__class__(o)",
        "class V:\n    def __add__(self, o): return int\ndef f(a): return type(a)(V() + 1)",
        "def f(a, d): d[type(a)] = 1",
        "from collections import defaultdict\nD = defaultdict(int)\ndef f(a): return D[type(a)]",
        "from collections import Counter\ndef f(): type(Counter()).update = print",
    )
    visits = (ast.Call, ast.Attribute)

    # Methods through which a class of the text's own would get hold of the value.
    _takers = frozenset(
        {"__contains__", "__eq__", "__getitem__", "__hash__", "__missing__", "__ne__", "get"}
        | {"__ge__", "__gt__", "__le__", "__lt__"}
    )

    def check(
        self, node: ast.Call | ast.Attribute, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look at what holds the class of a value."""
        if _gives_class(node, source) and not self._is_harmless(node, source):
            yield self.at(node, source, "the class of a value is handed around")

    def _is_harmless(self, node: ast.expr, source: ToolSource) -> bool:
        parent = source.parent(node)
        match parent:
            case ast.Attribute(attr=name, ctx=ast.Load()):
                return name != "__class__"
            case ast.FormattedValue(value=value):
                return value is node
            case ast.Call() if parent.func is node:
                return _makes_instance(parent, source)
            case ast.Call() if _is_argument_of(node, _QUESTIONS | _DISPLAYS, source):
                return True
            case ast.Call(func=ast.Attribute(attr="get"), args=[first, *_]):
                return first is node and not self._takers & source.own_attributes
            case ast.Compare(ops=ops) if all(isinstance(op, ast.Is | ast.IsNot) for op in ops):
                return True
            case ast.Compare(left=left, comparators=others):
                plain = all(_is_plain_class(other, source) for other in [left, *others])
                return plain or not self._takers & source.own_attributes
            case ast.Subscript(value=container, slice=index, ctx=ast.Load()) if index is node:
                # Not any container: a `defaultdict` keeps what it is asked for as a key.
                return isinstance(source.aliased(container), ast.Dict)
        return _is_argument_of(node, _QUESTIONS, source)


def _makes_instance(call: ast.Call, source: ToolSource) -> bool:
    """Whether a call of the class of a value cannot be `type(x)` or `type(name, bases, dict)`.

    The metaclasses of `Enum` and `TypedDict` take keywords and further arguments, too.
    """
    starred = any(isinstance(argument, ast.Starred) for argument in call.args)
    if starred or call.keywords or len(call.args) > 2:
        return False
    return len(call.args) != 1 or _is_no_class(call.args[0], source)


_PLAIN_VALUES = (
    ast.Constant, ast.JoinedStr, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp,
    ast.DictComp, ast.GeneratorExp,
)  # fmt: skip
_PLAIN_MAKERS = frozenset(
    f"builtins.{name}"
    for name in ("bool", "dict", "float", "frozenset", "int", "len", "list", "set", "sorted",
                 "str", "tuple")
)  # fmt: skip


_ARITHMETIC = (
    "add", "and", "divmod", "floordiv", "lshift", "matmul", "mod", "mul", "or", "pow", "rshift",
    "sub", "truediv", "xor",
)  # fmt: skip
_OPERATORS = frozenset(
    [f"__{name}__" for name in _ARITHMETIC]
    + [f"__r{name}__" for name in _ARITHMETIC]
    + ["__invert__", "__neg__", "__pos__"]
    + ["__eq__", "__ge__", "__gt__", "__le__", "__lt__", "__ne__"]
)


def _is_no_class(node: ast.expr, source: ToolSource) -> bool:
    """Whether an expression gives a value that is no class for certain."""
    if isinstance(node, ast.Call):
        return source.certain_origin(node.func) in _PLAIN_MAKERS
    if isinstance(node, ast.BinOp | ast.UnaryOp | ast.Compare):
        # Operators of the text's own could give a class.
        return not _OPERATORS & source.own_attributes
    return isinstance(node, _PLAIN_VALUES)


def _gives_class(node: ast.AST, source: ToolSource) -> bool:
    match node:
        case ast.Call(func=function, args=[_]):
            return "builtins.type" in source.origins(function)
        case ast.Attribute(attr="__class__"):
            return True
    return False


def _is_plain_class(node: ast.expr, source: ToolSource) -> bool:
    """Whether an operand is a class that is named, several of them, or the class of a value."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return all(_is_plain_class(item, source) for item in node.elts)
    named = source.own_class(node) is not None or source.certain_origin(node) is not None
    return named or _gives_class(node, source)


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
