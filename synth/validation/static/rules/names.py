"""TG201, TG202, TG205, TG210: which names, and what do they stand for?"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.index import FunctionNode
from toolguild.synth.validation.static.rules.base import Question, TreeRule, shown
from toolguild.synth.validation.static.scopes import Binding, ScopeKind
from toolguild.synth.validation.static.source import (
    BUILTIN_NAMES,
    ToolSource,
    is_dunder,
    is_sunder,
)
from toolguild.synth.validation.static.type_hints import is_type_hint

__all__ = ["GuardedFunction", "ReservedName", "SpecialDefinition", "UnknownName"]


class UnknownName(TreeRule[ast.Name]):
    """A name that the text does not define and that tools may not take from the builtins."""

    code = "TG201"
    title = "name not available"
    why = (
        "`eval`, `exec`, `vars` and their like undo every other rule, and a name that is defined"
        " nowhere fails when the tool runs. So the usable builtins are listed."
    )
    remedy = "Define the name, import it, or take the value as a parameter."
    good = (
        "def tool(input, type, id): return input, type, id",
        "x = len([])",
        "def f(): return call_tool('a', {})",
        "def f():\n    x = 1\n    def g():\n        nonlocal x\n        x += 1",
        "x = [i for i in range(3)]",
        "class A:\n    def open(self): return self.open()",
        "def f(v):\n    match v:\n        case [a, *b]: a, b\n        case {'k': c, **d}: c, d",
        "f = lambda a, /, b, *c, d, **e: (a, b, c, d, e)",
    )
    bad = (
        "def f(): return eval('1')",
        "x = __builtins__",
        "f = lambda: exec",
        "def f(): return undefined",
        "def f(calc=eval): pass",
        "class A:\n    x = vars\n    vars = 1",
        "x = globals\nglobals = 1",
        "def f():\n    return [x for x in (1,) if (y := compile)]",
        "def f():\n    return eval\n    class A:\n        eval = 1",
        "x = f'{0:{__import__}}'",
        "class A:\n    x = 1\n    def f(self): return x",
        "def f(a: 'eval'): pass",
        "def f(e):\n    class A:\n        x = [eval for _ in e]\n        eval = 1",
    )
    visits = (ast.Name,)

    def check(self, node: ast.Name, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Resolve a name that is read."""
        if not source.is_read(node):
            return
        allowed = question.profile.builtins
        if node.id in allowed.free | allowed.guarded | allowed.injected:
            return
        resolution = source.resolve(node)
        advice = question.profile.instead.get(node.id)
        if not resolution.bindings:
            known = node.id in BUILTIN_NAMES or is_dunder(node.id)
            what = "is not for tools to use" if known else "is not defined in the text"
            yield self.at(node, source, f"the name {shown(node.id)} {what}", advice)
        elif resolution.maybe_builtin and node.id in BUILTIN_NAMES:
            message = f"{shown(node.id)} is a builtin that tools may not use, until it is assigned"
            yield self.at(node, source, message, "Choose another name.")


class GuardedFunction(TreeRule[ast.Name | ast.Attribute]):
    """A function whose arguments decide what it reaches, used so that they cannot be seen."""

    code = "TG202"
    title = "function that must be called directly"
    why = (
        "`getattr`, `type`, `open` and `functools.wraps` are harmless or not depending on their"
        " arguments. Handed to `map` or stored under another name, they get arguments unseen."
    )
    remedy = "Call the function by its name, with its arguments written out."
    good = (
        "def f(x): return type(x).__name__",
        "def f(getattr): return [getattr]",
        "x: type = int",
        "from typing import Optional\ndef f(x: Optional[type[int]], y: 'type | None'): pass",
        "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass G(Generic[T]): pass\n"
        "def f(x: G[type] | T | type): pass",
        "from functools import wraps\ndef d(f):\n    @wraps(f)\n    def g(): f()\n    return g",
        "x = sorted([], key=lambda x: getattr(x, 'a', None))",
    )
    bad = (
        "f = getattr",
        "x = list(map(getattr, [], []))",
        "def f(): return type('X', (), {})",
        "def f(x): return hasattr(*x)",
        "def f(x): return getattr(x, 'a', **{})",
        "from functools import partial\nf = partial(hasattr, 'x')",
        "import operator\nf = operator.attrgetter",
        "from functools import wraps\ndef d(f):\n"
        "    @wraps(f, updated=('__globals__',))\n    def g(): f()",
        "from functools import wraps as w\ndef d(f):\n"
        "    @w(f, ('__globals__',))\n    def g(): f()",
        "class A:\n    f = hasattr\n    hasattr = 1",
        "class B:\n    def __getitem__(self, t): return t\nb = B()\ndef f(x: b[type]): pass",
        "class B:\n    def __ror__(self, t): return t\nb = B()\ndef f(x: type | b): pass",
        "class B:\n    def __init__(self, t): pass\ndef f(x: B(t=type)): pass",
        "def f(e):\n    class A:\n        getattr += e",
    )
    visits = (ast.Name, ast.Attribute)

    def check(
        self, node: ast.Name | ast.Attribute, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look at how one of the functions is used."""
        limits = question.profile.direct_calls
        for name in sorted(source.origins(node) & limits.keys()):
            if not source.is_read(node):
                continue
            if source.called_as(node) is None and is_type_hint(node, source):
                continue
            bare = name.removeprefix("builtins.")
            call = source.called_as(node)
            if call is None:
                message = f"{bare} is used as a value, so nobody sees what it is called with"
                yield self.at(node, source, message)
            elif any(isinstance(argument, ast.Starred) for argument in call.args):
                yield self.at(call, source, f"{bare} is called with arguments that cannot be seen")
            elif any(keyword.arg is None for keyword in call.keywords):
                yield self.at(call, source, f"{bare} is called with keywords that cannot be seen")
            elif len(call.args) + len(call.keywords) > limits[name]:
                message = f"{bare} is called with more than {limits[name]} argument(s)"
                yield self.at(call, source, message, "Leave out the further arguments.")


class SpecialDefinition(TreeRule[ast.Module]):
    """A name with two underscores around it that a tool has no business to define."""

    code = "TG205"
    title = "special name defined"
    why = (
        "Names such as `__reduce__`, `__class_getitem__` and `__prepare__` are hooks that Python"
        " calls without a call in the text; `__builtins__` and `__import__` replace its workings."
    )
    remedy = "Use a plain name, or one of the usual methods such as `__init__` and `__repr__`."
    good = (
        "class A:\n    __slots__ = ()\n    def __init__(self): pass\n    __hash__ = None",
        "__all__ = ['f']",
        "class V:\n    def __add__(self, o): pass\n    __radd__ = __add__",
        "class A:\n    __slots__ = ('x', '_y', '__dict__')",
    )
    bad = (
        "class A:\n    def __reduce__(self): pass",
        "class A:\n    __class_getitem__ = len",
        "import json as __builtins__",
        "def __import__(): pass",
        "class A:\n    def f(self, __class__): pass",
        "def f():\n    __init__ = 1",
        "def f():\n    try: pass\n    except ValueError as __x__: pass",
        "def f(v):\n    match v:\n        case {**__rest__}: pass",
        "def g(**k): pass\ndef f(): g(__class__=1)",
        "class A:\n    def __getattribute__(self, n): pass",
        "class A:\n    __getattr__ = staticmethod(len)",
        "class A:\n    __slots__ = ('__reduce_ex__',)",
        "class A:\n    __slots__ = 'x __reduce_ex__'.split()",
    )
    visits = (ast.Module,)

    _usual_slots = frozenset({"__dict__", "__weakref__"})

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look at everything that is bound, and at keywords, which can end up as attributes."""
        rules = question.profile.attributes
        for scope, binding in source.index.bindings:
            if not is_dunder(binding.name):
                continue
            allowed: frozenset[str] = frozenset()
            if scope.kind is ScopeKind.CLASS:
                allowed = rules.dunder_methods | rules.dunder_class_data
                if isinstance(binding.node, FunctionNode):
                    allowed |= rules.dunder_hooks
            elif scope.kind is ScopeKind.MODULE:
                allowed = rules.dunder_module_data
            if binding.name not in allowed:
                message = f"{shown(binding.name)} is a name that Python gives a meaning of its own"
                yield self.at(binding.node, source, message)
            elif binding.name == "__slots__":
                yield from self._slots(binding, source)
        for keyword in source.index.of_kind(ast.keyword):
            if keyword.arg and is_dunder(keyword.arg):
                yield self.at(keyword, source, f"the keyword {shown(keyword.arg)} is special")

    def _slots(self, binding: Binding, source: ToolSource) -> Iterator[Finding]:
        """Look at the attributes that `__slots__` defines."""
        value = binding.value
        items = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
        for item in items:
            match item:
                case ast.Constant(value=str(name)):
                    if is_dunder(name) and name not in self._usual_slots:
                        message = f"{shown(name)} has a meaning of its own in Python"
                        yield self.at(item, source, message)
                case _:
                    message = "the names in `__slots__` are not written out"
                    yield self.at(binding.node, source, message, "Write a tuple of strings.")


class ReservedName(TreeRule[ast.Module]):
    """A name that stands for something else than it seems to."""

    code = "TG210"
    title = "reserved name"
    why = (
        "Names such as `_getattr_` are how guards are injected elsewhere, `__name` is spelled"
        " differently inside of a class, and `global len` changes a builtin for the whole module."
    )
    remedy = "Use a name without underscores on both sides, and not one of the builtins."
    good = (
        "_x = 1\nfor _ in []: pass",
        "from enum import Enum\nclass A(Enum):\n    def _missing_(v): pass",
        "class A:\n    __cache = {}\n    def __f(self): return self.__cache",
        "def f():\n    global counter\n    counter = 1",
    )
    bad = (
        "def f(_getattr_, /): pass",
        "f = lambda *_getiter_: 1",
        "def f(): return (_x_ := 1)",
        "class _print_: pass",
        "import math as _write_",
        "def f():\n    global len\n    len = 1",
        "__x = 1",
        "class A:\n    y = __m\n    __m = 1",
        "def f(e):\n    class A:\n        __m += e",
        "x = [1 for _getiter_ in []]",
    )
    visits = (ast.Module,)

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look at everything that is bound."""
        sunders = question.profile.attributes.sunder_class_names
        for scope, binding in source.index.bindings:
            in_class = scope.kind is ScopeKind.CLASS
            if is_sunder(binding.name) and not (in_class and binding.name in sunders):
                message = f"{shown(binding.name)} has the form of an injected guard"
                yield self.at(binding.node, source, message)
            elif _is_mangled(binding.name) and not in_class:
                message = f"{shown(binding.name)} is another name inside of classes"
                yield self.at(binding.node, source, message, "Use one leading underscore.")
        for statement in source.index.of_kind(ast.Global):
            for name in sorted(BUILTIN_NAMES.intersection(statement.names)):
                message = f"`global` makes {shown(name)} another thing for the whole module"
                yield self.at(statement, source, message)
        for name_node in source.index.of_kind(ast.Name):
            if _is_mangled(name_node.id) and source.is_read(name_node):
                message = f"{shown(name_node.id)} is another name inside of classes"
                yield self.at(name_node, source, message, "Use one leading underscore.")


def _is_mangled(name: str) -> bool:
    return name.startswith("__") and not is_dunder(name) and bool(name.strip("_"))
