"""Where code tools can stand in recorded code, and what is counted of it."""

from __future__ import annotations

import ast
from textwrap import dedent
from typing import Any, TypeAlias

import pytest

from toolguild.sandbox import JsonObject, Sandbox
from toolguild.synth.mining.programs import Session, parse_session
from toolguild.synth.rewriting import CodeTool, MeasuredCode, SessionCode, measure_code
from toolguild.synth.rewriting.measure import apart
from toolguild.synth.rewriting.rewrite import rewrite

Writer: TypeAlias = Any
ANYTHING: JsonObject = {"type": "object"}


def tool(source: str, accepts: JsonObject = ANYTHING, inputs: tuple[Any, ...] = ()) -> CodeTool:
    text = dedent(source).strip()
    name = text.split("def ")[-1].split("(")[0]
    return CodeTool(f"{name}@1", name, text, accepts, text, inputs)


CHECK_EQUAL = tool("""
    def check_equal(got, expected):
        assert got == expected, f'Expected {expected!r} but got {got}'
        return True
""")
DISTANCE = tool("""
    import math
    def distance(x1, y1, x2, y2):
        return math.sqrt((x2 - x1) ** 2 + (y2 - y1) ** 2)
""")
SPREAD = tool("""
    def spread(values):
        low = min(values)
        high = max(values)
        return high - low
""")
IS_PRIME = tool(
    """
    def is_prime(n):
        return n > 1 and all(n % i for i in range(2, int(n ** 0.5) + 1))
    """,
    inputs=tuple((n,) for n in range(1, 30)),
)


def session(writer: Writer, *codes: str) -> Session:
    return parse_session(writer.trace("task", *(writer.code(dedent(code)) for code in codes)))


def rewritten(writer: Writer, used: CodeTool, *codes: str) -> list[str]:
    """Return the snippets with the tool in all places that are found; nothing is run."""
    parsed = session(writer, *codes)
    done = rewrite(parsed, apart(SessionCode(parsed).places(used)))
    return [ast.unparse(tree) for tree in done.trees]


def measured(writer: Writer, local: Sandbox, used: CodeTool, *codes: str) -> MeasuredCode:
    trace = writer.trace("task", *(writer.code(dedent(code)) for code in codes))
    return measure_code([used], [trace], local)


@pytest.mark.parametrize(
    "check",
    [
        "assert f(2) == 5, 'Expected 5 but got {}'.format(f(2))",
        "assert f(2) == 5, f'Expected 5 but got {f(2)}'",
        "assert f(2) == 5, 'Expected %s but got %s' % (5, f(2))",
    ],
)
def test_a_check_is_found_however_its_message_is_put_together(writer: Writer, check: str) -> None:
    assert rewritten(writer, CHECK_EQUAL, f"{check}\nprint()") == ["check_equal(f(2), 5)\nprint()"]


@pytest.mark.parametrize(
    "check",
    [
        "assert f(2) == 5, 'Expected 6 but got {}'.format(f(2))",
        "assert f(2) == 5, 'Expected 5 but got {}'.format(f(3))",
        "assert f(2) != 5, 'Expected 5 but got {}'.format(f(2))",
        "assert f(2) == 5",
    ],
)
def test_another_check_is_not(writer: Writer, check: str) -> None:
    assert rewritten(writer, CHECK_EQUAL, check) == [ast.unparse(ast.parse(check))]


def test_the_last_check_of_a_snippet_does_not_show_its_value(writer: Writer) -> None:
    check = "assert f(2) == 5, 'Expected 5 but got {}'.format(f(2))"
    assert rewritten(writer, CHECK_EQUAL, check) == ["_ = check_equal(f(2), 5)"]


def test_a_name_used_only_for_the_check_is_not_needed(writer: Writer) -> None:
    code = """
        res = f(2)
        assert res == 5, 'Expected 5 but got {}'.format(res)
        res = f(3)
        assert res == 6, 'Expected 6 but got {}'.format(res)
        print('done')
    """
    assert rewritten(writer, CHECK_EQUAL, code) == [
        "check_equal(f(2), 5)\ncheck_equal(f(3), 6)\nprint('done')"
    ]


def test_a_name_that_is_read_again_stays(writer: Writer) -> None:
    code = """
        res = f(2)
        assert res == 5, 'Expected 5 but got {}'.format(res)
        print(res)
    """
    assert rewritten(writer, CHECK_EQUAL, code) == ["res = f(2)\ncheck_equal(res, 5)\nprint(res)"]


def test_an_expression_gives_way_to_a_call_and_its_import_goes(writer: Writer) -> None:
    code = """
        import math
        far = math.sqrt((a[0] - 1) ** 2 + (b - 2) ** 2) > 3
        print(far)
    """
    assert rewritten(writer, DISTANCE, code) == ["far = distance(1, 2, a[0], b) > 3\nprint(far)"]


def test_an_import_that_was_not_needed_before_is_not_saved_by_a_tool(writer: Writer) -> None:
    code = """
        import os
        import math
        print(math.sqrt((c - a) ** 2 + (d - b) ** 2))
    """
    assert rewritten(writer, DISTANCE, code) == ["import os\nprint(distance(a, b, c, d))"]


def test_the_same_name_of_another_module_is_another_function(writer: Writer) -> None:
    code = "import cmath as math\nprint(math.sqrt((c - a) ** 2 + (d - b) ** 2))"
    assert rewritten(writer, DISTANCE, code) == [code]


def test_statements_are_found_in_another_order_and_under_other_names(writer: Writer) -> None:
    code = """
        top = max(prices)
        bottom = min(prices)
        gap = top - bottom
        print(gap)
    """
    assert rewritten(writer, SPREAD, code) == ["gap = spread(prices)\nprint(gap)"]


def test_statements_whose_other_names_are_read_later_stay(writer: Writer) -> None:
    code = "low = min(v)\nhigh = max(v)\ngap = high - low\nprint(gap, low)"
    assert rewritten(writer, SPREAD, code) == [code]


def test_a_function_with_the_tools_name_is_left_out_and_its_helpers_too(writer: Writer) -> None:
    code = """
        def root(n):
            return int(n ** 0.5)
        def is_prime(k):
            return k > 1 and all(k % j for j in range(2, int(k ** 0.5) + 1))
        print(is_prime(7), root(9))
    """
    assert rewritten(writer, IS_PRIME, code) == [
        "def root(n):\n    return int(n ** 0.5)\nprint(is_prime(7), root(9))"
    ]


def test_a_function_of_another_name_becomes_that_name_of_the_tool(writer: Writer) -> None:
    code = """
        def p(k):
            return k > 1 and all(k % j for j in range(2, int(k ** 0.5) + 1))
        print(p(7))
    """
    assert rewritten(writer, IS_PRIME, code) == ["p = is_prime\nprint(p(7))"]


OTHER_PRIME = """
    def is_prime(n):
        if n < 2:
            return False
        for i in range(2, n):
            if n % i == 0:
                return False
        return True
    print([k for k in range(20) if is_prime(k)])
"""


def test_a_function_that_does_the_same_in_other_words_is_replaced(
    writer: Writer, local: Sandbox
) -> None:
    found = measured(writer, local, IS_PRIME, OTHER_PRIME)
    assert (found.rewritten, len(found.uses), found.refused) == (1, 1, [])
    assert found.after == len("print([k for k in range(20) if is_prime(k)])")


def test_a_function_that_differs_on_a_known_input_is_not(writer: Writer, local: Sandbox) -> None:
    wrong = OTHER_PRIME.replace("n < 2", "n < 1")
    assert measured(writer, local, IS_PRIME, wrong).uses == []


def test_a_tool_whose_name_the_session_took_before_is_imported(
    writer: Writer, local: Sandbox
) -> None:
    first = "def is_prime(n):\n    return n == 2\nprint(is_prime(3))"
    found = measured(writer, local, IS_PRIME, first, OTHER_PRIME)
    (use,) = found.uses
    assert use.place.text == "from tools import is_prime"


def test_a_call_by_a_name_that_the_session_gives_to_something_else_is_refused(
    writer: Writer, local: Sandbox
) -> None:
    code = """
        check_equal = 3
        x = 4
        assert x == 4, 'Expected 4 but got {}'.format(x)
        print(check_equal, x)
    """
    found = measured(writer, local, CHECK_EQUAL, code)
    ((_, why),) = found.refused
    assert why == "the session has something else called check_equal"
    assert found.saved == 0


@pytest.mark.parametrize(
    "code",
    [
        # No list to the session, but one to a tool.
        "v = (1, 2)\nassert v == [1, 2], 'Expected [1, 2] but got {}'.format(v)",
        # No JSON at all.
        "v = {1}\nassert v == {1}, 'Expected {1} but got %s' % (v,)",
    ],
)
def test_a_use_that_changes_how_a_snippet_ends_is_refused(
    writer: Writer, local: Sandbox, code: str
) -> None:
    found = measured(writer, local, CHECK_EQUAL, f"{code}\nw = v")
    assert [why for _, why in found.refused] == ["it ends otherwise"]
    assert (found.uses, found.after) == ([], found.before)


def test_a_use_that_changes_a_message_is_refused(writer: Writer, local: Sandbox) -> None:
    code = "v = (1, 2)\nassert v == (3,), 'Expected (3,) but got {}'.format(v)\nw = v"
    found = measured(writer, local, CHECK_EQUAL, code)
    assert [why for _, why in found.refused] == ["an assertion says something else"]


def test_a_use_that_prints_something_else_is_refused(writer: Writer, local: Sandbox) -> None:
    pair = tool("""
        def ends(values):
            ordered = sorted(values)
            return (ordered[0], ordered[-1])
    """)
    code = "o = sorted(data_of_mine)\nextremes = (o[0], o[-1])\nprint(extremes)"
    found = measured(writer, local, pair, f"data_of_mine = [2, 1]\n{code}")
    ((_, why),) = found.refused
    assert why == "it prints something else"


def test_only_the_uses_that_change_nothing_are_counted(writer: Writer, local: Sandbox) -> None:
    code = """
        a, b = [1], (1,)
        assert a == [1], 'Expected [1] but got {}'.format(a)
        assert b == (1,), 'Expected (1,) but got {}'.format(b)
        assert b == [1], 'Expected [1] but got {}'.format(b)
        print('never')
    """
    found = measured(writer, local, CHECK_EQUAL, code)
    assert (len(found.uses), len(found.refused)) == (2, 1)
    assert found.tallies["check_equal@1"].refused == 1


def test_arguments_have_to_fit_the_schema(writer: Writer, local: Sandbox) -> None:
    integers: JsonObject = {
        "type": "object",
        "properties": {"values": {"items": {"type": "integer"}}},
    }
    strict = tool(SPREAD.source, integers)
    code = "low = min(v)\nhigh = max(v)\ngap = high - low\nprint(gap)"
    assert len(measured(writer, local, strict, f"v = [1, 2]\n{code}").uses) == 1
    found = measured(writer, local, strict, f"v = [1.5, 2]\n{code}")
    assert [why for _, why in found.refused] == [
        "spread is called with what its schema does not allow"
    ]


def test_a_program_that_cannot_be_run_counts_as_it_is(writer: Writer, local: Sandbox) -> None:
    code = "import no_such_package\nassert x == 4, 'Expected 4 but got {}'.format(x)"
    found = measured(writer, local, CHECK_EQUAL, code)
    assert (found.programs, found.rewritten, found.not_run) == (1, 0, 1)
    assert found.before == found.after == len(ast.unparse(ast.parse(code)))


def test_code_that_does_not_parse_counts_as_it_stands(writer: Writer, local: Sandbox) -> None:
    found = measured(writer, local, CHECK_EQUAL, "this is no code", "x = 1")
    assert (found.before, found.snippets) == (len("this is no code") + len("x = 1"), 2)
    assert found.compression(library=10) == found.before / (found.after + 10)


def test_a_session_that_imitates_the_report_is_not_believed(writer: Writer, local: Sandbox) -> None:
    code = """
        def toolguild_replay():
            return {'errors': []}
        assert 1 == 1, 'Expected 1 but got {}'.format(1)
        print('x')
    """
    found = measured(writer, local, CHECK_EQUAL, code)
    assert found.before - found.after == sum(use.place.saved for use in found.uses)


def test_a_function_that_is_defined_again_and_again_needs_no_import(
    writer: Writer, local: Sandbox
) -> None:
    found = measured(writer, local, IS_PRIME, OTHER_PRIME, OTHER_PRIME)
    assert [use.place.text for use in found.uses] == ["", ""]
    assert found.after == 2 * len("print([k for k in range(20) if is_prime(k)])")


def test_a_name_that_a_later_snippet_sets_first_is_not_needed(writer: Writer) -> None:
    check = "res = f(2)\nassert res == 5, 'Expected 5 but got {}'.format(res)\nprint()"
    later = "def own():\n    res = 3\n    return res\nres = own()\nprint(res)"
    assert rewritten(writer, CHECK_EQUAL, check, later)[0] == "check_equal(f(2), 5)\nprint()"


def test_a_name_that_a_later_function_reads_stays(writer: Writer) -> None:
    check = "res = f(2)\nassert res == 5, 'Expected 5 but got {}'.format(res)\nprint()"
    later = "def theirs():\n    return res\nres = 4\nprint(theirs())"
    assert rewritten(writer, CHECK_EQUAL, check, later)[0].startswith("res = f(2)\n")


def test_several_results_are_given_to_their_names(writer: Writer, local: Sandbox) -> None:
    both = tool("""
        def bounds(values):
            low = min(values)
            high = max(values)
            return {'low': low, 'high': high}
    """)
    code = """
        data_values = [3, 1]
        last_value = max(data_values)
        first_value = min(data_values)
        print(first_value, last_value)
    """
    (use,) = measured(writer, local, both, code).uses
    assert use.place.text == "first_value, last_value = bounds([3, 1]).values()"


def test_an_object_of_other_values_is_no_statement(writer: Writer) -> None:
    told = tool("""
        def told(count):
            twice = count * 2
            return {'sum': twice}
    """)
    code = "twice_as_much = count_of_all_things * 2\nprint(twice_as_much)"
    assert rewritten(writer, told, code) == [code]


def test_a_name_that_the_next_turn_of_a_loop_reads_stays(writer: Writer) -> None:
    code = """
        res = 0
        for k in range(3):
            print(res)
            res = f(k)
            assert res == 5, 'Expected 5 but got {}'.format(res)
    """
    assert "res = f(k)\n    check_equal(res, 5)" in rewritten(writer, CHECK_EQUAL, code)[0]


CHOOSING = tool(
    """
    import math
    def scaled(value, function):
        functions = {'abs': abs, 'math.sqrt': math.sqrt}
        if function not in functions:
            raise ValueError("function must be 'abs' or 'math.sqrt'")
        chosen = functions[function]
        return chosen(value) * 2 + math.floor(chosen(value + 1) / 3)
    """
)


@pytest.mark.parametrize(
    ("imports", "code", "call"),
    [
        ("import math", "abs(x) * 2 + math.floor(abs(x + 1) / 3)", "scaled(x, 'abs')"),
        ("import math", "math.sqrt(x) * 2 + math.floor(math.sqrt(x + 1) / 3)", "'math.sqrt')"),
        ("from math import sqrt, floor", "sqrt(x) * 2 + floor(sqrt(x + 1) / 3)", "'math.sqrt')"),
        ("import math as m", "m.sqrt(x) * 2 + m.floor(m.sqrt(x + 1) / 3)", "'math.sqrt')"),
    ],
)
def test_a_chosen_function_stands_for_any_of_them_however_it_is_imported(
    writer: Writer, imports: str, code: str, call: str
) -> None:
    (made,) = rewritten(writer, CHOOSING, f"{imports}\nx = 4\nprint({code})")
    assert made.startswith("x = 4\nprint(scaled(x, ")
    assert made.endswith(f"{call})")


@pytest.mark.parametrize(
    ("before", "code"),
    [
        # another function, two functions where the tool calls one, and functions of the session
        ("import math", "math.exp(x) * 2 + math.floor(math.exp(x + 1) / 3)"),
        ("import math", "abs(x) * 2 + math.floor(math.sqrt(x + 1) / 3)"),
        ("import math\nabs = str", "abs(x) * 2 + math.floor(abs(x + 1) / 3)"),
        ("import numpy as math", "abs(x) * 2 + math.floor(abs(x + 1) / 3)"),
        ("from cmath import sqrt\nimport math", "sqrt(x) * 2 + math.floor(sqrt(x + 1) / 3)"),
    ],
)
def test_a_chosen_function_stands_for_no_other(writer: Writer, before: str, code: str) -> None:
    text = f"{before}\nx = 4\nprint({code})"
    assert rewritten(writer, CHOOSING, text) == [ast.unparse(ast.parse(text))]


def test_a_chosen_function_is_found_in_statements(writer: Writer, local: Sandbox) -> None:
    used = tool("""
        def spread_of(values, function):
            functions = {'max': max, 'min': min}
            if function not in functions:
                raise ValueError("function must be 'max' or 'min'")
            chosen = functions[function]
            mean = sum(values) / len(values)
            return chosen(values) - mean
    """)
    code = """
        data = [3, 5, 10]
        middle = sum(data) / len(data)
        low = min(data) - middle
        print(low)
    """
    found = measured(writer, local, used, code)
    assert [use.place.text for use in found.uses] == ["low = spread_of([3, 5, 10], 'min')"]
    assert found.refused == []
