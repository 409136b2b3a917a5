"""Which comparison explains the rows that a loop goes over, if any does.

Each place leaves a gap for the bound, and one bound has to lie in the gaps of nearly all places
(`bounds`). What fits so easily has to be borne out by more than an equality: by `_LEAST_TASKS` in
which rows were left out; by chance, which must not explain it (`evidence`); for a constant, by
values near to it on both sides; and by tasks that nothing simpler explains. Places that it does not
explain speak against it, also those that nothing explains.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence, Set
from dataclasses import dataclass, replace

from toolguild.synth.mining.call_log import WindowItem
from toolguild.synth.mining.chosen_rows import Choice, ChoicePlace, choice_places
from toolguild.synth.mining.evidence import is_arbitrary, is_one_bound_by_accident
from toolguild.synth.mining.explanations import Explanation, explanations
from toolguild.synth.mining.loops import Chosen, LoopReading
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.windows import Window

__all__ = ["Comparison", "comparisons", "explainable"]

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
    sources = {chosen for window in windows for chosen in _choices(window.items[item])}
    found: list[tuple[tuple[int, bool, int, bool, str], Comparison]] = []
    for chosen in sources:
        places = choice_places(windows, item, chosen)
        if len({place.task for place in places if place.is_telling}) < _LEAST_TASKS:
            continue
        candidates, tried = explanations(places, chosen)
        for how in candidates:
            evidence = _Evidence.of(how, places)
            if evidence.bears_out(how, tried, settings) and evidence.is_more_than(
                simpler, settings
            ):
                reading = LoopReading(how.over, chosen.argument, chosen.cell)
                plainness = how.is_constant, how.roundness, how.is_strict, str(reading)
                found.append(((-evidence.explained, *plainness), Comparison(chosen, reading)))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def explainable(windows: Sequence[Window], settings: MiningSettings) -> Sequence[Window]:
    """Return the windows of one shape that count, be it for a plan or against it.

    Rows are chosen in many places for reasons that no data tells. These count only where, of all
    places together, a comparison explains enough; elsewhere they are no loops, and what is left of
    them, which something simpler explains by itself, is no evidence for a comparison any more.
    """
    loops = [number for number, item in enumerate(windows[0].items) if item.is_loop]
    if any(comparisons(windows, item, settings) for item in loops):
        return windows
    told = (_without_choices(window) for window in windows)
    return [window for window in told if window is not None]


def _without_choices(window: Window) -> Window | None:
    """Return a window without choices of rows that nothing explains, if it is one then."""
    if not any(any(_choices(item)) for item in window.items):
        return window
    items = tuple(
        replace(item, readings=item.readings - {*_choices(item)}) if item.is_loop else item
        for item in window.items
    )
    same = all(old.is_loop == new.is_loop for old, new in zip(window.items, items, strict=True))
    return Window(window.log, items) if same else None


def _choices(item: WindowItem) -> Iterator[Chosen]:
    return (reading for reading in item.readings if isinstance(reading, Chosen))


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What an explanation does for the tasks, and not for the places: those of one are alike.

    A task is explained if at least half of its places are.
    """

    share: float
    """The share of all tasks that it explains."""
    choices: Sequence[Choice]
    """One for each task in which rows were left out, the one with the fewest ways."""
    explained_choices: Sequence[Choice]
    """The same for those that are explained."""
    windows: Sequence[Window]
    """Where rows were left out and it says which."""

    @classmethod
    def of(cls, how: Explanation, places: Sequence[ChoicePlace]) -> _Evidence:
        of_task: defaultdict[str, list[tuple[ChoicePlace, bool]]] = defaultdict(list)
        for place, fits in zip(places, how.fits, strict=True):
            of_task[place.task].append((place, fits))
        telling = [
            [(place, fits) for place, fits in task if place.is_telling]
            for task in of_task.values()
            if any(place.is_telling for place, _ in task)
        ]
        return cls(
            share=sum(map(_is_explained, of_task.values())) / len(of_task),
            choices=[_easiest(task) for task in telling],
            explained_choices=[_easiest(task) for task in telling if _is_explained(task)],
            windows=[place.window for task in telling for place, fits in task if fits],
        )

    @property
    def explained(self) -> int:
        """How many tasks in which rows were left out are explained."""
        return len(self.explained_choices)

    def bears_out(self, how: Explanation, tried: int, settings: MiningSettings) -> bool:
        """Say whether an explanation is more than an accident."""
        if (
            self.explained < max(_LEAST_TASKS, settings.sequence_support)
            or self.explained < settings.min_confidence * len(self.choices)
            or self.share < settings.min_confidence
            or is_arbitrary(self.choices, self.explained, tried)
        ):
            return False
        one_bound = how.is_constant and how.has_bound
        return not one_bound or not is_one_bound_by_accident(
            self.explained_choices, of=len(self.choices)
        )

    def is_more_than(self, simpler: Collection[Set[Window]], settings: MiningSettings) -> bool:
        """Say whether it explains enough tasks that no other explanation does by itself."""
        return all(
            len({window.log.task_id for window in self.windows if window not in others})
            >= settings.sequence_support
            for others in simpler
        )


def _is_explained(task: Sequence[tuple[ChoicePlace, bool]]) -> bool:
    return 2 * sum(fits for _, fits in task) >= len(task)


def _easiest(task: Sequence[tuple[ChoicePlace, bool]]) -> Choice:
    return min((place.choice for place, _ in task), key=lambda choice: choice.ways)
