"""Mutants: each operator against its own examples, and what holds for all of them."""

from __future__ import annotations

import ast
import textwrap
from collections import Counter
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolguild.synth.validation.adequacy import OPERATORS, Mutant, Operator, difference, mutants
from toolguild.synth.validation.static import SourceTooBigError

EVERYTHING = 10_000

MAKES = [(operator, *example) for operator in OPERATORS for example in operator.makes]
SPARES = [(operator, example) for operator in OPERATORS for example in operator.spares]


def tool(statements: str) -> str:
    return f"def f(a, b, c, d, n) -> list[int]:\n{textwrap.indent(statements, '    ')}\n"


def every(source: str, entry: str = "f") -> tuple[Mutant, ...]:
    return mutants(source, entry, limit=EVERYTHING, seed=1)


def name(value: object) -> str:
    return value.name if isinstance(value, Operator) else repr(value)


def body(source: str) -> str:
    return ast.unparse(ast.parse(source).body[-1]).partition("\n")[2]


@pytest.mark.parametrize(("operator", "before", "after"), MAKES, ids=name)
def test_an_operator_makes_the_fault_of_its_example(
    operator: Operator, before: str, after: str
) -> None:
    made = [one for one in every(tool(before)) if one.operator == operator.name]
    assert body(tool(after)) in [body(one.source) for one in made]


@pytest.mark.parametrize(("operator", "text"), SPARES, ids=name)
def test_an_operator_leaves_alone_what_it_says(operator: Operator, text: str) -> None:
    assert operator.name not in {one.operator for one in every(tool(text))}


def test_operators_have_names_of_their_own_and_say_what_they_do() -> None:
    assert len({operator.name for operator in OPERATORS}) == len(OPERATORS)
    assert all(operator.docs.endswith(".") and operator.makes for operator in OPERATORS)


SHOP = dedent(
    '''
    """Prices, 100 of them."""

    import math
    from json import dumps

    __all__ = ["total"]
    RATE = 7


    def _unused(x: int) -> int:
        return x + 1000


    def _rounded(x: float) -> float:
        return math.floor(x * 100) / 100


    def total(prices: list[float], members: "list[str]", é: str = "ä") -> float:
        """Add up 5 prices; `-1` is none.

        Args:
            prices: At least 3.
        """
        if not prices or len(members) > 9:
            raise ValueError("no more than " + str(9 + 9))
        assert prices, "at least 1"
        print("adding", 55)
        sum = 0
        for price in prices:
            if price < 0 and price != -1:
                continue
            elif price > 1_000:
                break
            else:
                sum += price  # ä plus ö
        é = f"{é!r}: {sum:.2f} of {members[0].strip()}"; label = dumps(é)
        try:
            return _rounded(sum * (1 + RATE / 100)) if label else 0.0
        except (OverflowError, ValueError):
            return 0.0
    '''
).lstrip()


def test_what_no_input_can_show_is_never_changed() -> None:
    lines = SHOP.splitlines()
    told = {
        number
        for number, line in enumerate(lines, start=1)
        if any(mark in line for mark in ["import", "__all__", "1000", '"""', "least 3", "print("])
    }
    assert len(told) == 9
    changed = {one.line for one in every(SHOP, "total")}
    assert not changed & told
    assert lines.index("RATE = 7") + 1 in changed, "a constant that the entry uses"
    assert any("floor" in lines[line - 1] for line in changed), "a function that it calls"
    for one in every(SHOP, "total"):
        assert '"no more than " + str(9 + 9)' in one.source or "raise" not in one.source
        assert '"at least 1"' in one.source or "assert" not in one.source
        assert 'prices: list[float], members: "list[str]"' in one.source


def test_nothing_but_the_faulty_place_is_changed() -> None:
    before = SHOP.splitlines()
    for one in every(SHOP, "total"):
        after = one.source.splitlines()
        assert after[: one.line - 1] == before[: one.line - 1]
        rest = len(before) - max(number for number, line in enumerate(before) if "return" in line)
        assert after[-1] == before[-1] or one.line >= len(before) - rest
        assert one.source.count("\n") <= SHOP.count("\n") + 1


def test_line_and_column_are_where_the_change_starts() -> None:
    source = 'def f(é: int) -> int:\n    x = "ä" * 3; return é - 5\n'
    (found,) = [one for one in every(source) if one.source.endswith("return é - 6\n")]
    assert (found.line, found.column) == (2, source.splitlines()[1].index("5") + 1)
    assert found.description == "`5` becomes `6`"
    assert difference(source, found) == 'line 2: `x = "ä" * 3; return é - 5` -> ' + (
        '`x = "ä" * 3; return é - 6`'
    )


def test_a_fault_over_several_lines_is_shown_by_its_first() -> None:
    source = "def f(a):\n    while a:\n        a -= 1\n        a -= 2\n    return a\n"
    shown = [difference(source, one) for one in every(source)]
    assert "line 2: `while a: ... (2 more)` -> `pass`" in shown


def test_a_long_line_is_shown_around_what_differs() -> None:
    numbers = ", ".join(map(str, range(100, 140)))
    source = f"def f():\n    return [{numbers}, 500]\n"
    shown = [difference(source, one) for one in every(source)]
    assert all(len(one) < 300 for one in shown)
    (told,) = [one for one in shown if "501" in one]
    assert told.startswith("line 2: `...")
    assert told.endswith(", 139, 501]`")


def test_mutants_that_compile_to_the_same_are_left_out() -> None:
    assert "return 2 * 2" not in str([one.source for one in every("def f():\n    return 2 + 2\n")])
    both = every("def f(a) -> bool:\n    return True\n")
    assert [one.source.split()[-1] for one in both] == ["False"]


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_other_line_ends_are_read_as_python_reads_them(ending: str) -> None:
    plain = "def f(a):\n    if a:\n        return 1\n    return 2\n"
    assert every(plain.replace("\n", ending)) == every(plain)


def test_precedence_is_kept_where_an_operator_binds_weaker() -> None:
    source = "def f(a, b, c):\n    return a * b ** c - (a + b) * c\n"
    made = {one.source.splitlines()[1].strip() for one in every(source)}
    assert "return a * (b * c) - (a + b) * c" in made
    assert "return a * b ** c - (a + b + c)" in made
    assert "return a * b ** c - (a - b) * c" in made


def test_a_text_that_is_too_deep_or_too_big_is_refused() -> None:
    with pytest.raises(SourceTooBigError):
        every("def f(a):\n    return " + "[" * 150 + "]" * 150 + "+ (1,)" * 100 + "\n")
    with pytest.raises(SourceTooBigError):
        every("def f(a):\n    return '" + "a" * 100_000 + "'\n")


def test_a_long_literal_does_not_stand_for_many_faults() -> None:
    keys = ", ".join(f"'k{number}': {number}" for number in range(2_000))
    made = mutants(f"def f():\n    return {{{keys}}}\n", "f", limit=EVERYTHING, seed=1)
    assert Counter(one.operator for one in made)["key"] <= 20


def test_a_sample_has_every_operator_before_any_a_second_time() -> None:
    whole = {one.operator for one in every(SHOP, "total")}
    assert len(whole) > 12
    sample = mutants(SHOP, "total", limit=len(whole), seed=1)
    assert Counter(one.operator for one in sample) == dict.fromkeys(whole, 1)


def test_a_sample_is_spread_over_lines() -> None:
    lines = "".join(f"    a[{number}] = {number + 5}\n" for number in range(10))
    sample = mutants(f"def f(a):\n{lines}    return a\n", "f", limit=30, seed=1)
    assert set(range(2, 12)) <= {one.line for one in sample}


@settings(max_examples=40)
@given(limit=st.integers(0, 80), seed=st.integers(0, 2**32))
def test_samples_are_small_enough_repeatable_and_all_different(limit: int, seed: int) -> None:
    sample = mutants(SHOP, "total", limit=limit, seed=seed)
    assert sample == mutants(SHOP, "total", limit=limit, seed=seed)
    assert len(sample) == limit
    assert len({one.id for one in sample}) == limit
    assert sample == tuple(sorted(sample, key=lambda one: (one.line, one.column, one.operator)))
    original = ast.dump(ast.parse(SHOP))
    for one in sample:
        assert ast.dump(ast.parse(one.source)) != original
        compile(one.source, "<mutant>", "exec")


CHOOSING = """
def f(xs: list[int], function: {annotation}) -> int:
    functions = {{'max': max, 'min': min}}
    if function not in functions:
        raise ValueError("function must be 'max' or 'min'")
    chosen = functions[function]
    return chosen(xs) + 1
"""


def test_there_are_no_faults_in_a_check_that_no_valid_input_fails() -> None:
    def mutated(annotation: str) -> set[int]:
        text = CHOOSING.format(annotation=annotation)
        lines = text.splitlines()
        return {
            number
            for one in every(text)
            for number, line in enumerate(lines, start=1)
            if line not in one.source.splitlines()
        }

    check = {4, 5}
    assert check <= mutated("str")
    assert check.isdisjoint(mutated("Literal['max', 'min']"))
    assert {3, 7} <= mutated("Literal['max', 'min']")
