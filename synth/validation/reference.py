"""What a draft is to replace, run beside it: the code that agents wrote, or their calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from toolguild.policies import Tier
from toolguild.sandbox import (
    Json,
    JsonObject,
    Limits,
    Outcome,
    Program,
    Sandbox,
    Status,
    ToolGateway,
)
from toolguild.synth.drafting import Draft, OriginalCalls, OriginalCode
from toolguild.synth.mining import Plan, canonical
from toolguild.synth.validation.observation import Observation
from toolguild.synth.validation.plan_run import run_composite
from toolguild.synth.validation.together import program_for_all, read_all

__all__ = ["Reference", "reference_of"]


class Reference(ABC):
    """What a draft answers, as something that can be run on any input."""

    words: str
    """What it is, as a person calls it."""

    @abstractmethod
    def observe(self, arguments: JsonObject) -> Observation:
        """Run it once.

        Raises:
            SandboxUnavailableError: the sandbox cannot run anything.
        """

    def observe_all(self, inputs: Sequence[JsonObject]) -> list[Observation]:
        """Run it on every input.

        Raises:
            SandboxUnavailableError: the sandbox cannot run anything.
        """
        return [self.observe(arguments) for arguments in inputs]


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

    def observe(self, arguments: JsonObject) -> Observation:
        """Run it once.

        Raises:
            SandboxUnavailableError: the sandbox cannot run anything.
        """
        return Observation(self._run(self.code, arguments))

    def observe_all(self, inputs: Sequence[JsonObject]) -> list[Observation]:
        """Run it on every input, in one process where that can be done.

        Raises:
            SandboxUnavailableError: the sandbox cannot run anything.
        """
        code = OriginalCode(*program_for_all(self.code.source, self.code.entry))
        told = read_all(self._run(code, {"inputs": [*inputs]}), inputs)
        if told is None:
            return super().observe_all(inputs)
        return [Observation(_ended(one.value, one.error)) for one in told]

    def _run(self, code: OriginalCode, arguments: JsonObject) -> Outcome:
        program = Program(code.source, code.entry, walled=False)
        return self.sandbox.run(program, arguments, tier=Tier.SANDBOX, limits=self.limits)


@dataclass(frozen=True)
class _Calls(Reference):
    """Calls that agents made of tools, as a function of the draft's parameters."""

    plan: Plan
    tools: ToolGateway
    words: str = "the calls that agents made"

    def observe(self, arguments: JsonObject) -> Observation:
        """Run it once."""
        run = run_composite(self.plan, arguments, self.tools)
        calls = tuple((tool, canonical(given)) for tool, given in run.calls)
        return Observation(_ended(run.value, run.error or ""), calls)


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
            return _Calls(plan, tools)
    return None


def _ended(value: Json, error: str) -> Outcome:
    return Outcome(Status.ERROR, error=f"{error}: ") if error else Outcome(Status.OK, value)
