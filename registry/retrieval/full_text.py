"""Full text search in each database: its index over the documents, and how it is asked.

SQLite has FTS5, PostgreSQL `tsvector` with a GIN index. Either finds the documents that have some
words or all of them, and ranks these roughly; `relevance` ranks the best of them anew, alike for
both. The words are those that `words_of` cut, letters and digits only, so nothing that a user
typed is read as the syntax of a query.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import DDL, Connection, Row, Table, TextClause, event, text

__all__ = ["Having", "attach", "change", "drop", "having", "index_all", "otherwise_indexed"]

_MOST_RANKED = 2000
"""Documents that are ranked for one question, the first that have its words. There are only more
where all of the words are common, and those say little of what is wanted."""

_COLUMNS = ("name_words", "description_words", "parameter_words")
_SHOWN = ("id", "name", "folded_name", "version", *_COLUMNS)
"""Columns of a document that are read; the others are PostgreSQL's index."""

_SQLITE = (
    # External content: the words are kept once, in the documents. `ascii` takes every letter
    # beyond ASCII for a part of a word, and so cuts where there are spaces and nowhere else.
    "CREATE VIRTUAL TABLE search_text USING fts5(name_words, description_words, parameter_words,"
    " content='search_documents', content_rowid='id', tokenize='ascii')",
)
# Triggers would do this, but may not write to FTS5 where the schema of a file is not trusted.
_ADD_TO_SQLITE = text(
    "INSERT INTO search_text (rowid, name_words, description_words, parameter_words)"
    " VALUES (:id, :name_words, :description_words, :parameter_words)"
)
_TAKE_FROM_SQLITE = text(
    "INSERT INTO search_text"
    " (search_text, rowid, name_words, description_words, parameter_words)"
    " VALUES ('delete', :id, :name_words, :description_words, :parameter_words)"
)

_POSTGRESQL = (
    # `simple` has neither stop words nor stems: the words come as they are to be. GIN does not
    # know which words are of names, so that these have an index of their own.
    "ALTER TABLE search_documents ADD COLUMN search_name tsvector"
    " GENERATED ALWAYS AS (to_tsvector('simple', name_words)) STORED,"
    " ADD COLUMN search_text tsvector GENERATED ALWAYS AS ("
    "setweight(to_tsvector('simple', name_words), 'A') ||"
    " setweight(to_tsvector('simple', description_words), 'B') ||"
    " setweight(to_tsvector('simple', parameter_words), 'C')) STORED",
    # Without `fastupdate`: every search would read what it puts off to index.
    "CREATE INDEX search_documents_names ON search_documents USING gin (search_name)"
    " WITH (fastupdate = off)",
    "CREATE INDEX search_documents_texts ON search_documents USING gin (search_text)"
    " WITH (fastupdate = off)",
)

# The weights are those of `relevance`. Documents are joined to the best only, because that takes
# longer than ranking does.
_FROM_SQLITE = text("""
SELECT document.* FROM (
    SELECT id, rank FROM (
        SELECT rowid AS id, bm25(search_text, 5.0, 2.0, 1.0) AS rank
        FROM search_text WHERE search_text MATCH :query LIMIT :ranked
    ) ORDER BY rank, id LIMIT :considered
) AS best CROSS JOIN search_documents AS document ON document.id = best.id
WHERE (:state IS NULL OR state = :state) AND (:tier IS NULL OR tier = :tier)
ORDER BY best.rank, best.id LIMIT :wanted
""")
# Each query is read once, whether the plan is made for these words or is kept for all.
_FROM_POSTGRESQL = """
WITH asked AS MATERIALIZED (SELECT {words}), best AS (
    SELECT id, {rank} AS rank FROM (
        SELECT id, search_text FROM search_documents
        WHERE {column} @@ (SELECT to_tsquery('simple', :required))
        AND (CAST(:state AS text) IS NULL OR state = :state)
        AND (CAST(:tier AS text) IS NULL OR tier = :tier)
        LIMIT :ranked
    ) AS matching CROSS JOIN asked
    ORDER BY rank DESC, id LIMIT :wanted
)
SELECT {shown}
FROM best JOIN search_documents AS document ON document.id = best.id
"""
_WORD = "to_tsquery('simple', :word{n}) AS word{n}"
# PostgreSQL's own rank does not know which words are rare. A word in a name is ranked 0.6, in a
# description 0.24, among parameters 0.12, so that 0.4 more make it much as in BM25F.
_RANK_OF_WORD = (
    "CASE WHEN search_text @@ word{n}"
    " THEN :weight{n} * (0.4 + ts_rank('{{0, 0.2, 0.4, 1}}', search_text, word{n})) ELSE 0 END"
)
_ALL = 2**62


@dataclass(frozen=True, slots=True)
class Having:
    """A question: which documents have any of some words, or all of others?"""

    weights: Mapping[str, float]
    """All the words that documents are ranked by, those below included, and what each weighs."""
    any_of: tuple[str, ...] = ()
    """As `words_of` gives them. Here or in `all_of` there is one at least."""
    all_of: tuple[str, ...] = ()
    in_names: bool = False
    """Whether the words have to be in the names."""


def attach(documents: Table) -> None:
    """Have the index made with the table."""
    for dialect, statements in (("sqlite", _SQLITE), ("postgresql", _POSTGRESQL)):
        for statement in statements:
            event.listen(documents, "after_create", DDL(statement).execute_if(dialect=dialect))


def drop(connection: Connection) -> None:
    """Remove what would be left of the index when its table is dropped."""
    if _is_sqlite(connection):
        connection.exec_driver_sql("DROP TABLE IF EXISTS search_text")


def change(
    connection: Connection, before: Mapping[str, Any] | None, after: Mapping[str, Any]
) -> None:
    """Index a document that was written, in the same transaction.

    Args:
        connection: To either database; PostgreSQL does this by itself.
        before: The row that was there before it.
        after: The row that is there now.
    """
    if _is_sqlite(connection):
        if before is not None:
            connection.execute(_TAKE_FROM_SQLITE, _indexed(before))
        connection.execute(_ADD_TO_SQLITE, _indexed(after))


def index_all(connection: Connection) -> None:
    """Index all documents anew."""
    if _is_sqlite(connection):
        connection.exec_driver_sql("INSERT INTO search_text (search_text) VALUES ('rebuild')")


def otherwise_indexed(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> list[int]:
    """Return the ids of documents whose words the index does not have as the documents do.

    Args:
        connection: To either database; PostgreSQL lets nobody write to its index.
        rows: All documents.
    """
    if not _is_sqlite(connection):
        return []
    connection.exec_driver_sql(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.search_places"
        " USING fts5vocab('main', 'search_text', 'instance')"
    )
    # What a document has is added up, as all words of 100,000 would take much memory.
    held: dict[int, int] = {}
    places = text("SELECT doc, term, col, offset FROM temp.search_places")
    for id, *place in connection.execute(places, execution_options={"yield_per": 1000}):
        held[id] = held.get(id, 0) + hash(tuple(place))
    wrong = []
    for row in rows:
        expected = sum(
            hash((word, column, offset))
            for column in _COLUMNS
            for offset, word in enumerate(row[column].split())
        )
        if held.pop(row["id"], 0) != expected:
            wrong.append(row["id"])
    return [*wrong, *held]


def having(
    connection: Connection, asked: Having, *, tier: str | None, state: str | None, wanted: int
) -> Sequence[Row[Any]]:
    """Return documents that have the words; where more have them than are wanted, roughly the best.

    Args:
        connection: To either database.
        asked: The words.
        tier: Only documents of this tier.
        state: Only documents in this state.
        wanted: Documents at most.
    """
    find = _from_sqlite if _is_sqlite(connection) else _from_postgresql
    return find(connection, asked, {"tier": tier, "state": state, "wanted": wanted})


def _from_sqlite(
    connection: Connection, asked: Having, given: Mapping[str, Any]
) -> Sequence[Row[Any]]:
    tier, state, wanted = given["tier"], given["state"], given["wanted"]
    best = {"considered": wanted, "ranked": max(_MOST_RANKED, wanted), "tier": None, "state": None}
    values = {**given, "query": _for_fts5(asked)}
    found = connection.execute(_FROM_SQLITE, {**values, **best}).all()
    if all(tier in (None, row.tier) and state in (None, row.state) for row in found):
        return found
    # Nearly all tools may be shown, and so nearly always the best; where one of them may not,
    # all that have the words are considered.
    return connection.execute(_FROM_SQLITE, values | {"considered": _ALL, "ranked": _ALL}).all()


def _from_postgresql(
    connection: Connection, asked: Having, given: Mapping[str, Any]
) -> Sequence[Row[Any]]:
    values = {
        **given,
        "required": _required(asked, "'", " & ", " | "),
        "ranked": max(_MOST_RANKED, given["wanted"]),
    }
    words = _quoted(asked.weights, "'")
    for n, (word, weight) in enumerate(zip(words, asked.weights.values(), strict=True)):
        values |= {f"word{n}": word, f"weight{n}": weight}
    return connection.execute(_for_postgresql(len(words), asked.in_names), values).all()


@cache
def _for_postgresql(words: int, in_names: bool) -> TextClause:
    numbers = range(words)
    return text(
        _FROM_POSTGRESQL.format(
            column="search_name" if in_names else "search_text",
            shown=", ".join(f"document.{column}" for column in _SHOWN),
            words=", ".join(_WORD.format(n=n) for n in numbers),
            rank=" + ".join(_RANK_OF_WORD.format(n=n) for n in numbers),
        )
    )


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _indexed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {column: row[column] for column in ("id", *_COLUMNS)}


def _for_fts5(asked: Having) -> str:
    where = "name_words : " if asked.in_names else ""
    required = _required(asked, '"', " AND ", " OR ")
    ranked_by = " OR ".join(_quoted(asked.weights, '"'))
    return f"({where}({required})) AND ({ranked_by})"


def _required(asked: Having, mark: str, both: str, either: str) -> str:
    """Return what documents must have, in a database's own syntax."""
    parts = _quoted(asked.any_of, mark)
    if asked.all_of:
        parts.append(f"({both.join(_quoted(asked.all_of, mark))})")
    return either.join(parts)


def _quoted(words: Iterable[str], mark: str) -> list[str]:
    return [f"{mark}{word.replace(mark, mark * 2)}{mark}" for word in words]
