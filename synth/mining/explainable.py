"""Which readings of loops count: of choices of rows, only those that many places bear out.

What one place shows of a choice of rows is read wherever it may be so (`loops`). Here all places of
one shape are asked whether that means anything.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from toolguild.synth.mining.call_log import WindowItem
from toolguild.synth.mining.chosen_rows import choices_of, told_choices
from toolguild.synth.mining.comparisons import comparisons
from toolguild.synth.mining.filters import filters_borne_out
from toolguild.synth.mining.loops import LoopReading
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.windows import Window

__all__ = ["explainable"]


def explainable(windows: Sequence[Window], settings: MiningSettings) -> Sequence[Window]:
    """Return the windows of one shape that count, be it for a plan or against it.

    Rows are chosen in many places for reasons that no data tells. Where a key fits by accident, it
    is no reason. And choices that no key tells count only where, of all places together, a
    comparison explains enough; elsewhere they are no loops, and what is left of them, which
    something simpler explains by itself, is no evidence for a comparison any more.

    Args:
        windows: Windows of one shape.
        settings: Thresholds.
    """
    loops = [number for number, item in enumerate(windows[0].items) if item.is_loop]
    chosen_in = [
        item for item in loops if any(choices_of(window.items[item]) for window in windows)
    ]
    if not chosen_in:
        return windows
    compared = any(comparisons(windows, item, settings) for item in chosen_in)
    told = {item: filters_borne_out(windows, item, settings) for item in chosen_in}
    counting = (_counting(window, told, with_choices=compared) for window in windows)
    return [window for window in counting if window is not None]


def _counting(
    window: Window, told: dict[int, set[LoopReading]], *, with_choices: bool
) -> Window | None:
    """Return a window with the readings that count, if its loops are loops by these."""
    items = [*window.items]
    for number, borne_out in told.items():
        items[number] = _with_what_counts(items[number], borne_out, with_choices=with_choices)
        if not items[number].is_loop:
            return None
    return Window(window.log, tuple(items))


def _with_what_counts(
    item: WindowItem, borne_out: Collection[LoopReading], *, with_choices: bool
) -> WindowItem:
    choices = choices_of(item)
    if not choices:
        return item
    accidents = {reading for _, reading in told_choices(item) if reading not in borne_out}
    left_out = accidents if with_choices else accidents | choices
    return replace(item, readings=item.readings - left_out)
