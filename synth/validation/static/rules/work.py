"""TG5xx: work that can be seen to have no end."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from toolguild.synth.validation.static.constants import fold_number
from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.rules.base import Question, TreeRule
from toolguild.synth.validation.static.source import ToolSource

__all__ = ["EndlessLoop", "HugeConstantWork"]


class EndlessLoop(TreeRule[ast.While]):
    """`while True` that nothing ends."""

    code = "TG501"
    title = "loop without an end"
    docs = "The sandbox would end the run at its deadline; the text already shows that it will."
    remedy = "Give the loop a condition, or leave it with `break` or `return`."
    good = (
        "def f():\n    while True:\n        break",
        "def f(x):\n    while True:\n        for y in x:\n            return y",
        "def f():\n    while 1:\n        yield 1",
        "def f(x):\n    while x: pass",
        "def f():\n    while True:\n        raise ValueError",
    )
    bad = (
        "def f():\n    while True: pass",
        "def f():\n    while 1:\n        for x in []: break",
        "def f():\n    while 'x':\n        def g(): return 1",
        "def f():\n    while not False:\n        lambda: (yield)",
        "def f():\n    while True:\n        while True: break\n        else: pass",
    )
    visits = (ast.While,)

    def check(self, node: ast.While, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Search the body of a loop whose condition is constant."""
        if _always_true(node.test) and not _can_end(node):
            yield self.at(
                node, source, "the loop has neither `break` nor `return`, nor a condition"
            )


def _always_true(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Constant(value=value)):
            return not value
    return False


def _can_end(loop: ast.While) -> bool:
    """Whether something in the loop's body leaves the loop."""
    pending: list[tuple[ast.AST, bool]] = [(statement, True) for statement in loop.body]
    while pending:
        node, breaks_loop = pending.pop()
        match node:
            case ast.Return() | ast.Raise() | ast.Yield() | ast.YieldFrom():
                return True
            case ast.Break() if breaks_loop:
                return True
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Lambda():
                continue
            case ast.For() | ast.AsyncFor() | ast.While():
                # A `break` in its body ends the inner loop; one in its `else` ends this loop.
                pending += [(inner, False) for inner in node.body]
                pending += [(inner, breaks_loop) for inner in node.orelse]
            case _:
                pending += [(inner, breaks_loop) for inner in ast.iter_child_nodes(node)]
    return False


class HugeConstantWork(TreeRule[ast.Call | ast.BinOp]):
    """A constant that takes all memory or time there is."""

    code = "TG502"
    title = "huge constant work"
    docs = "`10 ** 10 ** 10` and `'a' * 10 ** 12` cannot finish within the limits of a run."
    remedy = "Use a smaller number, or compute modulo: `pow(a, b, m)`."
    good = (
        "for i in range(10**6): pass",
        "x = 10**9 + 7",
        "x = 'a' * 80",
        "x = pow(3, 10**18, 7)",
        "x = 1 << 64",
        "def f(n): return [0] * n",
        "x = 2.0 ** 100000000",
    )
    bad = (
        "for i in range(10**12): pass",
        "range(0, 10**10)",
        "x = 10 ** 10 ** 10",
        "x = 'a' * 10**12",
        "x = 10**10 * [0]",
        "x = 1 << 10**9",
        "x = pow(2, 10**10)",
        "def f(n): return n ** 10**9",
        "x = 9 ** 9 ** 9 ** 9",
    )
    visits = (ast.Call, ast.BinOp)

    def check(
        self, node: ast.Call | ast.BinOp, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Work out what constants say about the size of the result."""
        limits = question.profile.work
        if isinstance(node, ast.Call):
            origins = source.origins(node.func)
            if "builtins.range" in origins and _steps(node.args) > limits.max_range:
                yield self.at(node, source, f"the range has more than {limits.max_range:,} steps")
            if "builtins.pow" in origins and len(node.args) == 2 and not node.keywords:
                bits = _power_bits(node.args[0], node.args[1])
                if bits > limits.max_bits:
                    yield self.at(node, source, "the power has too many digits to be computed")
            return
        match node.op:
            case ast.Pow() if _power_bits(node.left, node.right) > limits.max_bits:
                yield self.at(node, source, "the power has too many digits to be computed")
            case ast.LShift() if (fold_number(node.right) or 0) > limits.max_bits:
                yield self.at(node, source, "the shifted number has too many digits")
            case ast.Mult() if _repeated(node) > limits.max_repeat:
                yield self.at(node, source, f"more than {limits.max_repeat:,} items are made")


def _steps(arguments: list[ast.expr]) -> float:
    numbers = [fold_number(argument) for argument in arguments]
    known = [number for number in numbers if number is not None]
    if not known or len(known) != len(numbers):
        return 0
    start, stop, step = (0, known[0], 1) if len(known) == 1 else (*known, 1)[:3]
    return (stop - start) / step if step else 0


def _power_bits(base: ast.expr, exponent: ast.expr) -> float:
    """Return about how many bits a power has, at the least, or 0 where that cannot be seen."""
    power = fold_number(exponent)
    number = fold_number(base)
    if isinstance(number, float):
        return 0
    if power is None:
        # An exponent that is itself a power too big to fold.
        nested = isinstance(exponent, ast.BinOp) and isinstance(exponent.op, ast.Pow)
        power = 2 ** min(_power_bits(exponent.left, exponent.right), 64) if nested else 0  # type: ignore[attr-defined]
    if number is None:
        return power  # a base of which nothing is known counts as one bit
    return power * max(int(abs(number)).bit_length() - 1, 0)


def _repeated(node: ast.BinOp) -> float:
    """Return how many items a multiplied sequence has, or 0 where none is multiplied."""
    for sequence, factor in ((node.left, node.right), (node.right, node.left)):
        times = fold_number(factor) or 0
        match sequence:
            case ast.Constant(value=str() | bytes() as text):
                return len(text) * times
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return len(items) * times
    return 0
