"""What can be wrong with a log: a problem in one place of it, or the whole file."""

from __future__ import annotations

from dataclasses import dataclass

from toolguild.policies import ToolguildError
from toolguild.synth.traces.model import Place

__all__ = [
    "AmbiguousFormatError",
    "BrokenJsonError",
    "OversizedRecord",
    "PackedTraceError",
    "Problem",
    "RedactionError",
    "TraceFileError",
    "UnknownFormatError",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One part of a log that was skipped; the rest of the log is read all the same."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True, slots=True)
class OversizedRecord(Problem):
    """A record that was skipped unread, because it is larger than the bound."""


class TraceFileError(ToolguildError, ValueError):
    """A log cannot be read at all; the message names the file and what to do."""


class UnknownFormatError(TraceFileError):
    """No reader knows the format of a log, or the reader asked for does not exist."""


class AmbiguousFormatError(TraceFileError):
    """More than one reader claims a log: the caller has to say which one is right."""

    def __init__(self, message: str, candidates: tuple[str, ...]) -> None:
        super().__init__(message)
        self.candidates = candidates
        """Names of the readers that claim the log."""


class BrokenJsonError(ToolguildError, ValueError):
    """A text is not a JSON value that toolguild works with; the message says why."""


class PackedTraceError(ToolguildError, ValueError):
    """Bytes are not those of a kept trace: the file that they are from is damaged."""


class RedactionError(ToolguildError, ValueError):
    """A record's secrets cannot all be replaced, so the record must not be used."""
