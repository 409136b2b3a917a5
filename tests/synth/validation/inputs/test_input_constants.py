"""What a tool's text says about the inputs that are worth trying."""

from __future__ import annotations

import pytest

from toolguild.policies import load_profile
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs import arguments_strategy, draw
from toolguild.synth.validation.inputs.constants import Constants, mined_constants

LIMITS = load_profile().code.limits


def mined(*lines: str) -> Constants:
    source = "\n".join(["def f(x, y):", *(f"    {line}" for line in lines)])
    return mined_constants([source], LIMITS)


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("return x == 1729", {1729}),
        ("return -5 < x <= 10**4", {-5, 10_000}),
        ("return x in (7, 11)", {7, 11}),
        ("return {3: 'a'}[x]", {3}),
        ("return x % 97", {97}),
        ("return x > 0.35", {0.35}),
        ("return x % 1_000_000_007", set()),
        ("return x > 10**9", set()),
        ("return x < 1e999", set()),
        ("return x < (-10) ** 0.5", {-10}),
        ("return x is True", set()),
    ],
)
def test_numbers_that_inputs_may_be(line: str, numbers: set[float]) -> None:
    assert numbers <= set(mined(line).numbers)
    assert all(abs(number) <= 100_000 for number in mined(line).numbers)
    if not numbers:
        assert mined(line).numbers in ((), (10, 9), (9, 10))


def test_numbers_bound_to_a_name_and_in_match_are_found() -> None:
    found = mined(
        "most = 250", "if len(x) > most:", "    return 1", "match y:", "    case 42: pass"
    )
    assert {250, 251} <= set(found.lengths)
    assert 42 in found.numbers


def test_lengths_are_those_that_are_compared_or_cut_to() -> None:
    assert {10, 11, 120, 121} <= set(mined("return x[:120] if len(x) > 10 else x").lengths)
    assert mined("return len(x) > 10**6").lengths == ()


def test_documentation_annotations_and_messages_are_no_inputs() -> None:
    source = (
        '"""Words."""\n\ndef f(x: "T") -> "list[int]":\n    """More words."""\n'
        '    if x == "used":\n        raise ValueError("not for you", 77)\n    return x\n'
    )
    assert mined_constants([source], LIMITS) == Constants((), ("used",), ())


def test_texts_that_are_no_json_or_very_long_are_left_out() -> None:
    assert mined(r'return x in ("\ud800", "", "ok", "%s")' % ("a" * 200)).texts == ("ok",)


@pytest.mark.parametrize("source", ["def f(:", "x = " + "(" * 500 + ")" * 500, "\0"])
def test_a_text_that_is_no_program_has_none(source: str) -> None:
    assert mined_constants([source], LIMITS) == Constants()


def drawn(schema: JsonObject, seen: list[Json], source: str) -> set[str]:
    parameters: JsonObject = {"type": "object", "properties": {"x": schema}, "required": ["x"]}
    strategy = arguments_strategy(parameters, [{"x": value} for value in seen], [source])
    return {canonical(arguments["x"]) for arguments in draw(strategy, 60, 0)}


@pytest.mark.parametrize(
    ("schema", "seen", "source", "values"),
    [
        ({"type": "integer"}, [5], "x == 1729", [1728, 1729, 1730]),
        ({"type": "integer", "maximum": 1729}, [5], "x == 1729", [1728, 1729]),
        ({"type": "number"}, [0.5], "x < 0.35", [0.35]),
        ({"type": "string"}, ["anna"], "x == '://'", ["://", "an://na", "://anna", "anna://"]),
        ({"type": "array", "items": {"type": "string"}}, [["a"]], "'zz' in x", [["zz"]]),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}},
            [{"a": 1}],
            "'zz' in x",
            [{"a": 1, "zz": 1}],
        ),
    ],
)
def test_constants_of_the_text_are_tried(
    schema: JsonObject, seen: list[Json], source: str, values: list[Json]
) -> None:
    assert {canonical(value) for value in values} <= drawn(schema, seen, source)


def test_lengths_of_the_text_are_tried() -> None:
    for schema in ({"type": "string"}, {"type": "array", "items": {"type": "null"}}):
        parameters: JsonObject = {"type": "object", "properties": {"x": schema}, "required": ["x"]}
        strategy = arguments_strategy(parameters, [], ["len(x) > 57"])
        lengths = {
            len(str(one["x"])) if isinstance(one["x"], str) else len(one["x"])  # type: ignore[arg-type]
            for one in draw(strategy, 60, 0)
        }
        assert {57, 58} <= lengths
