"""What is PostgreSQL's alone: its URLs, connections that break, and several that begin at once."""

import sys
import threading

import pytest

from toolguild.registry import (
    CallStatus,
    Registry,
    RegistryError,
    RegistryFileError,
    Use,
    verify,
)
from toolguild.registry.backend import Backend
from toolguild.registry.database import Database
from toolguild.registry.location import parse_location, shown

pytestmark = [
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
    pytest.mark.usefixtures("database"),
    pytest.mark.postgres,
]
SECRET = "s3cret"  # noqa: S105 - of nobody


@pytest.fixture
def connect(where):
    """Opens connections of another program."""
    psycopg = pytest.importorskip("psycopg")
    return lambda: psycopg.connect(where, autocommit=True)


def end_other_sessions(connect):
    """Do to all connections of toolguild what a restart of the server does."""
    with connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
            "WHERE application_name = 'toolguild'"
        )


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{SECRET}@host/db",
        f"postgres://me:{SECRET}@host/db",
        f"postgresql+psycopg2://me:{SECRET}@host/db",
        f"postgresql+asyncpg://me@host/db?password={SECRET}",
        f"postgresql://me@host/db?sslpassword={SECRET}&sslmode=require",
    ],
)
def test_any_postgresql_url_is_one_of_psycopg_and_is_shown_without_its_password(url):
    assert parse_location(url).drivername == "postgresql+psycopg"
    assert shown(url).startswith("postgresql://me")
    assert "@host/db" in shown(url)
    assert SECRET not in shown(url)


@pytest.mark.parametrize("port", [1, SECRET])
def test_no_message_has_the_password(port):
    with pytest.raises(RegistryError) as refusal:
        Registry.open(f"postgresql://me:{SECRET}@127.0.0.1:{port}/db?connect_timeout=2")
    assert SECRET not in str(refusal.value)


def test_a_server_that_is_not_there_is_named():
    with pytest.raises(RegistryFileError, match=r"@127\.0\.0\.1:1/db: cannot connect; check that"):
        Registry.open("postgresql://me@127.0.0.1:1/db")


def test_a_database_that_is_not_there_is_named(postgres_server):
    with pytest.raises(RegistryFileError, match=r'cannot connect.*"nowhere" does not exist'):
        Registry.open(postgres_server.url("nowhere"))


def test_a_schema_that_is_not_there_is_named(postgres_server):
    with pytest.raises(RegistryFileError, match="make it with CREATE SCHEMA"):
        Registry.open(postgres_server.url(options="-csearch_path=nowhere"))


def test_without_psycopg_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(RegistryError, match=r"run: pip install 'toolguild\[postgres\]'"):
        Registry.open("postgresql://host/db")


def test_a_database_that_cannot_hold_every_text_is_refused(postgres_server, connect):
    with connect() as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(RegistryError, match=r"encoding is LATIN1.*createdb --encoding=UTF8"):
        Registry.open(postgres_server.url("latin"))


def test_a_schema_of_another_program_is_refused(where, connect):
    with connect() as connection:
        connection.execute("CREATE TABLE notes (text text)")
    with pytest.raises(RegistryError, match="a database of another program; name another one"):
        Registry.open(where)


def test_looking_whether_there_is_a_registry_makes_none(where):
    assert not Database.exists(where)
    assert not Database.exists(where)
    Registry.open(where).close()
    assert Database.exists(where)


def test_several_that_begin_at_once_make_one_registry(where):
    together = threading.Barrier(8)
    errors = []

    def begin():
        together.wait(60)
        try:
            Registry.open(where).close()
        except RegistryError as error:
            errors.append(error)

    threads = [threading.Thread(target=begin) for _ in range(together.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    with Registry.open(where) as registry:
        assert verify(registry).ok


def test_a_connection_that_broke_while_idle_is_replaced(where, connect, make_spec):
    with Registry.open(where) as registry:
        registry.register(make_spec())
        end_other_sessions(connect)
        assert registry.tool("double").number == 1
        end_other_sessions(connect)
        assert registry.register(make_spec(description="Newer.")).created


def test_a_connection_that_breaks_amid_a_change_leaves_nothing_of_it(where, connect, make_spec):
    with Registry.open(where) as registry:
        version = registry.register(make_spec()).version
        use = Use(version.digest, "sha256:1", CallStatus.OK, 0.1, registry.now())
        lost = pytest.raises(RegistryFileError, match="lost, and nothing was written; run again")
        with lost, registry.database.write() as connection:
            connection.exec_driver_sql("DELETE FROM tools")
            end_other_sessions(connect)
            connection.exec_driver_sql("SELECT 1")
        assert registry.tool("double") == version
        registry.record(use)
        assert verify(registry).ok


def test_one_that_breaks_while_it_commits_may_have_written(where, connect):
    with Registry.open(where) as registry:
        lost = pytest.raises(RegistryFileError, match="look whether it is there before")
        with lost, registry.database.write():
            end_other_sessions(connect)


def test_a_writer_whose_connection_breaks_while_it_waits_starts_again(where, connect, make_spec):
    with Registry.open(where) as first, Registry.open(where) as second:
        registered = []
        waiting = threading.Thread(target=lambda: registered.append(second.register(make_spec())))
        with first.database.write(), connect() as other:
            waiting.start()
            ended = None
            while ended is None:
                ended = other.execute(
                    "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
                    "WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'"
                ).fetchone()
        waiting.join(60)
        assert registered[0].created


def test_a_writer_that_says_nothing_for_long_loses_its_turn(where, make_spec, monkeypatch):
    """Its machine may be gone; nobody else could write until TCP notices."""
    monkeypatch.setattr("toolguild.registry.postgresql._SILENCE_S", 0.1)
    monkeypatch.setattr(Backend, "wait_s", 20.0)
    with Registry.open(where) as silent, Registry.open(where) as other:
        lost = pytest.raises(RegistryFileError, match="the connection was lost")
        with lost, silent.database.write() as connection:
            assert other.register(make_spec()).created
            connection.exec_driver_sql("SELECT 1")


def test_readers_cannot_write(where):
    with (
        Registry.open(where) as registry,
        pytest.raises(RegistryFileError, match="read-only"),
        registry.database.read() as connection,
    ):
        connection.exec_driver_sql("DELETE FROM tools")
