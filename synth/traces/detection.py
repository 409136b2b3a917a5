"""Telling the format of a log: exactly one reader must claim it, nothing is guessed."""

from __future__ import annotations

from collections.abc import Sequence

from toolguild.sandbox import Json
from toolguild.synth.traces.atif import AtifReader
from toolguild.synth.traces.chat import ChatReader
from toolguild.synth.traces.errors import AmbiguousFormatError, UnknownFormatError
from toolguild.synth.traces.reader import Reader, ReaderFactory, ReadOptions
from toolguild.synth.traces.records import Record
from toolguild.synth.traces.smolagents import SmolagentsReader

__all__ = ["READERS", "named_reader", "reader_for"]

READERS: tuple[ReaderFactory, ...] = (AtifReader, ChatReader, SmolagentsReader)

_KEYS_SHOWN = 12


def named_reader(options: ReadOptions) -> Reader | None:
    """Return the reader that the caller asks for, or None where the format is to be detected.

    Raises:
        UnknownFormatError: there is no reader of that name.
    """
    readers = _readers(options)
    if options.format is None or options.format in readers:
        return readers.get(options.format or "")
    message = f"no reader is called {options.format!r}; there are: {', '.join(readers)}"
    raise UnknownFormatError(message)


def reader_for(file: str, sample: Sequence[Record], options: ReadOptions) -> Reader:
    """Return the one reader that claims a file by a sample of its first records.

    Raises:
        UnknownFormatError: no reader claims it.
        AmbiguousFormatError: several readers claim it.
    """
    readers = _readers(options)
    claimed = tuple(name for name, reader in readers.items() if reader.claims(sample))
    if len(claimed) == 1:
        return readers[claimed[0]]
    if claimed:
        message = (
            f"{file} may be of more than one format: {', '.join(claimed)}; "
            "give the right one as format"
        )
        raise AmbiguousFormatError(message, claimed)
    message = (
        f"{file} is in no known format: its first record (line {sample[0].place.line}) is "
        f"{_look(sample[0].value)}; readers: {', '.join(readers)}. "
        "Give format, or messages_key where the messages stand under an unusual key"
    )
    raise UnknownFormatError(message)


def _readers(options: ReadOptions) -> dict[str, Reader]:
    readers = (factory(options) for factory in READERS)
    return {reader.name: reader for reader in readers}


def _look(value: Json) -> str:
    if isinstance(value, dict):
        keys = [repr(key[:40]) for key in list(value)[:_KEYS_SHOWN]]
        more = ", ..." if len(value) > _KEYS_SHOWN else ""
        return f"an object with the keys {', '.join(keys)}{more}" if keys else "an empty object"
    if isinstance(value, list):
        return f"a list whose first item is {_look(value[0])}" if value else "an empty list"
    return f"a {type(value).__name__}"
