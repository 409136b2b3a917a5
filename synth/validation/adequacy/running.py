"""Running mutants in a sandbox, with their calls of other tools noted."""

from __future__ import annotations

from dataclasses import replace

from toolguild.policies import Tier
from toolguild.sandbox import Access, Limits, Program, Sandbox
from toolguild.sandbox.access import NOTHING
from toolguild.synth.validation.adequacy.scoring import Run, Trial
from toolguild.synth.validation.observation import NotedTools, Observation

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
        noted = NotedTools(trial.tools()) if trial.tools else None
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
