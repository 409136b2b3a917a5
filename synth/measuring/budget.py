"""Choosing the tools that are worth their place in a toolbox."""

from __future__ import annotations

from collections.abc import Sequence

from toolguild.synth.measuring.greedy import choose_greedily
from toolguild.synth.measuring.matching import PlannedTool
from toolguild.synth.measuring.measure import measure
from toolguild.synth.mining import MiningSettings
from toolguild.synth.traces import Trace

__all__ = ["choose_toolbox"]


def choose_toolbox(
    tools: Sequence[PlannedTool],
    traces: Sequence[Trace],
    most: int,
    settings: MiningSettings = MiningSettings(),
) -> list[PlannedTool]:
    """Return the tools that together save most calls, the most useful first.

    A tool that saves nothing beside the others is left out; see `choose_greedily`.

    Args:
        tools: What there is to choose from.
        traces: Runs that they are chosen by.
        most: How many to choose at most.
        settings: Which tools are no work to save.
    """

    def saved(numbers: Sequence[int]) -> int:
        return measure([tools[number] for number in numbers], traces, None, settings).saved

    return [tools[pick.number] for pick in choose_greedily(len(tools), saved, most)]
