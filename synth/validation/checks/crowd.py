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
from toolguild.synth.validation.together import ToolsFor

__all__ = ["check_crowd"]

_AT_ONCE = 250
_COMPOSITES_AT_ONCE = 25
"""Results of other tools are long, and one process may tell a megabyte."""
_MOST_CALLS = 8_000
"""A tool that calls others for every item of long lists gets fewer inputs."""
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
    inputs = subject.crowd_near(trials.inputs)
    size = _COMPOSITES_AT_ONCE if subject.draft.calls else _AT_ONCE
    for start in range(0, len(inputs), size):
        if crowd.calls > _MOST_CALLS:
            break
        if (failed := crowd.failure(_Chunk(start, inputs[start : start + size]))) is not None:
            return failed
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
        self.calls = 0
        """Calls of other tools that the original made on them."""

    def failure(self, chunk: _Chunk) -> Check | None:
        """Return the check, failed, if the tool does something else on one of these inputs."""

        def tools_for(number: int) -> VariedTools:
            return self._tools(chunk.start + number)

        limits = replace(self._limits, wall_s=_ORIGINAL_S)
        usual, took_s = self._original.observe_together(chunk.inputs, tools_for, limits)
        if usual is None:
            # Too much for the original at once; few inputs are left out then.
            return None if len(chunk.inputs) < _TOO_FEW else self._failure_in_halves(chunk)
        limits = replace(self._limits, wall_s=max(_SHORTEST_S, _PATIENCE * took_s))
        ran = self._subject.run_together(chunk.inputs, tools_for, limits)
        if ran.told is None:
            return self._failure_where_stopped(chunk, tools_for)
        self.compared += len(chunk.inputs)
        self.calls += sum(len(one.calls) for one in usual)
        pairs = enumerate(zip(chunk.inputs, usual, ran.told, strict=True), chunk.start)
        for number, (arguments, expected, one) in pairs:
            if not one.is_as(expected) and self._differs(number, arguments):
                return self._failed(number, arguments)
        return None

    def _failure_in_halves(self, chunk: _Chunk) -> Check | None:
        return next((told for half in chunk.halves() if (told := self.failure(half))), None)

    def _failure_where_stopped(self, chunk: _Chunk, tools_for: ToolsFor) -> Check | None:
        """Return why the tool comes to no end on a chunk on which the original does."""
        if len(chunk.inputs) > 1:
            found = self._failure_in_halves(chunk)
        else:
            number, arguments = chunk.start, chunk.inputs[0]
            found = self._failed(number, arguments) if self._differs(number, arguments) else None
        if found is not None:
            return found
        # Each input alone is as it should be. Once more, without haste, and then it is the tool's
        # fault: something is left from one input to the next.
        ran = self._subject.run_together(chunk.inputs, tools_for)
        if ran.told is not None:
            return None
        last = chunk.inputs[-1]
        observed = f"among {len(chunk.inputs)} inputs: {in_words(ran.outcome)}"
        expected = "as each of them alone"
        shown = counterexample(last, expected, ran.outcome, observed)
        return Check(CheckName.CROWD, False, observed, (shown,))

    def _differs(self, number: int, arguments: JsonObject) -> bool:
        """Whether runs of their own tell the two apart, too."""
        usual, observed = self._alone(number, arguments)
        return is_conclusive(usual.outcome) and usual.behaviour != observed.behaviour

    def _failed(self, number: int, arguments: JsonObject) -> Check:
        """Return the check, with the simplest input that tells the two apart."""
        usual, observed = self._alone(number, arguments)
        simplest = arguments
        if is_conclusive(observed.outcome):  # else every try that fails would take until the end
            simplest = self._subject.simplest(arguments, lambda one: self._differs(number, one))
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
