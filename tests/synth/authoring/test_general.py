"""A tool for several lets in what its members take, and is called as they are or not at all."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from toolguild.registry.json_schema import accepts
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.authoring import UnsuitableTextError
from toolguild.synth.authoring.forms import Argument, GeneralTool, Use
from toolguild.synth.authoring.general import explains_more, general_draft
from toolguild.synth.drafting import Authorship, Case, Draft, OriginalTools
from toolguild.synth.tool_text import draft_from_text
from toolguild.synth.traces import Place

AUTHORSHIP = Authorship("some-model", ("sha256:1",), ("req-1",), 30, 9, None)
GENERAL = '''
def above(items: list[int], bound: int, strict: bool) -> list[int]:
    """Return the items above a bound, and those at it unless it is strict."""
    return [item for item in items if item > bound or (item == bound and not strict)]
'''


def case(value: Json, **arguments: Json) -> Case:
    return Case({**arguments}, value, None, (), "task", Place("runs.jsonl", 1))


def member(head: str, *cases: Case, held_out: tuple[Case, ...] = ()) -> Draft:
    text = f'def {head} -> list[int]:\n    """Return those."""\n    return []\n'
    return replace(draft_from_text(text, cases), held_out=held_out)


MEMBERS = [
    member("above(rows: list[int], bound: int)", case([5], rows=[1, 5], bound=3)),
    member("at_least(items: list[int], least: int)", case([5, 3], items=[5, 3], least=3)),
    member("positive(items: list[int])", case([1], items=[0, 1])),
]


def use(name: str, **given: Any) -> Use:
    """Return how a tool is called for a member; a text names one of its parameters."""
    arguments = [
        Argument(parameter=parameter, takes=value, constant=None)
        if isinstance(value, str)
        else Argument(parameter=parameter, takes=None, constant=value)
        for parameter, value in given.items()
    ]
    return Use(member=name, arguments=arguments)


ABOVE = use("above", items="rows", bound="bound", strict=True)
AT_LEAST = use("at_least", items="items", bound="least", strict=False)
POSITIVE = use("positive", items="items", bound=0, strict=True)


def drafted(*uses: Use, members: list[Draft] = MEMBERS) -> Draft:
    return general_draft(members, GeneralTool(source=GENERAL, uses=[*uses]), AUTHORSHIP, None)


def drafted_or_none(*uses: Use) -> Draft | None:
    try:
        return drafted(*uses)
    except UnsuitableTextError:
        return None


def test_schemas_are_those_of_the_members() -> None:
    draft = drafted(ABOVE, AT_LEAST, POSITIVE)
    assert draft.parameters == {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"type": "integer"}},
            "bound": {"type": "integer"},
            "strict": {"enum": [True, False]},
        },
        "required": ["items", "bound", "strict"],
        "additionalProperties": False,
    }
    assert [one.arguments for one in draft.cases] == [
        {"items": [1, 5], "bound": 3, "strict": True},
        {"items": [5, 3], "bound": 3, "strict": False},
        {"items": [0, 1], "bound": 0, "strict": True},
    ]


def test_what_is_said_of_a_parameter_stays_where_it_keeps_its_name() -> None:
    described: JsonObject = {"type": "integer", "description": "The bound."}
    first = replace(
        MEMBERS[0],
        parameters={
            **MEMBERS[0].parameters,
            "properties": {"rows": {"type": "array", "description": "Rows."}, "bound": described},
        },
    )
    draft = drafted(ABOVE, AT_LEAST, members=[first, MEMBERS[1]])
    properties = draft.parameters["properties"]
    assert isinstance(properties, dict)
    assert properties["bound"] == described
    assert properties["items"] == {
        "anyOf": [{"type": "array"}, {"type": "array", "items": {"type": "integer"}}]
    }


@pytest.mark.parametrize(
    ("uses", "why"),
    [
        ([ABOVE, AT_LEAST], "name each of above, at_least, positive once"),
        ([ABOVE, AT_LEAST, POSITIVE, POSITIVE], "once"),
        ([ABOVE, AT_LEAST, use("positive", items="items", bound=0)], "bound, items, strict once"),
        ([ABOVE, AT_LEAST, use("positive", items="", bound=0, strict=True)], "no parameter"),
        ([ABOVE, AT_LEAST, use("positive", items="items", bound=0.5, strict=True)], "no other"),
        (
            [ABOVE, use("at_least", items="items", bound="least", strict=True), POSITIVE],
            "strict is the same for all members",
        ),
        ([ABOVE, AT_LEAST, use("positive", items="items", bound=0, strict=2)], "as no member is"),
    ],
)
def test_a_wrong_mapping_is_told(uses: list[Use], why: str) -> None:
    with pytest.raises(UnsuitableTextError, match=why):
        drafted(*uses)


def test_it_can_be_called_only_as_its_members_are() -> None:
    """Of all the ways to call it for three members, with their parameters or constants."""
    ways = (
        [use(name, items=items, bound=bound, strict=strict) for bound in bounds for strict in flags]
        for name, items, bounds, flags in (
            ("above", "rows", ["bound", 0, 1], [True, False, "bound"]),
            ("at_least", "items", ["least", 0, 1], [True, False, "least"]),
            ("positive", "items", [0, 1], [True, False]),
        )
    )
    taken = [draft for uses in product(*ways) if (draft := drafted_or_none(*uses))]
    assert taken
    for draft in taken:
        original, properties = draft.original, draft.parameters["properties"]
        assert isinstance(original, OriginalTools)
        assert isinstance(properties, dict)
        assert all(accepts(draft.parameters, one.arguments) for one in draft.cases)
        choices = {
            name: schema["enum"]
            for name, schema in properties.items()
            if isinstance(schema, dict) and isinstance(schema.get("enum"), list)
        }
        # Whoever chooses among constants chooses a member, and gives all its arguments.
        known = [one.constants for one in original.members]
        for values in product(*map(list, choices.values())):
            assert dict(zip(choices, values, strict=True)) in known


def test_what_one_shows_another_does_not_hold_out() -> None:
    shown = case([5], items=[5], least=3)
    also = case([7], items=[7], least=3)
    one = member("above(items: list[int])", case([5], items=[5]), held_out=(case([7], items=[7]),))
    other = member("least(items: list[int], least: int)", case([4], items=[4], least=1))
    members = [one, replace(other, held_out=(shown, also))]
    uses = (
        use("above", items="items", bound=3, strict="items"),
        use("least", items="items", bound="least", strict="items"),
    )
    draft = drafted(*uses, members=members)
    assert [held.value for held in draft.held_out] == [[7]]
    assert not explains_more(draft, members)
