"""What statements read from before them, and what they change."""

from __future__ import annotations

import ast

import pytest

from toolguild.synth.mining.liveness import changed_names, live_in


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("a = b + c", ["b", "c"]),
        ("a = 1\nb = a", []),
        ("b = a\na = 1", ["a"]),
        ("a = a + 1", ["a"]),
        ("a += 1", ["a"]),
        ("a[0] += b", ["b", "a"]),
        ("a[i] = 1", ["a", "i"]),
        ("if c:\n    a = 1\nb = a", ["c", "a"]),
        ("if c:\n    a = 1\nelse:\n    a = 2\nb = a", ["c"]),
        ("for i in xs:\n    a = i\nb = a", ["xs", "a"]),
        ("for i in xs:\n    a = i\n    b = a", ["xs"]),
        ("while c:\n    a = 1\nb = a", ["c", "a"]),
        ("b = [x * k for x in xs if x]", ["k", "xs"]),
        ("b = {x: y for x, y in xs}", ["xs"]),
        ("f(a).b(c)", ["f", "a", "c"]),
    ],
)
def test_names_that_may_be_read_before_they_are_set(code: str, names: list[str]) -> None:
    assert sorted(live_in(ast.parse(code).body)) == sorted(names)


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("a = 1\nb, c = 2, 3", {"a", "b", "c"}),
        ("a += 1", {"a"}),
        ("a[0] = 1", {"a"}),
        ("a.append(1)", {"a"}),
        ("a.count(1)", set()),
        ("for i in xs:\n    s = i", {"s"}),
        ("for i, (j, k) in xs:\n    pass", set()),
        ("b = [x for x in xs]", {"b"}),
        ("if c:\n    a = 1\nelse:\n    b = 1", {"a", "b"}),
    ],
)
def test_names_that_are_changed(code: str, names: set[str]) -> None:
    assert changed_names(ast.parse(code).body) == names
