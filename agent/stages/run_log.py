"""The file that a run is kept in: one event a line, written before anything comes of it.

A run that was interrupted goes on from there. Secrets are replaced before a line is written, so
that a run which goes on knows placeholders where it knew secrets before.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from pydantic import ValidationError

from toolguild.agent.stages.events import Event, event_adapter
from toolguild.policies import ToolguildError
from toolguild.synth.traces.errors import RedactionError
from toolguild.synth.traces.redaction import redact

__all__ = ["EventLog", "NoLog", "RunLog", "RunLogError", "open_log", "read_log"]

_MAX_LINE = 5_000_000
_MAX_EVENTS = 100_000


class RunLogError(ToolguildError, ValueError):
    """A run's file cannot be written, read or believed; the message names the line."""


class EventLog(Protocol):
    """Where events are kept."""

    def add(self, event: Event) -> None:
        """Keep an event; it is kept once this returns."""


class NoLog:
    """Keeps nothing."""

    def add(self, event: Event) -> None:
        """Drop an event."""


class RunLog:
    """A file of events that this process alone writes to."""

    def __init__(self, path: Path, file: IO[bytes], events: list[Event]) -> None:
        """Go on in an open file; `open_log` is the way to one."""
        self.path, self._file = path, file
        self.events = events
        """Those that were there when it was opened."""

    def add(self, event: Event) -> None:
        """Write an event, and return once it is on the disk.

        Raises:
            RunLogError: it cannot be written.
        """
        try:
            plain = redact(event.model_dump(mode="json"))
            line = json.dumps(plain, ensure_ascii=True)
            # Whoever reads it must get an event again.
            event_adapter.validate_json(line)
            self._file.write(f"{line}\n".encode("ascii"))
            self._file.flush()
            os.fsync(self._file.fileno())
        except (OSError, RedactionError, ValidationError) as error:
            msg = f"{self.path}: an event cannot be kept: {error}"
            raise RunLogError(msg) from error


@contextmanager
def open_log(path: Path, *, resume: bool = False) -> Iterator[RunLog]:
    """Open a run's file for a block: a new one, or one that a run goes on in.

    Args:
        path: The file; missing folders are made.
        resume: Whether it is there already.

    Raises:
        RunLogError: it cannot be written, another process writes to it, there is one where there
            should be none, or it is none.
    """
    flags = os.O_RDWR | (0 if resume else os.O_CREAT | os.O_EXCL)
    try:
        if not resume:
            path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        hint = "name another file, or resume that run" if path.exists() else "name another file"
        msg = f"{path}: {error.strerror or error}; {hint}"
        raise RunLogError(msg) from error
    with os.fdopen(descriptor, "r+b") as file:
        _lock(file, path)
        events, whole = _read(file, path)
        # What a write that was cut off has left is no event.
        file.seek(whole)
        file.truncate()
        yield RunLog(path, file, events)


def read_log(path: Path) -> list[Event]:
    """Return the events of a run's file.

    Raises:
        RunLogError: it cannot be read, or is none.
    """
    try:
        with path.open("rb") as file:
            return _read(file, path)[0]
    except OSError as error:
        msg = f"{path}: {error.strerror or error}; give the file of a run"
        raise RunLogError(msg) from error


def _read(file: IO[bytes], path: Path) -> tuple[list[Event], int]:
    """Return the events, and where the last of them ends."""
    events: list[Event] = []
    whole = 0
    for number, line in enumerate(iter(lambda: file.readline(_MAX_LINE), b""), start=1):
        if not line.endswith(b"\n") and len(line) < _MAX_LINE:
            break
        if number > _MAX_EVENTS:
            msg = f"{path}: more than {_MAX_EVENTS:,} lines; no run is that long"
            raise RunLogError(msg)
        try:
            events.append(event_adapter.validate_json(line))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            msg = f"{path}:{number}: no event of a run ({place}: {first['msg']})"
            raise RunLogError(msg) from error
        whole += len(line)
    return events, whole


def _lock(file: IO[bytes], path: Path) -> None:
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        msg = f"{path}: another process works on this run"
        raise RunLogError(msg) from error
