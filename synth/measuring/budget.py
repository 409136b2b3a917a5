"""Choosing the tools that are worth their place in a toolbox."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

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
    Nemhauser, L. A. Wolsey and M. L. Fisher, Mathematical Programming 14, 1978, section 4). For the
    same reason a tool is only looked at again while what it last saved would make it the best (M.
    Minoux, "Accelerated greedy algorithms", 1978). A tool that saves nothing beside the others is
    left out.

    Args:
        tools: What there is to choose from.
        traces: Runs that they are chosen by.
        most: How many to choose at most.
        settings: Which tools are no work to save.
    """
    chosen: list[PlannedTool] = []
    saved = 0
    # What each saves at most, the best first, and beside how many tools that was found.
    queue = [
        (-measure([tool], traces, None, settings).saved, number, 0)
        for number, tool in enumerate(tools)
    ]
    heapify(queue)
    while queue and len(chosen) < most:
        negative, number, beside = heappop(queue)
        if negative >= 0:
            break
        if beside == len(chosen):
            chosen.append(tools[number])
            saved -= negative
        else:
            with_it = measure([*chosen, tools[number]], traces, None, settings).saved
            heappush(queue, (saved - with_it, number, len(chosen)))
    return chosen
