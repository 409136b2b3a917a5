"""What a trace log says, whatever its format: a `Trace` of steps.

Maps one to one on ATIF (https://harborframework.com/docs/trajectory-format); `error`, `code` and
`score` have no field there and are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from toolguild.sandbox import Json, JsonObject

__all__ = [
    "CodeExecution",
    "Outcome",
    "Place",
    "Step",
    "Task",
    "ToolCall",
    "ToolDefinition",
    "Trace",
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a log."""

    file: str
    line: int
    """Line on which its record starts, from 1."""
    step: int = 0
    """Number of the step within the trace, from 1; 0 for the trace as a whole."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" + (f"#{self.step}" if self.step else "")


@dataclass(frozen=True, slots=True)
class Task:
    """What the agent was asked to do. Runs of the same task share the `id`."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the run ended, as far as the log says."""

    score: float | None = None
    success: bool | None = None


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool as the agent was offered it."""

    name: str
    description: str
    parameters: JsonObject
    """JSON Schema of the arguments object."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The agent called a tool."""

    tool: str
    arguments: JsonObject
    result: Json
    """The decoded JSON of the result, or its text where it is not JSON; None where missing."""
    error: str | None
    place: Place
    reasoning: str = ""
    """What the agent said or thought just before."""
    heard: str = ""
    """What the user said since the step before; empty where the agent went on by itself."""
    started_at: str | None = None
    """ISO 8601 time, where the log has one."""


@dataclass(frozen=True, slots=True)
class CodeExecution:
    """The agent ran a piece of Python in its interpreter, which keeps its state between steps."""

    code: str
    result: str
    """What the interpreter showed."""
    error: str | None
    place: Place
    reasoning: str = ""
    heard: str = ""
    started_at: str | None = None


Step: TypeAlias = ToolCall | CodeExecution


@dataclass(frozen=True, slots=True)
class Trace:
    """One run of an agent on one task."""

    id: str
    task: Task
    steps: tuple[Step, ...]
    outcome: Outcome
    source: Place
    tools: tuple[ToolDefinition, ...] = field(default=())
    """The tools that the agent was offered, where the log has them."""
    instructions: int = 0
    """Characters of what the system told the model before the run, where the log has it."""

    def calls(self) -> Iterator[ToolCall]:
        """Yield the tool calls in order."""
        return (step for step in self.steps if isinstance(step, ToolCall))

    def code(self) -> Iterator[CodeExecution]:
        """Yield the code executions in order."""
        return (step for step in self.steps if isinstance(step, CodeExecution))
