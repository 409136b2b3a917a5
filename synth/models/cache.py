"""Replies that were paid for once, kept in an SQLite file by the whole request."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Lock

from toolguild.policies import ToolguildError
from toolguild.sandbox import JsonObject
from toolguild.synth.models.answers import Answer

__all__ = ["CacheError", "ReplyCache"]

_LAYOUT = 1


class CacheError(ToolguildError, OSError):
    """The file cannot be used; the message says which one and why."""


class ReplyCache:
    """Whole replies by the digests of their requests. Any thread may ask."""

    def __init__(self, path: Path) -> None:
        """Open the file, made if there is none.

        Raises:
            CacheError: it cannot be written, or is something else.
        """
        self._path = path
        self._lock = Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, check_same_thread=False, timeout=10)
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            message = f"{path}: no file of model replies ({error}); move it away or name another"
            raise CacheError(message) from error

    def _prepare(self) -> None:
        [[layout]] = self._connection.execute("PRAGMA user_version").fetchall()
        [[tables]] = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        if layout not in (0, _LAYOUT) or (tables and not layout):
            message = "it was written by something else"
            raise sqlite3.DatabaseError(message)
        self._connection.execute("PRAGMA journal_mode = WAL")
        with self._connection:
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS replies (request TEXT PRIMARY KEY, text TEXT NOT NULL,"
                " input_tokens INTEGER, output_tokens INTEGER, request_id TEXT NOT NULL)"
            )
            self._connection.execute(f"PRAGMA user_version = {_LAYOUT}")

    def get(self, where: str, body: JsonObject) -> Answer | None:
        """Return the reply to a request that was sent to an endpoint before.

        Raises:
            CacheError: the file cannot be read.
        """
        query = "SELECT text, input_tokens, output_tokens, request_id FROM replies"
        try:
            with self._lock, closing(self._connection.cursor()) as cursor:
                cursor.execute(f"{query} WHERE request = ?", (_digest(where, body),))
                row = cursor.fetchone()
        except sqlite3.Error as error:
            raise self._failure(error) from error
        return None if row is None else Answer(row[0], "whole", row[1], row[2], row[3])

    def put(self, where: str, body: JsonObject, answer: Answer) -> None:
        """Keep a reply.

        Raises:
            CacheError: the file cannot be written.
        """
        row = _digest(where, body), answer.text, answer.input_tokens, answer.output_tokens
        statement = "INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?, ?)"
        try:
            with self._lock, self._connection:
                self._connection.execute(statement, (*row, answer.request_id))
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _failure(self, error: sqlite3.Error) -> CacheError:
        return CacheError(f"{self._path}: {error}; move it away or name another")


def _digest(where: str, body: JsonObject) -> str:
    whole = json.dumps([where, body], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()
