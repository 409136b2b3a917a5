"""Reading a tool text that a person wrote as a draft."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting import Case, DraftOrigin
from toolguild.synth.tool_text import ToolTextError, draft_from_text
from toolguild.synth.traces import Place

TEXT = dedent('''
    import math

    def _half(x: float) -> float:
        return x / 2

    def area(radius: float, *, exact: bool = False, unit: str = "m") -> dict[str, float]:
        """Compute the area
        of a circle.

        Args:
            radius: The radius.
        """
        call_tool("log", {"radius": radius})
        call_tool("book", {})
        return {unit: math.pi * _half(radius) ** 2}
''')


def test_a_text_becomes_a_draft_with_schemas_of_its_annotations() -> None:
    recorded = Case({"radius": 1.0}, {}, None, (), "task", Place("log", 1))
    draft = draft_from_text(TEXT, [recorded])
    assert draft.name == "area"
    assert draft.description == "Compute the area of a circle."
    assert draft.source == TEXT
    assert draft.parameters == {
        "type": "object",
        "properties": {
            "radius": {"type": "number"},
            "exact": {"type": "boolean"},
            "unit": {"type": "string"},
        },
        "required": ["radius"],
        "additionalProperties": False,
    }
    assert draft.returns == {"type": "object", "additionalProperties": {"type": "number"}}
    assert draft.calls == ("log", "book")
    assert draft.cases == (recorded,)
    assert (draft.origin, draft.opportunity) == (DraftOrigin.PERSON, None)


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        ("str", {"type": "string"}),
        ("int", {"type": "integer"}),
        ("float", {"type": "number"}),
        ("bool", {"type": "boolean"}),
        ("None", {"type": "null"}),
        ("list", {"type": "array"}),
        ("dict", {"type": "object"}),
        ("list[int]", {"type": "array", "items": {"type": "integer"}}),
        ("list[object]", {"type": "array"}),
        ("dict[str, list[str]]", {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        }),
        ("dict[str, object]", {"type": "object"}),
        ("int | None", {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        ("Literal['a', 'b']", {"enum": ["a", "b"]}),
        ("Literal[3]", {"enum": [3]}),
        ("Literal[-3, None]", {"enum": [-3, None]}),
        ("object", {}),
        ("Mapping[str, int]", {}),
        ("'int'", {}),
    ],
)  # fmt: skip
def test_annotations_say_what_values_are_taken(annotation: str, schema: JsonObject) -> None:
    draft = draft_from_text(f"def f(x: {annotation}) -> {annotation}:\n    return x\n")
    assert draft.parameters["properties"] == {"x": schema}
    assert draft.returns == schema
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    "given", ["Literal[Mode.A]", "Literal[f(1)]", "Literal[b'x']", "Literal[1j]"]
)
def test_a_literal_that_json_does_not_have_is_refused_with_its_line(given: str) -> None:
    with pytest.raises(ToolTextError, match="line 3"):
        draft_from_text(f"\n\ndef f(x: {given}) -> int:\n    return 1\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def f(:", "is no tool"),
        ("x = 1\0", "is no tool"),
        ("x = 1", "this text has: none"),
        ("def _f(x: int) -> int:\n    return x", "this text has: none"),
        ("def f():\n    pass\ndef g():\n    pass", "f (line 1), g (line 3)"),
        ("async def f(x: int) -> int:\n    return x", "this text has: none"),
        ("x = " + "-" * 5_000 + "1", "is no tool"),
        ("x = 1\n" * 100_000 + "def f():\n    pass", "64,000"),
    ],
)
def test_a_text_that_is_no_tool_is_refused(text: str, told: str) -> None:
    with pytest.raises(ToolTextError) as refused:
        draft_from_text(text)
    assert told in str(refused.value)
    assert isinstance(refused.value, ValueError)


@given(text=st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(ToolTextError):
        draft_from_text(text)


def test_without_a_docstring_the_name_describes_the_tool() -> None:
    assert draft_from_text("def area(x: int) -> int:\n    return x").description == "area"


def test_an_odd_escape_in_a_text_is_no_warning_of_ours() -> None:
    draft = draft_from_text("def f(x: str) -> str:\n    return '\\d' + x\n")
    assert draft.name == "f"


def test_defaults_of_positional_parameters_belong_to_the_last_ones() -> None:
    draft = draft_from_text("def f(a: int, b: int = 1, c: int = 2) -> int:\n    return a\n")
    assert draft.parameters["required"] == ["a"]
    both: list[Any] = ["a", "b", "c"]
    properties: Json = draft.parameters["properties"]
    assert isinstance(properties, dict)
    assert list(properties) == both
