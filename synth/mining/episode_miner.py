"""Finding what agents do again and again that only somebody who writes tools can make a tool of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from toolguild.synth.mining.episodes import RepeatedEpisode
from toolguild.synth.mining.messy_sequences import messy_sequences
from toolguild.synth.mining.opportunity import Opportunity
from toolguild.synth.mining.overcome_gaps import recoveries, unknown_tools
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.timeline import Timeline
from toolguild.synth.traces import ToolDefinition, Trace

__all__ = ["EpisodeMiner"]


class EpisodeMiner:
    """Collects episodes from traces."""

    def __init__(self, settings: MiningSettings) -> None:
        self._settings = settings
        self._traces: list[Trace] = []
        self._tools: dict[str, ToolDefinition] = {}

    def describe(self, tool: ToolDefinition) -> None:
        """Take in how a tool is defined."""
        self._tools[tool.name] = tool

    def add(self, trace: Trace) -> None:
        """Take in one trace."""
        if any(trace.calls()):
            self._traces.append(trace)

    def mine(self, planned: Iterable[Opportunity]) -> list[RepeatedEpisode]:
        """Return episodes that recur: what agents came to do after failures, then messy sequences.

        Args:
            planned: What tools are made of without anybody to write them.
        """
        timelines = [Timeline(trace, self._settings.ignored_tools) for trace in self._traces]
        overcome = [
            *unknown_tools(self._traces, self._settings),
            *recoveries(timelines, self._settings),
        ]
        served: list[Opportunity] = [*planned, *overcome]
        uses = [place.units for one in served for place in one.places]
        messy = messy_sequences(timelines, uses, self._settings)
        return [replace(one, tools=self._called(one)) for one in (*overcome, *messy)]

    def _called(self, found: RepeatedEpisode) -> dict[str, ToolDefinition | None]:
        names = dict.fromkeys(call.tool for one in found.occurrences for call in one.calls)
        return {name: self._tools.get(name) for name in names}
