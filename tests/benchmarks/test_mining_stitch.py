"""What of Stitch's abstractions counts as Python; Stitch itself is not run."""

from __future__ import annotations

import ast

import pytest

stitch = pytest.importorskip("benchmarks.mining.stitch", reason="run in the repository only")

LEAVES = ("res", 5, "format", "x", "f", 1)


def tools(*bodies: str) -> list[str]:
    names = tuple(f"fn_{number}" for number in range(len(bodies)))
    learned = stitch.Learned(2, 1, bodies, names, LEAVES)
    return [tool.source for tool in stitch.legal_tools(learned, [])]


def test_an_expression_with_holes_is_a_function() -> None:
    assert tools("(BinOp #0 Add (Constant leaf1))") == ["def fn_0(p0):\n    return p0 + 5"]


def test_a_hole_for_any_name_or_constant_is_one_for_an_expression() -> None:
    assert tools("(Compare (Name #1) (list Eq) (list (Constant #0)))") == [
        "def fn_0(p0, p1):\n    return p1 == p0"
    ]


def test_a_check_is_a_function_and_what_it_reads_a_parameter() -> None:
    body = "(then (Assert (Compare (Name leaf0) (list Eq) (list #0)) none) end)"
    assert tools(body) == [
        "def fn_0(p0, res):\n    assert res == p0\n    return True",
    ]


@pytest.mark.parametrize(
    "body",
    [
        "(Assign (list (Name #1)) #0)",  # a hole that is bound
        "(Call (Name #0) (list #1) list)",  # a hole that is called
        "(FunctionDef #0 #1)",  # not the whole of a node
        "(list (Constant #0) (Constant #1))",  # no node at all
        "(then (Assign (list (Name leaf3)) #0) (then (Assert (Name leaf3) none) end))",
        "(BinOp (Name leaf3))",
        "(Attribute (Name leaf3) #0)",  # a hole for a name after a dot
        "(Constant leaf1)",  # no parameters
    ],
)
def test_what_is_no_python_function_does_not_count(body: str) -> None:
    assert tools(body) == []


def test_an_abstraction_made_of_others_is_unfolded() -> None:
    inner = "(BinOp #0 Add #1)"
    outer = "(fn_0 (Constant leaf1) (fn_0 #0 (Constant leaf5)))"
    assert tools(inner, outer)[1] == "def fn_1(p0):\n    return 5 + (p0 + 1)"


def test_an_abstraction_that_is_given_on_is_no_call() -> None:
    assert len(tools("(BinOp #0 Add #1)", "(List (list (fn_0 #0)))")) == 1
    assert len(tools("(BinOp #0 Add #1)", "(List (list #0 fn_0))")) == 1


def test_a_term_is_the_tree_that_it_was_made_of() -> None:
    code = "import a as c\nfor i in x[1:]:\n    y = {1: -i, **z}\nelse:\n    print(f'{y!r:>3}', *a)"
    tree = ast.parse(code)
    leaves: dict[tuple[str, object], int] = {}
    term = stitch._parsed(stitch._written(stitch._term(tree, leaves)))
    again = stitch._node(term, [value for _, value in leaves])
    assert again.body
    module = ast.fix_missing_locations(ast.Module(again.body, []))
    assert ast.unparse(module) == ast.unparse(tree)


def test_true_and_one_are_different_leaves() -> None:
    leaves: dict[tuple[str, object], int] = {}
    stitch._term(ast.parse("x = [True, 1, 1.0]"), leaves)
    assert [value for (kind, value) in leaves if not isinstance(value, str)] == [True, 1, 1.0]
    assert len(leaves) == 4
