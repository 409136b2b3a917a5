"""Reading logs in tests, and the real traces that lie beside the repository."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

from toolguild.sandbox import Json
from toolguild.synth.traces import Problem, ReadOptions, Trace, read_traces


@dataclass(frozen=True)
class Reading:
    traces: list[Trace]
    problems: list[Problem]

    @property
    def trace(self) -> Trace:
        assert self.problems == []
        (trace,) = self.traces
        return trace


def read_paths(*paths: Path, options: ReadOptions = ReadOptions()) -> Reading:
    problems: list[Problem] = []
    traces = list(read_traces(paths, options=options, on_problem=problems.append))
    return Reading(traces, problems)


Read: TypeAlias = Callable[..., Reading]


@pytest.fixture
def read() -> Read:
    """Read paths to traces and problems."""
    return read_paths


@pytest.fixture
def read_records_as_traces(tmp_path: Path) -> Read:
    """Write values as JSON lines, and read them to traces and problems."""

    def write_and_read(*records: Json, options: ReadOptions = ReadOptions()) -> Reading:
        path = tmp_path / "log.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        return read_paths(path, options=options)

    return write_and_read


@pytest.fixture(scope="session")
def real_traces() -> Path:
    """The folder of real traces; without it the test is skipped."""
    beside = Path(__file__).resolve().parents[3].parent / "shared"
    folder = Path(os.environ.get("TOOLGUILD_SHARED", beside)) / "traces"
    if not folder.is_dir():
        pytest.skip(f"no real traces in {folder}")
    return folder
