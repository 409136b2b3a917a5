"""What the tests of mining, drafting and validation share: written traces, and a real sandbox."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from toolguild.sandbox import Json, JsonObject, Sandbox, SandboxUnavailableError, open_sandbox
from toolguild.synth.mining import (
    CodeMiner,
    MiningSettings,
    RepeatedCode,
    RepeatedSequence,
    SequenceMiner,
)
from toolguild.synth.traces import (
    CodeExecution,
    Outcome,
    Place,
    Step,
    Task,
    ToolCall,
    ToolDefinition,
    Trace,
)

NOWHERE = Place("written.jsonl", 1)


class Writer:
    """Writes traces by hand, and mines them."""

    def call(
        self,
        tool: str,
        arguments: JsonObject,
        result: Json,
        *,
        error: str | None = None,
        heard: str = "",
    ) -> ToolCall:
        return ToolCall(tool, arguments, result, error, NOWHERE, heard=heard)

    def code(
        self, code: str, shown: str = "", *, error: str | None = None, heard: str = ""
    ) -> CodeExecution:
        return CodeExecution(code, shown, error, NOWHERE, heard=heard)

    def trace(
        self,
        task: str,
        *steps: Step,
        text: str = "",
        run: str = "run",
        tools: Sequence[ToolDefinition] = (),
    ) -> Trace:
        """Return a trace; `text` is what the user asked for, `run` tells runs of a task apart."""
        placed = tuple(
            replace(step, place=Place(f"{task}.jsonl", 1, number))
            for number, step in enumerate(steps, start=1)
        )
        identity = f"{task}/{run}"
        source = Place(f"{task}.jsonl", 1)
        return Trace(identity, Task(task, text), placed, Outcome(), source, tuple(tools))

    def sequences(
        self, traces: Iterable[Trace], settings: MiningSettings = MiningSettings()
    ) -> list[RepeatedSequence]:
        miner = SequenceMiner(settings)
        for trace in traces:
            miner.add(trace)
        return miner.mine()

    def repeated_code(
        self, traces: Iterable[Trace], settings: MiningSettings = MiningSettings()
    ) -> list[RepeatedCode]:
        miner = CodeMiner(settings)
        for trace in traces:
            miner.add(trace)
        return miner.mine()


@pytest.fixture(scope="session")
def writer() -> Writer:
    """Write traces by hand, and mine them."""
    return Writer()


@pytest.fixture(scope="session")
def local() -> Iterator[Sandbox]:
    """Real isolation, or a skip where this machine has none."""
    try:
        sandbox = open_sandbox("local", size=2)
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    with sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def real_traces() -> Path:
    """The folder of real traces; without it the test is skipped."""
    beside = Path(__file__).resolve().parents[2].parent / "shared"
    folder = Path(os.environ.get("TOOLGUILD_SHARED", beside)) / "traces"
    if not folder.is_dir():
        pytest.skip(f"no real traces in {folder}")
    return folder
