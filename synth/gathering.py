"""From log files to a sample of their runs, several files at a time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from toolguild.synth.mining import MiningSettings, Sample, nothing_collected
from toolguild.synth.traces import (
    Place,
    Problem,
    ReadOptions,
    TraceFileError,
    find_logs,
    read_log,
    refusal,
)

__all__ = ["Gathered", "ReadLog", "gather"]

_WAITING = 2 * (os.cpu_count() or 1)
"""Files that are handed to the executor and not yet taken back, at most: each result is as large as
a sample."""

LARGE = 20_000_000
"""Bytes of logs below which starting processes takes longer than reading."""

OnTrace: TypeAlias = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ReadLog:
    """A log file that was read."""

    path: str
    digest: str
    """SHA-256 of its bytes: it is the same log under another name."""
    traces: int
    tool_calls: int
    code_executions: int


@dataclass(slots=True)
class Gathered:
    """What mining needs of some logs."""

    sample: Sample
    logs: dict[str, ReadLog] = field(default_factory=dict)
    """The files, by digest."""
    problems: list[Problem] = field(default_factory=list)

    def merge(self, other: Gathered) -> None:
        """Take in what other logs hold."""
        self.sample.merge(other.sample)
        self.logs.update(other.logs)
        self.problems += other.problems


def gather(
    paths: Iterable[Path],
    *,
    read: ReadOptions,
    settings: MiningSettings,
    executor: Executor | None = None,
    known: Collection[ReadLog] = (),
    on_progress: OnTrace = lambda traces: None,
) -> Gathered:
    """Read logs, and keep a sample of their runs.

    A log with the content of another is read once, whatever its name.

    Args:
        paths: Log files, or folders of them.
        read: How to read them.
        settings: How many runs to keep.
        executor: What reads several files at once, if they are `LARGE` together; without it they
            are read one by one.
        known: Logs that were read before. One that has changed since is a problem, and is not
            read: some of its runs would count twice.
        on_progress: Called with the number of traces so far.

    Raises:
        TraceFileError: a log cannot be read at all.
    """
    gathered = Gathered(Sample(settings))
    sources = find_logs(paths, on_problem=gathered.problems.append)
    files = [file for source in sources for file in source.files]
    new = _new_logs(files, known, gathered.problems)
    refused: dict[Path, TraceFileError] = {}
    for file, found in _read_all(new, read, settings, executor, on_progress):
        if isinstance(found, TraceFileError):
            refused[file] = found
        else:
            gathered.merge(found)
    for source in sources:
        failed = {file: refused[file] for file in source.files if file in refused}
        source.require_readable([*failed.values()])
        gathered.problems += [refusal(file, error) for file, error in failed.items()]
    # They come in the order in which files were done.
    gathered.problems.sort(key=lambda problem: (problem.place.file, problem.place.line))
    return gathered


def _new_logs(
    files: Sequence[Path], known: Collection[ReadLog], problems: list[Problem]
) -> dict[Path, str]:
    """Return the files that are to be read, with their digests."""
    digests = {log.digest for log in known}
    paths = {log.path for log in known}
    new: dict[Path, str] = {}
    for file in files:
        digest = _digest(file)
        if digest and digest in digests:
            continue
        if str(file.resolve()) in paths:
            message = (
                "has changed since it was read, and is not read again; give what is new in it as "
                "a file of its own"
            )
            problems.append(Problem(Place(str(file), 1), message))
            continue
        digests.add(digest)
        new[file] = digest
    return new


def _digest(file: Path) -> str:
    """Return the digest of a file's bytes; empty where reading it will say what is wrong."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""


def _read_all(
    files: dict[Path, str],
    read: ReadOptions,
    settings: MiningSettings,
    executor: Executor | None,
    on_progress: OnTrace,
) -> Iterator[tuple[Path, Gathered | TraceFileError]]:
    """Yield what each file holds, or why it is no log, in any order."""
    traces = 0

    def count(more: int) -> None:
        on_progress(traces + more)

    if executor is None or len(files) == 1 or sum(map(_size, files)) < LARGE:
        for file, digest in files.items():
            found = _read_log(file, digest, read, settings, count)
            traces += _traces_in(found)
            yield file, found
        return
    waiting: dict[Future[Gathered | TraceFileError], Path] = {}
    left = iter(files.items())
    try:
        while True:
            for file, digest in left:
                waiting[executor.submit(_read_log, file, digest, read, settings)] = file
                if len(waiting) == _WAITING:
                    break
            if not waiting:
                return
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                found = future.result()
                traces += _traces_in(found)
                count(0)
                yield waiting.pop(future), found
    finally:
        for future in waiting:
            future.cancel()


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _traces_in(found: Gathered | TraceFileError) -> int:
    if isinstance(found, TraceFileError):
        return 0
    return sum(log.traces for log in found.logs.values())


def _read_log(
    file: Path,
    digest: str,
    read: ReadOptions,
    settings: MiningSettings,
    on_trace: OnTrace = lambda traces: None,
) -> Gathered | TraceFileError:
    """Read one log, in whatever process; what says that it is none is returned, too."""
    gathered = Gathered(Sample(settings))
    traces = tool_calls = code_executions = 0
    try:
        with nothing_collected():
            for trace in read_log(file, options=read, on_problem=gathered.problems.append):
                gathered.sample.add(trace)
                traces += 1
                calls = sum(1 for _ in trace.calls())
                tool_calls += calls
                code_executions += len(trace.steps) - calls
                on_trace(traces)
    except TraceFileError as error:
        return error
    log = ReadLog(str(file.resolve()), digest, traces, tool_calls, code_executions)
    gathered.logs[digest] = log
    return gathered
