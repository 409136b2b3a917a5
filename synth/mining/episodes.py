"""What agents do over and over for one purpose, in ways that no plan explains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining.extent import Saving, Unit, unit_of
from toolguild.synth.traces import Place, ToolCall, ToolDefinition

__all__ = ["Episode", "EpisodeKind", "RepeatedEpisode"]


class EpisodeKind(StrEnum):
    """What makes calls an episode."""

    SEQUENCE = "messy sequence"
    """The same tools in the same order, with arguments that no plan derives."""
    RECOVERY = "recovery"
    """A tool fails, and some calls later it does not."""
    UNKNOWN_TOOL = "unknown tool"
    """A tool is called that there is none of, and what it was to do is done in another way."""


@dataclass(frozen=True, slots=True)
class Episode:
    """What one run did for the purpose, and what a tool in its place has to do."""

    trace_id: str
    task_id: str
    place: Place
    given: JsonObject
    """What was known before the first call, by the names that parameters may have."""
    calls: tuple[ToolCall, ...]
    """The calls that a tool may make here; none where the agent computed it in code."""
    value: Json
    """What a tool has to return."""
    replaced: tuple[ToolCall, ...]
    """The calls that one call of a tool takes the place of."""
    saving: Saving

    @property
    def units(self) -> frozenset[Unit]:
        """The parts of the trace that it takes up."""
        return frozenset(unit_of(self.trace_id, call) for call in self.replaced)


@dataclass(frozen=True, slots=True)
class RepeatedEpisode:
    """Episodes of one kind, from at least as many tasks as a pattern needs.

    There is no plan that says how their arguments come about. Someone has to write it, and whoever
    does is held to what every one of these episodes recorded.
    """

    kind: EpisodeKind
    about: str
    """The tools in their order, the tool and its error, or the tool that there is none of."""
    wish: str
    """The name that a tool for it should have."""
    occurrences: tuple[Episode, ...]
    called_at: str
    """The tool whose call an episode begins with."""
    takes: Mapping[str, tuple[str, str]]
    """For each name in `given`, the tool and the argument of its first call that hold the value."""
    tools: Mapping[str, ToolDefinition | None] = field(default_factory=dict)
    """The tools that were called, all believed to read only, as far as the logs define them."""
    estimate: ClassVar[None] = None
    """Episodes are told as they were counted, in a sample or not."""
    utility: ClassVar[None] = None
    """Nothing is expected of a tool before it is written."""

    @property
    def name(self) -> str:
        """The name that a tool for it should have."""
        return self.wish

    @property
    def places(self) -> tuple[Episode, ...]:
        """All places that a tool would serve."""
        return self.occurrences

    @property
    def everywhere(self) -> tuple[Episode, ...]:
        """The same in the order of the traces."""
        return self.occurrences
