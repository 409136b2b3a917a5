"""What one run of a tool shows to the outside, and when two runs show the same."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from toolguild.sandbox import Json, JsonObject, Outcome, Status, ToolGateway
from toolguild.synth.mining import believed_read_only, canonical

__all__ = ["NotedTools", "Observation", "error_type", "in_words", "is_conclusive", "short"]

_MAX_SHOWN = 120
_MAX_ERROR = 200


@dataclass(frozen=True, slots=True)
class Observation:
    """What one run shows to the outside."""

    outcome: Outcome
    calls: tuple[tuple[str, str], ...] = ()
    """The tools that it called, each with the canonical text of its arguments, in order."""

    @property
    def behaviour(self) -> tuple[object, ...]:
        """What must be equal in two runs that do the same.

        Calls that only read may come in any order between two that may write. What a failure says
        in words does not count.
        """
        outcome = self.outcome
        return (
            outcome.status,
            canonical(outcome.value),
            error_type(outcome),
            outcome.changes,
            *self._stretches(),
        )

    def _stretches(self) -> list[tuple[tuple[str, str], ...]]:
        """Return the calls in order, but those that only read sorted where they follow another."""
        grouped = groupby(self.calls, key=lambda call: believed_read_only(call[0]))
        return [tuple(sorted(calls) if only_read else calls) for only_read, calls in grouped]


class NotedTools:
    """Hands calls on, and notes them whether they succeed or not."""

    def __init__(self, tools: ToolGateway) -> None:
        self._tools = tools
        self.calls: list[tuple[str, str]] = []

    def __call__(self, name: str, arguments: JsonObject) -> Json:
        """Answer a call as the tools do.

        Raises:
            ToolCallError: the tools fail the call.
        """
        self.calls.append((name, canonical(arguments)))
        return self._tools(name, arguments)


def error_type(outcome: Outcome) -> str:
    """Return the type of the exception that ended a run; "" where none did."""
    return outcome.error.split(":")[0].strip() if outcome.status is Status.ERROR else ""


def is_conclusive(outcome: Outcome) -> bool:
    """Whether a run says what the tool does; a limit only says what it costs."""
    return outcome.status in (Status.OK, Status.ERROR)


def in_words(outcome: Outcome) -> str:
    """Return how a run ended, as a person says it."""
    if outcome.ok:
        return f"returns {short(outcome.value)}"
    if outcome.status is Status.ERROR:
        return f"raises {outcome.error[:_MAX_ERROR]}"
    return f"ends by {outcome.status}: {outcome.error[:_MAX_ERROR]}"


def short(value: Json) -> str:
    """Return a value as one short line."""
    text = canonical(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 3]}..."
