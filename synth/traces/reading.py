"""From paths to traces: files found, records read, secrets redacted, formats told apart."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from toolguild.synth.traces.detection import named_reader, reader_for
from toolguild.synth.traces.errors import (
    OversizedRecord,
    Problem,
    RedactionError,
    TraceFileError,
)
from toolguild.synth.traces.model import Place, Trace
from toolguild.synth.traces.reader import ReadOptions
from toolguild.synth.traces.records import Record, read_records, require_exists
from toolguild.synth.traces.redaction import redact_record, redact_text

__all__ = ["LOG_SUFFIXES", "read_traces"]

LOG_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson", ".traj"})
"""Files of a directory that are taken for logs, in whatever case."""

_SAMPLE_RECORDS = 20
_SAMPLE_BYTES = 1_000_000
_BROKEN_AT_START = 100
"""Broken records at the start of a file after which it is given up."""

_NOTHING_KNOWN = ReadOptions()

OnProblem: TypeAlias = Callable[[Problem], None]


def read_traces(
    paths: Iterable[Path],
    *,
    options: ReadOptions = _NOTHING_KNOWN,
    on_problem: OnProblem,
) -> Iterator[Trace]:
    """Yield the traces of log files, reading one record at a time.

    Secrets are replaced by placeholders before anything else sees a record. Trace ids are unique
    within one call. A file that is met twice is read once.

    Args:
        paths: files, and directories, which are walked in sorted order for `LOG_SUFFIXES`.
        options: what the caller knows of the logs.
        on_problem: is told of each part of a log that is skipped.

    Raises:
        TraceFileError: at once for a path that does not exist or a format that no reader has;
            while iterating, for a named file that cannot be read as a log at all, and for a
            directory without any readable log.
    """
    named_reader(options)
    known = list(paths)
    for path in known:
        require_exists(path)
    return _Reading(options, on_problem).traces(known)


@dataclass(slots=True)
class _Reading:
    """One call of `read_traces`."""

    options: ReadOptions
    on_problem: OnProblem
    _seen_files: set[Path] = field(default_factory=set)
    _seen_ids: dict[str, int] = field(default_factory=dict)
    """How often each trace id was met."""

    def traces(self, paths: Iterable[Path]) -> Iterator[Trace]:
        for path in paths:
            yield from self._directory(path) if path.is_dir() else self._file(path)

    def _directory(self, directory: Path) -> Iterator[Trace]:
        """Read every log below a directory; one that is no log is only a problem here."""
        readable = 0
        refused: list[TraceFileError] = []
        for path in self._log_files(directory):
            try:
                yield from self._file(path)
                readable += 1
            except TraceFileError as error:
                refused.append(error)
                self._report(Problem(Place(str(path), 1), str(error).removeprefix(f"{path} ")))
        if not readable:
            suffixes = ", ".join(sorted(LOG_SUFFIXES))
            found = f"; the first was refused: {refused[0]}" if refused else ""
            message = f"{directory} holds no readable log (looked for {suffixes}){found}"
            raise TraceFileError(message)

    def _log_files(self, directory: Path) -> Iterator[Path]:
        def report(error: OSError) -> None:
            place = Place(error.filename or str(directory), 1)
            self._report(Problem(place, f"cannot be read: {error.strerror}"))

        for folder, subfolders, names in os.walk(directory, onerror=report):
            subfolders.sort()
            for name in sorted(names):
                if Path(name).suffix.lower() in LOG_SUFFIXES:
                    yield Path(folder, name)

    def _file(self, path: Path) -> Iterator[Trace]:
        resolved = path.resolve()
        if resolved in self._seen_files:
            return
        self._seen_files.add(resolved)
        items = self._items(path)
        start = _start_of(path, items)
        sample = [item for item in start if isinstance(item, Record)]
        reader = named_reader(self.options) or reader_for(str(path), sample, self.options)
        for found in reader.read(self._records(chain(start, items))):
            if isinstance(found, Problem):
                self._report(found)
            else:
                yield replace(found, id=self._unique(found.id))

    def _items(self, path: Path) -> Iterator[Record | Problem]:
        """Yield a file's records without their secrets."""
        for item in read_records(path, max_record_bytes=self.options.max_record_bytes):
            if isinstance(item, Problem):
                yield item
                continue
            try:
                yield replace(item, value=redact_record(item.text, item.value), text="")
            except RedactionError as error:
                yield Problem(item.place, str(error))

    def _records(self, items: Iterable[Record | Problem]) -> Iterator[Record]:
        for item in items:
            if isinstance(item, Problem):
                self._report(item)
            else:
                yield item

    def _report(self, problem: Problem) -> None:
        self.on_problem(replace(problem, message=redact_text(problem.message)))

    def _unique(self, trace_id: str) -> str:
        count = self._seen_ids.get(trace_id, 0) + 1
        self._seen_ids[trace_id] = count
        return trace_id if count == 1 else self._unique(f"{trace_id}~{count}")


def _start_of(path: Path, items: Iterator[Record | Problem]) -> list[Record | Problem]:
    """Take from a file what its format is told by: the first records, and what broke among them.

    Raises:
        TraceFileError: no record can be read there.
    """
    start: list[Record | Problem] = []
    records = size = 0
    for item in items:
        start.append(item)
        if isinstance(item, Record):
            records += 1
            size += item.size
        elif isinstance(item, OversizedRecord) and len(start) == 1:
            message = f"{path}: {item.message}"
            raise TraceFileError(message)
        if records == _SAMPLE_RECORDS or size >= _SAMPLE_BYTES:
            break
        if not records and len(start) == _BROKEN_AT_START:
            break
    if not records:
        first = start[0] if start else None
        why = f"line {first.place.line}: {first.message}" if isinstance(first, Problem) else "empty"
        message = f"{path} has no readable JSON record ({why}); toolguild reads logs in JSON"
        raise TraceFileError(message)
    return start
