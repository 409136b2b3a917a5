"""Where the answers of tools are others today than the recorded ones, and in which of their calls.

The recordings are those of one composite: others may have been validated on newer ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from toolguild.policies.drift import Change, FieldChange
from toolguild.synth.drift.answers import Answer, Answers, RecordedAnswers
from toolguild.synth.drift.differences import Comparison, Difference, kind_of_answer
from toolguild.synth.drift.fields import FieldPath, Layout, render_field
from toolguild.synth.mining import believed_read_only

__all__ = ["ToolChange", "changes_of", "counted"]

_STEADY_RUNS = 2
"""Runs in which a call has to be recorded to show whether its values change."""


@dataclass(frozen=True, slots=True)
class ToolChange:
    """How a field of a tool's answers is different, in which calls, and with what values."""

    tool: str
    difference: Difference
    changed: frozenset[str]
    """The calls in which it is different, by their arguments."""
    compared: frozenset[str]
    """The calls in which it could be compared."""
    today: Mapping[str, Answer]
    """What stands there now, by the text of what stood there, as an answer of its own."""
    example: Answer
    """What stands there now in one of the calls; null where nothing does."""

    @property
    def name(self) -> tuple[str, str, Change, str]:
        """What is equal for the same change in several sets of recordings."""
        path, change = self.difference.path, self.difference.change
        to = self.difference.to
        if change is Change.RENAMED:
            to = render_field((*path[:-1], to))
        return self.tool, render_field(path), change, to


def counted(changes: Iterable[ToolChange]) -> FieldChange:
    """Return the same change in several sets of recordings as one, counted over all their calls."""
    ones = [*changes]
    changed = frozenset[str]().union(*(one.changed for one in ones))
    compared = frozenset[str]().union(*(one.compared for one in ones))
    return FieldChange(*ones[0].name, changed=len(changed), comparable=len(compared))


def changes_of(recorded: RecordedAnswers, today: RecordedAnswers) -> list[ToolChange]:
    """Return how tools' answers are different, by tool.

    A difference counts for a call if each of today's answers shows it: within one run, an answer
    may be another one for what the run itself has changed.

    Args:
        recorded: The answers that a tool was validated on.
        today: Those that the same calls get now.
    """
    shared = sorted(recorded.keys() & today.keys())
    found: list[ToolChange] = []
    for tool in sorted({tool for tool, _ in shared}):
        tally = _Tally(tool, _layout_of(tool, recorded))
        for key in shared:
            if key[0] == tool:
                tally.add(key[1], recorded[key], today[key])
        found += tally.changes()
    return found


def _layout_of(tool: str, recorded: RecordedAnswers) -> Layout:
    of_tool = (answers for key, answers in recorded.items() if key[0] == tool)
    distinct = {answer.text: answer for answers in of_tool for answer in answers}
    return Layout.of([answer.value for answer in distinct.values() if answer.error is None])


@dataclass(frozen=True, slots=True)
class _Seen:
    """What shows one difference."""

    calls: set[str] = field(default_factory=set)
    today: dict[str, Answer] = field(default_factory=dict)
    examples: list[Answer] = field(default_factory=list)


class _Tally:
    """The differences in the calls of one tool."""

    def __init__(self, tool: str, layout: Layout) -> None:
        self._tool, self._layout = tool, layout
        self._seen: defaultdict[Difference, _Seen] = defaultdict(_Seen)
        self._compared: defaultdict[tuple[FieldPath, bool], set[str]] = defaultdict(set)
        """Calls, by the field that was compared, and whether its values were steady."""

    def add(self, call: str, recorded: Answers, today: Answers) -> None:
        """Compare the answers to one call."""
        steady = believed_read_only(self._tool) and len(recorded.runs) >= _STEADY_RUNS
        comparisons = [
            Comparison(self._layout, [*recorded], answer, steady=steady) for answer in today
        ]
        first = comparisons[0]
        for path in first.compared:
            self._compared[path, first.is_steady(path)].add(call)
        for difference in frozenset.intersection(*(one.differences for one in comparisons)):
            seen = self._seen[difference]
            seen.calls.add(call)
            if difference.path:
                seen.today.update(_replacements(first, difference))
                seen.examples.extend(_examples(first, difference))
            else:
                answer = next(iter(today))
                seen.today.update((before.text, answer) for before in recorded)
                seen.examples.append(answer)

    def changes(self) -> list[ToolChange]:
        """Return the differences."""
        return [
            ToolChange(
                tool=self._tool,
                difference=difference,
                changed=frozenset(seen.calls),
                compared=self._compared_for(difference),
                today=seen.today,
                example=seen.examples[0] if seen.examples else Answer(),
            )
            for difference, seen in sorted(self._seen.items(), key=lambda one: repr(one[0]))
        ]

    def _compared_for(self, difference: Difference) -> frozenset[str]:
        """Return the calls in which it could be seen; a new key, where there is what holds it."""
        is_new = difference.change is Change.NEW
        place = difference.path[:-1] if is_new else difference.path
        steady, other = self._compared[place, True], self._compared[place, False]
        match difference.change:
            case Change.STEADY_VALUE:
                return frozenset(steady)
            case Change.VALUE:
                return frozenset(other)
        return frozenset(steady | other)


def _replacements(comparison: Comparison, difference: Difference) -> dict[str, Answer]:
    """Return the values of a field as they are now, by the text of what they were."""
    now = comparison.now.get(difference.path, ())
    before = comparison.before[0].get(difference.path, ())
    if len(before) != len(now):
        return {}
    return {Answer(old).text: Answer(new) for old, new in zip(before, now, strict=True)}


def _examples(comparison: Comparison, difference: Difference) -> list[Answer]:
    now = [Answer(value) for value in comparison.now.get(difference.path, ())]
    if difference.change is not Change.KIND:
        return now[:1]
    return [answer for answer in now if difference.is_of(kind_of_answer(answer))][:1]
