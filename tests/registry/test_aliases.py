"""Names that people give to versions: they stay where they are put, and lend nothing to models."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.registry import (
    ChangeRefusedError,
    Registry,
    Toolbox,
    UnknownToolError,
    tail,
    verify,
)
from toolguild.registry.refs import Ref, check_alias, parse_ref


@pytest.fixture
def governance(registry, make_spec):
    """Three versions of one tool, and another tool."""
    for description in ("One.", "Two.", "Three."):
        registry.register(make_spec(description=description))
    registry.register(make_spec("other"))
    return registry.governance


def test_an_alias_stands_for_a_version_until_it_is_moved(registry, governance, where) -> None:
    governance.alias("double@1", "stable", why="it works")
    assert registry.tool("double@stable").number == 1
    assert registry.tool("double").number == 3
    with Registry.open(where) as elsewhere:
        assert elsewhere.tool("double@stable").number == 1
    governance.alias("double", "next", why="")
    governance.alias("double@next", "stable", why="it works better")
    assert governance.aliases() == {"double": {"next": "double@3", "stable": "double@3"}}
    assert governance.rollback("double", "double@2", why="no").number == 2
    assert registry.tool("double@stable").number == 3
    governance.unalias("double", "next", why="done")
    assert governance.aliases() == {"double": {"stable": "double@3"}}
    with pytest.raises(UnknownToolError, match="double has no alias 'next'; it has stable"):
        registry.tool("double@next")
    with pytest.raises(UnknownToolError, match="double has no alias 'next'"):
        governance.unalias("double", "next", why="again")
    with pytest.raises(UnknownToolError, match="no tool named 'absent'"):
        registry.tool("absent@stable")
    assert verify(registry).ok


def test_every_change_of_an_alias_is_told_and_no_change_is_not(registry, governance) -> None:
    governance.alias("double@1", "stable", why="it works")
    governance.alias("double@1", "stable", why="again")
    governance.unalias("double", "stable", why="not any more")
    told = [(row.action, row.content["why"]) for row in governance.history("double")][-2:]
    assert told == [("alias", "it works"), ("unalias", "not any more")]
    assert tail(registry, 1)[0].subject == registry.tool("double@1").digest


def test_aliases_of_one_tool_are_none_of_another(registry, governance) -> None:
    governance.alias("double@1", "stable", why="")
    with pytest.raises(UnknownToolError, match="other has no alias 'stable'; it has none"):
        registry.tool("other@stable")


def test_a_model_cannot_call_by_an_alias(registry, governance, sandbox) -> None:
    governance.alias("double@1", "stable", why="")
    called = Toolbox(registry, sandbox).call("double@stable", {"number": 2})
    assert not called.ok
    assert "call it without a version" in called.error
    assert sandbox.runs == []


@pytest.mark.parametrize(
    "alias",
    ["", "3", "007", "latest", "Latest", "sha256:ab12", "-x", "_x", "a b", "é", "a@b", "a\n"],
)
def test_what_reads_as_something_else_can_be_no_alias(registry, governance, alias) -> None:
    with pytest.raises(ChangeRefusedError, match="can be no alias"):
        governance.alias("double", alias, why="")
    assert governance.aliases() == {}


@given(text=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True))
def test_what_can_be_an_alias_is_read_as_one(text: str) -> None:
    try:
        check_alias(text)
    except ChangeRefusedError:
        assert text.isdigit() or text.lower() == "latest"
    else:
        assert parse_ref(f"name@{text}") == Ref("name", alias=text)


TAMPERINGS = {
    "moved": "UPDATE aliases SET version = (SELECT digest FROM versions WHERE number = 2)"
    " WHERE alias = 'stable'",
    "renamed": "UPDATE aliases SET alias = 'steady' WHERE alias = 'stable'",
    "given to another tool": "UPDATE aliases SET name = 'other' WHERE alias = 'stable'",
    "removed": "DELETE FROM aliases WHERE alias = 'stable'",
    "brought back": "INSERT INTO aliases SELECT name, 'gone', version FROM aliases"
    " WHERE alias = 'stable'",
    "added": "INSERT INTO aliases SELECT name, 'new', digest FROM versions WHERE name = 'other'",
}


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS)
def test_aliases_that_the_trail_does_not_tell_of_are_found(registry, governance, statement) -> None:
    for alias in ("stable", "gone"):
        governance.alias("double@1", alias, why="")
    governance.unalias("double", "gone", why="")
    assert verify(registry).ok
    with registry.database.write() as connection:
        assert connection.exec_driver_sql(statement).rowcount == 1
    problem = verify(registry).problem
    assert problem.startswith("the alias ")
    assert problem.endswith("is not in the tables as the trail says")
