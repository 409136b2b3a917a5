"""What a draft is to replace, run beside it: the code that agents wrote, or their calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from toolguild.policies import Tier
from toolguild.sandbox import (
    JsonObject,
    Limits,
    Outcome,
    Program,
    Sandbox,
    ToolGateway,
)
from toolguild.synth.drafting import Draft, OriginalCalls, OriginalCode
from toolguild.synth.mining import canonical
from toolguild.synth.plans import Plan
from toolguild.synth.validation.observation import Observation
from toolguild.synth.validation.plan_run import RunCode, run_composite
from toolguild.synth.validation.recorded_code import code_runner
from toolguild.synth.validation.together import Told, ToolsFor, program_for_all, read_all

__all__ = ["Reference", "reference_of"]


class Reference(ABC):
    """What a draft answers, as something that can be run on any input."""

    words: str
    """What it is, as a person calls it."""

    @abstractmethod
    def observe(
        self,
        arguments: JsonObject,
        tools: ToolGateway | None = None,
        limits: Limits | None = None,
    ) -> Observation:
        """Run it once.

        Args:
            arguments: Its arguments.
            tools: Answers its calls; what was recorded anywhere unless given.
            limits: What it may use; the usual ones unless given.

        Raises:
            SandboxUnavailableError: the sandbox cannot run anything.
        """

    @abstractmethod
    def observe_together(
        self,
        inputs: Sequence[JsonObject],
        tools_for: ToolsFor | None = None,
        limits: Limits | None = None,
    ) -> tuple[list[Observation] | None, float]:
        """Run it on every input in one process, and say how many seconds that took.

        None where that tells nothing: it came to no end, or not to results.

        Args:
            inputs: What to run it on.
            tools_for: Answers the calls for each; what was recorded anywhere unless given.
            limits: What the process may use; the usual ones unless given.

        Raises:
            SandboxUnavailableError: the sandbox cannot run anything.
        """

    def observe_all(self, inputs: Sequence[JsonObject]) -> list[Observation]:
        """Run it on every input, in one process where that can be done.

        Raises:
            SandboxUnavailableError: the sandbox cannot run anything.
        """
        observed, _ = self.observe_together(inputs)
        return observed or [self.observe(arguments) for arguments in inputs]


@dataclass(frozen=True)
class _Code(Reference):
    """Code that agents wrote, as a function of the draft's parameters.

    It runs behind the isolation alone, as the sessions do that it was cut out of: it was not
    written as a tool is, and nothing of it is kept.
    """

    code: OriginalCode
    sandbox: Sandbox
    limits: Limits
    words: str = "the code that agents wrote"

    def observe(
        self,
        arguments: JsonObject,
        tools: ToolGateway | None = None,
        limits: Limits | None = None,
    ) -> Observation:
        """Run it once; it calls no tools."""
        return Observation(self._run(self.code, arguments, limits or self.limits))

    def observe_together(
        self,
        inputs: Sequence[JsonObject],
        tools_for: ToolsFor | None = None,
        limits: Limits | None = None,
    ) -> tuple[list[Observation] | None, float]:
        """Run it on every input in one process; it calls no tools."""
        code = OriginalCode(*program_for_all(self.code.source, self.code.entry))
        outcome = self._run(code, {"inputs": [*inputs]}, limits or self.limits)
        told = read_all(outcome, inputs).told
        observed = None if told is None else [one.observation() for one in told]
        return observed, outcome.duration_s

    def _run(self, code: OriginalCode, arguments: JsonObject, limits: Limits) -> Outcome:
        program = Program(code.source, code.entry, walled=False)
        return self.sandbox.run(program, arguments, tier=Tier.SANDBOX, limits=limits)


@dataclass(frozen=True)
class _Calls(Reference):
    """Calls that agents made of tools, as a function of the draft's parameters."""

    plan: Plan
    tools: ToolGateway
    run_code: RunCode
    words: str = "the calls that agents made"

    def observe(
        self,
        arguments: JsonObject,
        tools: ToolGateway | None = None,
        limits: Limits | None = None,
    ) -> Observation:
        """Run it once, the plan here on the host, and code that is in it in the sandbox."""
        run = run_composite(self.plan, arguments, tools or self.tools, self.run_code)
        calls = tuple((tool, canonical(given)) for tool, given in run.calls)
        return Told(run.value, run.error or "", {}, calls).observation()

    def observe_together(
        self,
        inputs: Sequence[JsonObject],
        tools_for: ToolsFor | None = None,
        limits: Limits | None = None,
    ) -> tuple[list[Observation] | None, float]:
        """Run it on every input; it takes no time of its own."""
        observed = [
            self.observe(arguments, tools_for(number) if tools_for else None)
            for number, arguments in enumerate(inputs)
        ]
        return observed, _A_PLAN_S


_A_PLAN_S = 0.1
"""What plans are said to take: their tool's calls cross from the sandbox to the host."""


def reference_of(
    draft: Draft, sandbox: Sandbox, limits: Limits, tools: ToolGateway
) -> Reference | None:
    """Return what a draft is to replace, ready to run; None where that is not known.

    Args:
        draft: The draft.
        sandbox: Where code runs.
        limits: What one run of it may use.
        tools: Answers the calls of other tools.
    """
    match draft.original:
        case OriginalCode():
            return _Code(draft.original, sandbox, limits)
        case OriginalCalls(plan=plan):
            return _Calls(plan, tools, code_runner(sandbox, limits))
    return None
