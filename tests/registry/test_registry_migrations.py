"""Registries that older versions made; `layout_1.sql` is one of those, as it was dumped then."""

import sqlite3
import threading
from pathlib import Path

import pytest
from old_layouts import take_back_to_layout_4
from sqlalchemy import create_engine, inspect

from toolguild.policies import Capability, Tier
from toolguild.registry import (
    CallStatus,
    Registry,
    RegistryFileError,
    Toolbox,
    head,
    schema,
    verify,
)
from toolguild.registry.guards import ForDialect
from toolguild.registry.migrations import STEPS
from toolguild.registry.retrieval.vectors import keep, without_vector
from toolguild.registry.sqlite import layout

LAYOUT_1 = (Path(__file__).parent / "layout_1.sql").read_text("utf-8")


@pytest.fixture
def old(path):
    connection = sqlite3.connect(path)
    connection.executescript(LAYOUT_1)
    connection.close()
    return path


def layout_of(path):
    """Return what makes the tables what they are, and the number of their layout."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        found = {**layout(connection)}
        found["version"] = connection.exec_driver_sql("SELECT version FROM schema_version").all()
    engine.dispose()
    return found


def test_there_is_a_step_from_every_layout_to_the_next():
    assert list(STEPS) == list(range(1, schema.SCHEMA_VERSION))


def test_an_old_registry_gets_the_layout_of_a_new_one(old, tmp_path):
    Registry.open(old).close()
    Registry.open(tmp_path / "new.db").close()
    assert layout_of(old) == layout_of(tmp_path / "new.db")


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
    assert layout_of(old)["version"] == [(schema.SCHEMA_VERSION,)]


def test_a_step_that_fails_leaves_the_old_layout_of(old, monkeypatch):
    before = layout_of(old)
    monkeypatch.setitem(STEPS, 1, (*STEPS[1], "ALTER TABLE missing ADD COLUMN x"))
    with pytest.raises(RegistryFileError, match="no such table: missing"):
        Registry.open(old)
    assert layout_of(old) == before
    monkeypatch.undo()
    Registry.open(old).close()
    assert layout_of(old)["version"] == [(schema.SCHEMA_VERSION,)]


def test_uses_stay_as_written(old):
    with (
        Registry.open(old) as registry,
        pytest.raises(RegistryFileError, match="kept as written"),
        registry.database.write() as connection,
    ):
        connection.exec_driver_sql("UPDATE uses SET caller = version")


def test_uses_from_before_they_were_chained_are_covered(old, unguarded):
    with Registry.open(old) as registry:
        assert verify(registry).ok
        with unguarded(registry) as connection:
            connection.exec_driver_sql("UPDATE uses SET status = 'ok' WHERE id = 2")
        assert verify(registry).problem.startswith("use 2 was changed")


def test_an_old_registry_without_anything_in_it_verifies(path):
    lines = LAYOUT_1.splitlines()
    empty = [line for line in lines if not line.startswith("INSERT") or "schema_version" in line]
    connection = sqlite3.connect(path)
    connection.executescript("\n".join(empty))
    connection.close()
    with Registry.open(path) as registry:
        assert verify(registry).ok
        assert head(registry).seq == 0


def test_vectors_that_the_trail_tells_nothing_of_are_to_be_made_anew(where, make_spec):
    with Registry.open(where) as registry:
        made = {registry.register(make_spec()).version.digest: [1.0, 2.0]}
        with registry.database.write() as connection:
            keep(connection, "small", made, batch=0)
        take_back_to_layout_4(registry)
    with Registry.open(where) as registry, registry.database.read() as connection:
        assert without_vector(connection, "small") == [*made]
    with Registry.open(where) as registry:
        registry.keep_vectors("small", made)
        assert verify(registry).ok


def test_steps_may_differ_by_the_kind_of_database(where, database, monkeypatch):
    """A registry on each is taken one layout further, by what is meant for it alone."""
    Registry.open(where).close()
    step = (
        "CREATE TABLE of_both (x INTEGER)",
        ForDialect("sqlite", "CREATE TABLE of_sqlite (x INTEGER)"),
        ForDialect("postgresql", "CREATE TABLE of_postgresql (x INTEGER)"),
        lambda connection: connection.exec_driver_sql("INSERT INTO of_both VALUES (7)"),
    )
    monkeypatch.setitem(STEPS, schema.SCHEMA_VERSION, step)
    monkeypatch.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 1)
    for _ in range(2):
        with Registry.open(where) as registry, registry.database.read() as connection:
            assert connection.exec_driver_sql("SELECT x FROM of_both").all() == [(7,)]
            tables = {name for name in inspect(connection).get_table_names() if "of_" in name}
            assert tables == {"of_both", f"of_{database}"}


@pytest.fixture
def columns_of(database):
    """Return what a database says of how its tables are made."""

    def read(registry):
        with registry.database.read() as connection:
            if database == "sqlite":
                return layout(connection)
            columns = connection.exec_driver_sql(
                "SELECT table_name, column_name, data_type, collation_name, is_nullable "
                "FROM information_schema.columns WHERE table_schema = current_schema() "
                "ORDER BY 1, 2"
            )
            indexes = connection.exec_driver_sql(
                "SELECT indexname, replace(indexdef, schemaname || '.', '') FROM pg_indexes "
                "WHERE schemaname = current_schema() ORDER BY 1"
            )
            triggers = connection.exec_driver_sql(
                "SELECT tgname, pg_get_triggerdef(oid, true) FROM pg_trigger "
                "WHERE pg_table_is_visible(tgrelid) AND NOT tgisinternal ORDER BY 1"
            )
            keys = connection.exec_driver_sql(
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
                "WHERE connamespace = current_schema()::regnamespace ORDER BY 1"
            )
            return [*columns], [*indexes], [*triggers], [*keys]

    return read


def test_layout_4_gets_the_layout_of_a_new_one_on_both_databases(where, columns_of, make_spec):
    with Registry.open(where) as registry:
        registry.register(make_spec(), evidence={"cases": 3})
        new = columns_of(registry)
        take_back_to_layout_4(registry)
    with Registry.open(where) as registry:
        assert columns_of(registry) == new
        assert registry.tool("double").evidence == {"cases": 3}
        assert verify(registry).ok


@pytest.mark.parametrize(
    ("whole", "edited"),
    [
        # Rows of uses are read by this column before definitions are compared.
        (b"\thash VARCHAR, \n\tPRIMARY KEY (id)", b"\thasx VARCHAR, \n\tPRIMARY KEY (id)"),
        # SQLite itself takes no notice of whose index this is said to be.
        (b"sqlite_autoindex_versions_1versions", b"sqlite_autoindex_versions_1ver6ions"),
        # Of a virtual table no column says where its content is.
        (b"content='search_documents'", b"content='sea3ch_documents'"),
    ],
)
def test_an_edit_of_the_definitions_in_the_file_is_found(path, make_spec, whole, edited):
    with Registry.open(path) as registry:
        registry.register(make_spec())
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    data = path.read_bytes()
    assert data.count(whole) == 1
    path.write_bytes(data.replace(whole, edited))
    with Registry.open(path) as registry:
        assert "is not as toolguild makes it" in verify(registry).problem
