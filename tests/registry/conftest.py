"""A registry in a temporary folder, specifications to fill it with, and a sandbox without walls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from toolguild.policies import Capability, Tier
from toolguild.registry import Registry, ToolSpec
from toolguild.sandbox import (
    Access,
    Json,
    Limits,
    Outcome,
    Program,
    Sandbox,
    SandboxUnavailableError,
    Status,
    ToolCallError,
    ToolGateway,
)
from toolguild.sandbox.access import NOTHING

DOUBLE = '''
def double(number: int) -> int:
    """Return twice the number."""
    return 2 * number
'''


class InProcessSandbox(Sandbox):
    """Runs this test suite's own programs in this process, and notes what it was asked for.

    `answers` holds outcomes, or errors of the sandbox, to give instead of running.
    """

    name = "in-process"

    def __init__(self) -> None:
        self.runs: list[tuple[str, Tier, Limits]] = []
        self.given: list[tuple[frozenset[Capability], Access]] = []
        self.answers: list[Outcome | Exception] = []

    @property
    def level(self) -> str:
        return "none"

    def run(
        self,
        program: Program,
        arguments: Mapping[str, Json],
        *,
        tier: Tier,
        limits: Limits = Limits(),
        tools: ToolGateway | None = None,
        access: Access = NOTHING,
    ) -> Outcome:
        self.runs.append((program.entry, tier, limits))
        self.given.append((program.needs, access))
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        def call_tool(name: str, inner: dict[str, Json]) -> Json:
            if tools is None:
                msg = "no tools"
                raise ToolCallError(msg)
            return tools(name, inner)

        names: dict[str, object] = {"call_tool": call_tool, "ToolCallError": ToolCallError}
        try:
            exec(program.source, names)  # noqa: S102 - the tests' own programs
            value = names[program.entry](**arguments)
        except Exception as error:
            return Outcome(Status.ERROR, error=f"{type(error).__name__}: {error}", duration_s=0.25)
        return Outcome(Status.OK, value, duration_s=0.25)

    def close(self) -> None:
        pass


class Clock:
    """Goes one second further each time that it is read."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 21, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tools.db"


@pytest.fixture
def registry(path: Path) -> Iterator[Registry]:
    with Registry.open(path, actor="tester", clock=Clock()) as registry:
        yield registry


@pytest.fixture
def sandbox() -> InProcessSandbox:
    return InProcessSandbox()


@pytest.fixture
def unavailable() -> SandboxUnavailableError:
    return SandboxUnavailableError("no Docker engine; start dockerd")


@pytest.fixture
def make_spec() -> Callable[..., ToolSpec]:
    def make(name: str = "double", **fields: object) -> ToolSpec:
        integer = {"type": "object", "properties": {"number": {"type": "integer"}}}
        defaults = {
            "description": "Double a number.",
            "source": DOUBLE.replace("double", name),
            "parameters": integer | {"required": ["number"], "additionalProperties": False},
            "returns": {"type": "integer"},
        }
        return ToolSpec(name, **(defaults | fields))

    return make
