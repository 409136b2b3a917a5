"""Parentheses that a person would not write go, and nothing else changes."""

from __future__ import annotations

import ast

import pytest

from toolguild.synth.drafting.tidy import tidy


@pytest.mark.parametrize(
    ("written", "tidied"),
    [
        ("a, b = (b, a % b)", "a, b = b, a % b"),
        ("return (a, 1, 0)", "return a, 1, 0"),
        ("total = sum((x for x in y))", "total = sum(x for x in y)"),
        ("for (i, x) in pairs:\n    pass", "for i, x in pairs:\n    pass"),
        ("pairs = [i for (i, x) in y]", "pairs = [i for i, x in y]"),
    ],
)
def test_superfluous_parentheses_go(written: str, tidied: str) -> None:
    assert tidy(written) == tidied


@pytest.mark.parametrize(
    "written",
    [
        "a = ()",
        "a = (1,)",
        "a = (*b, c)",
        "a = f((1, 2))",
        "a = f((x for x in y), 2)",
        "a = f(key=(x for x in y))",
        "a = [(1, 2)]",
        "a = (1 + 2) * 3",
        "(a, b), c = d",
    ],
)
def test_parentheses_that_mean_something_stay(written: str) -> None:
    assert tidy(written) == written


def test_the_program_is_the_same() -> None:
    code = ast.unparse(
        ast.parse("def f(a):\n    x, (y, z) = a, (1, 2)\n    return x, sum(i for i, j in y)")
    )
    assert tidy(code) != code
    assert ast.dump(ast.parse(tidy(code))) == ast.dump(ast.parse(code))
