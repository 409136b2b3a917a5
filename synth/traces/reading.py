"""From paths to traces: files found, records read, secrets redacted, formats told apart."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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

__all__ = ["LOG_SUFFIXES", "LogSource", "find_logs", "read_log", "read_traces", "refusal"]

LOG_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson", ".traj"})
"""Files of a directory that are taken for logs, in whatever case."""

_SAMPLE_RECORDS = 20
_SAMPLE_BYTES = 1_000_000
_BROKEN_AT_START = 100
"""Broken records at the start of a file after which it is given up."""

_NOTHING_KNOWN = ReadOptions()

OnProblem: TypeAlias = Callable[[Problem], None]


@dataclass(frozen=True, slots=True)
class LogSource:
    """A path that a caller gave, and the log files there."""

    path: Path
    files: tuple[Path, ...]
    is_folder: bool

    def require_readable(self, refused: Sequence[TraceFileError]) -> None:
        """Check that there is a log here.

        Args:
            refused: Why files of it could not be read as logs, one for each such file.

        Raises:
            TraceFileError: a file that was named is no log, or a folder does not hold any.
        """
        if not self.is_folder:
            for error in refused:
                raise error
        elif len(refused) == len(self.files):
            suffixes = ", ".join(sorted(LOG_SUFFIXES))
            found = f"; the first was refused: {refused[0]}" if refused else ""
            message = f"{self.path} holds no readable log (looked for {suffixes}){found}"
            raise TraceFileError(message)


def find_logs(paths: Iterable[Path], *, on_problem: OnProblem) -> list[LogSource]:
    """Return the log files at some paths, each file once.

    Args:
        paths: Files, and folders, which are walked in sorted order for `LOG_SUFFIXES`.
        on_problem: Is told of each folder that cannot be looked into.

    Raises:
        TraceFileError: a path does not exist.
    """
    known = list(paths)
    for path in known:
        require_exists(path)
    seen: set[Path] = set()
    sources = []
    for path in known:
        is_folder = path.is_dir()
        found = _log_files(path, on_problem) if is_folder else [path]
        # A file that was seen before stays out of a folder, which may then be empty.
        new = [file for file in found if file.resolve() not in seen]
        seen.update(file.resolve() for file in new)
        if new or not found:
            sources.append(LogSource(path, tuple(new), is_folder))
    return sources


def _log_files(folder: Path, on_problem: OnProblem) -> list[Path]:
    def report(error: OSError) -> None:
        place = Place(error.filename or str(folder), 1)
        _report(Problem(place, f"cannot be read: {error.strerror}"), on_problem)

    found = []
    for within, subfolders, names in os.walk(folder, onerror=report):
        subfolders.sort()
        found += [
            Path(within, name)
            for name in sorted(names)
            if Path(name).suffix.lower() in LOG_SUFFIXES
        ]
    return found


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
        paths: Files and folders; see `find_logs`.
        options: what the caller knows of the logs.
        on_problem: is told of each part of a log that is skipped.

    Raises:
        TraceFileError: at once for a path that does not exist or a format that no reader has;
            while iterating, for a named file that cannot be read as a log at all, and for a
            directory without any readable log.
    """
    named_reader(options)
    sources = find_logs(paths, on_problem=on_problem)
    return _traces(sources, options, on_problem)


def _traces(
    sources: Iterable[LogSource], options: ReadOptions, on_problem: OnProblem
) -> Iterator[Trace]:
    ids = _Ids()
    for source in sources:
        refused = []
        for file in source.files:
            try:
                for trace in _read(file, options, on_problem):
                    yield replace(trace, id=ids.unique(trace.id))
            except TraceFileError as error:
                refused.append(error)
                if source.is_folder:
                    _report(refusal(file, error), on_problem)
        source.require_readable(refused)


def read_log(
    path: Path, *, options: ReadOptions = _NOTHING_KNOWN, on_problem: OnProblem
) -> Iterator[Trace]:
    """Yield the traces of one log file as `read_traces` does; ids are unique within the file.

    Raises:
        TraceFileError: the file cannot be read as a log at all.
    """
    ids = _Ids()
    for trace in _read(path, options, on_problem):
        yield replace(trace, id=ids.unique(trace.id))


def refusal(file: Path, error: TraceFileError) -> Problem:
    """Return what is told of a file in a folder that is no log."""
    return Problem(Place(str(file), 1), str(error).removeprefix(f"{file} "))


class _Ids:
    """Makes the ids of traces unique."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}
        """How often each id was met."""

    def unique(self, trace_id: str) -> str:
        count = self._seen.get(trace_id, 0) + 1
        self._seen[trace_id] = count
        return trace_id if count == 1 else self.unique(f"{trace_id}~{count}")


def _read(path: Path, options: ReadOptions, on_problem: OnProblem) -> Iterator[Trace]:
    items = _items(path, options)
    start = _start_of(path, items)
    sample = [item for item in start if isinstance(item, Record)]
    reader = named_reader(options) or reader_for(str(path), sample, options)
    for found in reader.read(_records(chain(start, items), on_problem)):
        if isinstance(found, Problem):
            _report(found, on_problem)
        else:
            yield found


def _items(path: Path, options: ReadOptions) -> Iterator[Record | Problem]:
    """Yield a file's records without their secrets."""
    for item in read_records(path, max_record_bytes=options.max_record_bytes):
        if isinstance(item, Problem):
            yield item
            continue
        try:
            yield replace(item, value=redact_record(item.text, item.value), text="")
        except RedactionError as error:
            yield Problem(item.place, str(error))


def _records(items: Iterable[Record | Problem], on_problem: OnProblem) -> Iterator[Record]:
    for item in items:
        if isinstance(item, Problem):
            _report(item, on_problem)
        else:
            yield item


def _report(problem: Problem, on_problem: OnProblem) -> None:
    on_problem(replace(problem, message=redact_text(problem.message)))


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
