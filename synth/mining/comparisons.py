"""Which comparison explains the rows that a loop goes over, if any does.

Each place leaves a gap for the bound, and one bound has to lie in the gaps of nearly all places
(`bounds`). What fits so easily has to be borne out by more than an equality: by `_LEAST_TASKS` in
which rows were left out; by chance, which must not explain it (`evidence`); for a constant, by
values near to it on both sides; and by tasks that nothing simpler explains. Places that it does not
explain speak against it, also those that nothing explains.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass

from toolguild.synth.mining.chosen_rows import choice_places, choices_of
from toolguild.synth.mining.evidence import Evidence, is_arbitrary, is_one_bound_by_accident
from toolguild.synth.mining.explanations import Explanation, explanations
from toolguild.synth.mining.loops import Chosen, LoopReading
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.windows import Window

__all__ = ["Comparison", "comparisons"]

_LEAST_TASKS = 5
"""Tasks in which rows were left out, and a comparison says which."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Why rows were chosen, as far as many places tell."""

    chosen: Chosen
    """From what."""
    reading: LoopReading
    """The loop over those."""


def comparisons(
    windows: Sequence[Window],
    item: int,
    settings: MiningSettings,
    simpler: Collection[Set[Window]] = (),
) -> list[Comparison]:
    """Return the comparisons that explain which rows a loop goes over, the best first.

    Args:
        windows: Windows of one shape.
        item: The loop.
        settings: Thresholds.
        simpler: The windows that each simpler reading of the loop explains.
    """
    sources = {chosen for window in windows for chosen in choices_of(window.items[item])}
    found: list[tuple[tuple[int, bool, int, bool, str], Comparison]] = []
    for chosen in sources:
        places = choice_places(windows, item, chosen)
        if len({place.task for place in places if place.is_telling}) < _LEAST_TASKS:
            continue
        candidates, tried = explanations(places, chosen)
        for how in candidates:
            evidence = Evidence.of(how.fits, places)
            if _is_borne_out(how, evidence, tried, settings) and _is_more_than(
                simpler, evidence, settings
            ):
                reading = LoopReading(how.over, chosen.argument, chosen.cell)
                plainness = how.is_constant, how.roundness, how.is_strict, str(reading)
                found.append(((-evidence.explained, *plainness), Comparison(chosen, reading)))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def _is_borne_out(
    how: Explanation, evidence: Evidence, tried: int, settings: MiningSettings
) -> bool:
    """Say whether a comparison is more than an accident."""
    if (
        evidence.explained < max(_LEAST_TASKS, settings.sequence_support)
        or evidence.explained < settings.min_confidence * len(evidence.choices)
        or evidence.share < settings.min_confidence
        or is_arbitrary(evidence.choices, evidence.explained, tried)
    ):
        return False
    one_bound = how.is_constant and how.has_bound
    return not one_bound or not is_one_bound_by_accident(
        evidence.explained_choices, of=len(evidence.choices)
    )


def _is_more_than(
    simpler: Collection[Set[Window]], evidence: Evidence, settings: MiningSettings
) -> bool:
    """Say whether a comparison explains enough tasks that no other explanation does by itself."""
    return all(
        len({window.log.task_id for window in evidence.windows if window not in others})
        >= settings.sequence_support
        for others in simpler
    )
