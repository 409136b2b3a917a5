"""Trying mutants on all inputs at once: one process for each mutant instead of one for each run."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from toolguild.policies import Tier
from toolguild.sandbox import Access, JsonObject, Limits, Program, Sandbox, Status
from toolguild.sandbox.access import NOTHING
from toolguild.synth.mining import canonical
from toolguild.synth.validation.adequacy.mutant import Mutant
from toolguild.synth.validation.adequacy.scoring import Adequacy, AdequacySettings, Kill
from toolguild.synth.validation.together import Together, Told, program_for_all, read_all

__all__ = ["adequacy_together"]

_AT_ONCE = 4
"""Mutants in the sandbox at once; one that does not end costs its whole deadline."""


def adequacy_together(
    source: str,
    entry: str,
    inputs: Sequence[JsonObject],
    mutants: Sequence[Mutant],
    sandbox: Sandbox,
    limits: Limits = Limits(),
    access: Access = NOTHING,
    settings: AdequacySettings = AdequacySettings(),
) -> Adequacy | None:
    """Try every mutant on all inputs; None where the tool itself cannot be run so.

    A mutant that comes to no end, or whose results cannot be told, is as good as found: the tool
    itself ends and tells them.

    Args:
        source: The tool, which works on nothing but its arguments.
        entry: Name of its function.
        inputs: What to try them on.
        mutants: Its mutants.
        sandbox: Where they run, in the lowest tier.
        limits: What one process may use; mutants have a deadline of their own.
        access: What of the caller's the runs may reach.
        settings: Deadlines.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """
    stage = _Stage(entry, inputs, sandbox, limits, access)
    alone = stage.run(source, limits.wall_s)
    usual = alone.told
    if usual is None:
        return None
    deadline_s = settings.deadline_s(alone.outcome)

    def judge(mutant: Mutant) -> Kill | None:
        mutated = stage.run(mutant.source, deadline_s)
        if mutated.told is None:
            return Kill(mutant, None, mutated.outcome.status is Status.TIMEOUT)
        pairs = zip(inputs, usual, mutated.told, strict=True)
        shown = next((given for given, one, other in pairs if _differ(one, other)), None)
        return None if shown is None else Kill(mutant, shown, timed_out=False)

    with ThreadPoolExecutor(_AT_ONCE) as executor:
        kills = list(executor.map(judge, mutants))
    return Adequacy(
        source=source,
        kills=tuple(kill for kill in kills if kill is not None),
        survivors=tuple(one for one, kill in zip(mutants, kills, strict=True) if kill is None),
        trials=len(inputs),
    )


@dataclass(frozen=True, slots=True)
class _Stage:
    entry: str
    inputs: Sequence[JsonObject]
    sandbox: Sandbox
    limits: Limits
    access: Access

    def run(self, source: str, deadline_s: float) -> Together:
        outcome = self.sandbox.run(
            Program(*program_for_all(source, self.entry)),
            {"inputs": [*self.inputs]},
            tier=Tier.SANDBOX,
            limits=replace(self.limits, wall_s=deadline_s),
            access=self.access,
        )
        return read_all(outcome, self.inputs)


def _differ(one: Told, other: Told) -> bool:
    return (one.error, canonical(one.value)) != (other.error, canonical(other.value))
