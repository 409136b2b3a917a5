"""New evidence of a registered version: kept beside the old, told of, covered by the audit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toolguild.policies import Tier
from toolguild.registry import (
    NotJsonError,
    Registry,
    RegistryFileError,
    UnknownToolError,
    digest,
    tail,
    verify,
)

FIRST, SECOND = {"cases": 1}, {"cases": 2}
REPORT = {"checks": [], "seed": 7}


def test_the_newest_evidence_is_what_speaks_for_a_version(registry, where, make_spec) -> None:
    registry.register(make_spec(), evidence=FIRST)
    registry.register(make_spec("other"), evidence=FIRST)
    before = registry.set_tier("double", Tier.RESTRICTED, why="a test")
    after = registry.add_evidence("double@1", SECOND, REPORT, why="proven again")
    assert after.evidence == {**SECOND, "report": digest(REPORT)}
    assert (after.tier, after.state, after.since_use) == (
        before.tier,
        before.state,
        before.since_use,
    )
    with Registry.open(where) as elsewhere:
        assert elsewhere.tool("double") == after
        assert elsewhere.versions("double") == [after]
        assert elsewhere.tools()[0] == after
        assert elsewhere.search("double")[0].version == after
        assert elsewhere.tool("other").evidence == FIRST
        assert elsewhere.report(digest(REPORT)) == REPORT
    third = registry.add_evidence("double", FIRST)
    assert registry.tool("double") == third
    assert third.evidence == FIRST
    told = [(row.action, row.content["why"]) for row in registry.governance.history("double")]
    assert told[-2:] == [("validate", "proven again"), ("validate", "")]
    assert verify(registry).ok


def test_gates_go_by_the_newest_evidence(registry, make_spec) -> None:
    def found() -> dict[str, str]:
        return {gate.name: gate.found for gate in registry.governance.promotion("double").gates}

    registry.register(make_spec())
    assert "faults found" not in found()
    registry.add_evidence("double", {"adequacy": {"mutants": 4, "killed": 3}})
    assert found()["faults found"] == "75%"
    registry.add_evidence("double", {"adequacy": {"mutants": 4, "killed": 4}})
    assert found()["faults found"] == "100%"


def test_what_is_no_json_or_of_no_version_writes_nothing(registry, make_spec) -> None:
    registry.register(make_spec(), evidence=FIRST)
    with pytest.raises(UnknownToolError):
        registry.add_evidence("double@2", SECOND)
    with pytest.raises(NotJsonError):
        registry.add_evidence("double", {"cases": object()}, REPORT)
    assert registry.tool("double").evidence == FIRST
    assert len(tail(registry)) == 1
    assert verify(registry).ok


def test_evidence_is_wanted_where_there_is_none_and_after_a_reopening(registry, make_spec) -> None:
    registry.register(make_spec())
    assert registry.wants_evidence("double")
    registry.add_evidence("double", FIRST)
    assert not registry.wants_evidence("double")
    version = registry.tool("double")
    for _ in range(2):
        with registry.database.write() as connection:
            registry._journal.tell(connection, "reopen", version.digest, None, {}, "drift")
        assert registry.wants_evidence("double")
        registry.add_evidence("double", FIRST)
        assert not registry.wants_evidence("double")
    assert verify(registry).ok


def test_a_composite_is_proven_again_after_a_part_changed(registry, make_spec) -> None:
    def gate() -> tuple[bool, str]:
        gates = {gate.name: gate for gate in registry.governance.promotion("twice").gates}
        return gates["proof with its parts"].passed, gates["proof with its parts"].found

    registry.register(make_spec())
    registry.register(make_spec("twice", calls=("double",)), evidence=FIRST)
    assert gate() == (True, "yes")
    for description in ("Double a number, again.", "Double a number, once more."):
        registry.register(replace(make_spec(), description=description), evidence=FIRST)
        assert gate() == (False, "double changed")
        assert registry.wants_evidence("twice")
    assert not registry.wants_evidence("double")
    registry.add_evidence("twice", SECOND)
    assert gate() == (True, "yes")
    registry.governance.rollback("double", why="the old one was better")
    assert gate() == (False, "double changed")
    assert verify(registry).ok


TAMPERINGS = {
    "evidence": "UPDATE validations SET evidence = '{\"cases\":9}' WHERE id = 2",
    "time": "UPDATE validations SET at = '2020' WHERE id = 1",
    "version": "UPDATE validations SET version = (SELECT digest FROM versions WHERE name = 'other')"
    " WHERE id = 1",
    "number": "UPDATE validations SET id = 3 WHERE id = 2",
    "removed": "DELETE FROM validations WHERE id = 2",
    "emptied": "DELETE FROM validations",
    "added": "INSERT INTO validations SELECT 3, version, at, evidence FROM validations "
    "WHERE id = 1",
}


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS)
def test_validations_that_the_trail_does_not_tell_of_are_found(
    registry, make_spec, unguarded, statement
) -> None:
    registry.register(make_spec(), evidence=FIRST)
    registry.register(make_spec("other"), evidence=FIRST)
    registry.add_evidence("double", SECOND)
    registry.add_evidence("double", {"cases": 3})
    assert verify(registry).ok
    with unguarded(registry) as connection:
        assert connection.exec_driver_sql(statement).rowcount > 0
    problem = verify(registry).problem
    assert problem.startswith("validation ")
    assert problem.endswith("is not in the tables as the trail says")


def test_a_report_of_a_validation_is_missed(registry, make_spec, unguarded) -> None:
    registry.register(make_spec(), evidence=FIRST)
    registry.add_evidence("double", SECOND, REPORT)
    assert verify(registry).ok
    with unguarded(registry) as connection:
        connection.exec_driver_sql("DELETE FROM reports")
    assert "is missing" in verify(registry).problem


@pytest.mark.parametrize("statement", ["UPDATE validations SET at = ''", "DELETE FROM validations"])
def test_validations_stay_as_they_are_written(registry, make_spec, statement) -> None:
    registry.register(make_spec())
    registry.add_evidence("double", FIRST)
    with (
        pytest.raises(RegistryFileError, match="rows of validations are kept as written"),
        registry.database.write() as connection,
    ):
        connection.exec_driver_sql(statement)
