"""Registries that older versions made; `layout_1.sql` is one of those, as it was dumped then."""

import sqlite3
import threading
from pathlib import Path

import pytest

from toolguild.policies import Capability, Tier
from toolguild.registry import CallStatus, Registry, RegistryFileError, Toolbox, schema, verify
from toolguild.registry.migrations import STEPS

LAYOUT_1 = (Path(__file__).parent / "layout_1.sql").read_text("utf-8")


@pytest.fixture
def old(path):
    connection = sqlite3.connect(path)
    connection.executescript(LAYOUT_1)
    connection.close()
    return path


def layout(path):
    """Return everything that makes the tables what they are, but for how it is spelled."""
    connection = sqlite3.connect(path)

    def rows(query):
        return sorted(map(tuple, connection.execute(query).fetchall()), key=repr)

    tables = [name for (name,) in rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {
        (name, what): rows(f"PRAGMA {what}({name})")
        for name in tables
        for what in ("table_info", "index_list")
    }
    # Without the numbers of the keys, which are those of their statements in the text.
    keys = {name: [key[2:] for key in rows(f"PRAGMA foreign_key_list({name})")] for name in tables}
    found["keys"] = {name: sorted(found_keys) for name, found_keys in keys.items()}
    found["triggers"] = rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    found["version"] = rows("SELECT version FROM schema_version")
    connection.close()
    return found


def test_there_is_a_step_from_every_layout_to_the_next():
    assert list(STEPS) == list(range(1, schema.SCHEMA_VERSION))


def test_an_old_registry_gets_the_layout_of_a_new_one(old, tmp_path):
    Registry.open(old).close()
    Registry.open(tmp_path / "new.db").close()
    assert layout(old) == layout(tmp_path / "new.db")


def test_an_old_registry_goes_on_working(old, sandbox):
    with Registry.open(old) as registry:
        double, quad = registry.tool("double"), registry.tool("quad")
        assert (double.tier, double.spec.calls, quad.spec.calls) == (
            Tier.RESTRICTED,
            (),
            ("double",),
        )
        assert [draft.spec.name for draft in registry.rejections()] == ["bad"]
        before = registry.uses(double.digest)
        assert [use.status for use in before] == [CallStatus.OK, CallStatus.ERROR]
        assert {use.caller for use in before} == {None}
        assert {use.undeclared for use in before} == {frozenset()}
        assert {use.effects for use in before} == {frozenset({Capability.READ})}
        assert Toolbox(registry, sandbox).call("quad", {}).value == 4
        record = registry.track_record(double.digest)
        assert (record.successes, record.failures, record.undeclared) == (2, 1, 0)
        assert registry.callers(double.digest) == {"quad@1": 1}
        assert verify(registry).ok


def test_the_tools_of_an_old_registry_are_found(old):
    with Registry.open(old) as registry:
        names = [found.version.spec.name for found in registry.search("double a number")]
        assert names[0] == "double"
        assert registry.search("bad") == []


def test_a_tampered_version_keeps_nobody_from_opening_an_old_registry(old):
    connection = sqlite3.connect(old)
    connection.executescript("DROP TRIGGER versions_no_update; UPDATE versions SET spec = '{}'")
    connection.close()
    with Registry.open(old) as registry:
        assert registry.search("double") == []
        assert not verify(registry).ok


def test_reopening_changes_nothing_more(old):
    Registry.open(old).close()
    before = old.read_bytes()
    Registry.open(old).close()
    assert old.read_bytes() == before


def test_several_that_open_it_at_once_agree(old):
    errors = []

    def open_it():
        try:
            with Registry.open(old) as registry:
                assert len(registry.tools()) == 2
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert layout(old)["version"] == [(schema.SCHEMA_VERSION,)]


def test_a_step_that_fails_leaves_the_old_layout(old, monkeypatch):
    before = layout(old)
    monkeypatch.setitem(STEPS, 1, (*STEPS[1], "ALTER TABLE missing ADD COLUMN x"))
    with pytest.raises(RegistryFileError, match="no such table: missing"):
        Registry.open(old)
    assert layout(old) == before
    monkeypatch.undo()
    Registry.open(old).close()
    assert layout(old)["version"] == [(schema.SCHEMA_VERSION,)]


def test_uses_stay_as_written(old):
    with (
        Registry.open(old) as registry,
        pytest.raises(RegistryFileError, match="kept as written"),
        registry.database.write() as connection,
    ):
        connection.exec_driver_sql("UPDATE uses SET caller = version")
