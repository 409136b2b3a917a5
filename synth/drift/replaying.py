"""Whether a composite depends on a field: its recorded runs, with and without the change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from toolguild.sandbox import Access, Sandbox
from toolguild.synth.drafting import Case
from toolguild.synth.drift.answers import Answer, Answers, RecordedAnswers
from toolguild.synth.drift.applying import as_of_today
from toolguild.synth.drift.comparing import ToolChange, changes_of
from toolguild.synth.drift.composites import Composite
from toolguild.synth.mining import canonical
from toolguild.synth.traces import ToolCall
from toolguild.synth.validation.observation import Observation, in_words
from toolguild.synth.validation.recordings import RecordedTools
from toolguild.synth.validation.subject import Subject

__all__ = ["Replayed", "Replays"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a composite's recorded runs do under a change of a tool that it calls."""

    reached: int = 0
    """Runs in which it calls the tool."""
    runs: int = 0
    """Those that could be replayed: the composite does in them what was recorded."""
    differing: int = 0
    """Those in which it does something else under the change."""
    broken: int = 0
    """Those in which it fails under the change, and did not before."""
    changes: tuple[ToolChange, ...] = ()
    """How its own results are others."""


class Replays:
    """Runs composites on their recordings, each of them without a change only once."""

    def __init__(self, sandbox: Sandbox, access: Access) -> None:
        """Take a sandbox, and what of the caller's files tools see in it."""
        self._sandbox, self._access = sandbox, access
        self._unchanged: dict[tuple[str, int], Observation] = {}

    def under(self, composite: Composite, changes: Sequence[ToolChange]) -> Replayed:
        """Replay a composite's runs with some fields of one tool changed.

        Raises:
            SandboxUnavailableError: the sandbox cannot run anything.
        """
        subject = Subject(composite.draft, self._sandbox, composite.settings, self._access)
        tool = changes[0].tool
        reached = [
            number
            for number, case in enumerate(composite.cases)
            if any(call.tool == tool for call in case.calls)
        ]
        compared = [self._compared(subject, composite, number, changes) for number in reached]
        pairs = [pair for pair in compared if pair is not None]
        differing = [pair for pair in pairs if pair.differs]
        return Replayed(
            reached=len(reached),
            runs=len(pairs),
            differing=len(differing),
            broken=sum(pair.breaks for pair in differing),
            changes=_own_changes(composite.version.spec.name, pairs) if differing else (),
        )

    def _compared(
        self, subject: Subject, composite: Composite, number: int, changes: Sequence[ToolChange]
    ) -> _Pair | None:
        """Run one case in both ways; None where it says nothing of the tool."""
        case = composite.cases[number]
        key = composite.version.digest, number
        if key not in self._unchanged:
            self._unchanged[key] = subject.run(case.arguments, RecordedTools(case.calls))
        before = self._unchanged[key]
        if not before.outcome.ok and case.error is None:
            return None
        after = subject.run(case.arguments, RecordedTools(_as_of_today(case, changes)))
        pair = _Pair(canonical(case.arguments), before, after)
        if pair.differs:
            again = subject.run(case.arguments, RecordedTools(case.calls))
            if again.behaviour != before.behaviour:
                return None
        return pair


@dataclass(frozen=True, slots=True)
class _Pair:
    """One recorded run of a composite, without a change and with it."""

    arguments: str
    before: Observation
    after: Observation

    @property
    def differs(self) -> bool:
        """Whether the result, the calls or the success are others."""
        return self.before.behaviour != self.after.behaviour

    @property
    def breaks(self) -> bool:
        """Whether it fails now, and did not before."""
        return self.before.outcome.ok and not self.after.outcome.ok


def _as_of_today(case: Case, changes: Sequence[ToolChange]) -> list[ToolCall]:
    return [_call_as_of_today(call, changes) for call in case.calls]


def _call_as_of_today(call: ToolCall, changes: Sequence[ToolChange]) -> ToolCall:
    answer = Answer(call.result, call.error)
    for change in changes:
        if change.tool == call.tool:
            answer = as_of_today(answer, change)
    return replace(call, result=answer.value, error=answer.error)


def _own_changes(name: str, pairs: Sequence[_Pair]) -> tuple[ToolChange, ...]:
    """Return how a composite's own results are others, as those of any tool are compared."""
    before: RecordedAnswers = {}
    after: RecordedAnswers = {}
    for number, pair in enumerate(pairs):
        for answers, seen in ((before, pair.before), (after, pair.after)):
            found = answers.setdefault((name, pair.arguments), Answers())
            found.add(_answer(seen), str(number))
    return tuple(changes_of(before, after))


def _answer(seen: Observation) -> Answer:
    outcome = seen.outcome
    return Answer(outcome.value) if outcome.ok else Answer(error=in_words(outcome))
