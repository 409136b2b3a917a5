"""TG501, TG503: loops that go on without end."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.index import FunctionNode
from toolguild.synth.validation.static.rules.base import Question, TreeRule, shown
from toolguild.synth.validation.static.source import ToolSource

__all__ = ["EndlessIteration", "EndlessLoop"]

_MAX_DEPTH = 20  # blocks around a loop, and steps on to what an iterable is made of


class EndlessLoop(TreeRule[ast.While]):
    """`while True` that nothing ends."""

    code = "TG501"
    title = "loop without an end"
    why = "The sandbox would end the run at its deadline; the text already shows that it will."
    remedy = "Give the loop a condition, or leave it with `break` or `return`."
    good = (
        "def f():\n    while True:\n        break",
        "def f(x):\n    while True:\n        for y in x:\n            return y",
        "def f():\n    while 1:\n        yield 1",
        "def f(x):\n    while x: pass",
        "def f():\n    while True:\n        raise ValueError",
        "def f(x):\n    try:\n        while True: x.pop()\n    except IndexError: pass",
        "from contextlib import suppress\ndef f(x):\n    with suppress(StopIteration):\n"
        "        while True: print(next(x))",
    )
    bad = (
        "def f():\n    while True: pass",
        "def f(x):\n    try: pass\n    except IndexError:\n        while True: x.pop()",
        "def f():\n    try:\n        while True: pass\n    except IndexError: pass",
        "def f():\n    while 1:\n        for x in []: break",
        "def f():\n    while 'x':\n        def g(): return 1",
        "def f():\n    while not False:\n        lambda: (yield)",
        "def f():\n    while True:\n        while True: break\n        else: pass",
    )
    visits = (ast.While,)

    def check(self, node: ast.While, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Search the body of a loop whose condition is constant."""
        if not _always_true(node.test) or source.can_be_left(node):
            return
        if not _is_ended_by_exception(node, source):
            message = "the loop has neither `break` nor `return`, nor a condition"
            yield self.at(node, source, message)


def _always_true(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Constant(value=value)):
            return not value
    return False


def _is_ended_by_exception(loop: ast.While, source: ToolSource) -> bool:
    """Whether something in a loop may raise, and a handler around the loop goes on from there."""
    if not source.may_raise(loop):
        return False
    inner: ast.AST = loop
    outer = source.parent(loop)
    for _ in range(_MAX_DEPTH):
        match outer:
            case ast.Try(body=body, handlers=[_, *_]) if inner in body:
                return True
            case ast.With(items=items) if any(
                isinstance(item.context_expr, ast.Call)
                and source.certain_origin(item.context_expr.func) == "contextlib.suppress"
                for item in items
            ):
                return True
            case ast.stmt() if not isinstance(outer, FunctionNode | ast.ClassDef):
                inner, outer = outer, source.parent(outer)
            case _:
                return False
    return False


class EndlessIteration(TreeRule[ast.For | ast.comprehension | ast.Call]):
    """A loop over something that never ends, or that grows as fast as the loop goes."""

    code = "TG503"
    title = "iteration without an end"
    why = (
        "`itertools.count()` and its like end only where the loop does; put into a list they take"
        " all memory. A list that every turn of a loop over it adds to is never used up either."
    )
    remedy = "Leave the loop with `break` or `return`, or use `itertools.islice`."
    good = (
        "from itertools import count\ndef f():\n    for i in count():\n        if i > 3: break",
        "from itertools import count\ndef f(x): return list(zip(count(), x))",
        "from itertools import repeat\ndef f(x): return list(repeat(x, 3)), dict(x=1)",
        "from itertools import count, islice\ndef f(): return list(islice(count(), 3))",
        "from itertools import count\ndef f():\n    g = (i for i in count())\n    return next(g)",
        "def f(x, y):\n    for i in x:\n        if i in y: x.append(i)",
        "from itertools import cycle\ndef f(x):\n    for i in cycle(x): yield i",
    )
    bad = (
        "from itertools import count\ndef f():\n    for i in count(): pass",
        "import itertools\ndef f(x):\n    for i, y in enumerate(itertools.cycle(x)): pass",
        "from itertools import count\ndef f(): return [i for i in count() if i > 3]",
        "from itertools import count\ndef f(): return sum(i for i in count())",
        "from itertools import count\ndef f():\n    c = count()\n    return list(map(str, c))",
        "from itertools import repeat\ndef f(x): return ''.join(repeat(x))",
        "def f(x):\n    for i in x:\n        x.append(i)",
    )
    visits = (ast.For, ast.comprehension, ast.Call)

    _through = frozenset(
        {"builtins.enumerate", "builtins.filter", "builtins.iter", "builtins.map",
         "itertools.accumulate", "itertools.chain", "itertools.starmap"}
    )  # fmt: skip
    """What they give is endless where one of their arguments is."""
    _drains = frozenset(
        {"builtins.dict", "builtins.frozenset", "builtins.len", "builtins.list", "builtins.max",
         "builtins.min", "builtins.set", "builtins.sorted", "builtins.sum", "builtins.tuple",
         "collections.Counter", "collections.deque", "math.fsum", "math.prod", "statistics.fmean",
         "statistics.mean", "statistics.median"}
    )  # fmt: skip
    """They go through all of their first argument before they give anything."""

    def check(
        self,
        node: ast.For | ast.comprehension | ast.Call,
        source: ToolSource,
        question: Question,
    ) -> Iterator[Finding]:
        """Look at what is gone through, and at how it can end."""
        match node:
            case ast.For(iter=through):
                if source.can_be_left(node):
                    return
                if self._is_endless(through, source):
                    yield self.at(node, source, "the loop goes through what never ends")
                elif isinstance(through, ast.Name) and self._grows(node, through.id):
                    message = (
                        f"every turn of the loop adds to {shown(through.id)}, which it is over"
                    )
                    yield self.at(node, source, message)
            case ast.comprehension(iter=through):
                kind = source.parent(node)
                if not isinstance(kind, ast.GeneratorExp) and self._is_endless(through, source):
                    yield self.at(kind, source, "the comprehension goes through what never ends")
            case ast.Call(args=[first, *_], func=function):
                joins = isinstance(function, ast.Attribute) and function.attr == "join"
                drains = joins or self._drains & source.origins(function)
                if drains and self._is_endless(first, source):
                    yield self.at(node, source, "the call goes through what never ends")

    def _is_endless(self, node: ast.AST, source: ToolSource, depth: int = _MAX_DEPTH) -> bool:
        node = source.aliased(node)
        if depth == 0:
            return False
        match node:
            case ast.Call(func=function, args=arguments, keywords=keywords):
                origin = source.certain_origin(function)
                if origin in source.profile.endless:
                    # `repeat` with a number of times ends.
                    return origin != "itertools.repeat" or len(arguments) + len(keywords) == 1
                if origin in self._through:
                    inner = (
                        arguments[-1:]
                        if origin in ("builtins.map", "builtins.filter")
                        else arguments
                    )
                    return any(self._is_endless(one, source, depth - 1) for one in inner)
            case ast.GeneratorExp(generators=[first, *_]):
                return self._is_endless(first.iter, source, depth - 1)
        return False

    @staticmethod
    def _grows(loop: ast.For, name: str) -> bool:
        """Whether each turn of a loop over a list adds to it for certain."""
        for statement in loop.body:
            match statement:
                case ast.Expr(
                    value=ast.Call(
                        func=ast.Attribute(
                            value=ast.Name(id=owner), attr="append" | "extend" | "insert"
                        )
                    )
                ) if owner == name:
                    return True
                case ast.Expr() | ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                    continue
            return False  # from here on, something may skip the rest of the turn
        return False
