"""TG501 to TG503: loops without an end, and constants that no run can afford."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from toolguild.synth.validation.static.constants import fold_number
from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.rules.base import Question, TreeRule, shown
from toolguild.synth.validation.static.source import ToolSource

__all__ = ["EndlessIteration", "EndlessLoop", "HugeConstantWork"]

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_MAX_DEPTH = 20  # loops inside of one another, and steps on to what an iterable is made of


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
        if _always_true(node.test) and not source.can_be_left(node):
            message = "the loop has neither `break` nor `return`, nor a condition"
            yield self.at(node, source, message)


def _always_true(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Constant(value=value)):
            return not value
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


class HugeConstantWork(TreeRule[ast.expr | ast.AugAssign | ast.For]):
    """A constant that takes all memory or time there is."""

    code = "TG502"
    title = "huge constant work"
    why = "`10 ** 10 ** 10` and `'a' * 10 ** 12` cannot finish within the limits of a run."
    remedy = "Use a smaller number, or compute modulo: `pow(a, b, m)`."
    good = (
        "def f():\n    for i in range(10**6): pass",
        "x = 10**9 + 7",
        "x = 'a' * 80",
        "x = pow(3, 10**18, 7)",
        "x = 1 << 64",
        "def f(n): return [0] * n",
        "x = 2.0 ** 100000000",
        "def f(n):\n    for i in range(10**5):\n        for j in range(10**5):\n"
        "            if n: return j",
        "def f(s): return s.ljust(80), f'{s:>80}', '%5d' % 3, bytes(8)",
        "import time\ndef f(): time.sleep(1)",
    )
    bad = (
        "def f():\n    for i in range(10**12): pass",
        "x = range(0, 10**10)",
        "x = 10 ** 10 ** 10",
        "x = 'a' * 10**12",
        "x = 10**10 * [0]",
        "x = 1 << 10**9",
        "x = pow(2, 10**10)",
        "def f(n): return n ** 10**9",
        "x = 9 ** 9 ** 9 ** 9",
        "def f(n): n **= 10**9",
        "def f(n): n <<= 10**9",
        "def f():\n    for i in range(10**5):\n        for j in range(10**5): pass",
        "def f(): return [i for i in range(10**6) for j in range(10**6)]",
        "def f(s): return s.ljust(10**10)",
        "def f(s): return f'{s:>99999999999}'",
        "x = '%099999999999d' % 1",
        "x = '{:>99999999999}'.format(1)",
        "def f(x): return format(x, '099999999999d')",
        "x = bytes(10**10)",
        "import math\ndef f(): return math.factorial(10**6)",
        "import time\ndef f(): time.sleep(10**6)",
    )
    visits = (
        ast.Call, ast.BinOp, ast.AugAssign, ast.For, ast.ListComp, ast.SetComp, ast.DictComp,
        ast.GeneratorExp, ast.FormattedValue,
    )  # fmt: skip

    def check(
        self,
        node: ast.expr | ast.AugAssign | ast.For,
        source: ToolSource,
        question: Question,
    ) -> Iterator[Finding]:
        """Work out what constants say about the size of the result."""
        match node:
            case ast.Call():
                yield from self._call(node, source)
            case ast.BinOp(left=left, op=operator, right=right):
                yield from self._operation(node, left, operator, right, source)
            case ast.AugAssign(target=target, op=operator, value=value):
                yield from self._operation(node, target, operator, value, source)
            case ast.FormattedValue(format_spec=ast.JoinedStr() as specification):
                yield from self._width(node, specification, source)
            case ast.For() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                if _turns(node, source) > source.profile.work.max_range:
                    yield self.at(node, source, "the loops have too many turns, taken together")

    def _call(self, node: ast.Call, source: ToolSource) -> Iterator[Finding]:
        limits = source.profile.work
        origins = source.origins(node.func)
        if "builtins.range" in origins and _steps(node.args) > limits.max_range:
            yield self.at(node, source, f"the range has more than {limits.max_range:,} steps")
        is_power = "builtins.pow" in origins and len(node.args) == 2 and not node.keywords
        if is_power and _power_bits(node.args[0], node.args[1]) > limits.max_bits:
            yield self.at(node, source, "the power has too many digits to be computed")
        if "builtins.format" in origins and len(node.args) == 2:
            yield from self._width(node, node.args[1], source)
        names = set(origins)
        if isinstance(node.func, ast.Attribute) and not source.modules(node.func.value):
            names.add(f".{node.func.attr}")
            if node.func.attr in source.profile.attributes.templates:
                yield from self._width(node, node.func.value, source)
        for name in sorted(names & source.profile.costly.keys()):
            costly = source.profile.costly[name]
            given = [k.value for k in node.keywords if k.arg and k.arg == costly.keyword]
            given += node.args[costly.position : costly.position + 1]
            if any((fold_number(argument) or 0) > costly.most for argument in given):
                message = f"{name.removeprefix('builtins.')} is given more than {costly.most:,.0f}"
                yield self.at(node, source, message)

    def _operation(
        self,
        node: ast.AST,
        left: ast.expr,
        operator: ast.operator,
        right: ast.expr,
        source: ToolSource,
    ) -> Iterator[Finding]:
        limits = source.profile.work
        match operator:
            case ast.Pow() if _power_bits(left, right) > limits.max_bits:
                yield self.at(node, source, "the power has too many digits to be computed")
            case ast.LShift() if (fold_number(right) or 0) > limits.max_bits:
                yield self.at(node, source, "the shifted number has too many digits")
            case ast.Mult() if _repeated(left, right) > limits.max_repeat:
                yield self.at(node, source, f"more than {limits.max_repeat:,} items are made")
            case ast.Mod():
                yield from self._width(node, left, source)

    def _width(self, node: ast.AST, template: ast.expr, source: ToolSource) -> Iterator[Finding]:
        """Look at the widths that a constant template pads to."""
        known = source.known_text(template).start
        if any(int(width) > source.profile.work.max_repeat for width in _WIDTH.findall(known)):
            yield self.at(node, source, "the text is padded to more characters than fit in memory")


_WIDTH = re.compile(r"[%:<>^=+\- .#0](\d{8,20})(?=[^\d]|$)")
"""A number in a template where it can be a width or a precision."""


def _steps(arguments: list[ast.expr]) -> float:
    """Return how many steps a range of constants has, or 0 where that cannot be seen."""
    numbers = [fold_number(argument) for argument in arguments]
    known = [number for number in numbers if number is not None]
    if not known or len(known) != len(numbers):
        return 0
    start, stop, step = (0, known[0], 1) if len(known) == 1 else (*known, 1)[:3]
    return (stop - start) / step if step else 0


def _turns(node: ast.For | _Comprehension, source: ToolSource) -> float:
    """Return how many turns loops over constant ranges take together, at the least.

    0 where there is one loop only, which the rule about ranges sees, and where one can be left.
    """
    if not isinstance(node, ast.For):
        turns = [_range_steps(generator.iter, source) for generator in node.generators]
    elif source.can_be_left(node):
        return 0
    else:
        turns = [_range_steps(node.iter, source)]
        inner, loop = node, source.parent(node)
        for _ in range(_MAX_DEPTH):
            if not isinstance(loop, ast.For) or source.can_be_left(loop):
                break
            if inner in loop.orelse:
                break
            turns.append(_range_steps(loop.iter, source))
            inner, loop = loop, source.parent(loop)
    product = 1.0
    for steps in turns:
        product *= max(steps, 1)
    return product if len(turns) > 1 else 0


def _range_steps(node: ast.expr, source: ToolSource) -> float:
    is_range = isinstance(node, ast.Call) and source.certain_origin(node.func) == "builtins.range"
    return _steps(node.args) if is_range and isinstance(node, ast.Call) else 0


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


def _repeated(left: ast.expr, right: ast.expr) -> float:
    """Return how many items a multiplied sequence has, or 0 where none is multiplied."""
    for sequence, factor in ((left, right), (right, left)):
        times = fold_number(factor) or 0
        match sequence:
            case ast.Constant(value=str() | bytes() as text):
                return len(text) * times
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return len(items) * times
    return 0
