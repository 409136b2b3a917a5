"""What is known of logs that were read before: a file that new ones are added to.

It holds the sample of their runs, without secrets like all that is read, and which logs those were.
What is in it follows from the logs and not from the order or the portions in which they came.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from toolguild.policies import ToolguildError
from toolguild.synth.gathering import Gathered, ReadLog
from toolguild.synth.mining import Kept, Lot, MiningSettings, Sample
from toolguild.synth.traces import ReadOptions, ToolDefinition

__all__ = ["KnownLogs", "KnownLogsError"]

_LAYOUT = 2
"""To be raised when the same logs would be kept otherwise than before."""
_WAIT_S = 30.0
"""How long to wait for another process that is writing."""
_TABLES = """
CREATE TABLE basis (text TEXT NOT NULL);
CREATE TABLE logs (
    digest TEXT PRIMARY KEY, path TEXT NOT NULL, traces INTEGER NOT NULL,
    tool_calls INTEGER NOT NULL, code_executions INTEGER NOT NULL
);
CREATE TABLE tasks (hash INTEGER PRIMARY KEY);
CREATE TABLE tools (name TEXT PRIMARY KEY, description TEXT NOT NULL, parameters TEXT NOT NULL);
CREATE TABLE runs (
    task INTEGER NOT NULL, run INTEGER NOT NULL, strata TEXT NOT NULL, packed BLOB NOT NULL,
    PRIMARY KEY (task, run)
) WITHOUT ROWID;
"""


class KnownLogsError(ToolguildError, ValueError):
    """A file of known logs cannot be used; the message says why and what to do."""


class KnownLogs:
    """A file of known logs. Several processes may use it; each change is one transaction."""

    def __init__(self, path: Path, settings: MiningSettings, read: ReadOptions) -> None:
        """Open a file, or make a new one.

        Args:
            path: Where it is.
            settings: How many runs to keep, and which tools are no work.
            read: How the logs are read.

        Raises:
            KnownLogsError: it is none, cannot be used, or was made with other settings.
        """
        self._path = path
        self._settings = settings
        self._basis = _basis(settings, read)
        with self._transaction() as database:
            self._prepare(database)

    def logs(self) -> list[ReadLog]:
        """Return the logs that were read.

        Raises:
            KnownLogsError: the file cannot be used.
        """
        with self._transaction() as database:
            return _logs(database)

    def add(self, new: Gathered) -> Gathered:
        """Keep what new logs hold, and return that with all that was known.

        Raises:
            KnownLogsError: the file cannot be used.
        """
        with self._transaction() as database:
            sample = _sample(database, self._settings)
            before = {kept.lot for kept in sample.kept}
            sample.merge(new.sample)
            if new.logs:
                _write(database, new, sample, before)
            logs = {log.digest: log for log in _logs(database)}
        return Gathered(sample, logs, new.problems)

    def _prepare(self, database: sqlite3.Connection) -> None:
        if not database.execute("SELECT 1 FROM sqlite_master").fetchone():
            for statement in filter(str.strip, _TABLES.split(";")):
                database.execute(statement)
            database.execute("INSERT INTO basis VALUES (?)", (json.dumps(self._basis),))
            return
        [text] = database.execute("SELECT text FROM basis").fetchone() or [""]
        known: dict[str, Any] = dict(json.loads(text))
        differing = sorted(key for key in self._basis if known.get(key) != self._basis[key])
        if differing:
            message = (
                f"{self._path}: its logs were read with other settings ({', '.join(differing)}); "
                "use the same ones, or name a new file and read the logs again"
            )
            raise KnownLogsError(message)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Open the file; what is written comes to be when the block ends well, and else not."""
        try:
            with closing(sqlite3.connect(self._path, _WAIT_S, isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
                yield database
                database.execute("COMMIT")
        except (sqlite3.Error, ValueError, TypeError) as error:
            if isinstance(error, ToolguildError):
                raise
            message = (
                f"{self._path} cannot be used to keep what is known of logs: {error}; "
                "name a new file, or one that `--known` made"
            )
            raise KnownLogsError(message) from error


def _basis(settings: MiningSettings, read: ReadOptions) -> dict[str, Any]:
    """Return what the content of a file depends on, besides the logs."""
    return {
        "layout": _LAYOUT,
        "ignored_tools": sorted(settings.ignored_tools),
        "sampled_tasks": settings.sampled_tasks,
        "sampled_tasks_in_all": settings.sampled_tasks_in_all,
        "sampled_runs": settings.sampled_runs,
        **asdict(read),
    }


def _logs(database: sqlite3.Connection) -> list[ReadLog]:
    rows = database.execute(
        "SELECT path, digest, traces, tool_calls, code_executions FROM logs ORDER BY digest"
    )
    return [ReadLog(*row) for row in rows]


def _sample(database: sqlite3.Connection, settings: MiningSettings) -> Sample:
    sample = Sample(settings)
    sample.restore(
        (task for (task,) in database.execute("SELECT hash FROM tasks")),
        (
            ToolDefinition(name, description, json.loads(parameters))
            for name, description, parameters in database.execute(
                "SELECT name, description, parameters FROM tools"
            )
        ),
        (
            Kept(Lot(task, run), tuple(map(tuple, json.loads(strata))), packed)
            for task, run, strata, packed in database.execute(
                "SELECT task, run, strata, packed FROM runs"
            )
        ),
    )
    return sample


def _write(database: sqlite3.Connection, new: Gathered, sample: Sample, before: set[Lot]) -> None:
    """Write what has changed.

    Args:
        database: Where to.
        new: The logs that were added.
        sample: What is to be there.
        before: The runs that are there.
    """
    database.executemany(
        "INSERT OR IGNORE INTO logs VALUES (?, ?, ?, ?, ?)",
        (
            (log.digest, log.path, log.traces, log.tool_calls, log.code_executions)
            for log in new.logs.values()
        ),
    )
    database.executemany(
        "INSERT OR IGNORE INTO tasks VALUES (?)", ((task,) for task in new.sample.tasks)
    )
    database.executemany(
        "INSERT OR REPLACE INTO tools VALUES (?, ?, ?)",
        ((tool.name, tool.description, json.dumps(tool.parameters)) for tool in sample.tools),
    )
    database.executemany(
        "DELETE FROM runs WHERE task = ? AND run = ?", before - {kept.lot for kept in sample.kept}
    )
    database.executemany(
        "INSERT INTO runs VALUES (?, ?, ?, ?)",
        (
            (*kept.lot, json.dumps(kept.strata), kept.packed)
            for kept in sample.kept
            if kept.lot not in before
        ),
    )
