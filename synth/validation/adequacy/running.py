"""Running mutants in a sandbox, with their calls of other tools noted."""

from __future__ import annotations

from dataclasses import replace

from toolguild.policies import Tier
from toolguild.sandbox import Access, Json, JsonObject, Limits, Program, Sandbox, ToolGateway
from toolguild.sandbox.access import NOTHING
from toolguild.synth.mining import canonical
from toolguild.synth.validation.adequacy.scoring import Observation, Run, Trial

__all__ = ["in_sandbox"]


def in_sandbox(
    sandbox: Sandbox, entry: str, limits: Limits = Limits(), access: Access = NOTHING
) -> Run:
    """Return what runs texts with this entry, in the lowest tier.

    Args:
        sandbox: Where.
        entry: Name of the tool's function.
        limits: What one run may use; the deadline comes with each run.
        access: What of the caller's the runs may reach.
    """

    def run(source: str, trial: Trial, deadline_s: float) -> Observation:
        noted = _Noted(trial.tools()) if trial.tools else None
        outcome = sandbox.run(
            Program(source, entry),
            trial.arguments,
            tier=Tier.SANDBOX,
            limits=replace(limits, wall_s=deadline_s),
            tools=noted,
            access=access,
        )
        return Observation(outcome, tuple(noted.calls) if noted else ())

    return run


class _Noted:
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
