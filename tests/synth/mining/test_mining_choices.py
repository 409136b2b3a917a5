"""Where windows of code call different functions, and what becomes a choice among them."""

from __future__ import annotations

import ast
import importlib
from textwrap import dedent
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.policies import Tier
from toolguild.synth.mining import MiningSettings, RepeatedCode, support_of
from toolguild.synth.mining.choices import Choice, literal_type, parted, refusals, table_of
from toolguild.synth.mining.known_functions import _BUILTINS, _OF_MODULES, KnownFunctions
from toolguild.synth.traces import Trace
from toolguild.synth.validation.static import check_source

Writer: TypeAlias = Any
KNOWN = sorted(_BUILTINS | _OF_MODULES)

MARGIN = """
    prices = {prices}
    rate = {rate}
    adjusted = []
    for price in prices:
        adjusted.append(round(price * (1 + rate / 100), 2))
    margin = {function}(adjusted) - sum(prices) / len(prices)
    print(margin)
"""
HEIGHT = """
    {imports}
    angle = {angle}
    side = {side}
    edge = side * 2 + 1
    height = round({sine}(math.radians(angle)) * edge / 2 + {root}(edge) * (side + 1), 3)
    print(height)
"""


def sessions(writer: Writer, codes: list[str]) -> list[Trace]:
    """Return one trace of one snippet for each text, all of different tasks."""
    return [
        writer.trace(f"task{number}", writer.code(dedent(code)))
        for number, code in enumerate(codes)
    ]


def mined(writer: Writer, codes: list[str], **settings: Any) -> list[RepeatedCode]:
    found: list[RepeatedCode] = writer.repeated_code(
        sessions(writer, codes), MiningSettings(**settings)
    )
    return found


def margins(*functions: str) -> list[str]:
    return [
        MARGIN.format(prices=[*range(1 + number % 3)], rate=number + 2, function=function)
        for number, function in enumerate(functions)
    ]


def choices(found: RepeatedCode) -> tuple[Choice, ...]:
    function = ast.parse(found.source).body[-1]
    assert isinstance(function, ast.FunctionDef)
    return parted(function.body)[0]


def run(found: RepeatedCode, **arguments: object) -> object:
    """Call the function that was found; the code is this module's own."""
    names: dict[str, Any] = {}
    exec(found.source, names)  # noqa: S102 - written right here
    return names[found.name](**arguments)


def test_a_parameter_chooses_among_the_functions_that_were_called(writer: Writer) -> None:
    (found,) = mined(writer, margins("max", "min", "max", "sum", "min"))
    assert found.parameters == ("prices", "rate", "function")
    assert support_of(found.occurrences) == 5
    assert [choice.functions for choice in choices(found)] == [("max", "min", "sum")]
    given = {"prices": [10, 20], "rate": 50}
    assert run(found, **given, function="max") == 30.0 - 15
    assert run(found, **given, function="min") == 15.0 - 15
    assert run(found, **given, function="sum") == 45.0 - 15


@pytest.mark.parametrize("other", ["len", "print", "", "maximum"])
def test_another_function_is_refused_by_the_names_of_those_there_are(
    writer: Writer, other: str
) -> None:
    (found,) = mined(writer, margins("max", "min", "max", "sum", "min"))
    with pytest.raises(ValueError, match=r"^function must be 'max', 'min' or 'sum'$"):
        run(found, prices=[1], rate=2, function=other)


def test_each_place_names_its_own_function(writer: Writer) -> None:
    (found,) = mined(writer, margins("max", "min", "max", "sum"))
    program = found.occurrences[1].program
    assert "'function': 'min'" in program
    assert "'function': 'max'" not in program


def test_where_all_call_the_same_function_nothing_is_chosen(writer: Writer) -> None:
    (found,) = mined(writer, margins("max", "max", "max"))
    assert found.parameters == ("prices", "rate")
    assert "max(adjusted)" in found.source


def test_names_that_the_code_uses_itself_are_left_to_it(writer: Writer) -> None:
    renamed = [
        code.replace("prices", "functions").replace("rate", "function").replace("margin", "chosen")
        for code in margins(*("max", "min", "sum") * 2)
    ]
    (found,) = mined(writer, renamed)
    (choice,) = choices(found)
    assert found.parameters == ("functions", "function", choice.parameter)
    assert {choice.parameter, choice.table, choice.chosen}.isdisjoint(
        {"functions", "function", "chosen"}
    )
    assert run(found, functions=[10], function=50, **{choice.parameter: "max"}) == 5.0


def test_functions_that_differ_together_are_one_choice(writer: Writer) -> None:
    code = """
        data = {data}
        spread = [round({f}(row) * 2 + len(row) / 3, 2) for row in data]
        total = {f}(spread) - sum(spread) / len(spread) + {g}(data[0])
        print(total)
    """
    pairs = [("max", "len"), ("min", "len"), ("max", "sum"), ("min", "sum"), ("max", "len")]
    codes = [code.format(data=[[n]] * n, f=f, g=g) for n, (f, g) in enumerate(pairs * 3)]
    (found,) = mined(writer, codes)
    assert found.parameters == ("data", "function", "function_2")
    assert [choice.functions for choice in choices(found)] == [("max", "min"), ("len", "sum")]


def test_a_text_that_names_the_function_everywhere_is_the_same_parameter(writer: Writer) -> None:
    code = """
        data = {data}
        spread = [round(row * 2 + len(data) / 3, 2) for row in data]
        told = '{f}'.upper() + str({f}(spread) - sum(spread) / len(spread)) + '{f}'
        print(told)
    """
    codes = [code.format(data=[*range(n)], f=f) for n, f in enumerate(["max", "min"] * 3)]
    (found,) = mined(writer, codes)
    assert found.parameters == ("data", "function")
    assert len(choices(found)) == 1
    assert run(found, data=[3], function="max") == "MAX0.0max"


def heights(*spellings: tuple[str, str, str]) -> list[str]:
    return [
        HEIGHT.format(imports=imports, angle=number + 20, side=number + 3, sine=sine, root=root)
        for number, (imports, sine, root) in enumerate(spellings)
    ]


PLAIN = ("import math", "math.sin", "math.sqrt")
FROM = ("import math\n    from math import cos, sqrt", "cos", "sqrt")
RENAMED = ("import math\n    from math import tan as slope", "slope", "math.sqrt")


def test_functions_of_modules_are_the_same_however_they_are_imported(writer: Writer) -> None:
    (found,) = mined(writer, heights(*(PLAIN, FROM, RENAMED) * 3))
    assert found.parameters == ("angle", "side", "function")
    assert [one.functions for one in choices(found)] == [("math.cos", "math.sin", "math.tan")]
    assert found.source.startswith("import math\n\ndef compute_height(")
    assert "math.sqrt(edge)" in found.source
    assert run(found, angle=0, side=0, function="math.cos") == 1.5


def test_a_module_whose_name_means_something_else_is_not_called(writer: Writer) -> None:
    taken = ("import numpy as math\n    from math import cos", "cos", "math.sqrt")
    other = ("import numpy as math\n    from math import sin", "sin", "math.sqrt")
    assert not any(map(choices, mined(writer, heights(*(taken, other) * 5))))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sorted(names, key=len)", "sorted(names, key=str)"),
        ("list(map(len, names))", "list(map(str, names))"),
        ("[isinstance(n, int) for n in names]", "[isinstance(n, str) for n in names]"),
    ],
)
def test_a_function_that_is_given_to_another_one_can_be_chosen(
    writer: Writer, one: str, other: str
) -> None:
    code = """
        names = {names}
        ranked = {ranked}
        parts = [str(n) * 2 + '-' + str(len(str(n)) * 3 + 1) for n in ranked]
        text = ', '.join(parts) + str(len(parts) % 7)
        print(text)
    """
    ways = [one, other, one, other, one, other]
    codes = [code.format(names=["d" * n] * n, ranked=way) for n, way in enumerate(ways)]
    (found,) = mined(writer, codes)
    (choice,) = choices(found)
    assert choice.functions in {("len", "str"), ("int", "str")}
    assert isinstance(run(found, names=["b", "aa"], **{choice.parameter: "str"}), str)


@pytest.mark.parametrize(
    "functions",
    [
        ("max", "print"),
        ("max", "input"),
        ("max", "open"),
        ("max", "hash"),
        ("max", "type"),
        ("max", "own"),
        ("random.choice", "max"),
        ("os.path.getsize", "os.path.exists"),
        ("adjusted.count", "adjusted.index"),
        ("itertools.count", "itertools.cycle"),
    ],
)
def test_what_may_do_more_than_compute_is_never_a_choice(
    writer: Writer, functions: tuple[str, str]
) -> None:
    before = "\n    import os.path, random, itertools\n    def own(x):\n        return x[0]\n"
    codes = [f"{before}{code}" for code in margins(*functions * 4)]
    assert not any(map(choices, mined(writer, codes)))


def test_a_name_that_the_session_gives_to_something_else_is_no_known_function(
    writer: Writer,
) -> None:
    codes = margins(*("max", "min") * 4)
    shadowed = [f"\n    def max(x):\n        return 0\n{code}" for code in codes]
    assert choices(mined(writer, codes)[0])
    assert not any(map(choices, mined(writer, shadowed)))


def test_types_that_are_said_of_variables_are_no_choice(writer: Writer) -> None:
    code = """
        data: {kind} = {data}
        total: {kind} = round(sum(data) / len(data) * 2 + 1 - len(data) % 3, 2)
        print(total)
    """
    codes = [code.format(kind=kind, data=[n]) for n, kind in enumerate(["int", "float"] * 4)]
    assert not any(map(choices, mined(writer, codes)))


@pytest.mark.parametrize(
    "code",
    [
        "result = {0}([3, 4])\nprint(result)",
        "one = {0}({1})\ntwo = {2}({1})\nthree = {0}([one, two])\nprint(three)",
        "row = {1}\nresult = {0}({2}({0}({2}({0}(row)))))\nprint(result)",
        "best = {0}(best, {1})\nprint(best)",
    ],
)
def test_calls_of_chosen_functions_are_no_work_that_code_shares(writer: Writer, code: str) -> None:
    names = [("max", "min"), ("sum", "len"), ("sorted", "list"), ("min", "max")] * 10
    codes = [code.format(one, [*range(n)], other) for n, (one, other) in enumerate(names)]
    assert not any(map(choices, mined(writer, codes)))


def test_a_choice_has_to_save_more_than_its_tool_is_long(writer: Writer) -> None:
    assert not any(map(choices, mined(writer, margins("max", "min", "sum"))))
    (found,) = mined(writer, margins(*("max", "min", "sum") * 2))
    assert sum(one.saving.characters for one in found.occurrences) > len(found.source)


def test_nothing_is_chosen_from_more_functions_than_eight(writer: Writer) -> None:
    eight = ["max", "min", "sum", "len", "any", "all", "str", "list"]
    (found,) = mined(writer, margins(*eight * 3))
    assert len(choices(found)[0].functions) == 8
    assert not any(map(choices, mined(writer, margins(*[*eight, "tuple"] * 3))))


def test_a_check_is_given_what_it_compares(writer: Writer) -> None:
    code = "data = {0}\nassert {1}(data) == {2}, 'expected {2}'"
    names = ["max", "min"] * 20
    codes = [code.format([n, n + 1, n + 2], name, n) for n, name in enumerate(names)]
    (found,) = mined(writer, codes)
    assert (found.kind, choices(found)) == ("check", ())


def test_an_expression_can_choose_too(writer: Writer) -> None:
    code = "for row in {0}:\n    print({1}(row) * 2 + sum(row) / len(row) - len(row) % 3 + 1)"
    codes = [code.format([[n]] * n, name) for n, name in enumerate(["max", "min"] * 6)]
    (found,) = mined(writer, codes)
    assert (found.kind, found.name, found.parameters) == (
        "expression",
        "compute_len",
        ("function", "row"),
    )
    assert run(found, function="min", row=[3, 5]) == 6 + 4 - 2 + 1


def test_the_order_of_traces_changes_no_choice(writer: Writer) -> None:
    traces = sessions(writer, margins(*("min", "max", "sum", "min") * 2))
    (found,) = writer.repeated_code(traces)
    assert choices(found)
    assert writer.repeated_code(traces[::-1]) == [found]


names = st.from_regex(r"[a-z]{2,8}_[0-9]", fullmatch=True)


@st.composite
def some_choices(draw: st.DrawFn) -> list[Choice]:
    spelled = iter(draw(st.lists(names, min_size=6, max_size=6, unique=True)))
    functions = st.lists(st.sampled_from(KNOWN), min_size=2, max_size=8, unique=True)
    return [
        Choice(next(spelled), next(spelled), next(spelled), tuple(draw(functions)))
        for _ in range(draw(st.integers(0, 2)))
    ]


@given(written=some_choices())
def test_choices_are_read_as_they_were_written(written: list[Choice]) -> None:
    after = ast.parse("table = {'max': max}\nreturned = table['max']").body
    body = [*(line for choice in written for line in table_of(choice)), *after]
    text = "\n".join(ast.unparse(ast.fix_missing_locations(line)) for line in body)
    found, rest = parted(ast.parse(text).body)
    assert [*found] == written
    assert [*map(ast.dump, rest)] == [*map(ast.dump, after)]


def test_a_table_of_anything_else_is_no_choice() -> None:
    choice = Choice("function", "functions", "chosen", ("max", "min"))
    text = "\n".join(ast.unparse(ast.fix_missing_locations(line)) for line in table_of(choice))
    assert parted(ast.parse(text).body)[0] == (choice,)
    for before, after in [
        ("'max': max", "'max': open"),
        ("not in", "in"),
        ("ValueError", "KeyError"),
        ("[function]", "['max']"),
    ]:
        assert before in text
        assert parted(ast.parse(text.replace(before, after)).body)[0] == ()


def test_only_where_the_type_allows_no_other_name_is_the_refusal_needless() -> None:
    choice = Choice("function", "functions", "chosen", ("max", "min"))
    lines = [ast.unparse(ast.fix_missing_locations(line)) for line in table_of(choice)]
    body = "\n".join(lines).replace("\n", "\n    ")

    def found(annotation: str) -> list[str]:
        (function,) = ast.parse(
            f"def f(xs, function{annotation}):\n    '''Doc.'''\n    {body}"
        ).body
        assert isinstance(function, ast.FunctionDef)
        return [ast.unparse(one) for one in refusals(function)]

    assert found(f": {literal_type(['max', 'min'])}") == [lines[1]]
    assert found(f": {literal_type(['max', 'min', 'sum'])}") == []
    assert found(": str") == []
    assert found("") == []


def test_every_known_function_is_one() -> None:
    for name in KNOWN:
        module, _, own = name.rpartition(".")
        assert callable(getattr(importlib.import_module(module or "builtins"), own)), name


def test_the_static_gate_lets_every_known_function_stand_in_a_table() -> None:
    modules = sorted({name.partition(".")[0] for name in KNOWN if "." in name})
    choice = Choice("function", "functions", "chosen", tuple(KNOWN))
    lines = [ast.unparse(ast.fix_missing_locations(line)) for line in table_of(choice)]
    tool = "\n".join(
        [
            *(f"import {module}" for module in modules),
            "def choose(function: str, values: list[float]) -> object:",
            '    """Compute something.',
            "",
            "    Args:",
            "        function: What is called.",
            "        values: What it is given.",
            "",
            "    Returns:",
            "        Its result.",
            '    """',
            *(f"    {line}" for text in lines for line in text.splitlines()),
            "    return chosen(values)",
        ]
    )
    # `object` is a vague type; nothing else is to be said of it.
    assert [one.code for one in check_source(tool, Tier.SANDBOX)] == ["TG405"]


@pytest.mark.parametrize(
    ("code", "function"),
    [
        ("max", "max"),
        ("math.sin", "math.sin"),
        ("m.sin", "math.sin"),
        ("floor", "math.floor"),
        ("ceiling", "math.ceil"),
        ("math.pi", None),
        ("math.nothing", None),
        ("print", None),
        ("len", None),
        ("min", None),
        ("data.max", None),
        ("math.sin.real", None),
    ],
)
def test_names_are_read_as_they_are_imported(code: str, function: str | None) -> None:
    imports = {
        "math": "import math",
        "m": "import math as m",
        "floor": "from math import floor",
        "ceiling": "from math import ceil as ceiling",
        "len": "from numpy import size as len",
    }
    statements = {name: ast.parse(text).body[0] for name, text in imports.items()}
    known = KnownFunctions.of(statements, {"min"})
    assert known.name_of(ast.parse(code, mode="eval").body) == function
