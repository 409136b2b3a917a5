"""What proven tools save together in recorded runs, each use of them seen to hold in the sandbox.

Composites save calls and code tools save text, so both are counted on one scale, in tokens: those
that the agent does not write, and for each call saved those that the model request after it would
have read again (`utility.prompts`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeAlias

from toolguild.sandbox import Sandbox
from toolguild.synth.drafting import Draft, OriginalCalls, OriginalEpisode
from toolguild.synth.measuring import PlannedTool, WrittenTool, measure
from toolguild.synth.mining import Sampled
from toolguild.synth.mining.programs import parse_session
from toolguild.synth.rewriting import CodeTool, Place, SessionCode, Twins, verified_places
from toolguild.synth.utility import Prompts, tokens_in

__all__ = ["MeasurableTool", "Saved", "VerifiedSavings", "measurable"]

MeasurableTool: TypeAlias = PlannedTool | WrittenTool | CodeTool


@dataclass(frozen=True, slots=True)
class Saved:
    """What tools save in recorded runs, estimated where these are a sample."""

    calls: float = 0.0
    characters: float = 0.0
    tokens: float = 0.0
    """Tokens neither written nor read again; what definitions take in prompts is not deducted."""

    def __add__(self, other: Saved) -> Saved:
        return Saved(
            self.calls + other.calls,
            self.characters + other.characters,
            self.tokens + other.tokens,
        )

    def __sub__(self, other: Saved) -> Saved:
        return self + other.times(-1)

    def times(self, factor: float) -> Saved:
        """Return what so many such runs save."""
        return Saved(factor * self.calls, factor * self.characters, factor * self.tokens)


def measurable(draft: Draft) -> MeasurableTool | None:
    """Return a drafted tool in the form that is looked for in runs; None where there is none."""
    if isinstance(draft.original, OriginalCalls):
        return PlannedTool(draft.name, draft.name, draft.source, draft.original.plan)
    if isinstance(draft.original, OriginalEpisode):
        return WrittenTool(draft.name, draft.name, draft.source, draft.original)
    return CodeTool.of(draft.name, draft)


class VerifiedSavings:
    """What any of some tools save together in some runs.

    Each run is measured once for each set of tools that have uses in it, however often it is asked
    for: most tools have uses in few runs.
    """

    def __init__(
        self,
        tools: Sequence[MeasurableTool],
        runs: Sequence[Sampled],
        prompts: Prompts,
        sandbox: Sandbox,
        executor: Executor,
        on_progress: Callable[[float], None] = lambda done: None,
    ) -> None:
        """Measure every tool alone in every run.

        Args:
            tools: The tools.
            runs: Recorded runs, each standing for as many as its weight says.
            prompts: What requests in these runs read.
            sandbox: Where tools and recorded code are run.
            executor: What measures several runs at once.
            on_progress: Called with the share of the runs that is done.

        Raises:
            SandboxUnavailableError: nothing can be run.
        """
        twins = Twins([tool for tool in tools if isinstance(tool, CodeTool)], sandbox)
        self._runs = [_Run(run, tools, twins, prompts, sandbox) for run in runs]
        self._executor = executor
        futures = [executor.submit(run.measure_each) for run in self._runs]
        try:
            for done, future in enumerate(futures, 1):
                future.result()
                on_progress(done / len(futures))
        finally:
            for future in futures:
                future.cancel()

    def of(self, tools: Sequence[int]) -> Saved:
        """Return what tools save together, given by their numbers."""
        together = frozenset(tools)
        concerned = [run for run in self._runs if run.useful & together]
        return sum(self._executor.map(lambda run: run.saved(together), concerned), Saved())


class _Run:
    """One recorded run."""

    def __init__(
        self,
        run: Sampled,
        tools: Sequence[MeasurableTool],
        twins: Twins,
        prompts: Prompts,
        sandbox: Sandbox,
    ) -> None:
        self._run = run
        self._tools = tools
        self._twins = twins
        self._prompts = prompts
        self._sandbox = sandbox
        # Here, for it is not safe in several threads: warnings are kept from showing meanwhile.
        self._session = parse_session(run.trace)
        self._places: list[Place] = []
        self._known: dict[frozenset[int], Saved] = {}
        self.useful: frozenset[int] = frozenset()
        """Tools that save anything here."""

    def measure_each(self) -> None:
        """Find out which tools save anything here, and what each of them does alone."""
        self._places = self._found_places()
        alone = {number: self._measure(frozenset([number])) for number in range(len(self._tools))}
        self.useful = frozenset(number for number, saved in alone.items() if saved.tokens > 0)
        self._known = {frozenset([number]): alone[number] for number in self.useful}

    def saved(self, tools: frozenset[int]) -> Saved:
        """Return what tools save together in the runs that this one stands for."""
        together = tools & self.useful
        if together not in self._known:
            self._known[together] = self._measure(together)
        return self._known[together]

    def _found_places(self) -> list[Place]:
        if not self._session.snippets:
            return []
        code = SessionCode(self._session)
        found = [
            place
            for tool in self._tools
            if isinstance(tool, CodeTool)
            for place in code.places(tool)
        ]
        return [*found, *self._twins.places(code)]

    def _measure(self, numbers: frozenset[int]) -> Saved:
        tools = [self._tools[number] for number in sorted(numbers)]
        composites = [tool for tool in tools if not isinstance(tool, CodeTool)]
        names = {tool.ref for tool in tools}
        places = [place for place in self._places if place.tool.ref in names]
        return (self._of_calls(composites) + self._of_code(places)).times(self._run.weight.runs)

    def _of_calls(self, composites: Sequence[PlannedTool | WrittenTool]) -> Saved:
        trace = self._run.trace
        if not composites or not any(True for _ in trace.calls()):
            return Saved()
        measured = measure(composites, [trace], self._sandbox)
        resent = sum(
            use.saved * self._prompts.of_request(trace.id, use.replaced_calls[0].place.step)
            for use in measured.substitutions
        )
        characters = measured.total.characters
        return Saved(measured.saved, characters, tokens_in(characters) + resent)

    def _of_code(self, places: Sequence[Place]) -> Saved:
        if not places:
            return Saved()
        kept = verified_places(self._session, places, self._sandbox)
        characters = sum(place.saved for place in kept)
        return Saved(0, characters, tokens_in(characters))
