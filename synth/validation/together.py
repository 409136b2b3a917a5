"""Running a tool on many inputs in one process.

One process for each run is what a tool is promised and what proves it. All in one is what shows
state that it keeps, and it is quick. Nothing is believed because a run of this kind said it: where
it speaks against a tool, single runs decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from toolguild.sandbox import Json, JsonObject, Outcome

__all__ = ["Told", "program_for_all", "read_all"]

_ENTRY = "run_on_each"
_TEMPLATE = """


def {entry}(inputs):
    told = []
    for arguments in inputs:
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


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    value: JsonValue = None
    error: str = ""
    arguments: dict[str, JsonValue]


_ENTRIES = TypeAdapter(list[_Entry])


def program_for_all(source: str, tool: str) -> tuple[str, str]:
    """Return the text of a tool with a function that runs it on a list, and that one's name.

    The function takes `inputs`, a list of argument objects.
    """
    entry = _ENTRY
    while entry in source:
        entry += "_"
    return source + _TEMPLATE.format(entry=entry, tool=tool), entry


def read_all(outcome: Outcome, inputs: Sequence[JsonObject]) -> list[Told] | None:
    """Return what such a run says of each input; None where it says nothing that can be read."""
    if not outcome.ok:
        return None
    try:
        entries = _ENTRIES.validate_python(outcome.value)
    except ValidationError:
        return None
    if len(entries) != len(inputs):
        return None
    return [Told(entry.value, entry.error, dict(entry.arguments)) for entry in entries]
