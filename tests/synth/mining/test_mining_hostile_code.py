"""Code that is broken, huge, deep or odd does not stop mining, nor hide the code beside it."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Writer: TypeAlias = Any

GOOD = "top = max(cells) - min(cells) + sum(cells) * len(cells)\nprint(top)"


HOSTILE = {
    "syntax error": "def f(:\n  pass",
    "null byte": "x = 1\0",
    "lone surrogate": "x = '\ud800'",
    "wide sum": "x = " + "+".join(["1"] * 5_000),
    "deep brackets": "x = " + "[" * 150 + "]" * 150,
    "deeper brackets": "x = " + "[" * 5_000 + "]" * 5_000,
    "deep signs": "x = " + "-" * 3_000 + "1",
    "deep attributes": "x = a" + ".b" * 2_000,
    "deep calls": "x = a" + "()" * 2_000,
    "deep blocks": "\n".join(" " * n + "if x:" for n in range(95)) + "\n" + " " * 95 + "x = 1",
    "long elif": "if x: y = 1\n" + "\n".join(f"elif x == {n}: y = {n}" for n in range(800)),
    "100k characters": "x = '" + "y" * 100_001 + "'",
    "many statements": "\n".join(f"x{n} = x{n - 1} * {n} + len(a)" for n in range(1, 300)),
    "return outside": "return 5",
    "break outside": "break",
    "yield outside": "x = yield 3",
    "await outside": "x = await y",
    "nonlocal outside": "nonlocal x\nx = 1",
    "global after use": "def f(a):\n    a = 1\n    global a\n    return a + 1",
    "parameter twice": "def f(a, a):\n    return a + a * 2 - 1",
    "star import": "def f(a):\n    from math import *\n    return a",
    "future import": "from __future__ import annotations\nx = 1",
    "bad escape": "x = '\\d'",
    "is literal": "x = 3 is 3",
    "huge number": "x = " + "9" * 5_000,
    "huge number in hexadecimals": "x = 0x" + "f" * 50_000,
    "empty": "",
    "only a comment": "# nothing",
    "magic": "%matplotlib inline\n!pip install x",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_code_beside_good_code_changes_nothing(writer: Writer, kind: str) -> None:
    good = [writer.trace(f"task{n}", writer.code(GOOD)) for n in range(3)]
    (alone,) = writer.repeated_code(good)
    beside = [
        writer.trace(f"task{n}", writer.code(HOSTILE[kind]), writer.code(GOOD)) for n in range(3)
    ]
    apart = [writer.trace(f"hostile{n}", writer.code(HOSTILE[kind])) for n in range(3)]
    found = writer.repeated_code([*beside, *apart])
    assert alone.source in [one.source for one in found]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(code=st.text(max_size=60))
def test_any_text_may_stand_in_a_log(writer: Writer, code: str) -> None:
    assert (
        writer.repeated_code([writer.trace(f"task{n}", writer.code(code)) for n in range(3)]) == []
    )


fragments = st.sampled_from(
    [
        "a = b + 1", "f'{a}{b!r:>{c}}'", "x = f'n {a:.2f} m'", "a, *b = c", "del a", "a[b] += 1",
        "for a in b:\n    a += 1\nelse:\n    a = 2", "while a:\n    break", "a: int = 3",
        "with a as b:\n    b", "try:\n    a\nexcept E as e:\n    a = e", "global a\na = 1",
        "async def f():\n    await a", "class A:\n    def f(self):\n        return self.a + 1",
        "def f(a, b=c):\n    def g(x):\n        return x * a + b\n    return g(a) + g(b)",
        "@d\ndef f(a):\n    return a", "def f(a):\n    yield a", "lambda a: a", "(a := b)",
        "match a:\n    case {'k': v, **r}:\n        a = v\n    case [1, *q]:\n        a = q",
        "import a.b as c", "from . import a", "print(a)", "assert a", "raise a", "a @ b",
        "x = {**a, 'k': b}", "x = {i: j for i, j in a if j}", "x = a if b else c", "x = a < b < c",
        "x = b'bytes'", "x = 1j", "x = ...", "x = a[1:2, ::3]", "type = 3", "a.b.c = d",
        "def f(a):\n    '''Doc.'''\n    return a ** 2 + a * 3 - 7",
        "import math\ndef f(a):\n    return math.floor(a / 2) + g(a)\ndef g(a):\n    return a * 3",
    ]
)  # fmt: skip


@given(
    parts=st.lists(fragments, min_size=1, max_size=6),
    numbers=st.lists(st.integers(0, 9), min_size=3, max_size=3),
)
def test_any_mixture_of_statements_is_mined_without_an_error(
    writer: Writer, parts: list[str], numbers: list[int]
) -> None:
    code = "\n".join(parts)
    traces = [
        writer.trace(
            f"task{n}", writer.code(code.replace("1", str(number)).replace("n m", "n" * n))
        )
        for n, number in enumerate(numbers)
    ]
    for found in writer.repeated_code(traces):
        compile(found.source, "<found>", "exec")
        for occurrence in found.occurrences:
            compile(occurrence.program, "<program>", "exec")
