"""Finding where each record of a JSON log begins and ends, without parsing it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import BinaryIO

__all__ = ["CHUNK_BYTES", "Frame", "Framing", "detect_framing", "frames"]

CHUNK_BYTES = 1 << 16

# Whatever stands between two brackets: plain bytes and whole strings. Possessive, so that a
# hostile text costs one pass and no backtracking.
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_TO_QUOTE = re.compile(rb"(?:[^\"\\]++|\\.)*+", re.DOTALL)
_BLANK = b" \t\r\n"
_OPENING = b"{["
# In valid JSON a value that ends a line is followed by one of these, unless it is the whole text.
_AFTER_VALUE = b",]}"


class Framing(Enum):
    """How the records of a file are strung together."""

    LINES = "one record a line"
    ARRAY = "one array of records"
    VALUES = "one or more objects, over any number of lines"


@dataclass(frozen=True, slots=True)
class Frame:
    """The raw text of one record, or the reason why there is none."""

    line: int
    """Line on which the record starts, from 1."""
    data: bytes
    defect: str = ""
    """What is wrong, where the framing itself is broken; `data` is then empty."""
    oversized: bool = False


def frames(file: BinaryIO, max_bytes: int) -> Iterator[Frame]:
    """Yield the records of a seekable file, each at most `max_bytes` long.

    A record over the bound is passed over without being held in memory.
    """
    start = file.tell()
    framing = detect_framing(file)
    file.seek(start)
    if framing is Framing.LINES:
        return _line_frames(file, max_bytes)
    return _ValueFramer(in_array=framing is Framing.ARRAY, max_bytes=max_bytes).frames(file)


def detect_framing(file: BinaryIO) -> Framing:
    """Tell the framing from the first lines, read from the current position.

    A first line that is cut off must not be taken for the head of a pretty-printed value. They
    differ in that valid JSON has no line end inside a string, and always a comma or a closing
    bracket between a value that ends a line and the next line.
    """
    first = _read_line(file)
    if first.start not in (b"{", b"["):
        return Framing.LINES
    values = Framing.ARRAY if first.start == b"[" else Framing.VALUES
    if first.closed:
        if first.after_close:
            return Framing.VALUES if first.after_close in _OPENING else Framing.LINES
        only_value = not _read_line(file).start
        return Framing.ARRAY if only_value and first.start == b"[" else Framing.LINES
    second = _read_line(file)
    if not second.start:
        return values
    if first.ends_in_string:
        return Framing.LINES
    if first.end in b"{[,:":
        stands_alone = second.start in _OPENING and second.closed and not second.after_close
        third = _read_line(file) if stands_alone else None
        return Framing.LINES if third and third.start not in _AFTER_VALUE else values
    return values if second.start in _AFTER_VALUE else Framing.LINES


@dataclass(slots=True)
class _Line:
    """What `detect_framing` needs to know of one non-blank line, however long."""

    start: bytes = b""
    """First byte that is not white space; empty at the end of the file."""
    end: bytes = b""
    closed: bool = False
    """Whether the value that the line starts with ends on it."""
    after_close: bytes = b""
    """First byte after that value that is not white space."""
    ends_in_string: bool = False


def _read_line(file: BinaryIO) -> _Line:
    line, scanner = _Line(), _Scanner()
    while piece := file.readline(CHUNK_BYTES):
        text = piece.strip(_BLANK)
        if text:
            line.start = line.start or text[:1]
            line.end = text[-1:]
        position = 0
        if line.start and not line.closed:
            position = scanner.feed(piece)
            line.closed = scanner.done
        if line.closed:
            line.after_close = line.after_close or piece[position:].strip(_BLANK)[:1]
        if line.start and piece.endswith(b"\n"):
            break
    line.ends_in_string = scanner.in_string
    return line


def _line_frames(file: BinaryIO, max_bytes: int) -> Iterator[Frame]:
    number = 0
    while line := file.readline(max_bytes + 1):
        number += 1
        if len(line) > max_bytes and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = file.readline(CHUNK_BYTES)
            yield Frame(number, b"", oversized=True)
        elif data := line.strip(_BLANK):
            yield Frame(number, data)


@dataclass(slots=True)
class _Scanner:
    """Follows brackets and strings to the end of one object or array, chunk by chunk."""

    depth: int = 0
    in_string: bool = False
    _escaped: bool = False
    """Whether the last chunk ended on a backslash inside a string."""

    @property
    def done(self) -> bool:
        """Whether no value is open."""
        return self.depth == 0 and not self.in_string

    def feed(self, data: bytes, position: int = 0) -> int:
        """Go on to where the outermost value ends, and return the position after it."""
        while position < len(data):
            position = self.to_bracket(data, position)
            if position == len(data):
                break
            bracket = data[position : position + 1]
            position += 1
            self.depth += 1 if bracket in _OPENING else -1
            if self.depth <= 0:
                self.depth = 0
                break
        return position

    def to_bracket(self, data: bytes, position: int) -> int:
        """Return the position of the next bracket outside of strings, or the end of the data."""
        while position < len(data):
            if self.in_string:
                position = self._to_end_of_string(data, position)
                continue
            match = _TO_BRACKET.match(data, position)
            position = match.end() if match else position
            if data[position : position + 1] != b'"':
                break
            self.in_string = True  # the rest of the string is in the next chunk
            position += 1
        return position

    def _to_end_of_string(self, data: bytes, position: int) -> int:
        if self._escaped:
            self._escaped = False
            return position + 1
        match = _TO_QUOTE.match(data, position)
        end = match.end() if match else position
        self._escaped = data[end : end + 1] == b"\\"
        self.in_string = data[end : end + 1] != b'"'
        return min(end + 1, len(data))


@dataclass(slots=True)
class _ValueFramer:
    """Cuts a stream into its objects and arrays, at the top or as elements of one array."""

    in_array: bool
    max_bytes: int
    _line: int = 1
    _record_line: int = 1
    _record: bytearray = field(default_factory=bytearray)
    _oversized: bool = False
    _stray_line: int = 0
    """Where something that is no record was seen since the last record; 0 for nowhere."""
    _array_open: bool = False
    _scanner: _Scanner = field(default_factory=_Scanner)

    def frames(self, file: BinaryIO) -> Iterator[Frame]:
        """Yield every record of the file from its current position."""
        while chunk := file.read(CHUNK_BYTES):
            position = 0
            while position < len(chunk):
                if self._scanner.depth:
                    position = self._record_part(chunk, position)
                    if self._scanner.done:
                        yield self._finish()
                else:
                    position = self._gap(chunk, position)
                    if self._stray_line and self._scanner.depth:
                        yield self._stray()
        if self._stray_line:
            yield self._stray()
        if self._scanner.depth:
            yield Frame(self._record_line, b"", "the record that starts here is cut off")
        elif self._array_open:
            yield Frame(self._line, b"", "the file ends before its array is closed")

    def _record_part(self, chunk: bytes, position: int) -> int:
        end = self._scanner.feed(chunk, position)
        self._line += chunk.count(b"\n", position, end)
        if not self._oversized:
            self._record += chunk[position:end]
            if len(self._record) > self.max_bytes:
                self._oversized = True
                self._record = bytearray()
        return end

    def _finish(self) -> Frame:
        frame = Frame(self._record_line, bytes(self._record), oversized=self._oversized)
        self._record = bytearray()
        self._oversized = False
        return frame

    def _gap(self, chunk: bytes, position: int) -> int:
        """Pass over what stands between two records, up to and with the bracket that ends it."""
        was_in_string = self._scanner.in_string
        end = self._scanner.to_bracket(chunk, position)
        between = chunk[position:end]
        stray = between.strip(_BLANK + b",")
        if (stray or was_in_string) and not self._stray_line:
            leading = len(between) - len(between.lstrip(_BLANK + b","))
            self._stray_line = self._line + between.count(b"\n", 0, leading)
        self._line += between.count(b"\n")
        if end == len(chunk):
            return end
        bracket = chunk[end : end + 1]
        if self.in_array and bracket == b"[" and not self._array_open:
            self._array_open = True
            self.in_array = False  # from here on, every `[` starts a record
        elif bracket in _OPENING:
            self._scanner.depth = 1
            self._record_line = self._line
            self._record += bracket
        elif bracket == b"]" and self._array_open:
            self._array_open = False
        else:
            self._stray_line = self._stray_line or self._line
        return end + 1

    def _stray(self) -> Frame:
        frame = Frame(self._stray_line, b"", "this is neither an object nor an array")
        self._stray_line = 0
        return frame
