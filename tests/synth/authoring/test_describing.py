"""Whatever words there are, the code stays the same and the text parses."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.authoring import Author, described
from toolguild.synth.authoring.rewording import UnsuitableWordsError, worded
from toolguild.synth.authoring.words import ParameterWords, ToolWords
from toolguild.synth.drafting import Authorship, Draft
from toolguild.synth.drafting.composite import draft_composite
from toolguild.synth.drafting.documenting import code_of, with_docstring
from toolguild.synth.drafting.text import docstring
from toolguild.synth.models import Answer, Model, ModelSettings
from toolguild.synth.tool_text import draft_from_text
from toolguild.synth.validation import Check, CheckName, ValidationReport

Writer: TypeAlias = Any

AUTHORSHIP = Authorship("some-model", ("sha256:1",), ("req-1",), 30, 9, None)

SOURCE = '''
import math

_HALF = """a text,
    not a docstring"""


def _half(value: float) -> float:
    """Halve a value."""
    return value / 2


def total(prices: list[float], rate: int) -> float:
    """Return the sum of prices with a rate on top.

    Args:
        prices: The prices.
    """
    # What stands here stays.
    return math.fsum(prices) * (100 + rate) / 100
'''


@pytest.fixture(scope="module")
def composite(writer: Writer) -> Draft:
    def trace(task: int) -> Any:
        made: Json = {"orders": [f"order-{task}-{n}" for n in range(3)]}
        orders = [writer.call("get_order", {"order_id": f"order-{task}-{n}"}, n) for n in range(3)]
        return writer.trace(
            f"task{task}", writer.call("find", {"email": f"{task}@x.example"}, made), *orders
        )

    (found,) = writer.sequences(trace(task) for task in range(3))
    return draft_composite(found)


FUNCTION = draft_from_text(SOURCE)

any_words = st.one_of(
    st.text(max_size=80),
    st.text(st.sampled_from("\"'\\\n\r\t\f\0 #:{}N`.x\u2028\x1b"), max_size=40),
    st.text(st.characters(codec="ascii"), min_size=60, max_size=300),
)


def saying(draft: Draft, summary: str, description: str, returns: str) -> ToolWords:
    """Return words without any of the checks of a reply."""
    properties = draft.parameters["properties"]
    assert isinstance(properties, dict)
    described = [
        ParameterWords.model_construct(name=name, description=description) for name in properties
    ]
    return ToolWords.model_construct(summary=summary, parameters=tuple(described), returns=returns)


@given(summary=any_words, description=any_words, returns=any_words)
def test_words_change_no_code(
    composite: Draft, summary: str, description: str, returns: str
) -> None:
    for draft in (FUNCTION, composite):
        try:
            new = worded(draft, saying(draft, summary, description, returns), AUTHORSHIP, None)
        except UnsuitableWordsError:
            continue
        assert code_of(new.source, new.name) == code_of(draft.source, draft.name)
        stays = {"name", "calls", "cases", "held_out", "original", "origin", "opportunity"}
        assert all(getattr(new, field) == getattr(draft, field) for field in stays)
        assert [*new.parameters["properties"]] == [*draft.parameters["properties"]]  # type: ignore[misc]


lines = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=300)


@given(summary=lines, description=lines, returns=lines)
def test_any_printable_line_can_stand_in_a_docstring(
    composite: Draft, summary: str, description: str, returns: str
) -> None:
    for draft in (FUNCTION, composite):
        properties = draft.parameters["properties"]
        assert isinstance(properties, dict)
        docs = docstring(summary, dict.fromkeys(properties, description), returns)
        new = with_docstring(draft.source, draft.name, docs)
        assert code_of(new, draft.name) == code_of(draft.source, draft.name)
        # Above and below it not even a comment changes.
        assert without_docstring(new, draft.name) == without_docstring(draft.source, draft.name)


def without_docstring(source: str, name: str) -> list[str]:
    [function] = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    end = function.body[0].end_lineno
    lines = source.split("\n")
    return [*lines[: function.body[0].lineno - 1], *lines[end:]]


@pytest.mark.parametrize(
    "source",
    [
        'def total(prices: list) -> float: "Say what."; return 1.0',
        'def total(prices: list) -> float:\n    "Say what."; return 1.0',
        "def total(prices: list) -> float:\n    return 1.0",
    ],
)
def test_a_text_whose_docstring_cannot_be_replaced_alone_stays(source: str) -> None:
    draft = replace(FUNCTION, source=source)
    with pytest.raises(UnsuitableWordsError, match="would not stay the same"):
        worded(draft, saying(draft, "Sum prices", "All of them", "The sum"), AUTHORSHIP, None)


class _Describing:
    """An endpoint that always says the same."""

    async def probe(self) -> bool:
        return True

    async def send(self, body: JsonObject) -> Answer:
        words = saying(FUNCTION, "Sum prices", "All of them", "The sum")
        return Answer(words.model_dump_json(), "whole", 30, 9, "req-1")

    async def close(self) -> None:
        pass


@pytest.fixture
def author() -> Iterator[Author]:
    with Model(ModelSettings(name="some-model"), endpoint=_Describing()) as model:
        yield Author(model)


class _Judge:
    """Finds all drafts good, or all of them bad."""

    def __init__(self, *, passed: bool) -> None:
        self.judged: list[Draft] = []
        check = Check(CheckName.STATIC, passed, "too many words")
        self.report = ValidationReport("total", (check,), 0, 0, 0, "local", "standard")

    def __call__(self, draft: Draft) -> ValidationReport:
        self.judged.append(draft)
        return self.report


def test_words_are_judged_once_and_dropped_if_they_fail(author: Author) -> None:
    told: list[str] = []
    good, bad = _Judge(passed=True), _Judge(passed=False)
    before = good.report
    assert described(FUNCTION, before, author, bad, told.append) == (FUNCTION, before)
    assert told == ["its words for total are not taken: static gate: too many words"]
    assert [draft.description for draft in bad.judged] == ["Sum prices."]
    new, _ = described(FUNCTION, before, author, good, told.append)
    assert (new.description, new.origin) == ("Sum prices.", FUNCTION.origin)
    assert new.authorship is not None
    assert (new.authorship.model, new.authorship.request_ids) == ("some-model", ("req-1",))
    assert len(told) == 1
