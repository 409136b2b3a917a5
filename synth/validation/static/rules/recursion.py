"""TG504: functions that call themselves whatever happens."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.rules.base import Question, TreeRule, shown
from toolguild.synth.validation.static.source import ToolSource

__all__ = ["EndlessRecursion"]


class EndlessRecursion(TreeRule[ast.FunctionDef]):
    """A function that calls itself on every way through it."""

    code = "TG504"
    title = "recursion without an end"
    why = "Without a case that does not call again, every call ends in a `RecursionError`."
    remedy = "Return from the function, before it calls itself, where there is nothing left to do."
    good = (
        "def f(n): return 1 if n < 2 else n * f(n - 1)",
        "def f(n):\n    if n < 2:\n        return 1\n    return n * f(n - 1)",
        "def f(x): return [f(y) for y in x]",
        "def f(n): return n and f(n - 1)",
        "def f(n):\n    for i in n:\n        f(i)",
        "def f(n):\n    try:\n        return n[0]\n    except IndexError:\n        return f([n])",
        "def f(n):\n    yield n\n    yield from f(n + 1)",
        "def f(n): return lambda: f(n)",
        "class A:\n    def f(self): return self.f()\nclass B(A):\n    def f(self): return 1",
        "def f(n):\n    def f(n): return n\n    return f(n)",
    )
    bad = (
        "def f(n): return f(n - 1)",
        "def f(n): return n * f(n - 1)",
        "def f(n):\n    x = f(n - 1)\n    if x: return 1\n    return x",
        "def f(n):\n    if n:\n        return f(n - 1)\n    else:\n        return f(n + 1)",
        "def f(n):\n    if f(n): return 1",
        "def f(n):\n    with open(n) as h:\n        f(h)",
        "def f(n): return [x for x in f(n)]",
        "class A:\n    def f(self): return self.f()",
        "class A:\n    @property\n    def x(self): return self.x",
    )
    visits = (ast.FunctionDef,)

    def check(
        self, node: ast.FunctionDef, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Follow the function as far as it certainly goes."""
        if _is_generator(node, source):
            return
        call = _Follower(node, source).first_call()
        if call is not None:
            message = f"{shown(node.name)} calls itself on every way through it"
            yield self.at(call, source, message)


def _is_generator(function: ast.FunctionDef, source: ToolSource) -> bool:
    yields = (*source.index.of_kind(ast.Yield), *source.index.of_kind(ast.YieldFrom))
    return any(source.function_around(node) is function for node in yields)


class _Follower:
    """Walks the part of one function that runs whatever happens."""

    def __init__(self, function: ast.FunctionDef, source: ToolSource) -> None:
        self._function = function
        self._source = source
        self._in_class = isinstance(source.parent(function), ast.ClassDef)
        self._left = False
        """Whether the walk came by something that may leave the function."""

    def first_call(self) -> ast.AST | None:
        """Return the call of the function itself that cannot be avoided, or None."""
        return self._statements(self._function.body)

    def _statements(self, statements: Iterable[ast.stmt]) -> ast.AST | None:
        for statement in statements:
            found = self._statement(statement)
            if found is not None or self._left:
                return found
        return None

    def _statement(self, node: ast.stmt) -> ast.AST | None:
        match node:
            case ast.If(test=test, body=body, orelse=orelse):
                return self._expression(test) or self._branches(body, orelse)
            case ast.For(iter=iterable) | ast.AsyncFor(iter=iterable):
                found = self._expression(iterable)
            case ast.While(test=test):
                found = self._expression(test)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                contexts = (self._expression(item.context_expr) for item in items)
                found = next((context for context in contexts if context is not None), None)
                return found or self._statements(body)
            case ast.Match(subject=subject):
                found = self._expression(subject)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return None
            case ast.Try() | ast.TryStar():
                found = None
            case ast.Return() | ast.Raise():
                found = self._parts(node)
                self._left = True
                return found
            case _:
                return self._parts(node)
        self._left = found is None and self._may_leave(node)
        return found

    def _branches(self, body: list[ast.stmt], orelse: list[ast.stmt]) -> ast.AST | None:
        """Return a call that both branches come to; note it where one of them may leave."""
        found, left = [], False
        for branch in (body, orelse):
            found.append(self._statements(branch))
            left, self._left = left or self._left, False
        self._left = left
        return found[0] if all(found) else None

    def _may_leave(self, node: ast.stmt) -> bool:
        """Whether there is a way from inside of a statement out of the function."""
        # What may raise is left out: nobody would call that a base case.
        pending: list[ast.AST] = [node]
        while pending:
            part = pending.pop()
            if isinstance(part, ast.Return | ast.Raise):
                return True
            if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                pending.extend(ast.iter_child_nodes(part))
        return False

    def _parts(self, node: ast.AST) -> ast.AST | None:
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.expr) and (found := self._expression(part)) is not None:
                return found
        return None

    def _expression(self, root: ast.expr) -> ast.AST | None:
        """Search the part of an expression that is evaluated whatever happens."""
        pending: list[ast.AST] = [root]
        while pending:
            node = pending.pop()
            if self._is_own_call(node):
                return node
            match node:
                case ast.Lambda():
                    continue
                case ast.IfExp(test=test):
                    pending.append(test)
                case ast.BoolOp(values=[first, *_]):
                    pending.append(first)
                case ast.Compare(left=left, comparators=[second, *_]):
                    pending += [left, second]
                case (
                    ast.ListComp(generators=[first, *_])
                    | ast.SetComp(generators=[first, *_])
                    | ast.DictComp(generators=[first, *_])
                    | ast.GeneratorExp(generators=[first, *_])
                ):
                    pending.append(first.iter)
                case _:
                    pending.extend(ast.iter_child_nodes(node))
        return None

    def _is_own_call(self, node: ast.AST) -> bool:
        match node:
            case ast.Call(func=ast.Name() as name) if not self._in_class:
                return self._source.own_function(name) is self._function
            case ast.Call(func=ast.Attribute() as method) if self._in_class:
                return self._is_own_method(method) and not self._function.decorator_list
            case ast.Attribute(ctx=ast.Load()) if self._in_class:
                decorators = self._function.decorator_list
                origins = [self._source.certain_origin(d) for d in decorators]
                return origins == ["builtins.property"] and self._is_own_method(node)
        return False

    def _is_own_method(self, node: ast.Attribute) -> bool:
        """Whether it is this method of the same object, and no subclass in the text replaces it."""
        first = [*self._function.args.posonlyargs, *self._function.args.args][:1]
        owner = node.value
        if node.attr != self._function.name or not first or not isinstance(owner, ast.Name):
            return False
        return owner.id == first[0].arg and not self._has_subclass()

    def _has_subclass(self) -> bool:
        owner = self._source.parent(self._function)
        return any(
            self._source.own_class(base) is owner
            for derived in self._source.index.of_kind(ast.ClassDef)
            for base in derived.bases
        )
