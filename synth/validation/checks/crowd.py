"""That the tool does as its original on thousands of inputs, all of them in few processes.

What is wrong for one input in a few hundred is hardly found with a hundred. So small changes of
those are made by the thousand and given to both at once; what differs there is run alone by both
before it counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from toolguild.sandbox import JsonObject, Limits
from toolguild.synth.validation.checks.trials import Trials
from toolguild.synth.validation.observation import (
    Observation,
    in_words,
    is_conclusive,
    short,
)
from toolguild.synth.validation.recordings import VariedTools
from toolguild.synth.validation.reference import Reference
from toolguild.synth.validation.report import Check, CheckName
from toolguild.synth.validation.subject import Subject, counterexample

__all__ = ["check_crowd"]

_AT_ONCE = 250
_COMPOSITES_AT_ONCE = 25
"""Results of other tools are long, and one process may tell a megabyte."""
_MEMORY_MB = 48
"""What the original does with so much, the tool must."""
_ORIGINAL_S = 0.5
_PATIENCE = 10.0
_SHORTEST_S = 0.25
_TOO_FEW = 60
"""Fewer inputs are not parted any more where the original comes to no end on them."""


def check_crowd(trials: Trials, original: Reference | None) -> Check:
    """Check that the tool does on very many inputs what the original does, at no other price."""
    subject = trials.subject
    if original is None or not subject.runs_together:
        return Check(CheckName.CROWD, None, "nothing that it could be compared with")
    crowd = _Crowd(subject, original)
    inputs = subject.neighbours(trials.inputs)
    size = _COMPOSITES_AT_ONCE if subject.draft.calls else _AT_ONCE
    for start in range(0, len(inputs), size):
        for number, arguments in crowd.suspects(_Chunk(start, inputs[start : start + size])):
            if crowd.differs(number, arguments):
                return crowd.failed(number, arguments)
    if not crowd.compared:
        return Check(CheckName.CROWD, None, f"{original.words} came to no end on any")
    return Check(CheckName.CROWD, True, f"{crowd.compared:,} inputs, as {original.words}")


@dataclass(frozen=True, slots=True)
class _Chunk:
    start: int
    """Number of its first input among all."""
    inputs: Sequence[JsonObject]

    def halves(self) -> tuple[_Chunk, _Chunk]:
        middle = len(self.inputs) // 2
        return (
            _Chunk(self.start, self.inputs[:middle]),
            _Chunk(self.start + middle, self.inputs[middle:]),
        )


class _Crowd:
    """One tool and its original, to be run side by side under narrow limits."""

    def __init__(self, subject: Subject, original: Reference) -> None:
        self._subject = subject
        self._original = original
        self._limits = replace(subject.settings.limits, memory_mb=_MEMORY_MB)
        self.compared = 0
        """Inputs on which both were run so far."""

    def suspects(self, chunk: _Chunk) -> list[tuple[int, JsonObject]]:
        """Return inputs that seem to tell the two apart, with their numbers."""

        def tools_for(number: int) -> VariedTools:
            return self._tools(chunk.start + number)

        limits = replace(self._limits, wall_s=_ORIGINAL_S)
        usual, took_s = self._original.observe_together(chunk.inputs, tools_for, limits)
        if usual is None:
            return self._parted(chunk)
        limits = replace(self._limits, wall_s=max(_SHORTEST_S, _PATIENCE * took_s))
        told = self._subject.run_together(chunk.inputs, tools_for, limits)
        if told is None:
            return self._narrowed(chunk)
        self.compared += len(chunk.inputs)
        pairs = enumerate(zip(chunk.inputs, usual, told, strict=True), chunk.start)
        return [
            (number, arguments)
            for number, (arguments, expected, one) in pairs
            if not one.is_as(expected)
        ]

    def _parted(self, chunk: _Chunk) -> list[tuple[int, JsonObject]]:
        """Return the same of the halves of a chunk that is too much for the original."""
        if len(chunk.inputs) < _TOO_FEW:
            return []
        return [one for half in chunk.halves() for one in self.suspects(half)]

    def _narrowed(self, chunk: _Chunk) -> list[tuple[int, JsonObject]]:
        """Return the first input of a chunk that seems to be why the tool comes to no end on it."""
        if len(chunk.inputs) == 1:
            return [(chunk.start, chunk.inputs[0])]
        found = (self.suspects(half) for half in chunk.halves())
        return next((told for told in found if told), [])

    def differs(self, number: int, arguments: JsonObject) -> bool:
        """Whether runs of their own tell the two apart, too."""
        usual, observed = self._alone(number, arguments)
        return is_conclusive(usual.outcome) and usual.behaviour != observed.behaviour

    def failed(self, number: int, arguments: JsonObject) -> Check:
        """Return the check, with the simplest input that tells the two apart."""
        usual, observed = self._alone(number, arguments)
        simplest = arguments
        if is_conclusive(observed.outcome):  # else every try that fails would take until the end
            simplest = self._subject.simplest(arguments, lambda one: self.differs(number, one))
            usual, observed = self._alone(number, simplest)
        expected, told = in_words(usual.outcome), in_words(observed.outcome)
        if expected == told:
            expected, told = "calls as the original calls", "calls tools otherwise"
        found = counterexample(simplest, expected, observed.outcome, told)
        detail = f"{short(simplest)} {told}, not as {self._original.words}"
        return Check(CheckName.CROWD, False, detail, (found,))

    def _alone(self, number: int, arguments: JsonObject) -> tuple[Observation, Observation]:
        limits: Limits = replace(self._limits, wall_s=1.0)
        usual = self._original.observe(arguments, self._tools(number), limits)
        return usual, self._subject.run(arguments, self._tools(number), limits)

    def _tools(self, number: int) -> VariedTools:
        return VariedTools(self._subject.simulated, number)
