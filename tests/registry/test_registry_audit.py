import re
import sqlite3

import pytest

from toolguild.policies import Tier
from toolguild.registry import Registry, State, TamperedError, head, tail, verify
from toolguild.registry.chain import GENESIS, AuditRow


@pytest.fixture
def filled(registry, make_spec):
    """Five changes: two versions, a promotion, a rejection, a quarantine."""
    registry.register(make_spec(), provenance={"origin": "test"}, evidence={"cases": 3})
    registry.set_tier("double", Tier.RESTRICTED, why="60 of 60")
    registry.register(make_spec(description="Newer."))
    registry.reject(make_spec("bad"), ["calls eval"])
    registry.set_state("double", State.QUARANTINED, why="drifts")
    return registry


@pytest.fixture
def tamper(path, filled):
    """Runs SQL on the file as someone who got hold of it would: without the triggers."""

    def run(*statements):
        with sqlite3.connect(path, isolation_level=None) as connection:
            triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in triggers.fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                assert connection.execute(statement).rowcount > 0
        connection.close()

    return run


def test_every_change_is_one_row_and_the_chain_holds(filled):
    report = verify(filled)
    assert report.ok
    assert (report.rows, report.head) == (5, head(filled).hash)
    assert [row.action for row in tail(filled)] == [
        "register",
        "set_tier",
        "register",
        "reject",
        "set_state",
    ]
    assert [row.seq for row in tail(filled, 2)] == [4, 5]


def test_empty_trail_holds(registry):
    assert verify(registry).ok
    assert (head(registry).seq, head(registry).hash) == (0, GENESIS)
    assert tail(registry) == []


def test_rows_say_who_when_what_before_after_and_why(filled, make_spec):
    row = tail(filled, 4)[0]
    assert (row.actor, row.action, row.subject) == ("tester", "set_tier", make_spec().digest)
    assert row.at == "2026-11-21T00:00:03.000000+00:00"
    assert row.content == {
        "before": {"tier": "sandbox", "state": "active"},
        "after": {"tier": "restricted", "state": "active"},
        "why": "60 of 60",
    }


def test_hash_binds_each_field_to_its_place():
    row = AuditRow(1, "at", "ab", "c", "s", "{}", GENESIS, "")
    moved = AuditRow(1, "at", "a", "bc", "s", "{}", GENESIS, "")
    assert row.computed_hash() != moved.computed_hash()


BROKEN_CHAINS = {
    "body changed": (
        ["UPDATE audit SET body = replace(body, '60 of 60', '61 of 61') WHERE seq = 2"],
        (2, "row 2 was changed"),
    ),
    "actor changed": (["UPDATE audit SET actor = 'x' WHERE seq = 3"], (3, "row 3 was changed")),
    "time changed": (["UPDATE audit SET at = '' WHERE seq = 5"], (5, "row 5 was changed")),
    "first row removed": (["DELETE FROM audit WHERE seq = 1"], (1, "row 1 is missing")),
    "row removed": (["DELETE FROM audit WHERE seq = 3"], (3, "row 3 is missing")),
    "row removed and the gap closed": (
        ["DELETE FROM audit WHERE seq = 3", "UPDATE audit SET seq = seq - 1 WHERE seq > 3"],
        (3, "row 3 does not follow"),
    ),
    "rows swapped": (
        [
            "UPDATE audit SET seq = -1 WHERE seq = 2",
            "UPDATE audit SET seq = 2 WHERE seq = 3",
            "UPDATE audit SET seq = 3 WHERE seq = -1",
        ],
        (2, "row 2 does not follow"),
    ),
    "row added": (
        ["INSERT INTO audit SELECT 6, at, actor, action, subject, body, hash, hash FROM audit "
         "WHERE seq = 5"],
        (6, "row 6 was changed"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("statements", "found"), BROKEN_CHAINS.values(), ids=BROKEN_CHAINS)
def test_a_broken_chain_is_found_at_its_first_broken_row(filled, tamper, statements, found):
    held = {row.seq: row.hash for row in tail(filled)}
    tamper(*statements)
    report = verify(filled)
    seq, problem = found
    assert not report.ok
    assert report.seq == seq
    assert report.problem.startswith(problem)
    assert (report.rows, report.head) == (seq - 1, held.get(seq - 1, GENESIS))


DRIFTED_TABLES = {
    "last rows cut off": (["DELETE FROM audit WHERE seq > 3"], "not in the tables as the trail"),
    "trail emptied": (["DELETE FROM audit"], "not in the tables as the trail says"),
    "tier raised": (["UPDATE versions SET tier = 'full'"], "not in the tables as the trail says"),
    "quarantine lifted": (["UPDATE versions SET state = 'active'"], "not in the tables as the"),
    "evidence changed": (["UPDATE versions SET evidence = '{}'"], "not in the tables as the trail"),
    "source changed": (
        ["UPDATE versions SET spec = replace(spec, '2 * number', '3 * number')"],
        "was changed after it was written",
    ),
    "reasons changed": (["UPDATE rejections SET reasons = '[]'"], "not in the tables as the trail"),
    "rejection removed": (["DELETE FROM rejections"], "not in the tables as the trail says"),
    "pointer moved": (
        ["UPDATE tools SET active = (SELECT digest FROM versions WHERE number = 1)"],
        "the name double does not point at",
    ),
    "tool removed": (["DELETE FROM tools"], "the name double does not point at"),
}


@pytest.mark.parametrize(("statements", "problem"), DRIFTED_TABLES.values(), ids=DRIFTED_TABLES)
def test_tables_that_the_trail_does_not_explain_are_found(filled, tamper, statements, problem):
    tamper(*statements)
    report = verify(filled)
    assert not report.ok
    assert report.seq is None
    assert problem in report.problem


def test_a_trail_rewritten_as_a_whole_is_found_by_a_head_kept_elsewhere(filled, tamper, path):
    kept = head(filled)
    rows, previous = [], GENESIS
    for row in tail(filled):
        fields = (row.seq, row.at, "somebody else", row.action, row.subject, row.body, previous)
        previous = AuditRow(*fields, "").computed_hash()
        rows.append((*fields, previous))
    tamper("DELETE FROM audit")
    with sqlite3.connect(path) as connection:
        connection.executemany("INSERT INTO audit VALUES (?,?,?,?,?,?,?,?)", rows)
    connection.close()
    assert verify(filled).ok
    assert head(filled) != kept


def test_a_version_with_a_changed_source_is_not_handed_out(filled, tamper):
    tamper("UPDATE versions SET spec = replace(spec, '2 * number', '3 * number')")
    with pytest.raises(TamperedError, match="toolguild audit verify"):
        filled.tool("double")


KEPT = [
    "UPDATE audit SET actor = 'x'",
    "DELETE FROM audit",
    "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 2",
    "UPDATE versions SET spec = ''",
    "UPDATE versions SET provenance = ''",
    "UPDATE versions SET evidence = ''",
    "UPDATE versions SET digest = ''",
    "UPDATE versions SET number = 9",
    "UPDATE versions SET registered_at = ''",
    "DELETE FROM versions",
    "INSERT OR REPLACE INTO versions SELECT * FROM versions",
    "UPDATE rejections SET reasons = ''",
    "DELETE FROM rejections",
]


@pytest.mark.parametrize("statement", KEPT)
def test_written_rows_cannot_be_changed_by_plain_sql(filled, path, statement):
    with sqlite3.connect(path) as connection:
        table = re.search("audit|versions|rejections", statement)[0]
        with pytest.raises(sqlite3.IntegrityError, match=f"rows of {table} are kept as written"):
            connection.execute(statement)
    connection.close()
    assert verify(filled).ok


def test_rejected_draft_registered_later_still_verifies(filled, make_spec):
    filled.register(make_spec("bad"))
    filled.set_tier("bad", Tier.FULL, why="earned")
    assert verify(filled).ok


def test_actor_is_the_login_name_unless_given(path, make_spec, monkeypatch):
    monkeypatch.setenv("LOGNAME", "ada")
    with Registry.open(path) as registry:
        registry.register(make_spec())
        assert tail(registry)[0].actor == "ada"
