"""Functions are grouped by what they do, and compared by running them."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest

from toolguild.sandbox import Sandbox
from toolguild.synth.behaviour import difference, observe
from toolguild.synth.mining import CodeMiner, RepeatedCode
from toolguild.synth.proving import prove
from toolguild.synth.spellings import generated_inputs, group_spellings
from toolguild.synth.validation import ValidationSettings

Writer: TypeAlias = Any

SPELLINGS = {
    "loop": """
def is_prime(n):
    if n < 2:
        return False
    for i in range(2, n):
        if n % i == 0:
            return False
    return True
""",
    "all": """
def is_prime(num):
    return num > 1 and all(num % i for i in range(2, int(num ** 0.5) + 1))
""",
    "count": """
def prime_check(number):
    divisors = [i for i in range(1, number + 1) if number % i == 0]
    return len(divisors) == 2
""",
    "while": """
def is_prime(n):
    if n <= 1:
        return False
    i = 2
    while i * i <= n:
        if n % i == 0:
            return False
        i += 1
    return True
""",
    "import": """
import math
def check(x):
    return x >= 2 and not any(x % d == 0 for d in range(2, math.isqrt(x) + 1))
""",
}
"""`is_prime` in five spellings."""

NEARLY = """
def is_prime(n):
    for i in range(2, n):
        if n % i == 0:
            return False
    return True
"""
"""Wrong for 1, which nobody asked it for."""


def called(definition: str, *numbers: int) -> str:
    name = definition.split("def ")[1].split("(")[0]
    return f"{definition}\nprint([{name}(k) for k in {list(numbers)}])"


def grouped(writer: Writer, local: Sandbox, *definitions: str) -> list[RepeatedCode]:
    miner = CodeMiner(miner_settings())
    for number, definition in enumerate(definitions):
        scope: dict[str, Any] = {}
        code = called(definition, 7, 8, 9 + number)
        exec(definition, scope)  # noqa: S102 - written right here
        name = definition.split("def ")[1].split("(")[0]
        shown = str([scope[name](k) for k in (7, 8, 9 + number)])
        miner.add(writer.trace(f"task{number}", writer.code(code, shown)))
    return miner.mine(merge=lambda found: group_spellings(found, local))


def miner_settings() -> Any:
    from toolguild.synth.mining import MiningSettings

    return MiningSettings()


def test_five_spellings_of_one_function_are_one_tool(writer: Writer, local: Sandbox) -> None:
    (found,) = grouped(writer, local, *SPELLINGS.values())
    assert len(found.occurrences) == 5
    assert found.common_name == "is_prime"
    assert len(found.spellings) == 5
    assert found.source == min((one.source for one in found.spellings), key=len)
    proof = prove(found, local, ValidationSettings(inputs=20, crowd=20, mutants=0), "is_prime")
    assert proof.passed, proof.report and proof.report.reasons


def test_without_running_them_they_are_five_functions(writer: Writer) -> None:
    traces = [
        writer.trace(f"task{number}", writer.code(definition))
        for number, definition in enumerate(SPELLINGS.values())
    ]
    assert writer.repeated_code(traces) == []


def test_what_differs_on_some_input_is_another_function_and_kept_as_evidence(
    writer: Writer, local: Sandbox
) -> None:
    (found,) = grouped(writer, local, SPELLINGS["all"], SPELLINGS["while"], NEARLY)
    assert len(found.occurrences) == 2
    (other,) = [one for one in found.spellings if one.differs]
    assert "range(2, n)" in other.source
    assert other.differs == "[1]: true, not false"


def test_the_next_spelling_is_taken_where_the_best_does_not_pass(
    writer: Writer, local: Sandbox
) -> None:
    """The static gate lets no tool near such attributes."""
    refused = "def total(v):\n    total.__dict__['s'] = 1\n    return sum(v) * 3 + 1 - len(v) % 2\n"
    plain = "def total(v):\n    odd = len(v) % 2\n    three = sum(v) * 3\n    result = three + 1\n"
    plain += "    return result - odd\n"
    (found,) = grouped_lists(writer, local, refused, plain)
    assert "__dict__" in found.source
    proof = prove(found, local, ValidationSettings(inputs=20, crowd=20, mutants=0), "total")
    assert proof.passed
    assert proof.draft is not None
    assert "__dict__" not in proof.draft.source


def grouped_lists(writer: Writer, local: Sandbox, *definitions: str) -> list[RepeatedCode]:
    miner = CodeMiner(miner_settings())
    for number, definition in enumerate(definitions):
        scope: dict[str, Any] = {}
        exec(definition, scope)  # noqa: S102 - written right here
        lists = [[1, 2], [3], [5, 1, number]]
        code = f"{definition}\nprint([total(k) for k in {lists}])"
        shown = str([scope["total"](k) for k in lists])
        miner.add(writer.trace(f"task{number}", writer.code(code, shown)))
    return miner.mine(merge=lambda found: group_spellings(found, local))


def test_an_input_that_takes_too_long_tells_nothing(local: Sandbox) -> None:
    source = "def f(n):\n    while n < 0:\n        pass\n    return n + 1"
    behaviour = observe(source, "f", [[1], [-1], ["a"]], local)
    assert behaviour is not None
    assert [one.text for one in behaviour.endings] == ["2", None, "raises TypeError"]


def test_two_functions_agree_only_on_what_both_tell(local: Sandbox) -> None:
    inputs = [[1], [2], [3], [-4]]
    one = observe("def f(n):\n    return n * 2", "f", inputs, local)
    same = observe("def g(n):\n    while n < 0: pass\n    return n + n", "g", inputs, local)
    other = observe("def h(n):\n    return abs(n) * 2", "h", inputs, local)
    assert one is not None
    assert same is not None
    assert other is not None
    assert one.agrees(same)
    assert same.agrees(one)
    assert not one.agrees(other)
    assert difference(one, other, inputs) == "[-4]: -8, not 8"


def test_functions_that_always_give_the_same_value_are_not_told_apart(local: Sandbox) -> None:
    inputs = [[1], [2], [3]]
    one = observe("def f(n):\n    return True", "f", inputs, local)
    other = observe("def g(n):\n    return n > 0", "g", inputs, local)
    assert one is not None
    assert other is not None
    assert not one.agrees(other)


@pytest.mark.parametrize(
    "source", ["def f(n):\n    import os\n    os._exit(0)", "def f(n): return n +"]
)
def test_a_function_that_ends_everything_is_not_observed(source: str, local: Sandbox) -> None:
    assert observe(source, "f", [[1]], local) is None


def test_generated_inputs_stay_within_what_was_recorded() -> None:
    inputs = generated_inputs([(3, "ab"), (5, "c"), (1, "d")])
    assert len(inputs) > 20
    assert all(isinstance(n, int) and n >= 1 for n, _ in inputs)
    assert all(isinstance(text, str) and text for _, text in inputs)


def test_what_only_others_were_called_with_does_not_part_spellings(
    writer: Writer, local: Sandbox
) -> None:
    """Negative numbers are nothing to these two, though another function takes them."""
    one = "def under(n):\n    return sum(range(n)) * 3 + len(str(n))\n"
    other = "def below(k):\n    return k * (k - 1) // 2 * 3 + len(str(k))\n"
    third = "def sign(n):\n    return -1 if n < 0 else 1 + n * 2 - len(str(n))\n"
    miner = CodeMiner(miner_settings())
    for number, (definition, inputs) in enumerate(
        [(one, [3, 4, 10]), (other, [2, 5, 11]), (third, [-7, -8, -9])]
    ):
        scope: dict[str, Any] = {}
        exec(definition, scope)  # noqa: S102 - written right here
        name = definition[4:].split("(")[0]
        code = f"{definition}\nprint([{name}(k) for k in {inputs}])"
        shown = str([scope[name](k) for k in inputs])
        miner.add(writer.trace(f"task{number}", writer.code(code, shown)))
    (found,) = miner.mine(merge=lambda definitions: group_spellings(definitions, local))
    assert [one.name for one in found.spellings] == ["under", "below"]
