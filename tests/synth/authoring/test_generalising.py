"""Which tools a model is shown at a time when it is asked which of them may be one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from toolguild.synth.authoring import Author, grouped
from toolguild.synth.drafting import Case, Draft
from toolguild.synth.models import ModelDownError
from toolguild.synth.tool_text import draft_from_text
from toolguild.synth.traces import Place


class Grouping(Author):
    """Takes the first two tools of each portion for one."""

    def __init__(self, *, is_down: bool = False) -> None:
        self.shown: list[list[str]] = []
        self.is_down = is_down

    def group(self, drafts: Sequence[Draft]) -> list[list[Draft]]:
        self.shown.append([draft.name for draft in drafts])
        if self.is_down:
            message = "no answer"
            raise ModelDownError(message)
        return [[*drafts[:2]]]


@pytest.fixture
def troubles() -> list[str]:
    return []


def tools(count: int, documentation: str = "") -> list[Draft]:
    text = 'def tool_{}(n: int) -> int:\n    """Return n.{}"""\n    return n\n'
    case = Case({"n": 1}, 1, None, (), "task", Place("runs.jsonl", 1))
    made = (draft_from_text(text.format(number, documentation)) for number in range(count))
    return [replace(draft, held_out=(case,)) for draft in made]


def test_many_tools_are_shown_in_portions_each_of_them_once(troubles: list[str]) -> None:
    author, drafts = Grouping(), tools(70)
    groups = grouped(drafts, author, troubles.append)
    assert [len(portion) for portion in author.shown] == [30, 30, 10]
    assert [name for portion in author.shown for name in portion] == [one.name for one in drafts]
    assert [[one.name for one in group] for group in groups] == [
        ["tool_0", "tool_1"],
        ["tool_30", "tool_31"],
        ["tool_60", "tool_61"],
    ]


def test_long_tools_make_smaller_portions(troubles: list[str]) -> None:
    author = Grouping()
    grouped(tools(10, "x" * 6_000), author, troubles.append)
    assert [len(portion) for portion in author.shown] == [6, 4]


def test_a_tool_that_is_too_long_is_not_shown(troubles: list[str]) -> None:
    author = Grouping()
    grouped([*tools(1, "x" * 9_000), *tools(3)[1:]], author, troubles.append)
    assert author.shown == [["tool_1", "tool_2"]]


def test_a_tool_that_is_left_alone_is_not_shown(troubles: list[str]) -> None:
    author = Grouping()
    grouped(tools(31), author, troubles.append)
    assert [len(portion) for portion in author.shown] == [30]


def test_after_trouble_no_more_is_asked(troubles: list[str]) -> None:
    author = Grouping(is_down=True)
    assert grouped(tools(70), author, troubles.append) == []
    assert (len(author.shown), troubles) == (1, ["no answer"])


def test_where_only_one_holds_anything_out_there_is_nothing_to_gain(troubles: list[str]) -> None:
    first, *others = tools(2)
    bare = [replace(other, held_out=()) for other in others]
    assert grouped([first, *bare], Grouping(), troubles.append) == []
