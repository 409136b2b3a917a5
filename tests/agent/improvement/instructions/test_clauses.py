"""Instructions as clauses, and how many of them differ."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.agent.improvement.instructions.clauses import changed_clauses, clauses_of, joined

DESK = dedent("""\
    You work at a support desk. Be brief, e.g. `OK`.
    Never guess.

    ## Orders

    - Look up the order first. Then answer,
      with its number.
      - Use `find_order`.
    2) Round to cents.

    Like this:
    ```json
    {"total": 1.0}

    # no heading
    ```
    Thank you.
    """)

PIECES = st.sampled_from(
    ["# A", "- b", "  * c", "12. d", "One. Two!", "e.g. Three", "```", "~~~ x", "\n", "\r\n", " "]
) | st.text(max_size=20)
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.lists(PIECES, max_size=12).map("\n".join)
BODIES = st.lists(st.sampled_from("abcde"), max_size=6)


def bodies(text: str) -> list[str]:
    return [clause.body for clause in clauses_of(text) if clause.body]


def a_list(items: list[str]) -> str:
    return "".join(f"- {item}\n" for item in items)


def test_a_clause_is_an_item_a_heading_a_fenced_block_or_a_sentence() -> None:
    assert bodies(DESK) == [
        "You work at a support desk.",
        "Be brief, e.g. `OK`.",
        "Never guess.",
        "## Orders",
        "- Look up the order first. Then answer,\n  with its number.",
        "- Use `find_order`.",
        "2) Round to cents.",
        "Like this:",
        '```json\n{"total": 1.0}\n\n# no heading\n```',
        "Thank you.",
    ]


@given(TEXTS)
def test_clauses_joined_are_the_text(text: str) -> None:
    assert joined(clauses_of(text)) == text


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        (DESK, 0),
        (DESK.replace("\n\n## Orders", " \n\n\n  ## Orders"), 0),
        (DESK.replace("Be brief", "Be very brief"), 1),
        (DESK.replace("Never guess.\n", "Never guess. Ask.\n"), 1),
        (DESK.replace("2) Round to cents.\n", ""), 1),
        (DESK.replace("  - Use `find_order`.\n", "  - Use it.\n  - Use another.\n"), 2),
        ("", 10),
        ("Do as you like.", 10),
    ],
)
def test_a_clause_that_is_added_dropped_or_rewritten_counts_once(after, changed) -> None:
    assert changed_clauses(DESK, after) == changed


@given(TEXTS, TEXTS)
def test_changed_clauses_are_none_only_between_the_same_clauses(one: str, other: str) -> None:
    assert (changed_clauses(one, other) == 0) is (bodies(one) == bodies(other))


@given(BODIES, BODIES)
def test_as_many_clauses_change_either_way_and_no_more_than_there_are(one, other) -> None:
    changed = changed_clauses(a_list(one), a_list(other))
    assert changed == changed_clauses(a_list(other), a_list(one))
    assert abs(len(one) - len(other)) <= changed <= max(len(one), len(other))


@given(BODIES, BODIES, BODIES)
def test_a_detour_changes_no_fewer_clauses(one, other, third) -> None:
    start, middle, end = a_list(one), a_list(other), a_list(third)
    detour = changed_clauses(start, middle) + changed_clauses(middle, end)
    assert changed_clauses(start, end) <= detour


@given(BODIES, st.data())
def test_so_many_edits_change_no_more_clauses(items, data) -> None:
    edits = data.draw(st.integers(0, 3))
    after = [*items]
    for _ in range(edits):
        place = data.draw(st.integers(0, len(after)))
        match data.draw(st.sampled_from(["add", "drop", "rewrite"])):
            case "add":
                after.insert(place, "new")
            case "drop":
                del after[place : place + 1]
            case "rewrite":
                after[place : place + 1] = ["other"]
    assert changed_clauses(a_list(items), a_list(after)) <= edits


def test_long_instructions_are_compared_in_time() -> None:
    long = "".join(f"- Rule {number}.\n" for number in range(20_000))
    assert changed_clauses(long, long.replace("Rule 77.", "Rule of 77.")) == 1
    assert len(clauses_of("word " * 50_000)) == 1
    assert len(clauses_of(". " * 50_000)) == 50_000
    assert len(clauses_of("Full." + " " * 100_000 + "a")) == 1
