"""TG502: constants that no run can afford."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterable, Iterator

from toolguild.synth.validation.static.constants import fold_number
from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.rules.base import Question, TreeRule
from toolguild.synth.validation.static.source import ToolSource

__all__ = ["HugeConstantWork"]

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_MAX_DEPTH = 20  # loops inside of one another


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
        "def f(x): return 'not 62.830000000000005 but {}'.format(x)",
        "def f(x): return '100% 62.830000000000005: %d' % x",
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
        "x = '%(a).99999999999f' % {'a': 1}",
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
                yield from self._width(node, [source.known_text(specification).start], source)
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
            yield from self._width(node, [source.known_text(node.args[1]).start], source)
        names = set(origins)
        if isinstance(node.func, ast.Attribute) and not source.modules(node.func.value):
            names.add(f".{node.func.attr}")
            if node.func.attr in source.profile.attributes.templates:
                template = source.known_text(node.func.value).start
                yield from self._width(node, _format_specifications(template), source)
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
                template = source.known_text(left).start
                yield from self._width(node, _PERCENT.findall(template), source)

    def _width(
        self, node: ast.AST, specified: Iterable[str], source: ToolSource
    ) -> Iterator[Finding]:
        """Look at the widths and precisions in specifications of formats."""
        numbers = (int(number) for one in specified for number in _NUMBER.findall(one))
        if any(number > source.profile.work.max_repeat for number in numbers):
            yield self.at(node, source, "the text is padded to more characters than fit in memory")


_PERCENT = re.compile(r"%(?:\([^)]*\))?([-#0 +]*\d*(?:\.\d+)?)[a-zA-Z]")
_NUMBER = re.compile(r"\d{1,20}")


def _format_specifications(template: str) -> list[str]:
    try:
        return [spec for _, _, spec, _ in string.Formatter().parse(template) if spec]
    except ValueError:
        return []  # `FormatTemplate` refuses it


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
