"""Where tools without a plan could have been called: found by running them.

A tool is called with what the calls of a run were given, as far as that was known by then, and its
own calls are answered by the calls of the run from there on. A call of the run is replaced where
the tool made it and returns its result, or where it failed. Whatever else the tool made, the agent
is taken to have made as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from toolguild.policies import Tier
from toolguild.sandbox import Json, JsonObject, Limits, Program, Sandbox, ToolCallError
from toolguild.synth.measuring.matching import Substitution, WrittenTool
from toolguild.synth.measuring.returned import parts_of
from toolguild.synth.mining import believed_read_only, canonical
from toolguild.synth.mining.timeline import Timeline

__all__ = ["written_uses"]

_LIMITS = Limits(wall_s=2.0)
_AHEAD = 60
"""Calls of a run after the first that a tool may take the place of."""


def written_uses(
    tools: Sequence[WrittenTool], timeline: Timeline, sandbox: Sandbox
) -> Iterator[Substitution]:
    """Yield what tools could have taken the place of in a run, each use seen to hold.

    Raises:
        SandboxUnavailableError: the tools cannot be run.
    """
    for tool in tools:
        for start, call in enumerate(timeline.calls):
            if call.tool == tool.original.called_at:
                arguments = _arguments(tool, timeline, start)
                use = arguments and _use(tool, timeline, start, arguments, sandbox)
                if use:
                    yield use


def _arguments(tool: WrittenTool, timeline: Timeline, start: int) -> JsonObject | None:
    """Return what the tool could be called with; None where that was not known by then."""
    arguments: JsonObject = {}
    for parameter, (called, argument) in tool.original.takes.items():
        calls = (call for call in timeline.calls[start : start + _AHEAD] if call.tool == called)
        first = next(calls, None)
        if first is None or argument not in first.arguments:
            return None
        value = first.arguments[argument]
        if not timeline.knew(value, start):
            return None
        arguments[parameter] = value
    return arguments


def _use(
    tool: WrittenTool, timeline: Timeline, start: int, arguments: JsonObject, sandbox: Sandbox
) -> Substitution | None:
    answers = _FromThere(timeline, start)
    program = Program(tool.source, tool.name)
    outcome = sandbox.run(program, arguments, tier=Tier.SANDBOX, limits=_LIMITS, tools=answers)
    if not outcome.ok or answers.unknown:
        return None
    returned = parts_of(outcome.value)
    replaced = [
        position
        for position in answers.made
        if timeline.calls[position].error is not None
        or canonical(timeline.calls[position].result) in returned
    ]
    if start not in answers.made and timeline.calls[start].error is not None:
        replaced.append(start)
    extra = [position for position in answers.made if position not in replaced]
    replaced.sort()
    if len(replaced) < 2 or replaced[0] != start:
        return None
    if not timeline.could_be_made_at(start, sorted([*replaced, *extra])):
        return None
    calls = [timeline.calls[position] for position in extra]
    return Substitution(
        tool,
        timeline,
        arguments,
        tuple(replaced),
        tuple((call.tool, call.arguments) for call in calls),
        is_verified=True,
    )


class _FromThere:
    """Answers calls by those of a run from some position on, each of them once."""

    def __init__(self, timeline: Timeline, start: int) -> None:
        self._timeline = timeline
        self._left = [*range(start, min(start + _AHEAD, len(timeline)))]
        self.made: list[int] = []
        """The positions of the calls that were made, in their order."""
        self.unknown = ""
        """The first tool that was called otherwise."""

    def __call__(self, name: str, arguments: JsonObject) -> Json:
        """Return what the run has.

        Raises:
            ToolCallError: the call failed there, or there is none.
        """
        given = canonical(arguments)
        for position in self._left if believed_read_only(name) else ():
            call = self._timeline.calls[position]
            if call.tool == name and canonical(call.arguments) == given:
                self._left.remove(position)
                self.made.append(position)
                if call.error is not None:
                    raise ToolCallError(call.error)
                result: Json = call.result
                return result
        self.unknown = self.unknown or name
        message = f"{name} was not called like this"
        raise ToolCallError(message)
