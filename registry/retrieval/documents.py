"""What can be searched: a document for each tool's name, and how many documents have each word.

All of it is derived from the versions that names point at. `refresh` keeps it so, in the
transaction that changes a pointer, a tier or a state; `rebuild` makes it anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Row,
    Select,
    String,
    Table,
    Text,
    bindparam,
    insert,
    select,
    text,
    update,
)

from toolguild.registry import rows, schema
from toolguild.registry.errors import TamperedError
from toolguild.registry.retrieval import full_text
from toolguild.registry.retrieval.words import words_of
from toolguild.sandbox import Json, JsonObject

__all__ = [
    "EVERY_TOOL",
    "counts_of",
    "differences",
    "documents",
    "rebuild",
    "refresh",
    "text_of_parameters",
    "words",
]

EVERY_TOOL = ""
"""No word, and so the one that is counted for every document."""
_BATCH = 1000

_bytewise = String().with_variant(String(collation="C"), "postgresql")

documents = Table(
    "search_documents",
    schema.metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("folded_name", _bytewise, nullable=False),
    Column("version", ForeignKey("versions.digest"), nullable=False),
    Column("tier", String, nullable=False),
    Column("state", String, nullable=False),
    Column("name_words", Text, nullable=False),
    Column("description_words", Text, nullable=False),
    Column("parameter_words", Text, nullable=False),
    Index("search_documents_by_name", "folded_name"),
)
"""The columns of words hold them by their stems, with spaces between them."""

words = Table(
    "search_words",
    schema.metadata,
    Column("word", String, primary_key=True),
    Column("tools", Integer, nullable=False),
)
"""How many documents have each word: what neither database tells in a time worth waiting for."""

full_text.attach(documents)

_COUNTS = select(words).where(
    words.c.word.in_(bindparam("asked", expanding=True)), words.c.tools > 0
)
_ADD = text(
    "INSERT INTO search_words (word, tools) VALUES (:word, :more)"
    " ON CONFLICT (word) DO UPDATE SET tools = search_words.tools + :more"
)


def refresh(connection: Connection, name: str) -> None:
    """Let the document of a tool say what its name points at now.

    To be called in every transaction that changes the pointer, or tier or state of what it
    points at; where nothing changed, nothing is written.
    """
    row = connection.execute(_pointed_at().where(schema.tools.c.name == name)).one()
    try:
        wanted = _values(row)
    except TamperedError:
        return  # It cannot be called, and `audit verify` names it.
    of_name = documents.c.name == name
    found = connection.execute(select(documents).where(of_name)).one_or_none()
    known = dict(found._mapping) if found is not None else None
    if known is None:
        added = insert(documents).values(wanted).returning(documents.c.id)
        wanted["id"] = connection.scalar(added)
    else:
        wanted["id"] = known["id"]
        if known == wanted:
            return
        connection.execute(update(documents).where(of_name).values(wanted))
    full_text.change(connection, known, wanted)
    _count(connection, known, wanted)


def rebuild(connection: Connection) -> int:
    """Make all documents anew; the transaction is the caller's.

    What is not what was written (`audit verify` names it) is left out, as it cannot be called.

    Returns:
        The number of documents.
    """
    full_text.drop(connection)
    for table in (documents, words):
        table.drop(connection, checkfirst=True)
        table.create(connection)
    count: Counter[str] = Counter()
    expected = _expected(connection)
    while batch := list(islice(expected, _BATCH)):
        connection.execute(insert(documents), batch)
        for values in batch:
            count.update(_distinct(values))
    full_text.index_all(connection)
    if count:
        counted = [{"word": word, "tools": tools} for word, tools in sorted(count.items())]
        connection.execute(insert(words), counted)
    return count[EVERY_TOOL]


def counts_of(connection: Connection, asked: Sequence[str]) -> dict[str, int]:
    """Return how many documents have each of these words, without those that none has."""
    return {row.word: row.tools for row in connection.execute(_COUNTS, {"asked": asked})}


def differences(connection: Connection) -> Iterator[str]:
    """Yield where what is searched does not say what the versions say."""
    remedy = "`toolguild tools index` makes the search index anew"
    stored = {row.name: dict(row._mapping) for row in connection.execute(select(documents))}
    names = {row["id"]: name for name, row in stored.items()}
    wrong = {names.get(id) for id in full_text.otherwise_indexed(connection, stored.values())}
    expected = {str(values["name"]): values for values in _expected(connection)}
    for name in sorted(stored.keys() | expected.keys()):
        held, values = stored.get(name, {}), expected.get(name, {})
        if name in wrong or held != {**values, "id": held.get("id")}:
            yield f"the search index does not hold {name} as it is; {remedy}"
    if None in wrong:
        yield f"the search index holds what is no tool; {remedy}"
    count = Counter(word for values in expected.values() for word in _distinct(values))
    counted = {row.word: row.tools for row in connection.execute(select(words)) if row.tools}
    if counted != dict(count):
        yield f"the search index has lost count of its words; {remedy}"


def _count(
    connection: Connection, before: Mapping[str, Any] | None, after: Mapping[str, Any]
) -> None:
    """Keep count of words when a document changes."""
    change = Counter(_distinct(after))
    change.subtract(_distinct(before) if before is not None else ())
    # In one order, so that transactions side by side do not wait for each other in a circle.
    changed = [{"word": word, "more": more} for word, more in sorted(change.items()) if more]
    if changed:
        connection.execute(_ADD, changed)


def _pointed_at() -> Select[Any]:
    # No more than what documents are made of: in a migration, other columns may come later.
    table = schema.versions.c
    return select(table.name, table.digest, table.spec, table.tier, table.state).join_from(
        schema.versions, schema.tools, schema.tools.c.active == table.digest
    )


def _expected(connection: Connection) -> Iterator[dict[str, object]]:
    query = _pointed_at().order_by(schema.tools.c.name).execution_options(yield_per=_BATCH)
    for row in connection.execute(query):
        with suppress(TamperedError):
            yield _values(row)


def _values(row: Row[Any]) -> dict[str, object]:
    """Return the document of a version.

    Raises:
        TamperedError: the version is not what was written.
    """
    spec = rows.spec_of(row)
    return {
        "name": spec.name,
        "folded_name": spec.name.casefold(),
        "version": row.digest,
        "tier": row.tier,
        "state": row.state,
        "name_words": " ".join(words_of(spec.name)),
        "description_words": " ".join(words_of(spec.description)),
        "parameter_words": " ".join(words_of(text_of_parameters(spec.parameters))),
    }


def _distinct(values: Mapping[str, object]) -> set[str]:
    columns = ("name_words", "description_words", "parameter_words")
    return {EVERY_TOOL}.union(*(str(values[column]).split() for column in columns))


def text_of_parameters(parameters: JsonObject) -> str:
    """Return the names and the descriptions of parameters, whatever they are nested in."""
    return " ".join(_names_and_descriptions(parameters))


def _names_and_descriptions(schema_of_object: JsonObject) -> Iterator[str]:
    """Yield the names and the descriptions of properties, whatever they are nested in."""
    pending: list[Json] = [schema_of_object]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            for keyword, value in part.items():
                if keyword == "description" and isinstance(value, str):
                    yield value
                elif keyword == "properties" and isinstance(value, dict):
                    yield from value
            pending.extend(reversed(part.values()))
        elif isinstance(part, list):
            pending.extend(reversed(part))
