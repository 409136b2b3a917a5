"""The interface behind which every log format stands.

A new format is one module with one class, added to `READERS` in `detection`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from toolguild.synth.traces.errors import Problem
from toolguild.synth.traces.model import Trace
from toolguild.synth.traces.records import DEFAULT_MAX_RECORD_BYTES, Record

__all__ = ["ReadOptions", "Reader", "ReaderFactory"]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a caller knows of its logs. Keys are dotted paths, such as `info.task.id`."""

    format: str | None = None
    """Name of the reader to use; without it the format is detected."""
    messages_key: str | None = None
    """Where a record holds its list of messages."""
    task_key: str | None = None
    """Where a record names its task; a record without it is reported and skipped."""
    score_key: str | None = None
    """Where a record holds its score, a number, or its success, a boolean."""
    trial_key: str | None = None
    """Where a record numbers the runs of one task."""
    max_record_bytes: int = DEFAULT_MAX_RECORD_BYTES
    """Largest record read; one larger is reported and skipped."""

    def __post_init__(self) -> None:
        if self.max_record_bytes < 1:
            message = f"max_record_bytes must be positive, not {self.max_record_bytes}"
            raise ValueError(message)


class Reader(Protocol):
    """Turns the records of one format into traces."""

    @property
    def name(self) -> str:
        """What a caller gives as `ReadOptions.format`."""

    def claims(self, sample: Sequence[Record]) -> bool:
        """Tell from the first records of a file, at least one, whether it is in this format."""

    def read(self, records: Iterable[Record]) -> Iterator[Trace | Problem]:
        """Yield the traces of one file, and a problem for each record that is not in the format.

        Secrets are already redacted. Trace ids need not be unique.
        """


ReaderFactory: TypeAlias = Callable[[ReadOptions], Reader]
