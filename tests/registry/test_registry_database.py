import os
import shutil
import sqlite3
import stat
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import func, select

from toolguild.registry import Registry, RegistryError, RegistryFileError, schema, verify
from toolguild.registry import chain as chain_module
from toolguild.registry.backend import Backend

NOBODY = 65534


@pytest.fixture
def open_folder():
    """A folder that every user may reach, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    folder.chmod(0o777)
    shutil.rmtree(folder)


@pytest.fixture
def as_ordinary_user(open_folder):
    """Permissions mean nothing to root, as whom containers run tests."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    yield open_folder
    os.seteuid(user)


def test_file_is_private_and_its_folders_are_made(tmp_path):
    path = tmp_path / "deep" / "down" / "tools.db"
    with Registry.open(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for companion in path.parent.iterdir():  # the write-ahead log holds the same contents
            assert stat.S_IMODE(companion.stat().st_mode) == 0o600


def test_connections_log_ahead_check_keys_and_wait(path):
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "trusted_schema")
    with Registry.open(path) as registry, registry.database.read() as connection:
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    assert values == ["wal", 1, 1, 30_000, 0]


@pytest.mark.parametrize("form", [str, Path, lambda path: f"sqlite:///{path}"])
def test_paths_and_urls_name_the_same_file(path, make_spec, form):
    with Registry.open(path) as registry:
        registry.register(make_spec())
    with Registry.open(form(path)) as registry:
        assert registry.tool("double").number == 1


def test_empty_file_becomes_a_registry(path):
    path.touch()
    with Registry.open(path) as registry:
        assert registry.tools() == []


def test_reopening_writes_nothing(path, make_spec):
    with Registry.open(path) as registry:
        registry.register(make_spec())
    before = path.read_bytes()
    with Registry.open(path) as registry:
        assert registry.tools()
    assert path.read_bytes() == before


def test_closing_twice_is_harmless(where):
    registry = Registry.open(where)
    registry.close()
    registry.close()


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("", "a registry needs a file"),
        (":memory:", "a registry needs a file"),
        ("sqlite://", "needs a plain file"),
        ("sqlite:///:memory:", "needs a plain file"),
        ("sqlite:///x.db?mode=ro&uri=true", "needs a plain file"),
        ("mysql://me:secret@host/db", r"mysql://me:\*\*\*@host/db: neither SQLite nor PostgreSQL"),
        ("sqlite:/ /://", "not a database URL"),
        ("postgresql:/me:secret@host/db", "not a database URL; write a path, sqlite:///"),
    ],
)
def test_places_that_are_no_file_are_refused(where, message):
    with pytest.raises(RegistryError, match=message):
        Registry.open(where)


def test_folder_is_refused(tmp_path):
    with pytest.raises(RegistryFileError, match=r"Is a directory: .*name another file"):
        Registry.open(tmp_path)


def test_path_below_a_file_is_refused(path):
    path.touch()
    with pytest.raises(OSError, match=r"cannot open or create .*File exists: .*tools.db\)"):
        Registry.open(path / "tools.db")


def test_file_of_another_kind_is_refused_and_left_alone(path):
    path.write_text("name,tier\n" * 100)
    with pytest.raises(RegistryFileError, match=rf"{path}: not a SQLite database; name another"):
        Registry.open(path)
    assert path.read_text() == "name,tier\n" * 100


def test_damaged_database_is_refused(path, make_spec):
    with Registry.open(path) as registry:
        for number in range(50):
            registry.register(make_spec(description=str(number)))
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(RegistryFileError, match=rf"{path}: .*restore it from a backup"):
        Registry.open(path).tools()


def test_a_schema_that_is_no_text_is_refused(path):
    """sqlite3 cannot even decode SQLite's message about it."""
    Registry.open(path).close()
    path.write_bytes(
        path.read_bytes().replace(b"CREATE TABLE versions", b"CREATE TABLE\xa3versions")
    )
    with pytest.raises(RegistryFileError, match=rf"{path}: the database is damaged; restore it"):
        Registry.open(path)


def test_database_of_another_program_is_refused(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    with pytest.raises(RegistryError, match=rf"{path}: a file of another program; name"):
        Registry.open(path)


def test_database_of_a_newer_version_is_refused(path):
    Registry.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    connection.close()
    with pytest.raises(RegistryError, match=rf"{path}: made by a newer toolguild .*upgrade"):
        Registry.open(path)


def test_registry_without_a_layout_version_is_refused(path):
    Registry.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM schema_version")
    connection.close()
    with pytest.raises(RegistryError, match="restore it from a backup"):
        Registry.open(path)


def test_unwritable_folder_is_named(as_ordinary_user):
    folder = as_ordinary_user / "locked"
    folder.mkdir(mode=0o555)
    with pytest.raises(RegistryFileError, match=r"locked/tools.db: .*Permission denied: .*change"):
        Registry.open(folder / "tools.db")


def test_read_only_file_is_named(as_ordinary_user):
    path = as_ordinary_user / "tools.db"
    Registry.open(path).close()
    path.chmod(0o400)
    with pytest.raises(
        RegistryFileError, match=r"tools.db: .*Permission denied: .*change the mode"
    ):
        Registry.open(path)


def test_file_in_a_folder_made_read_only_is_named(as_ordinary_user):
    folder = as_ordinary_user / "locked"
    Registry.open(folder / "tools.db").close()
    folder.chmod(0o555)
    with pytest.raises(RegistryFileError, match=r"tools.db: .*folder"):
        Registry.open(folder / "tools.db")


def test_database_that_stays_locked_is_named(where, make_spec, monkeypatch):
    monkeypatch.setattr(Backend, "wait_s", 0.1)
    with Registry.open(where) as registry, Registry.open(where) as other:
        with registry.database.write(), pytest.raises(RegistryFileError, match="end it"):
            other.register(make_spec())
        assert other.register(make_spec()).created


def test_readers_do_not_wait_for_a_writer(where, make_spec):
    with Registry.open(where) as registry, Registry.open(where) as other:
        registry.register(make_spec())
        with registry.database.write():
            assert other.tool("double").number == 1


def test_readers_see_one_state(where, make_spec):
    with Registry.open(where) as registry, Registry.open(where) as other:
        with registry.database.read() as connection:
            count = select(func.count()).select_from(schema.versions)
            assert connection.scalar(count) == 0
            other.register(make_spec())
            assert connection.scalar(count) == 0
        assert registry.tool("double").number == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_interrupted_change_leaves_nothing_half_written(registry, make_spec, monkeypatch, error):
    registry.register(make_spec())
    append = chain_module.append

    def interrupted(*args, **kwargs):
        append(*args, **kwargs)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(chain_module, "append", interrupted)
        for change in (
            lambda: registry.register(make_spec(description="Newer.")),
            lambda: registry.reject(make_spec("bad"), ["no"]),
        ):
            with pytest.raises(error):
                change()
    assert [version.number for version in registry.versions("double")] == [1]
    assert registry.rejections() == []
    assert verify(registry).rows == 1
    assert verify(registry).ok
    assert registry.register(make_spec(description="Newer.")).version.number == 2
