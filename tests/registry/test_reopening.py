"""A version that was proven on results which are others now begins anew, and has to show itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from toolguild.policies import Tier
from toolguild.policies.drift import Change, FieldChange
from toolguild.registry import State, TamperedError, UnknownToolError, schema, tail, verify

MOVED = FieldChange("get_user", "address.province", Change.RENAMED, "address.state", 8, 8)
GONE = FieldChange("get_user", "email", Change.MISSING, "", 5, 8)


@pytest.fixture
def governance(registry):
    return registry.governance


@pytest.fixture
def double(registry, make_spec):
    registry.register(make_spec())
    return registry.set_tier("double", Tier.FULL, why="trusted")


def drift_gate(registry, ref: str):
    gates = registry.governance.promotion(ref).gates
    return next(gate for gate in gates if gate.name == "drift")


def test_it_begins_anew_and_is_not_promoted_before_it_was_validated(
    registry, governance, double
) -> None:
    assert drift_gate(registry, governance.demote("double", Tier.SANDBOX, why="").ref).passed
    registry.set_tier("double", Tier.RESTRICTED, why="trusted")
    assert governance.reopen("double", [MOVED], why="its result is another one")
    assert registry.tool("double").tier is Tier.SANDBOX
    gate = drift_gate(registry, "double")
    assert (gate.passed, gate.found) == (False, str(MOVED))
    assert [row.action for row in tail(registry, 2)] == ["demote", "reopen"]
    assert verify(registry).ok
    with registry.database.write() as connection:
        version = registry.tool("double")
        here = {"tier": "sandbox", "state": "active"}
        registry._journal.tell(connection, "validate", version.digest, here, here, "shown")
    assert drift_gate(registry, "double").passed
    assert governance.reopen("double", [MOVED], why="it came back")
    assert not drift_gate(registry, "double").passed


def test_what_it_is_open_for_is_told_once(registry, governance, double) -> None:
    assert governance.reopen("double", [MOVED], why="first")
    rows = tail(registry, 100)
    assert not governance.reopen("double", [replace(MOVED, changed=2)], why="again")
    assert tail(registry, 100) == rows
    assert governance.reopen("double", [MOVED, GONE], why="and more")
    assert drift_gate(registry, "double").found == f"{MOVED}; {GONE}"
    [*_, row] = tail(registry)
    assert [change["field"] for change in row.content["drift"]["changes"]] == ["email"]


def test_names_that_no_database_stores_are_told_as_far_as_they_go(
    registry, governance, double
) -> None:
    odd = replace(MOVED, field="address.\ud800")
    assert governance.reopen("double", [odd], why="\ud800")
    assert not governance.reopen("double", [odd], why="again")
    assert verify(registry).ok


def test_one_in_quarantine_cannot_be_called_and_stays_there(registry, governance, double) -> None:
    assert governance.reopen("double", [MOVED], why="it only fails", quarantine=True)
    assert registry.tool("double").state is State.QUARANTINED
    assert governance.reopen("double", [GONE], why="it only fails", quarantine=True)
    assert registry.tool("double").state is State.QUARANTINED
    assert verify(registry).ok


def test_callers_stand_no_higher_and_only_those_of_the_version_that_is_meant(
    registry, governance, double, make_spec
) -> None:
    registry.register(make_spec("outer", calls=("double",)))
    registry.register(make_spec(description="Twice."))
    for ref in ("double", "outer"):
        registry.set_tier(ref, Tier.RESTRICTED, why="trusted")
    assert governance.reopen(double.ref, [MOVED], why="nobody calls this one")
    assert registry.tool(double.ref).tier is Tier.SANDBOX
    assert registry.tool("outer").tier is Tier.RESTRICTED
    assert governance.reopen("double", [MOVED], why="it is called")
    assert registry.tool("outer").tier is Tier.SANDBOX
    assert drift_gate(registry, "outer").passed


def test_a_version_that_there_is_not_is_named(governance) -> None:
    with pytest.raises(UnknownToolError, match="tripel"):
        governance.reopen("tripel", [MOVED], why="")


def test_a_trail_that_was_changed_keeps_the_gate_closed(
    registry, governance, double, unguarded
) -> None:
    governance.reopen("double", [MOVED], why="its result is another one")
    with unguarded(registry) as connection:
        connection.execute(
            update(schema.audit).where(schema.audit.c.action == "reopen").values(body="{}")
        )
    with pytest.raises(TamperedError, match="audit verify"):
        governance.promotion("double")
    assert not verify(registry).ok
