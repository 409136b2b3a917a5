"""Which windows of statements are found in agents' code, and what function they become."""

from __future__ import annotations

import ast
from textwrap import dedent
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.synth.mining import MiningSettings, RepeatedCode, support_of
from toolguild.synth.traces import Trace

Writer: TypeAlias = Any


def sessions(writer: Writer, *codes: str) -> list[Trace]:
    """Return one trace of one snippet for each text, all of different tasks."""
    return [
        writer.trace(f"task{number}", writer.code(dedent(code)))
        for number, code in enumerate(codes)
    ]


def only(writer: Writer, *codes: str, **settings: Any) -> RepeatedCode:
    (found,) = writer.repeated_code(sessions(writer, *codes), MiningSettings(**settings))
    assert isinstance(found, RepeatedCode)
    return found


def run(found: RepeatedCode, **arguments: object) -> object:
    """Call the function that was found; the code is this module's own."""
    names: dict[str, Any] = {}
    exec(found.source, names)  # noqa: S102 - written right here
    return names[found.name](**arguments)


BUILTINS = ("max", "min", "sum")

COMPOUND = """
    principal = {0}
    rate = {1}
    years = {2}
    grown = principal * (1 + rate / 100) ** years
    interest = round(grown - principal, 2)
    print(interest)
"""


def test_constants_that_differ_become_parameters(writer: Writer) -> None:
    found = only(
        writer, COMPOUND.format(100, 5, 2), COMPOUND.format(250, 3, 7), COMPOUND.format(80, 1, 1)
    )
    assert (found.name, found.kind) == ("compute_interest", "statements")
    assert found.parameters == ("principal", "rate", "years")
    assert run(found, principal=100, rate=5, years=2) == 10.25
    assert support_of(found.occurrences) == 3


def test_constants_that_are_the_same_everywhere_stay(writer: Writer) -> None:
    found = only(writer, *(COMPOUND.format(value, value + 1, 2) for value in (10, 20, 30)))
    assert found.parameters == ("principal", "rate")
    assert "years = 2" in found.source


def test_columns_of_equal_constants_share_one_parameter(writer: Writer) -> None:
    codes = [f"low = min(data) * {n} + max(data) - {n}\nprint(low)" for n in (5, 6, 7)]
    found = only(writer, *codes)
    assert found.parameters == ("value", "data")
    assert run(found, data=[3, 4], value=5) == 14


def test_columns_that_differ_anywhere_are_parameters_of_their_own(writer: Writer) -> None:
    pairs = [(5, 5), (6, 6), (7, 8)]
    codes = [f"low = min(data) * {a} + max(data) - {b}\nprint(low)" for a, b in pairs]
    found = only(writer, *codes)
    assert set(found.parameters) == {"data", "value", "value_2"}


def test_a_constant_given_by_keyword_lends_its_name(writer: Writer) -> None:
    codes = [
        f"text = str(round(sum(data), ndigits={n})) + 'x' * len(data)\nprint(text)"
        for n in (1, 2, 3)
    ]
    assert set(only(writer, *codes).parameters) == {"data", "ndigits"}


def test_local_names_are_no_difference_and_the_most_common_is_taken(writer: Writer) -> None:
    codes = [
        "total = 0\nfor price in prices:\n    total += price * 2 - 1 % 7\nprint(total)",
        "total = 0\nfor p in prices:\n    total += p * 2 - 1 % 7\nprint(total)",
        "s = 0\nfor price in costs:\n    s += price * 2 - 1 % 7\nprint(s)",
    ]
    found = only(writer, *codes)
    assert found.source == dedent("""\
        def compute_total(prices):
            total = 0
            for price in prices:
                total += price * 2 - 1 % 7
            return total""")


identifiers = st.from_regex(r"[a-z]{2,6}[0-9]", fullmatch=True)


@given(
    names=st.lists(
        st.lists(identifiers, min_size=4, max_size=4, unique=True), min_size=3, max_size=3
    )
)
def test_any_renaming_of_local_names_gives_the_same_function(
    writer: Writer, names: list[list[str]]
) -> None:
    code = """
        {0} = [4, 1, 3]
        {1} = []
        for {2} in {0}:
            if {2} % 2 == 1:
                {1}.append({2} * 10)
        {3} = sum({1}) + len({0})
        print({3})
    """
    found = only(writer, *(code.format(*spelling) for spelling in names))
    (parameter,) = found.parameters
    assert run(found, **{parameter: [4, 1, 3]}) == 43


def test_code_that_uses_one_name_where_other_code_uses_two_is_other_code(writer: Writer) -> None:
    same = "x = [1, 2]\ny = sum(x) * len(x) + max(x) - min(x)\nprint(y)"
    other = "x = [1, 2]\nz = [3]\ny = sum(x) * len(z) + max(x) - min(z)\nprint(y)"
    assert writer.repeated_code(sessions(writer, same, same, other)) == []
    found = only(writer, same, same, same, other)
    assert set(found.parameters) == {"x", "z"}
    assert run(found, x=[1, 2], z=[3]) == run(found, x=[1, 2], z=[3, 3]) - 3


def test_builtins_and_imported_names_are_not_local_names(writer: Writer) -> None:
    code = "from math import {0}\nx = [1.5, 2]\ny = {0}(sum(x)) * len(x) + max(x)\nprint(y)"
    different = [code.format(name) for name in ("floor", "ceil", "sqrt")]
    assert writer.repeated_code(sessions(writer, *different)) == []
    builtins = [f"y = 1 + {name}(x) * len(x) - 3 % {name}(x)\nprint(y)" for name in BUILTINS]
    assert writer.repeated_code(sessions(writer, *builtins)) == []
    found = only(writer, *[code.format("floor")] * 3)
    assert found.source.startswith("from math import floor\n")
    assert run(found, x=[1.5, 2]) == 8


def test_an_import_of_an_earlier_snippet_travels_with_the_code(writer: Writer) -> None:
    code = "area = [m.pi * r ** 2 / 4 for r in radii]\ntop = max(area) + 1\nprint(top)"
    traces = [
        writer.trace(f"task{n}", writer.code("import math as m\nradii = [1]"), writer.code(code))
        for n in range(3)
    ]
    (found,) = writer.repeated_code(traces)
    assert found.source.startswith("import math as m\n")
    assert run(found, radii=[2]) == pytest.approx(4.14159, abs=1e-4)


def test_what_is_read_first_goes_in_and_what_is_read_later_comes_out(writer: Writer) -> None:
    code = """
        values = [1, 2, 3]
        mean = sum(values) / len(values)
        spread = max(values) - min(values)
        scratch = mean * spread
        print(mean, spread)
    """
    found = only(writer, code, code, code)
    assert found.parameters == ("values",)
    assert run(found, values=[1, 2, 6]) == {"mean": 3.0, "spread": 5}


def test_changing_a_parameter_in_place_counts_as_a_result(writer: Writer) -> None:
    code = """
        if key not in counts and len(key) > 1:
            counts[key] = 0
        counts[key] += len(key) * 2
        print(counts)
    """
    found = only(writer, code, code, code)
    assert (found.name, set(found.parameters)) == ("update_counts", {"key", "counts"})
    assert run(found, key="ab", counts={"ab": 3}) == {"ab": 7}


@pytest.mark.parametrize("method", ["append", "add", "update", "insert", "sort", "pop"])
def test_methods_that_change_a_value_count_as_changing_it(writer: Writer, method: str) -> None:
    code = f"""
        if len(seen) < sum(sizes) * 2:
            seen.{method}(len(sizes) + 1)
        print(seen)
    """
    assert only(writer, code, code, code).name == "update_seen"


def test_a_window_inside_a_loop_gives_what_the_next_turn_reads(writer: Writer) -> None:
    code = """
        best = 0
        while best < bound:
            if best > 3:
                print('far')
            gain = (bound - best) // 2 + len(str(best))
            best = best + gain * 2 - gain
    """
    found = only(writer, code, code, code, max_statements=2, min_work=6)
    assert found.name == "update_best"
    assert run(found, best=2, bound=10) == 7


def test_a_window_under_a_condition_in_a_loop_gives_what_the_next_turn_reads(
    writer: Writer,
) -> None:
    code = """
        for number in numbers:
            if kept and number > 2:
                step = number * len(kept) + sum(kept) - min(kept)
                kept = [step % 7, step // 7]
    """
    found = only(writer, code, code, code, max_statements=2, min_work=6)
    assert run(found, number=3, kept=[2, 3]) == [2, 1]


def test_windows_inside_functions_are_found(writer: Writer) -> None:
    code = """
        def {0}(cells, {1}):
            print('start')
            total = sum(cells) * len(cells)
            top = max(cells) - min(cells) + total
            return top
    """
    codes = [code.format(f"f{n}", "a, b"[: 1 + 3 * (n % 2)]) for n in range(3)]
    found = only(writer, *codes)
    assert run(found, cells=[1, 3]) == 10


def test_prints_between_statements_are_skipped(writer: Writer) -> None:
    code = """
        total = sum(cells) * len(cells)
        print(total)
        top = max(cells) - min(cells) + total
        top
    """
    plain = code.replace("        print(total)\n", "").replace("top\n    ", "print(top)\n    ")
    found = only(writer, code, plain, code)
    assert "print" not in found.source
    assert support_of(found.occurrences) == 3


def test_statements_on_one_line_are_read_in_their_order(writer: Writer) -> None:
    code = "top = max(cells) - min(cells) + sum(cells) * len(cells); print(top)"
    assert run(only(writer, code, code, code), cells=[1, 3]) == 10


@pytest.mark.parametrize(
    "trivial",
    [
        "a = 1\nb = 2\nc = a\nprint(a, b, c)",
        "import math\nimport os\nprint(math)",
        "print(1)\nprint(2)\nprint(3)",
        "x = [1, 2, 3]\ny = {'a': 1}\nz = (x, y)\nprint(z)",
        "y = x + 1\nprint(y)",
    ],
)
def test_trivial_code_is_left_alone(writer: Writer, trivial: str) -> None:
    assert writer.repeated_code(sessions(writer, *[trivial] * 5)) == []


@pytest.mark.parametrize(
    "tied",
    [
        "with open(path) as f:\n    data = max(sizes)",
        "try:\n    data = max(sizes)\nexcept ValueError:\n    data = 0",
        "data = sorted(sizes, key=lambda s: s * 2 + len(sizes) - max(sizes))",
        "data = [*sizes, max(sizes) + min(sizes) - len(sizes) * 2]",
        "match max(sizes) + min(sizes) - len(sizes) * 2:\n    case 1: data = 2",
        "del data",
        "if max(sizes) + min(sizes) * 2 > len(sizes): raise ValueError(data)",
        "global data",
    ],
)
def test_statements_that_cannot_move_are_in_no_window(writer: Writer, tied: str) -> None:
    work = "\n    data = max(sizes) + min(sizes) - len(sizes) * 2"
    body = f"{tied}{work.replace('    ', '')}\nprint(data)"
    code = "def f(sizes):\n    print('')\n    " + body.replace("\n", "\n    ")
    found = only(writer, code, code, code)
    assert found.source.splitlines()[1:] == ["    return max(sizes) + min(sizes) - len(sizes) * 2"]


@pytest.mark.parametrize("jump", ["break", "continue"])
def test_a_jump_out_of_the_loop_around_it_cannot_move_but_one_of_its_own_loop_can(
    writer: Writer, jump: str
) -> None:
    out = f"""
        for cells in table:
            if max(cells) - min(cells) + sum(cells) * len(cells) > bound:
                top = 1
                {jump}
            print(cells)
        print(top)
    """
    inside = f"""
        top = bound
        for cell in cells:
            if cell * len(cells) > bound - min(cells):
                {jump}
            top = top + cell
        print(top)
    """
    for found in writer.repeated_code(sessions(writer, out, out, out)):
        compile(found.source, "<found>", "exec")
    found = only(writer, inside, inside, inside)
    assert run(found, cells=[5, 1], bound=3) == (3 if jump == "break" else 4)


def test_a_window_that_calls_a_function_of_its_session_is_no_tool(writer: Writer) -> None:
    code = """
        def scale(x):
            return x * 2 if x else 1
        top = max(cells) - min(cells) + scale(sum(cells)) * len(cells)
        print(top)
    """
    assert (
        writer.repeated_code(
            sessions(writer, code, code, code), MiningSettings(definition_support=9)
        )
        == []
    )


def test_constants_inside_a_formatted_text_can_differ(writer: Writer) -> None:
    code = """
        line = f"{{len(cells)}} {0} of {{max(cells) - min(cells):.{1}f}} {{sum(cells) * 2}}"
        print(line)
    """
    codes = [code.format(*given) for given in [("m", 1), ("km", 2), ("cm", 1)]]
    found = only(writer, *codes)
    assert run(found, cells=[1, 3], text=" m of ", text_2=".1f") == "2 m of 2.0 8"
    assert run(found, cells=[1, 3], text=" km of ", text_2=".2f") == "2 km of 2.00 8"


def test_support_counts_tasks_and_not_runs(writer: Writer) -> None:
    code = dedent(COMPOUND.format(100, 5, 2)).replace("100", "amount")
    runs = [writer.trace("one", writer.code(code), run=f"run{n}") for n in range(5)]
    assert writer.repeated_code(runs) == []
    more = [writer.trace(name, writer.code(code)) for name in ("two", "three")]
    (found,) = writer.repeated_code([*runs, *more])
    assert (support_of(found.occurrences), len(found.occurrences)) == (3, 7)


def test_chosen_windows_do_not_overlap(writer: Writer) -> None:
    short = """
        total = sum(cells) * len(cells) - 1
        top = max(cells) - min(cells) + total
        print(total, top)
    """
    rest = "rest = [cell % top + total * 2 - len(str(cell)) + max(cells) ** 2 for cell in cells]"
    long = f"{short}    {rest}\n        print(rest)"
    chosen = writer.repeated_code(sessions(writer, *[long] * 5, *[short] * 3))
    assert [len(found.occurrences) for found in chosen] == [5, 3]
    taken = [unit for found in chosen for one in found.occurrences for unit in one.units]
    assert len(taken) == len(set(taken)) == 5 * 4 + 3 * 2


def test_the_order_of_traces_changes_nothing(writer: Writer) -> None:
    codes = [COMPOUND.format(n, n + 1, 7 - n).replace("grown", f"g{n}") for n in range(1, 5)]
    traces = sessions(writer, *codes)
    assert writer.repeated_code(traces) == writer.repeated_code(list(reversed(traces)))


@pytest.mark.parametrize("limit", ["max_parameters", "min_work"])
def test_thresholds_hold(writer: Writer, limit: str) -> None:
    codes = [COMPOUND.format(n, n + 1, 7 - n) for n in range(1, 5)]
    settings = {
        "max_parameters": MiningSettings(max_parameters=2),
        "min_work": MiningSettings(min_work=30),
    }
    assert writer.repeated_code(sessions(writer, *codes), settings[limit]) == []


def test_windows_hold_at_most_so_many_statements(writer: Writer) -> None:
    body = "\n".join(f"a{n} = a{n - 1} * 2 + len(str(a{n - 1}))" for n in range(1, 12))
    code = f"{body}\nprint({', '.join(f'a{n}' for n in range(1, 12))})"
    for found in writer.repeated_code(sessions(writer, code, code, code)):
        (function,) = ast.parse(found.source).body
        assert isinstance(function, ast.FunctionDef)
        assert len(function.body) <= MiningSettings().max_statements + 1
