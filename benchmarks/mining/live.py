"""Uses of tools in BFCL's scripts, tried on the simulators that the scripts ran against.

Recordings say what a call returned. Whether all is as it would have been afterwards only the live
tools can say: each script is run as it was written and once more with the uses of tools in it, and
the rest of it must return the same, and leave the same behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from benchmarks.bfcl.simulators import BfclTools, Simulators
from benchmarks.sandbox.report import Bound
from toolguild.policies import Tier
from toolguild.sandbox import Json, Limits, Program, Sandbox, ToolCallError
from toolguild.synth.measuring import Measured, Substitution
from toolguild.synth.mining import canonical

__all__ = ["HOW_TO_INSTALL", "LiveCheck", "is_available", "live_bounds", "live_words"]

HOW_TO_INSTALL = "pip install mpmath, and pip install --no-deps bfcl-eval"

_LIMITS = Limits(wall_s=2.0)


def is_available() -> bool:
    """Whether the simulators are installed."""
    return find_spec("bfcl_eval") is not None and find_spec("mpmath") is not None


@dataclass
class LiveCheck:
    """Tries uses of tools, and counts."""

    path: Path
    """The trajectories."""
    sandbox: Sandbox
    scripts: int = 0
    """Scripts with a use in them,"""
    uses: int = 0
    """and the uses."""
    unsound: list[str] = field(default_factory=list)
    """Scripts that went otherwise than they did without the tools, and how."""

    def __post_init__(self) -> None:
        """Read the scripts."""
        self._live = BfclTools(self.path)

    def try_all(self, measured: Measured) -> None:
        """Run every script in which a tool was used.

        Raises:
            SandboxUnavailableError: the tools cannot be run.
        """
        by_trace: defaultdict[str, list[Substitution]] = defaultdict(list)
        for one in measured.substitutions:
            by_trace[one.timeline.trace_id].append(one)
        for trace, uses in sorted(by_trace.items()):
            self.scripts += 1
            self.uses += len(uses)
            why = self._try(trace, uses)
            if why:
                self.unsound.append(f"{trace}: {why}")

    def _try(self, trace: str, uses: Sequence[Substitution]) -> str:
        """Return how a script goes otherwise with tools in it; "" where it does not."""
        calls = uses[0].timeline.calls
        as_written, with_tools = self._live.at_start(trace), self._live.at_start(trace)
        expected = [_answer(as_written, call.tool, call.arguments) for call in calls]
        starting = {use.start: use for use in uses}
        replaced = {position for use in uses for position in use.replaced}
        for position, call in enumerate(calls):
            if position in starting:
                why = self._run(starting[position], with_tools)
                if why:
                    return why
            elif position not in replaced:
                answer = _answer(with_tools, call.tool, call.arguments)
                if canonical(answer) != canonical(expected[position]):
                    return f"{call.tool} at {call.place} returns something else"
        same = canonical(as_written.state()) == canonical(with_tools.state())
        return "" if same else "something else is left behind"

    def _run(self, use: Substitution, simulators: Simulators) -> str:
        program = Program(use.tool.source, use.tool.name)
        outcome = self.sandbox.run(
            program, use.arguments, tier=Tier.SANDBOX, limits=_LIMITS, tools=simulators
        )
        return "" if outcome.ok else f"{use.tool.name} ends by {outcome.status}: {outcome.error}"


def live_bounds(live: LiveCheck | None) -> list[Bound]:
    """Return what must hold of the scripts that were tried, if any were."""
    if live is None:
        return []
    return [Bound("BFCL: scripts that go otherwise", "", "", len(live.unsound), 0, "scripts")]


def live_words(live: LiveCheck | None) -> str:
    """Return what was tried in words, for a page."""
    if live is None:
        return "- not tried on BFCL's simulators, which are not installed"
    told = f"- {live.uses} uses in {live.scripts} scripts were tried on BFCL's simulators"
    return "\n".join([told, *(f"- otherwise: {one}" for one in live.unsound)])


def _answer(simulators: Simulators, tool: str, arguments: dict[str, Json]) -> Json:
    try:
        return [simulators(tool, arguments)]
    except ToolCallError as error:
        return str(error)
