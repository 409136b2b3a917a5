"""The calls of one recorded run, and which of them could have been made earlier."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from toolguild.sandbox import Json
from toolguild.synth.mining.dataflow import KnownText, canonical
from toolguild.synth.mining.verbs import believed_read_only
from toolguild.synth.traces import CodeExecution, ToolCall, Trace

__all__ = ["Timeline"]


class Timeline:
    """The calls of a run in order, failed ones included, without those that are no work to save.

    Positions count these calls from 0.
    """

    def __init__(self, trace: Trace, ignored: Collection[str]) -> None:
        """Read a trace.

        Args:
            trace: The recorded run.
            ignored: Tools that are no work (thinking, ending the run), in lower case.
        """
        self.trace_id = trace.id
        self.task_id = trace.task.id
        self.calls: list[ToolCall] = []
        self._known = KnownText()
        self._moments: list[int] = []
        self._spoken: set[int] = set()
        self._ran: set[int] = set()
        """Positions before which the agent ran code, which may have done anything."""
        self._by_content: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self._known.add(trace.task.text)
        for step in trace.steps:
            self._known.add(step.heard)
            if step.heard:
                self._spoken.add(len(self.calls))
            if isinstance(step, ToolCall) and step.tool.lower() not in ignored:
                self._by_content[step.tool, canonical(step.arguments)].append(len(self.calls))
                self._moments.append(self._known.moment())
                self.calls.append(step)
            if isinstance(step, CodeExecution):
                self._ran.add(len(self.calls))
            self._known.add(step.result)

    def __len__(self) -> int:
        return len(self.calls)

    def knew(self, value: Json, position: int) -> bool:
        """Whether a value could be given before the call at a position was made.

        It was said or returned by then, or is among that call's own arguments.
        """
        given = self.calls[position].arguments.values()
        return value in given or self._known.knew(value, self._moments[position])

    def is_unbroken(self, first: int, last: int) -> bool:
        """Whether the agent went from one call to another without a word of the user's or code."""
        between = range(first + 1, last + 1)
        return not any(position in self._spoken or position in self._ran for position in between)

    def same_calls(self, tool: str, arguments: Json) -> Sequence[int]:
        """Return where a tool was called with these arguments."""
        return self._by_content.get((tool, canonical(arguments)), ())

    def calls_of(self, tool: str, after: int) -> Iterator[int]:
        """Yield where a tool was called after a position."""
        places = range(after + 1, len(self.calls))
        return (position for position in places if self.calls[position].tool == tool)

    def could_be_made_at(self, start: int, taken: Sequence[int]) -> bool:
        """Whether calls could have been made one after another in the place of the first.

        A call that reads may be made earlier where nothing wrote meanwhile, and one that may write
        where nothing at all happened meanwhile: no other call, and no word of the user's, which
        may have been a consent. Nothing is moved past code that the agent ran. What is done in one
        order must have been done in it.

        Args:
            start: The position of the first.
            taken: All of them, in the order in which they would be made.
        """
        made = set(taken)
        if any(start < ran <= position for ran in self._ran for position in taken):
            return False
        for turn, position in enumerate(taken):
            between = [other for other in range(start, position) if other not in made]
            if believed_read_only(self.calls[position].tool):
                if any(not believed_read_only(self.calls[other].tool) for other in between):
                    return False
            elif between or any(start < spoken <= position for spoken in self._spoken):
                return False
            for other in taken[:turn]:
                both_read = all(
                    believed_read_only(self.calls[one].tool) for one in (position, other)
                )
                if other > position and not both_read:
                    return False
        return True
