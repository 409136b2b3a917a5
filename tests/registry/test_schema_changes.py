"""Which differences between two versions can break who calls them."""

from __future__ import annotations

import pytest

from toolguild.registry.schema_changes import schema_changes


@pytest.fixture
def changes(make_spec):
    def between(old, new, required=(("a",), ("a",)), returns=({}, {})):
        sides = [
            make_spec(
                parameters={"type": "object", "properties": one, "required": [*needed]},
                returns=result,
            )
            for one, needed, result in zip((old, new), required, returns, strict=True)
        ]
        return [(one.field, one.what, one.breaking) for one in schema_changes(*sides)]

    return between


INTEGER, NUMBER, TEXT = {"type": "integer"}, {"type": "number"}, {"type": "string"}


@pytest.mark.parametrize(
    ("old", "new", "what", "breaking"),
    [
        (INTEGER, TEXT, "takes something else", True),
        (INTEGER, NUMBER, "takes more than before", False),
        (NUMBER, INTEGER, "takes something else", True),
        (TEXT, {"type": ["string", "null"]}, "takes more than before", False),
        (TEXT, {**TEXT, "description": "A city."}, "is described in other words", False),
        (TEXT, {**TEXT, "minLength": 2}, "takes something else", True),
        ({**TEXT, "minLength": 2}, TEXT, "takes more than before", False),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, "takes more than before", False),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, "takes something else", True),
        ({"enum": [1]}, {"enum": [True, "b"]}, "takes something else", True),
        (TEXT, {}, "takes more than before", False),
        (
            {"type": "object", "properties": {"description": TEXT}},
            {"type": "object", "properties": {"description": INTEGER}},
            "takes something else",
            True,
        ),
    ],
)
def test_a_parameter_that_is_another_one(changes, old, new, what, breaking) -> None:
    assert changes({"a": old}, {"a": new}) == [("parameters.a", what, breaking)]


def test_parameters_come_and_go(changes) -> None:
    required = (("a", "b"), ("b", "c"))
    assert changes({"a": TEXT, "b": TEXT}, {"b": TEXT, "c": TEXT, "d": TEXT}, required) == [
        ("parameters.a", "is gone", True),
        ("parameters.c", "is new, and has to be given", True),
        ("parameters.d", "is new, and may be left out", False),
    ]
    optional = changes({"a": TEXT}, {"a": TEXT}, (("a",), ()))
    assert optional == [("parameters.a", "may be left out now", False)]
    needed = changes({"a": TEXT}, {"a": TEXT}, ((), ("a",)))
    assert needed == [("parameters.a", "has to be given now", True)]


@pytest.mark.parametrize(
    ("old", "new", "what", "breaking"),
    [
        (TEXT, INTEGER, "gives something else", True),
        (NUMBER, INTEGER, "gives only some of what it gave", False),
        (INTEGER, NUMBER, "gives something else", True),
        (TEXT, {**TEXT, "description": "A city."}, "is described in other words", False),
    ],
)
def test_a_result_that_is_another_one(changes, old, new, what, breaking) -> None:
    found = changes({"a": TEXT}, {"a": TEXT}, returns=(old, new))
    assert found == [("returns", what, breaking)]


def test_nothing_changes_in_the_same(changes) -> None:
    assert changes({"a": TEXT}, {"a": TEXT}) == []
