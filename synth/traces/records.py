"""The JSON records of a log file, one at a time and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from toolguild.sandbox import Json
from toolguild.synth.traces.errors import (
    BrokenJsonError,
    OversizedRecord,
    Problem,
    TraceFileError,
)
from toolguild.synth.traces.framing import Frame, frames
from toolguild.synth.traces.json_text import parse_json
from toolguild.synth.traces.model import Place

__all__ = ["DEFAULT_MAX_RECORD_BYTES", "Record", "read_records", "require_exists"]

DEFAULT_MAX_RECORD_BYTES = 32_000_000

_BOM = b"\xef\xbb\xbf"
_HEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON value of a log: a run, a message or a step, as the format has it."""

    value: Json
    text: str
    """What the value was parsed from; empty once its secrets are replaced."""
    place: Place
    index: int
    """Position in the file, from 0, broken records counted."""
    size: int
    """Bytes of its text."""


def read_records(
    path: Path, *, max_record_bytes: int = DEFAULT_MAX_RECORD_BYTES
) -> Iterator[Record | Problem]:
    """Yield the records of a UTF-8 file, and a problem for each that cannot be read.

    Takes JSON lines, one array of records, and one or more objects that may span lines.

    Raises:
        TraceFileError: the file is missing, unreadable, empty or binary.
    """
    try:
        require_exists(path)
        if not path.is_file():
            message = f"{path} is not a regular file; give a log file or a directory of them"
            raise TraceFileError(message)
        with path.open("rb") as file:
            _skip_head(file, path)
            for index, frame in enumerate(frames(file, max_record_bytes)):
                yield _record(frame, Place(str(path), frame.line), index, max_record_bytes)
    except OSError as error:
        raise _unreadable(path, error) from error


def require_exists(path: Path) -> None:
    """Check that there is something at a path.

    Raises:
        TraceFileError: there is nothing, or it cannot be reached.
    """
    try:
        path.stat()
    except FileNotFoundError:
        message = f"{path} does not exist; give the path of a log file or a directory of them"
        raise TraceFileError(message) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> TraceFileError:
    why = error.strerror if isinstance(error, OSError) else str(error)
    return TraceFileError(f"{path} cannot be read: {why}; check its permissions")


def _skip_head(file: BinaryIO, path: Path) -> None:
    """Look at the start of a file, and leave it after the byte order mark."""
    head = file.read(_HEAD_BYTES)
    if b"\0" in head:
        message = f"{path} is binary, not a JSON log in UTF-8 (compressed files: unpack first)"
        raise TraceFileError(message)
    file.seek(len(_BOM) if head.startswith(_BOM) else 0)
    if not head.removeprefix(_BOM).strip() and len(head) < _HEAD_BYTES:
        message = f"{path} is empty; check that the run wrote its log"
        raise TraceFileError(message)


def _record(frame: Frame, place: Place, index: int, max_bytes: int) -> Record | Problem:
    if frame.oversized:
        message = (
            f"line {place.line} is larger than {_size(max_bytes)}: the record was skipped "
            "(raise max_record_bytes to read it)"
        )
        return OversizedRecord(place, message)
    if frame.defect:
        return Problem(place, frame.defect)
    try:
        text = frame.data.decode()
        value = parse_json(text, numbers_as_null=True)
    except UnicodeDecodeError as error:
        return Problem(place, f"not UTF-8 (byte {error.start} of the record)")
    except BrokenJsonError as error:
        return Problem(place, str(error))
    return Record(value, text, place, index, len(frame.data))


def _size(count: int) -> str:
    return f"{count / 1_000_000:g} MB" if count >= 1_000_000 else f"{count} bytes"
