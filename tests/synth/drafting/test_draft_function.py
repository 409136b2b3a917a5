"""The function tool drafted from repeated code and its recovered cases."""

from __future__ import annotations

import ast
from textwrap import dedent
from typing import Any, TypeAlias

import pytest

from toolguild.policies import Tier
from toolguild.sandbox import Json, JsonObject, Sandbox, open_sandbox
from toolguild.synth.drafting import (
    Case,
    Domain,
    Draft,
    NotDrafted,
    draft_function,
    draft_tool,
    tool_names,
)
from toolguild.synth.mining import MiningSettings, RepeatedCode
from toolguild.synth.traces import Place
from toolguild.synth.validation.static import check_source

Writer: TypeAlias = Any


def code(source: str, name: str, *parameters: str, **more: Any) -> RepeatedCode:
    given = {"kind": "definition", "occurrences": ()} | more
    return RepeatedCode(name, parameters, dedent(source).strip(), **given)


def case(value: Json, error: str | None = None, **arguments: Json) -> Case:
    return Case(arguments, value, error, (), "task", Place("log.jsonl", 1))


SCALE = code("def scaleAll(xs, k):\n    return [x * k for x in xs]", "scaleAll", "xs", "k")
CASES = [case([2, 4], xs=[1, 2], k=2), case([], xs=[], k=3)]


def test_a_function_is_drafted_as_a_reader_would_write_it() -> None:
    draft = draft_function(SCALE, CASES)
    assert draft.source == dedent('''\
        def scale_all(xs: list[int], k: int) -> list[int]:
            """Compute the scale all of `xs` and `k`.

            Args:
                xs: A list of integers.
                k: An integer, such as 2.

            Returns:
                A list of integers.
            """
            return [x * k for x in xs]
    ''')
    assert (draft.name, draft.calls, draft.cases) == ("scale_all", (), tuple(CASES))
    assert draft.returns == {"type": "array", "items": {"type": "integer"}}
    assert draft.parameters["required"] == ["xs", "k"]


def test_helpers_become_private_and_imports_come_first() -> None:
    found = code(
        """
        from math import floor
        import re as patterns
        def Half(x):
            return floor(x / 2)
        def _half(x):
            return Half(x) + 1
        def halve(x):
            return _half(x) - 1 + len(patterns.findall('a', 'a'))
        """,
        "halve",
        "x",
    )
    draft = draft_function(found, [case(3, x=5)])
    module = ast.parse(draft.source)
    assert [getattr(node, "name", "import") for node in module.body] == [
        "import",
        "import",
        "_Half",
        "_half",
        "halve",
    ]
    assert _value(draft, x=5) == 3


def test_helpers_whose_private_names_would_be_equal_are_told_apart() -> None:
    found = code(
        """
        def part(x):
            return x * 2
        def _part(x):
            return x * 3
        def whole(x):
            return part(x) + _part(x) + 0
        """,
        "whole",
        "x",
    )
    assert _value(draft_function(found, [case(10, x=2)]), x=2) == 10


def _value(draft: Draft, **arguments: object) -> object:
    names: dict[str, Any] = {}
    exec(draft.source, names)  # noqa: S102 - written right here
    return names[draft.name](**arguments)


def test_what_the_agents_said_of_it_is_its_summary() -> None:
    found = code("def f(x):\n    return x", "f", "x", documentation="Double it.\n\nMore words.")
    draft = draft_function(found, [case(1, x=1)])
    assert draft.description == "Double it."
    assert '"""Double it.\n' in draft.source


@pytest.mark.parametrize(
    ("name", "parameters", "summary"),
    [
        ("is_prime", ["n"], "Tell whether `n` is prime."),
        ("celsius_to_kelvin", ["degrees"], "Convert `degrees` from celsius to kelvin."),
        ("compute_total_and_top", ["a", "b"], "Compute the total and top from `a` and `b`."),
        ("update_counts", ["counts", "key"], "Update the counts by `key`."),
        ("update_counts", ["counts"], "Update the counts."),
        ("gcd", ["a", "b"], "Compute the greatest common divisor of `a` and `b`."),
    ],
)
def test_without_words_of_theirs_the_names_make_the_summary(
    name: str, parameters: list[str], summary: str
) -> None:
    source = f"def {name}({', '.join(parameters)}):\n    return 1"
    cases = [case(1, **dict.fromkeys(parameters, 1))]
    assert draft_function(code(source, name, *parameters), cases).description == summary


def test_the_domain_narrows_the_parameters_and_widens_the_result() -> None:
    bounds: dict[str, JsonObject] = {"k": {"minimum": 1}, "xs": {"minItems": 1}}
    draft = draft_function(SCALE, CASES, Domain(bounds, results=([0.5],)))
    properties = draft.parameters["properties"]
    assert isinstance(properties, dict)
    assert properties["k"] == {
        "type": "integer",
        "minimum": 1,
        "description": "An integer, at least 1, such as 2",
    }
    assert "A list of integers, not empty" in draft.source
    assert draft.returns == {"type": "array", "items": {"type": "number"}}
    assert "-> list[float]:" in draft.source


def test_a_formula_cut_from_a_script_takes_fractions_and_a_named_function_does_not() -> None:
    source = "def compute_half(x):\n    return x / 2"
    cases = [case(0.5, x=1), case(1.0, x=2)]
    formula = code(source, "compute_half", "x", kind="statements")
    assert "(x: float) -> float" in draft_function(formula, cases).source
    assert "(x: int) -> float" in draft_function(code(source, "compute_half", "x"), cases).source
    whole = [case(1, x=2)]
    assert "(x: int) -> int" in draft_function(formula, whole).source


def test_cases_that_raise_say_nothing_of_the_result() -> None:
    cases = [case(None, "ValueError", xs=[1], k=0), *CASES]
    assert draft_function(SCALE, cases).returns == draft_function(SCALE, CASES).returns


def test_the_same_code_gives_the_same_draft() -> None:
    assert draft_function(SCALE, CASES) == draft_function(SCALE, CASES)


@pytest.mark.parametrize("name", ["größe", "x" * 65])
def test_a_parameter_that_no_vendor_would_take_is_not_drafted(
    writer: Writer, local: Sandbox, name: str
) -> None:
    text = f"def f({name}):\n    return {name} * 2 + len(str({name})) - 1\nprint(f(3))"
    traces = [writer.trace(f"task{n}", writer.code(text, "6")) for n in range(2)]
    (found,) = writer.repeated_code(traces, MiningSettings(statements_support=9))
    drafted = draft_tool(found, local)
    assert isinstance(drafted, NotDrafted)
    assert "parameter" in drafted.reason


def test_recorded_code_becomes_a_tool_that_passes_the_static_gate(
    writer: Writer, local: Sandbox
) -> None:
    text = dedent('''
        import math
        def shout(words, times=2):
            """Say "it" loud: a \\\\ backslash and \'\'\' quotes."""
            line = f"{' '.join(words)}!\\t{times:>{3}}\\n" * times
            if not words:
                raise ValueError("no words")
            return line + chr(8238) + str(math.floor(times))
        print(len(shout(["hey", "you"])))
    ''')
    traces = [writer.trace(f"task{n}", writer.code(text, "28")) for n in range(2)]
    (found,) = writer.repeated_code(traces, MiningSettings(statements_support=9))
    draft = draft_tool(found, local)
    assert isinstance(draft, Draft)
    assert check_source(draft.source, Tier.SANDBOX, entry=draft.name) == []
    (only,) = draft.cases
    assert _value(draft, **only.arguments) == only.value


def test_code_that_needs_a_package_is_not_drafted_and_the_package_is_named() -> None:
    source = (
        "import math\nfrom sympy.core import Symbol\n\ndef half(n):\n    return Symbol(n) / math.e"
    )
    with open_sandbox("scripted", answers={}) as sandbox:
        drafted = draft_tool(code(source, "half", "n"), sandbox)
    assert isinstance(drafted, NotDrafted)
    assert drafted.reason == "needs sympy, which sandboxes do not have"


def test_no_two_tools_of_one_run_have_the_same_name() -> None:
    totals = [code(f"def total(xs):\n    return sum(xs) + {n}", "total", "xs") for n in range(3)]
    other = code("def total_2(xs):\n    return len(xs)", "total_2", "xs")
    names = tool_names([*totals, other])
    assert names == ["total", "total_2", "total_3", "total_2_2"]
    draft = draft_function(totals[1], [case(4, xs=[3])], name=names[1])
    assert draft.name == "total_2"
    assert _value(draft, xs=[3]) == 4
