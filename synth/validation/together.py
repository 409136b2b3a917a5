"""Running a tool on many inputs in one process.

One process for each run is what a tool is promised and what proves it. All in one is what shows
state that it keeps, and it is quick. Nothing is believed because a run of this kind said it: where
it speaks against a tool, single runs decide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from toolguild.sandbox import Json, JsonObject, Outcome, Status, ToolGateway
from toolguild.synth.mining import canonical
from toolguild.synth.validation.observation import Observation, error_type

__all__ = ["NotedByInput", "Together", "Told", "ToolsFor", "program_for_all", "read_all"]

ToolsFor: TypeAlias = Callable[[int], ToolGateway]
"""Gives what answers the calls of the run on the input with a number."""

_ENTRY = "run_on_each"
_NEXT = "next input"
"""What the program calls before each run, so that calls can be told apart; no tool has a space in
its name."""
_TEMPLATE = """


def {entry}(inputs):
    told = []
    for arguments in inputs:
        {before}
        try:
            value = {tool}(**arguments)
        except Exception as error:
            told.append({{"error": type(error).__name__, "arguments": arguments}})
        else:
            told.append({{"value": value, "arguments": arguments}})
    return told
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What a process says that came of one of its inputs."""

    value: Json
    error: str
    """Type of the exception; "" where the tool returned a value."""
    arguments: JsonObject
    """The arguments as the tool left them."""
    calls: tuple[tuple[str, str], ...] = ()
    """The tools that it called, each with the canonical text of its arguments."""

    def observation(self) -> Observation:
        """Return it as what a run of its own would have shown."""
        ended = (
            Outcome(Status.ERROR, error=f"{self.error}: ")
            if self.error
            else Outcome(Status.OK, self.value)
        )
        return Observation(ended, self.calls)

    def is_as(self, alone: Observation) -> bool:
        """Whether a run of its own showed the same."""
        if "RecursionError" in (self.error, error_type(alone.outcome)):
            return True  # It depends on how deep the caller already is.
        return self.observation().behaviour == alone.behaviour


@dataclass(frozen=True, slots=True)
class Together:
    """A run on many inputs in one process."""

    outcome: Outcome
    """How the process ended."""
    told: list[Told] | None
    """What it says of each input; None where it says nothing that can be read."""


class NotedByInput:
    """Answers the calls of a program for all, each input's by tools of its own."""

    def __init__(self, tools_for: ToolsFor) -> None:
        self._tools_for = tools_for
        self._tools: ToolGateway | None = None
        self.calls: list[list[tuple[str, str]]] = []

    def __call__(self, name: str, arguments: JsonObject) -> Json:
        """Answer a call as the tools of the present input do.

        Raises:
            ToolCallError: they fail it.
        """
        if name == _NEXT or self._tools is None:
            self._tools = self._tools_for(len(self.calls))
            self.calls.append([])
            return None
        self.calls[-1].append((name, canonical(arguments)))
        return self._tools(name, arguments)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    value: JsonValue = None
    error: str = ""
    arguments: dict[str, JsonValue]


_ENTRIES = TypeAdapter(list[_Entry])


def program_for_all(source: str, tool: str, *, calls: bool = False) -> tuple[str, str]:
    """Return the text of a tool with a function that runs it on a list, and that one's name.

    The function takes `inputs`, a list of argument objects.

    Args:
        source: The tool's text.
        tool: Name of its function.
        calls: Whether it calls other tools, which `NotedByInput` has to answer.
    """
    entry = _ENTRY
    while entry in source:
        entry += "_"
    before = f'call_tool("{_NEXT}", {{}})' if calls else "pass"
    return source + _TEMPLATE.format(entry=entry, tool=tool, before=before), entry


def read_all(
    outcome: Outcome, inputs: Sequence[JsonObject], noted: NotedByInput | None = None
) -> Together:
    """Return what such a run says of each input."""
    return Together(outcome, _entries(outcome, inputs, noted))


def _entries(
    outcome: Outcome, inputs: Sequence[JsonObject], noted: NotedByInput | None
) -> list[Told] | None:
    if not outcome.ok:
        return None
    try:
        entries = _ENTRIES.validate_python(outcome.value)
    except ValidationError:
        return None
    calls = noted.calls if noted else [[] for _ in entries]
    if not len(entries) == len(inputs) == len(calls):
        return None
    return [
        Told(entry.value, entry.error, dict(entry.arguments), tuple(made))
        for entry, made in zip(entries, calls, strict=True)
    ]
