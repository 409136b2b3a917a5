"""Live tools of which copies can be made, to be worked on and thrown away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from toolguild.sandbox import Json, JsonObject, ToolCallError
from toolguild.synth.drafting import Case
from toolguild.synth.mining import canonical
from toolguild.synth.validation.differences import difference

__all__ = ["LiveTools", "Scratch", "Watched", "other_states"]


class Scratch(Protocol):
    """A copy of the world that tools work on. What happens to it happens to nothing else.

    It stands outside the sandbox, and is called with whatever the tool under test comes up with.
    """

    def __call__(self, name: str, arguments: JsonObject, /) -> Json:
        """Call a tool on this copy.

        Raises:
            ToolCallError: there is no such tool, or it fails.
        """

    def state(self) -> Json:
        """Return all that a later call could depend on, as plain JSON.

        Times of day and the like, which differ between two copies that were treated alike, are to
        be left out.
        """


class LiveTools(Protocol):
    """Tools that can be rehearsed with."""

    def scratch(self, case: Case, /) -> Scratch | None:
        """Return a fresh copy in the state in which the first recorded call of a case was made.

        None where that state cannot be had.
        """


class Watched:
    """A copy of the world that remembers what states it went through.

    Args:
        scratch: The copy.
        most: States to keep; once there are so many, the last one gives way to the next.
    """

    def __init__(self, scratch: Scratch, most: int | None = None) -> None:
        self._scratch = scratch
        self._most = most
        self.states = [canonical(scratch.state())]
        """The state at the start and after each call that changed it, as canonical text."""

    def __call__(self, name: str, arguments: JsonObject) -> Json:
        """Hand a call on.

        Raises:
            ToolCallError: the tool fails.
        """
        try:
            return self._scratch(name, arguments)
        finally:
            state = canonical(self._scratch.state())
            if state != self.states[-1]:
                if len(self.states) == self._most:
                    self.states.pop()
                self.states.append(state)

    def answer(self, name: str, arguments: JsonObject) -> tuple[str, bool]:
        """Return the canonical text of a call's result, and whether it is one.

        Of a call that failed there is none: what failures say in words does not count.
        """
        try:
            return canonical(self(name, arguments)), True
        except ToolCallError:
            return "", False


def other_states(expected: Sequence[str], observed: Sequence[str]) -> str:
    """Say how a watched copy was left otherwise than another, or came to the same by another way.

    Empty where both went through the same states.
    """
    if [*expected] == [*observed]:
        return ""
    if expected[-1] != observed[-1]:
        return f"leaves another state: {_between(expected[-1], observed[-1])}"
    way = "leaves the same state by another way"
    for number, (one, other) in enumerate(zip(expected, observed, strict=False)):
        if one != other:
            return f"{way}: after change {number} {_between(one, other)}"
    return f"{way}: by {'more' if len(observed) > len(expected) else 'fewer'} changes"


def _between(expected: str, observed: str) -> str:
    return difference(json.loads(expected), json.loads(observed))
