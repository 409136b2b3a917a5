"""TG216: who gets hold of the class of a class?"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.rules.base import Question, TreeRule
from toolguild.synth.validation.static.source import ToolSource

__all__ = ["QUESTIONS", "ClassOfValue", "is_argument_of"]

QUESTIONS = frozenset({"builtins.isinstance", "builtins.issubclass"})
"""Functions that look at the classes they are given, and keep none."""
_DISPLAYS = frozenset(f"builtins.{name}" for name in ("hash", "id", "print", "repr", "str"))


def is_argument_of(node: ast.AST, functions: frozenset[str], source: ToolSource) -> bool:
    """Whether an expression is an argument, or in a tuple that is one, of certain functions."""
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
            case ast.Call() if is_argument_of(node, QUESTIONS | _DISPLAYS, source):
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
        return is_argument_of(node, QUESTIONS, source)


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
