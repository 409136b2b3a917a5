"""Counting what tools would have saved, each saving seen to come out of the tool itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from toolguild.policies import Tier
from toolguild.sandbox import Json, JsonObject, Limits, Program, Sandbox, ToolCallError
from toolguild.synth.measuring.matching import (
    PlannedTool,
    Substitution,
    WrittenTool,
    substitutions,
)
from toolguild.synth.measuring.returned import parts_of
from toolguild.synth.measuring.written import written_uses
from toolguild.synth.mining import MiningSettings, canonical
from toolguild.synth.mining.code_steps import read_code_steps
from toolguild.synth.mining.timeline import Timeline
from toolguild.synth.plans import is_code
from toolguild.synth.traces import Trace

__all__ = ["Measured", "Tally", "measure"]

_LIMITS = Limits(wall_s=2.0)


@dataclass(slots=True)
class Tally:
    """What one tool would have saved."""

    uses: int = 0
    replaced: int = 0
    """Recorded calls of tools whose place it takes."""
    code_steps: int = 0
    """Recorded pieces of code whose place it takes as well."""
    extra: int = 0
    """Calls that it makes besides, all of which only read."""
    characters: int = 0
    """Characters that agents would not have written, less those of the tool's own calls."""

    @property
    def saved(self) -> int:
        """Calls that agents would have made less."""
        return self.replaced - self.uses

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.uses + other.uses,
            self.replaced + other.replaced,
            self.code_steps + other.code_steps,
            self.extra + other.extra,
            self.characters + other.characters,
        )


@dataclass(slots=True)
class Measured:
    """What tools would have saved in some runs."""

    traces: int = 0
    calls: int = 0
    """Recorded calls of tools, without those that are no work to save."""
    tallies: dict[str, Tally] = field(default_factory=dict)
    """By the tools' refs."""
    substitutions: list[Substitution] = field(default_factory=list)
    refused: list[tuple[Substitution, str]] = field(default_factory=list)
    """Proposals that the tool did not bear out, and why; none of them is counted."""

    @property
    def total(self) -> Tally:
        """What all of them would have saved together."""
        return sum(self.tallies.values(), Tally())

    @property
    def saved(self) -> int:
        """Calls that agents would have made less."""
        return self.total.saved

    @property
    def share(self) -> float:
        """Share of the recorded calls that is saved."""
        return self.saved / self.calls if self.calls else 0.0


def measure(
    tools: Sequence[PlannedTool | WrittenTool],
    traces: Iterable[Trace],
    sandbox: Sandbox | None,
    settings: MiningSettings = MiningSettings(),
    on_progress: Callable[[int], None] = lambda traces: None,
) -> Measured:
    """Count what tools would have saved in recorded runs.

    A use of a tool counts where the tool, run on arguments that were known before its first call,
    returns the recorded result of every call whose place it takes, and makes no other call but
    such as only read.

    Args:
        tools: Composites with their plans, and tools that were written; where several fit, the one
            that saves most is used.
        traces: The runs; for an honest figure, none that the tools were made from.
        sandbox: Where the tools run, every call answered as recorded. None to take their plans at
            their word, which is quick, for choosing among tools; those without one save nothing.
        settings: Which tools are no work to save.
        on_progress: Called with the number of traces so far.

    Raises:
        SandboxUnavailableError: the tools cannot be run.
    """
    measured = Measured(tallies={tool.ref: Tally() for tool in tools})
    for trace in traces:
        timeline = Timeline(read_code_steps(trace).trace, settings.ignored_tools)
        measured.traces += 1
        measured.calls += sum(not is_code(call.tool) for call in timeline.calls)
        _measure_run(tools, timeline, sandbox, measured)
        on_progress(measured.traces)
    return measured


def _measure_run(
    tools: Sequence[PlannedTool | WrittenTool],
    timeline: Timeline,
    sandbox: Sandbox | None,
    measured: Measured,
) -> None:
    """Put tools in the place of calls of one run, those that save most first."""
    planned = [tool for tool in tools if isinstance(tool, PlannedTool)]
    others = [tool for tool in tools if isinstance(tool, WrittenTool)]
    written = [*written_uses(others, timeline, sandbox)] if sandbox else []
    taken: frozenset[int] = frozenset()
    refused: set[tuple[str, int, str]] = set()
    while True:
        proposals = [
            proposal
            for start in range(len(timeline))
            for tool in planned
            for proposal in substitutions(tool, timeline, start, taken)
            if _key(proposal) not in refused
        ]
        proposals += [use for use in written if not taken.intersection(use.replaced)]
        if not proposals:
            return
        best = min(proposals, key=_rank)
        why_not = _unsound(best, sandbox) if sandbox and not best.is_verified else ""
        if why_not:
            refused.add(_key(best))
            measured.refused.append((best, why_not))
            continue
        taken |= {*best.replaced}
        measured.substitutions.append(best)
        tally = measured.tallies[best.tool.ref]
        tally.uses += 1
        code_steps = sum(is_code(call.tool) for call in best.replaced_calls)
        tally.code_steps += code_steps
        tally.replaced += len(best.replaced) - code_steps
        tally.extra += len(best.extra)
        tally.characters += _characters(best)


def _rank(one: Substitution) -> tuple[int, int, int, str]:
    return -one.saved, len(one.extra), one.start, one.tool.ref


def _key(one: Substitution) -> tuple[str, int, str]:
    return one.tool.ref, one.start, canonical([one.arguments, list(one.replaced)])


def _characters(one: Substitution) -> int:
    written = sum(len(call.tool) + len(canonical(call.arguments)) for call in one.replaced_calls)
    return written - len(one.tool.name) - len(canonical(one.arguments))


def _unsound(one: Substitution, sandbox: Sandbox) -> str:
    """Run a tool; return why it does not take the place of the calls, "" where it does."""
    answers = _Answers(one)
    program = Program(one.tool.source, one.tool.name)
    outcome = sandbox.run(program, one.arguments, tier=Tier.SANDBOX, limits=_LIMITS, tools=answers)
    if not outcome.ok:
        return f"the tool ends by {outcome.status}: {outcome.error}"
    if answers.refused:
        return f"the tool also calls {answers.refused}"
    if answers.left:
        return f"the tool does not call {answers.left[0].tool} as recorded"
    returned = parts_of(outcome.value)
    missing = [
        "code" if is_code(call.tool) else call.tool
        for call in one.replaced_calls
        if call.error is None and canonical(call.result) not in returned
    ]
    return f"the tool does not return what {missing[0]} returned" if missing else ""


class _Answers:
    """Answers the calls of a tool as recorded, each recorded call once."""

    def __init__(self, one: Substitution) -> None:
        self.left = [call for call in one.replaced_calls if not is_code(call.tool)]
        """Recorded calls that were not made yet."""
        self.refused = ""
        """The first tool that was called otherwise."""
        self._extra = [(tool, canonical(arguments)) for tool, arguments in one.extra]
        self._timeline = one.timeline

    def __call__(self, name: str, arguments: JsonObject) -> Json:
        for number, call in enumerate(self.left):
            if call.tool == name and canonical(call.arguments) == canonical(arguments):
                del self.left[number]
                if call.error is not None:
                    raise ToolCallError(call.error)
                return call.result
        if (name, canonical(arguments)) in self._extra:
            # What it really returned nobody knows; it takes the place of no recorded result.
            return next((call.result for call in self._timeline.calls if call.tool == name), None)
        self.refused = self.refused or name
        message = f"{name} was not called like this"
        raise ToolCallError(message)
