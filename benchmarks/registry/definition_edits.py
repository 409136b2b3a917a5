"""Random edits of how tables are defined: what guards, keys, orders or fills them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from benchmarks.registry.databases import POSTGRESQL, SQLITE
from benchmarks.registry.opened import opened
from toolguild.registry import schema
from toolguild.registry.guards import REFUSE, REFUSE_NAME

__all__ = ["EDITS", "edit_definitions"]

Edit = Callable[[Connection, random.Random], str]
"""Makes the edit, and says of what."""

_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
_INDEXES = (
    "SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' AND sql <> '' ORDER BY name"
)
_OF_POSTGRESQL = {
    "trigger": "SELECT tgname, tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal",
    "constraint": "SELECT conname, conrelid::regclass FROM pg_constraint"
    " WHERE connamespace = current_schema()::regnamespace",
    "index": "SELECT indexname, tablename FROM pg_indexes WHERE schemaname = current_schema()"
    " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
    "column": "SELECT column_name, table_name FROM information_schema.columns"
    " WHERE table_schema = current_schema() AND is_nullable = 'NO'"
    " AND column_name NOT IN (SELECT column_name FROM information_schema.key_column_usage)",
    "default": "SELECT column_name, table_name FROM information_schema.columns"
    " WHERE table_schema = current_schema() AND column_default <> ''",
}


def edit_definitions(where: str, edit: Edit, rng: random.Random) -> str:
    """Edit what is defined in a registry; return what it was."""
    with opened(where) as connection:
        return edit(connection, rng)


# --- SQLite


def _pick(connection: Connection, query: str, rng: random.Random) -> tuple[str, str]:
    name, other = rng.choice(connection.exec_driver_sql(query).all())
    return str(name), str(other)


def _drop_trigger(connection: Connection, rng: random.Random) -> str:
    name, _ = _pick(connection, _TRIGGERS, rng)
    connection.exec_driver_sql(f"DROP TRIGGER {name}")
    return name


def _weaken_trigger(connection: Connection, rng: random.Random) -> str:
    name, sql = _pick(connection, _TRIGGERS, rng)
    connection.exec_driver_sql(f"DROP TRIGGER {name}")
    connection.exec_driver_sql(sql.replace("RAISE(ABORT", "coalesce('ABORT'"))
    return name


def _add_trigger(connection: Connection, rng: random.Random) -> str:
    table = _random_table(rng)
    connection.exec_driver_sql(
        f"CREATE TRIGGER silent BEFORE INSERT ON {table} BEGIN SELECT RAISE(IGNORE); END"
    )
    return table


def _drop_index(connection: Connection, rng: random.Random) -> str:
    name, _ = _pick(connection, _INDEXES, rng)
    connection.exec_driver_sql(f"DROP INDEX {name}")
    return name


def _narrow_index(connection: Connection, rng: random.Random) -> str:
    name, table = _pick(connection, _INDEXES, rng)
    key = schema.metadata.tables[table].primary_key.columns.keys()[0]
    connection.exec_driver_sql(f"DROP INDEX {name}")
    connection.exec_driver_sql(f"CREATE INDEX {name} ON {table} ({key}) WHERE {key} < 0")
    return name


def _add_column(connection: Connection, rng: random.Random) -> str:
    table = _random_table(rng)
    connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN note TEXT")
    return table


def _allow_null(connection: Connection, rng: random.Random) -> str:
    table = _random_table(rng)
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE name = ?", (table,)
    )
    return table


def _random_table(rng: random.Random) -> str:
    return rng.choice(sorted(schema.metadata.tables))


# --- PostgreSQL


def _on_one(kind: str, statement: str) -> Edit:
    """Return an edit of one thing of a kind, drawn from the catalog."""

    def edit(connection: Connection, rng: random.Random) -> str:
        found = connection.exec_driver_sql(_OF_POSTGRESQL[kind]).all()
        name, table = rng.choice(sorted((str(name), str(table)) for name, table in found))
        told = statement.format(name=name, table=table, refuse=REFUSE_NAME)
        connection.exec_driver_sql(told)
        return f"{name} of {table}"

    return edit


def _on_a_table(statement: str) -> Edit:
    def edit(connection: Connection, rng: random.Random) -> str:
        table = _random_table(rng)
        connection.exec_driver_sql(statement.format(table=table))
        return table

    return edit


def _weaken_function(connection: Connection, rng: random.Random) -> str:
    body = rng.choice(["RETURN NEW;", "RETURN NULL;", "RETURN OLD;"])
    start = REFUSE.sql.partition("$$")[0]
    connection.exec_driver_sql(f"{start}$$BEGIN {body} END$$")
    return body


EDITS: Mapping[str, Mapping[str, Edit]] = {
    SQLITE: {
        "a trigger dropped": _drop_trigger,
        "a trigger made harmless": _weaken_trigger,
        "a trigger added": _add_trigger,
        "an index dropped": _drop_index,
        "an index made of fewer rows": _narrow_index,
        "a column added": _add_column,
        "null allowed": _allow_null,
    },
    POSTGRESQL: {
        "a trigger dropped": _on_one("trigger", "DROP TRIGGER {name} ON {table}"),
        "a trigger disabled": _on_one("trigger", "ALTER TABLE {table} DISABLE TRIGGER {name}"),
        "a trigger made harmless": _on_one(
            "trigger",
            "DROP TRIGGER {name} ON {table}; CREATE TRIGGER {name} BEFORE UPDATE ON {table}"
            " FOR EACH ROW WHEN (false) EXECUTE FUNCTION {refuse}()",
        ),
        "all triggers of a table disabled": _on_one(
            "trigger", "ALTER TABLE {table} DISABLE TRIGGER ALL"
        ),
        "the function of the triggers replaced": _weaken_function,
        "a constraint dropped": _on_one(
            "constraint", "ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE"
        ),
        "an index dropped": _on_one("index", "DROP INDEX {name}"),
        "null allowed": _on_one("column", "ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL"),
        "a default dropped": _on_one(
            "default", "ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT"
        ),
        "a column added": _on_a_table("ALTER TABLE {table} ADD COLUMN note text"),
        "a rule added": _on_a_table(
            "CREATE RULE silent AS ON INSERT TO {table} DO INSTEAD NOTHING"
        ),
        "rows hidden": _on_a_table("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"),
    },
}
"""By the name of the database."""
