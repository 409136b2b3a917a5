"""TG3xx: what runs while the module is being loaded?"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from toolguild.policies.code_rules import listed
from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.index import FunctionNode
from toolguild.synth.validation.static.rules.base import Question, TreeRule, shown
from toolguild.synth.validation.static.scopes import ScopeKind
from toolguild.synth.validation.static.source import ToolSource, spelled

__all__ = [
    "CallAtDefinition",
    "DefaultNotConstant",
    "ForeignDecorator",
    "RegisteredByAnnotation",
    "StatementAtDefinition",
]

_MAX_BINDINGS = 50  # getter, setters and registered functions under one name
_SINGLE_DISPATCH = frozenset({"functools.singledispatch", "functools.singledispatchmethod"})


class StatementAtDefinition(TreeRule[ast.stmt]):
    """A statement that does something while the module is being loaded."""

    code = "TG301"
    title = "work at definition time"
    why = (
        "Loading a tool defines it and does nothing else: what runs then runs once more in every"
        " process, before limits on the call itself mean anything."
    )
    remedy = "Move the statement into a function."
    good = (
        '"""Docs."""\nimport re\nA, B = 1, 2\nC: int = 3\ndef f(): pass\nclass D:\n    x: int = 1',
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from decimal import Decimal",
        "def f():\n    for x in []:\n        pass",
    )
    bad = (
        "for x in []: pass",
        "while False: pass",
        "print",
        "x = [1]\nx[0] = 2",
        "class A:\n    for x in []: pass",
        "try:\n    import json\nexcept ImportError: pass",
        "x = 1\nx += 1",
        "if __name__ == '__main__': pass",
        "def f(): pass\nf.x = 1",
        "assert True",
        "class A:\n    x = 1\n    del x",
    )
    visits = (ast.stmt,)

    _harmless = (
        ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Pass,
    )  # fmt: skip

    def check(self, node: ast.stmt, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look at statements at the top of the module and in class bodies."""
        if not source.scope(node).at_definition or self._is_definition(node, source):
            return
        where = "module" if source.scope(node).kind is ScopeKind.MODULE else "class"
        yield self.at(node, source, f"the statement runs whenever the {where} is defined")

    def _is_definition(self, node: ast.stmt, source: ToolSource) -> bool:
        match node:
            case ast.Assign(targets=targets):
                return all(_is_name(target) for target in targets)
            case ast.AnnAssign(target=target):
                return _is_name(target)
            case ast.Expr(value=ast.Constant()):
                return True
            case ast.If(test=test, orelse=[]):
                return source.certain_origin(test) == "typing.TYPE_CHECKING"
        # `type X = ...` exists from Python 3.12 on.
        return isinstance(node, self._harmless) or type(node).__name__ == "TypeAlias"


def _is_name(node: ast.AST) -> bool:
    if isinstance(node, ast.Tuple | ast.List):
        return all(_is_name(item) for item in node.elts)
    return isinstance(node, ast.Name)


class CallAtDefinition(TreeRule[ast.Call | ast.Await | ast.NamedExpr | ast.Yield]):
    """A call while the module is being loaded."""

    code = "TG302"
    title = "call at definition time"
    why = (
        "Decorators, defaults, annotations, class bodies and constants run when the module is"
        " loaded. There only constructors and pure functions that the profile lists may be called."
    )
    remedy = "Call it inside of a function; `functools.cache` keeps what is costly."
    good = (
        "import re\nP = re.compile('a')",
        "S = frozenset('ab')\nW = 'a b'.split()\nT = str.maketrans('', '', 'x')",
        "import dataclasses as d\n@d.dataclass\nclass A:\n    x: set = d.field(kw_only=True)",
        "class A: pass\nDEFAULT = A()",
        "f = lambda: print('x')",
        "T = {c: i for i, c in enumerate('abc')}",
        "from decimal import Decimal\ndef f(x=Decimal('1')): pass",
        "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef f(): pass",
        "def g(n):\n    def d(f): return f\n    return d\n@g(1)\ndef f(): pass",
    )
    bad = (
        "x = print('a')",
        "def f(): pass\nx = f()",
        "class A:\n    y = sorted([open('x')])",
        "def f(x=call_tool('a', {})): pass",
        "x: print(1) = 1",
        "def f(x: print(1)): pass",
        "x = [print(i) for i in [1]]",
        "x = (y := 1)",
        "import random\nx = random.random()",
        "def set(): pass\nx = set()",
        "import time\nx = (time.time)()",
        "x = (lambda: 1)()",
        "def own(c): return print\n@own\nclass A: pass\nx = A('hi')",
        "def f():\n    def g(x: print(1)): pass",
    )
    visits = (ast.Call, ast.Await, ast.NamedExpr, ast.Yield)

    def check(
        self,
        node: ast.Call | ast.Await | ast.NamedExpr | ast.Yield,
        source: ToolSource,
        question: Question,
    ) -> Iterator[Finding]:
        """Look at calls in scopes that are evaluated at definition time, and in annotations."""
        if not source.scope(node).at_definition and not source.in_annotation(node):
            return
        if not isinstance(node, ast.Call):
            yield self.at(node, source, "constants are plain expressions")
        elif not self._is_allowed(node, source):
            origin = source.certain_origin(node.func) or spelled(node.func)
            message = (
                f"{shown(origin.removeprefix('builtins.'))} is called when the module is loaded"
            )
            yield self.at(node, source, message)

    def _is_allowed(self, node: ast.Call, source: ToolSource) -> bool:
        definitions = source.profile.definitions
        origin = source.certain_origin(node.func)
        if origin is not None and listed(definitions.calls | definitions.base_calls, origin):
            return True
        if source.own_class(node.func) is not None or _is_decorator(node, source):
            return True
        is_method = isinstance(node.func, ast.Attribute) and not source.modules(node.func.value)
        return (
            is_method
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in definitions.methods
        )


def _is_decorator(node: ast.AST, source: ToolSource) -> bool:
    """Whether a node stands behind an `@`; `ForeignDecorator` looks at those."""
    owner = source.parent(node)
    return isinstance(owner, FunctionNode | ast.ClassDef) and node in owner.decorator_list


class ForeignDecorator(TreeRule[FunctionNode | ast.ClassDef]):
    """A decorator that is neither a usual one nor the tool's own."""

    code = "TG303"
    title = "decorator"
    why = "A decorator is a call that replaces what is defined: `@eval` runs text."
    remedy = "Use a decorator that the profile lists, or a function of the tool's own."
    good = (
        "class A:\n    @property\n    def x(self): pass\n    @x.setter\n    def x(self, v): pass",
        "from functools import cache, wraps\n@cache\ndef f(): pass",
        "def own(f): return f\n@own\ndef g(): pass",
        "import dataclasses as d\n@d.dataclass(frozen=True)\nclass A: pass",
        "from functools import singledispatch\n@singledispatch\ndef f(x): pass\n"
        "@f.register(int)\ndef _(x): pass",
    )
    bad = (
        "@print\ndef f(): pass",
        "@(lambda f: f)\ndef g(): pass",
        "@[print][0]\ndef g(): pass",
        "import functools\n@functools.reduce\ndef g(): pass",
        "@staticmethod.__call__\nclass A: pass",
        "def own(f): return f\nown = print\n@own\ndef g(): pass",
        "def f(x):\n    @x\n    def g(): pass",
        "class A:\n    @x.setter\n    def x(self): pass",
    )
    visits = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

    def check(
        self, node: FunctionNode | ast.ClassDef, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look at every decorator of a function or class."""
        for decorator in node.decorator_list:
            function = decorator.func if isinstance(decorator, ast.Call) else decorator
            origin = source.certain_origin(function)
            known = origin is not None and listed(question.profile.definitions.decorators, origin)
            if known or _is_own_decorator(function, source):
                continue
            message = f"the decorator {shown(spelled(function))} is not a known one"
            yield self.at(decorator, source, message)


def _is_own_decorator(node: ast.expr, source: ToolSource) -> bool:
    if source.own_function(node) is not None or source.own_class(node) is not None:
        return True
    match node:
        case ast.Attribute(value=ast.Name() as base, attr="setter" | "getter" | "deleter"):
            return _is_defined_with(base, "builtins.property", source)
        case ast.Attribute(value=ast.Name() as base, attr="register"):
            return any(_is_defined_with(base, name, source) for name in _SINGLE_DISPATCH)
    return False


def _is_defined_with(name: ast.Name, decorator: str, source: ToolSource) -> bool:
    """Whether a name is bound to functions only, the first of which has a decorator."""
    functions = [binding.node for binding in source.resolve(name).bindings]
    if not 0 < len(functions) <= _MAX_BINDINGS or not isinstance(functions[0], FunctionNode):
        return False
    if not all(isinstance(function, FunctionNode) for function in functions):
        return False
    return any(source.certain_origin(d) == decorator for d in functions[0].decorator_list)


class RegisteredByAnnotation(TreeRule[ast.Attribute]):
    """`singledispatch` told by annotations that are not plain names."""

    code = "TG305"
    title = "dispatch by annotation"
    why = (
        "`functools.singledispatch` evaluates the annotations of what it registers, quoted ones"
        " included, wherever these come from."
    )
    remedy = "Name the class: `@function.register(int)`."
    good = (
        "from functools import singledispatch\n@singledispatch\ndef f(x): pass\n"
        "@f.register\ndef _(x: int) -> str: pass\n@f.register(list)\ndef _(x): pass",
        "class Bus:\n    def register(self, f): pass\nclass B: pass\ndef f(b): b.register(1)",
    )
    bad = (
        "import functools\n@functools.singledispatch\ndef f(x): pass\n"
        "@f.register\ndef _(x: 'int | None'): pass",
        "import functools\nfrom typing import Optional\nA = Optional['exit()']\n"
        "@functools.singledispatch\ndef f(x): pass\n@f.register\ndef _(x: A): pass",
        "from functools import singledispatch\n@singledispatch\ndef f(x): pass\n"
        "def g(x: int): pass\ndef h(): f.register(g)",
        "from functools import singledispatch\n@singledispatch\ndef f(x): pass\n"
        "def own(g): return g\n@f.register\n@own\ndef _(x: int): pass",
        "from functools import singledispatch\n@singledispatch\ndef f(x): pass\n"
        "@f.register\ndef _(x: type): pass",
    )
    visits = (ast.Attribute,)

    def check(
        self, node: ast.Attribute, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look at every `.register` where the text has `singledispatch` at all."""
        if node.attr != "register" or not _SINGLE_DISPATCH & source.used_origins:
            return
        call = source.called_as(node)
        decorator = node if call is None else call
        function = source.parent(decorator)
        if not _is_decorator(decorator, source) or not isinstance(function, FunctionNode):
            yield self.at(node, source, "`register` is used as something else than a decorator")
        elif call is not None:
            if len(call.args) != 1 or call.keywords or not _is_class(call.args[0], source):
                yield self.at(call, source, "`register` is not given one class by its name")
        elif len(function.decorator_list) > 1:
            yield self.at(node, source, "another decorator could change the annotations")
        elif not all(_is_class(a, source) for a in _annotations(function)):
            message = "the annotations of a registered function are not plain names of classes"
            yield self.at(node, source, message)


def _annotations(function: FunctionNode) -> Iterator[ast.expr]:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [extra for extra in (arguments.vararg, arguments.kwarg) if extra is not None]
    yield from (argument.annotation for argument in every if argument.annotation is not None)
    if function.returns is not None:
        yield function.returns


def _is_class(node: ast.expr, source: ToolSource) -> bool:
    """Whether an annotation names a class that may end up among the keys of a registry."""
    origin = source.certain_origin(node) or ""
    return (
        source.own_class(node) is not None
        or (origin.startswith("builtins.") and origin not in source.profile.direct_calls)
        or (isinstance(node, ast.Constant) and node.value is None)
    )


class DefaultNotConstant(TreeRule[ast.arguments]):
    """A default that is worked out when the function is defined."""

    code = "TG304"
    title = "default that is no constant"
    why = (
        "A default is evaluated once, when the function is defined, and kept: anything but a"
        " constant there is work at definition time, and a surprise later."
    )
    remedy = "Use `None` as the default, and work the value out in the function."
    good = (
        "def f(a=1, b=-1.5, c=(1, 'x'), d=None, *, e=[], g={'a': {1}}): pass",
        "import math\nX = 1\ndef f(x=X, y=math.pi, z=2 * 60): pass",
        "def f():\n    return [lambda i=i: i for i in range(3)]",
    )
    bad = (
        "def f(x=[i for i in range(3)]): pass",
        "def f(x=(lambda: 1) if 1 else 2): pass",
        "def f(x=f'{1}'): pass",
        "class A:\n    def f(self, *, x=[1][0]): pass",
    )
    visits = (ast.arguments,)

    _constant = (
        ast.Constant, ast.Name, ast.Attribute, ast.UnaryOp, ast.BinOp, ast.Tuple, ast.List,
        ast.Dict, ast.Set, ast.Call, ast.keyword, ast.Lambda, ast.unaryop, ast.operator,
        ast.expr_context,
    )  # fmt: skip

    def check(
        self, node: ast.arguments, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look at the defaults of functions that are defined with the module."""
        if not source.scope(node).at_definition:
            return
        for default in [*node.defaults, *node.kw_defaults]:
            if default is not None and not self._is_constant(default):
                yield self.at(default, source, "the default is worked out, it is no constant")

    def _is_constant(self, node: ast.AST) -> bool:
        pending = [node]
        while pending:
            part = pending.pop()
            if not isinstance(part, self._constant):
                return False
            if not isinstance(part, ast.Lambda):
                pending.extend(ast.iter_child_nodes(part))
        return True
