import re
from dataclasses import replace

import pytest
from sqlalchemy import insert, update

from toolguild.policies import Tier
from toolguild.registry import (
    CallStatus,
    Registry,
    RegistryFileError,
    State,
    TamperedError,
    Use,
    head,
    schema,
    tail,
    verify,
)
from toolguild.registry.anchors import take_anchor
from toolguild.registry.chain import GENESIS, AuditRow
from toolguild.registry.heads import Head


@pytest.fixture
def filled(registry, make_spec):
    """Five changes: two versions, a promotion after two uses, a rejection, a quarantine."""
    spec = make_spec()
    registry.register(spec, provenance={"origin": "test"}, evidence={"cases": 3})
    for number in range(2):
        use = Use(spec.digest, f"sha256:{number}", CallStatus.OK, 0.5, registry.now(), task="t")
        registry.record(use)
    registry.set_tier("double", Tier.RESTRICTED, why="60 of 60")
    registry.register(make_spec(description="Newer."))
    registry.reject(make_spec("bad"), ["calls eval"])
    registry.set_state("double", State.QUARANTINED, why="drifts")
    return registry


@pytest.fixture
def tamper(filled, unguarded):
    """Runs SQL on the database as someone who got hold of it would."""

    def run(*statements):
        with unguarded(filled) as connection:
            for statement in statements:
                assert connection.exec_driver_sql(statement).rowcount > 0

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
    assert row.at == "2026-11-21T00:00:05.000000+00:00"
    assert row.content == {
        "before": {"tier": "sandbox", "state": "active", "since_use": 0},
        "after": {"tier": "restricted", "state": "active", "since_use": 2},
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
        ["INSERT INTO audit SELECT 6, at, actor, action, subject, body, hash, hash, uses "
         "FROM audit WHERE seq = 5"],
        (6, "row 6 was changed"),
    ),
    "uses of a row changed": (
        ["UPDATE audit SET uses = NULL WHERE seq = 2"],
        (2, "row 2 was changed"),
    ),
    "last row removed": (["DELETE FROM audit WHERE seq = 5"], (5, "row 5 is missing")),
    "last rows cut off": (["DELETE FROM audit WHERE seq > 3"], (4, "row 4 is missing")),
    "trail emptied": (["DELETE FROM audit"], (1, "row 1 is missing")),
    "head moved": (["UPDATE heads SET seq = 6 WHERE chain = 'audit'"], (6, "row 6 is missing")),
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
    "trail cut off, and its head as well": (
        [
            "DELETE FROM audit WHERE seq > 3",
            "UPDATE heads SET seq = 3, hash = (SELECT hash FROM audit WHERE seq = 3) "
            "WHERE chain = 'audit'",
        ],
        "not in the tables as the trail",
    ),
    "head removed": (["DELETE FROM heads WHERE chain = 'audit'"], "the head of the chain audit is"),
    "head of no chain": (
        ["INSERT INTO heads SELECT 'other', seq, hash FROM heads WHERE chain = 'uses'"],
        "there is a head of a chain other, and no such chain",
    ),
    "tier raised": (["UPDATE versions SET tier = 'full'"], "not in the tables as the trail says"),
    "quarantine lifted": (["UPDATE versions SET state = 'active'"], "not in the tables as the"),
    "evidence changed": (["UPDATE versions SET evidence = '{}'"], "not in the tables as the trail"),
    "source changed": (
        ["UPDATE versions SET spec = replace(spec, '2 * number', '3 * number')"],
        "was changed after it was written",
    ),
    "reasons changed": (["UPDATE rejections SET reasons = '[]'"], "not in the tables as the trail"),
    "reasons in other words": (
        ["UPDATE rejections SET reasons = replace(reasons, '[', '[ ')"],
        "not in the tables as the trail",
    ),
    "time of registration changed": (
        ["UPDATE versions SET registered_at = replace(registered_at, '2026', '2025')"],
        "not in the tables as the trail",
    ),
    "time of rejection changed": (
        ["UPDATE rejections SET rejected_at = replace(rejected_at, '2026', '2025')"],
        "not in the tables as the trail",
    ),
    "report added": (
        ["INSERT INTO reports SELECT digest, spec FROM versions WHERE number = 1"],
        "is of no version and no draft",
    ),
    "rejection removed": (["DELETE FROM rejections"], "not in the tables as the trail says"),
    "pointer moved": (
        ["UPDATE tools SET active = (SELECT digest FROM versions WHERE number = 1)"],
        "the name double does not point at",
    ),
    "tool removed": (["DELETE FROM tools"], "the name double does not point at"),
    "use made a success": (
        ["UPDATE uses SET status = 'error' WHERE id = 2"],
        "use 2 was changed",
    ),
    "task of a use changed": (["UPDATE uses SET task = NULL WHERE id = 1"], "use 1 was changed"),
    "use removed": (["DELETE FROM uses WHERE id = 1"], "use 1 is missing"),
    "last use removed": (["DELETE FROM uses WHERE id = 2"], "use 2 is missing"),
    "uses emptied": (["DELETE FROM uses"], "use 1 is missing"),
    "uses cut off, and their head as well": (
        [
            "DELETE FROM uses WHERE id = 2",
            "UPDATE heads SET seq = 1, hash = (SELECT hash FROM uses) WHERE chain = 'uses'",
        ],
        "the uses are not those that row 2 of the trail names",
    ),
    "use added": (
        ["INSERT INTO uses (id, version, input_digest, status, ran, duration_s, at, error, effects,"
         " hash) SELECT 3, version, 'sha256:9', status, ran, duration_s, at, error, effects, hash "
         "FROM uses WHERE id = 2"],
        "use 3 was changed, or does not follow",
    ),
    "head of the uses removed": (
        ["DELETE FROM heads WHERE chain = 'uses'"],
        "the head of the chain uses is gone",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("statements", "problem"), DRIFTED_TABLES.values(), ids=DRIFTED_TABLES)
def test_tables_that_the_trail_does_not_explain_are_found(filled, tamper, statements, problem):
    tamper(*statements)
    report = verify(filled)
    assert not report.ok
    assert report.seq is None
    assert problem in report.problem


def test_a_trail_rewritten_as_a_whole_is_found_by_a_head_kept_elsewhere(filled, unguarded):
    kept = take_anchor(filled)
    rows, previous = [], GENESIS
    for row in tail(filled):
        fields = (row.seq, row.at, "somebody else", row.action, row.subject, row.body, previous)
        previous = AuditRow(*fields, "", row.uses).computed_hash()
        rows.append((*fields, previous, row.uses))
    names = schema.audit.columns.keys()
    with unguarded(filled) as connection:
        connection.exec_driver_sql("DELETE FROM audit")
        for row in rows:
            connection.execute(insert(schema.audit).values(dict(zip(names, row, strict=True))))
        last = schema.heads.c.chain == "audit"
        connection.execute(update(schema.heads).where(last).values(hash=previous))
    assert verify(filled).ok
    report = verify(filled, [kept])
    assert report.seq == 5
    assert report.problem.startswith("row 5 is not the one anchored at")


def test_an_older_state_of_the_whole_is_found_by_a_head_kept_elsewhere(filled, make_spec):
    earlier = take_anchor(filled)
    use = Use(make_spec().digest, "sha256:2", CallStatus.OK, 0.5, filled.now())
    filled.record(use)
    later = take_anchor(filled)
    assert verify(filled, [earlier]).ok
    filled.register(make_spec("other"))
    assert verify(filled, [later, earlier]).ok
    beyond = replace(take_anchor(filled), seq=99)
    assert verify(filled, [beyond]).problem.startswith("rows 7 to 99 were cut off")
    gone = replace(later, uses=Head(9, GENESIS))
    assert verify(filled, [gone]).problem.startswith("uses 4 to 9 were cut off")


def test_what_was_cut_off_is_missed_after_more_was_written(filled, tamper, make_spec):
    tamper("DELETE FROM audit WHERE seq = 5", "DELETE FROM uses WHERE id = 2")
    filled.register(make_spec("other"))
    filled.record(Use(make_spec().digest, "sha256:2", CallStatus.OK, 0.5, filled.now()))
    assert verify(filled).problem == "row 5 is missing"


def test_guards_that_were_taken_away_are_missed(filled, database):
    assert verify(filled).ok
    of = " ON audit" if database == "postgresql" else ""
    with filled.database.write() as connection:
        connection.exec_driver_sql(f"DROP TRIGGER audit_no_update{of}")
    problem = verify(filled).problem
    assert re.search("trigger audit_no_update( of audit)? is not as toolguild makes it", problem)


def test_a_version_with_a_changed_source_is_not_handed_out(filled, tamper):
    tamper("UPDATE versions SET spec = replace(spec, '2 * number', '3 * number')")
    with pytest.raises(TamperedError, match="toolguild audit verify"):
        filled.tool("double")


KEPT = [
    "UPDATE audit SET actor = 'x'",
    "DELETE FROM audit",
    "UPDATE versions SET spec = ''",
    "UPDATE versions SET provenance = ''",
    "UPDATE versions SET evidence = ''",
    "UPDATE versions SET digest = ''",
    "UPDATE versions SET number = 9",
    "UPDATE versions SET registered_at = ''",
    "DELETE FROM versions",
    "UPDATE rejections SET reasons = ''",
    "DELETE FROM rejections",
    "UPDATE uses SET status = 'ok'",
    "DELETE FROM uses",
]
REPLACED = {
    "sqlite": [
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 2",
        "INSERT OR REPLACE INTO versions SELECT * FROM versions",
    ],
    "postgresql": [
        "INSERT INTO audit SELECT * FROM audit ON CONFLICT (seq) DO UPDATE SET actor = 'x'",
        "INSERT INTO versions SELECT * FROM versions ON CONFLICT (digest) DO UPDATE SET spec = ''",
        "TRUNCATE audit",
        "TRUNCATE uses",
        "TRUNCATE versions CASCADE",
    ],
}


def refused(registry, statement):
    table = re.search("audit|versions|rejections|uses", statement)[0]
    with (
        pytest.raises(RegistryFileError, match=f"rows of ({table}|uses) are kept as written"),
        registry.database.write() as connection,
    ):
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize("statement", KEPT)
def test_written_rows_cannot_be_changed_by_plain_sql(filled, statement):
    refused(filled, statement)
    assert verify(filled).ok


def test_written_rows_cannot_be_replaced_or_truncated(filled, database):
    for statement in REPLACED[database]:
        refused(filled, statement)
    assert verify(filled).ok


def test_rejected_draft_registered_later_still_verifies(filled, make_spec):
    filled.register(make_spec("bad"))
    filled.set_tier("bad", Tier.FULL, why="earned")
    assert verify(filled).ok


def test_actor_is_the_login_name_unless_given(where, make_spec, monkeypatch):
    monkeypatch.setenv("LOGNAME", "ada")
    with Registry.open(where) as registry:
        registry.register(make_spec())
        assert tail(registry)[0].actor == "ada"
