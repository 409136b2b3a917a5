"""Choosing the tools that are worth their place in a toolbox."""

from __future__ import annotations

from collections.abc import Sequence

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

    Greedily: always the one that saves most beside those chosen, which for savings of this kind,
    where a tool is worth the less the more there are, is not far from the best choice (G. L.
    Nemhauser, L. A. Wolsey and M. L. Fisher, Mathematical Programming 14, 1978, section 4). A tool
    that saves nothing beside the others is left out.

    Args:
        tools: What there is to choose from.
        traces: Runs that they are chosen by.
        most: How many to choose at most.
        settings: Which tools are no work to save.
    """
    chosen: list[PlannedTool] = []
    saved = 0
    left = list(tools)
    while left and len(chosen) < most:
        with_each = [measure([*chosen, tool], traces, None, settings).saved for tool in left]
        best = max(range(len(left)), key=lambda number: with_each[number])
        if with_each[best] <= saved:
            break
        saved = with_each[best]
        chosen.append(left.pop(best))
    return chosen
