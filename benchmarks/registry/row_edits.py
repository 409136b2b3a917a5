"""Random edits of rows, through a connection on which nothing refuses them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from benchmarks.registry.opened import opened, unguarded
from toolguild.registry import schema

__all__ = ["EDITS", "Unchanged", "edit_rows"]

_TABLES = tuple(schema.metadata.tables.values())

Edit = Callable[[Connection, Table, random.Random], None]


class Unchanged(Exception):
    """The edit would leave everything as it is, or the database cannot hold it."""


def edit_rows(where: str, edit: Edit, rng: random.Random) -> str:
    """Edit one of the tables of a registry, leave its guards as they were, and say which it was.

    Raises:
        Unchanged: nothing was edited.
    """
    table = rng.choice(_TABLES)
    try:
        with opened(where) as connection, unguarded(connection):
            edit(connection, table, rng)
    except IntegrityError as error:
        raise Unchanged from error
    return f"table {table.name}"


def _change_a_column(connection: Connection, table: Table, rng: random.Random) -> None:
    row = _random_row(connection, table, rng)
    column = rng.choice(list(table.columns))
    before = row._mapping[column.name]
    after = _another(before, rng)
    if after == before or (after is None and not column.nullable):
        raise Unchanged
    connection.execute(update(table).where(_is(table, row)).values({column.name: after}))


def _exchange_a_column(connection: Connection, table: Table, rng: random.Random) -> None:
    """Give a row a value of another row: nothing about it is out of the ordinary."""
    one, other = (_random_row(connection, table, rng) for _ in range(2))
    column = rng.choice(list(table.columns))
    if column.primary_key or one._mapping[column.name] == other._mapping[column.name]:
        raise Unchanged
    value = other._mapping[column.name]
    connection.execute(update(table).where(_is(table, one)).values({column.name: value}))


def _swap_rows(connection: Connection, table: Table, rng: random.Random) -> None:
    one, other = (_random_row(connection, table, rng) for _ in range(2))
    rest = [column.name for column in table.columns if not column.primary_key]
    if not rest or [one._mapping[name] for name in rest] == [other._mapping[name] for name in rest]:
        raise Unchanged
    for here, there in ((one, other), (other, one)):
        values = {name: there._mapping[name] for name in rest}
        connection.execute(update(table).where(_is(table, here)).values(values))


def _remove_a_row(connection: Connection, table: Table, rng: random.Random) -> None:
    connection.execute(delete(table).where(_is(table, _random_row(connection, table, rng))))


def _cut_off(connection: Connection, table: Table, rng: random.Random) -> None:
    [key, *_] = table.primary_key.columns
    row = _random_row(connection, table, rng)
    connection.execute(delete(table).where(key >= row._mapping[key.name]))


def _empty(connection: Connection, table: Table, rng: random.Random) -> None:
    if not connection.execute(delete(table)).rowcount:
        raise Unchanged


def _add_a_row(connection: Connection, table: Table, rng: random.Random) -> None:
    row = dict(_random_row(connection, table, rng)._mapping)
    for column in table.primary_key.columns:
        if isinstance(row[column.name], int):
            row[column.name] = len(_rows(connection, table)) + rng.randrange(1, 3)
        else:
            row[column.name] = _another(row[column.name], rng)
    connection.execute(insert(table).values(row))


EDITS: Mapping[str, Edit] = {
    "a column changed": _change_a_column,
    "a column of another row put in": _exchange_a_column,
    "two rows swapped": _swap_rows,
    "a row removed": _remove_a_row,
    "the last rows removed": _cut_off,
    "all rows removed": _empty,
    "a row added": _add_a_row,
}


def _rows(connection: Connection, table: Table) -> list[Row[Any]]:
    return list(connection.execute(select(table).order_by(*table.primary_key.columns)).all())


def _random_row(connection: Connection, table: Table, rng: random.Random) -> Row[Any]:
    rows = _rows(connection, table)
    if not rows:
        raise Unchanged
    return rng.choice(rows)


def _is(table: Table, row: Row[Any]) -> Any:
    return and_(*(key == row._mapping[key.name] for key in table.primary_key.columns))


def _another(value: object, rng: random.Random) -> object:
    """Return another value of the same kind, at times none."""
    if rng.random() < 0.1:
        return None
    match value:
        case bool():
            return not value
        case int():
            return value + rng.choice((-1, 1))
        case float():
            return value * 1.5 + 0.25
        case bytes() if value:
            place = rng.randrange(len(value))
            return value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
        case str() if value:
            place = rng.randrange(len(value))
            return value[:place] + rng.choice("0a}Z") + value[place + 1 :]
        case _:
            return "x"
