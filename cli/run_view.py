"""A run of an agent as a person sees it, while it happens: stages, calls, and what came of them."""

from __future__ import annotations

from toolguild.agent.stages import (
    CallEnded,
    Configuration,
    Configured,
    Ended,
    Event,
    Reconfigured,
    RefusedMeta,
    Reminded,
    Replied,
    RunStarted,
    Tokens,
)
from toolguild.cli.console import err, plain

__all__ = ["RunView", "in_short"]

_WIDTH = 100
"""Characters of a text that is shown on one line."""


class RunView:
    """Writes each event to stderr as it comes."""

    def __init__(self) -> None:
        """Show nothing yet."""
        self._stage = 0
        self._tokens = Tokens()

    def __call__(self, event: Event) -> None:
        """Show an event."""
        self._tokens += getattr(event, "tokens", Tokens())
        match event:
            case RunStarted():
                self._line(f"Run {event.run}, model {event.model}", "dim")
            case Configured():
                self._begin(event.configuration, event.notes)
            case Reconfigured():
                self._line(f"  done: {in_short(event.summary)}")
                self._line(f"  why another: {in_short(event.rationale)}")
                self._begin(event.new, event.notes)
            case Replied() if event.text.strip():
                self._line(f"  says: {in_short(event.text)}", "dim")
            case CallEnded():
                self._call(event)
            case RefusedMeta():
                self._line(f"  refused: {in_short(event.why)}", "yellow")
            case Reminded():
                self._line(f"  told: {in_short(event.text)}", "yellow")
            case Ended():
                self._end(event)

    def _begin(self, configuration: Configuration, notes: tuple[str, ...]) -> None:
        self._stage += 1
        self._line(f"Stage {self._stage}: {in_short(configuration.sub_goal)}", "bold")
        self._line(f"  tools: {', '.join(configuration.toolbox) or 'none'}", "dim")
        self._line(f"  strategy: {in_short(configuration.strategy)}", "dim")
        for note in notes:
            self._line(f"  mended: {in_short(note)}", "yellow")

    def _call(self, event: CallEnded) -> None:
        took = f"{event.seconds * 1000:,.0f} ms" if event.ran else "not called"
        mark, style = ("ok", "green") if event.ok else ("failed", "red")
        self._line(f"  {event.name} {in_short(event.arguments)}: {mark}, {took}", style)
        self._line(f"    {in_short(event.text)}")

    def _end(self, event: Ended) -> None:
        tokens = self._tokens
        stages = "1 stage" if self._stage == 1 else f"{self._stage} stages"
        took = f"{stages}, {tokens.requests} requests, {tokens.total:,} tokens"
        self._line(f"{event.status.capitalize()}: {took}", "bold")
        if event.stalled:
            self._line(f"  stalled {in_short(event.stalled)}", "yellow")
        if event.handed_over:
            self._line("  How to go on is yours to decide.", "yellow")

    @staticmethod
    def _line(text: str, style: str = "") -> None:
        err.print(plain(text, style))


def in_short(text: str) -> str:
    """Return a text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _WIDTH else f"{line[:_WIDTH]}..."
