"""Running the code that stands in a plan: in the sandbox, apart from the plan around it."""

from __future__ import annotations

from toolguild.policies import Tier
from toolguild.sandbox import Json, JsonObject, Limits, Program, Sandbox
from toolguild.synth.mining import canonical
from toolguild.synth.plans import Code
from toolguild.synth.validation.observation import error_type
from toolguild.synth.validation.plan_run import CodeEndedError, RunCode

__all__ = ["code_runner"]

_MAX_KEPT = 2000


def code_runner(sandbox: Sandbox, limits: Limits) -> RunCode:
    """Return what runs the code of plans.

    Code is run once for the same data, for it only computes.

    Args:
        sandbox: Where it runs, in the lowest tier.
        limits: What each run may use.
    """
    known: dict[tuple[str, str], tuple[Json, str]] = {}

    def run(code: Code, data: JsonObject) -> Json:
        key = code.source, canonical(data)
        if key not in known:
            if len(known) == _MAX_KEPT:
                known.clear()
            # Behind the isolation alone: it was not written as a tool is.
            program = Program(code.source, code.name, walled=False)
            outcome = sandbox.run(program, data, tier=Tier.SANDBOX, limits=limits)
            ended = "" if outcome.ok else error_type(outcome) or str(outcome.status)
            known[key] = outcome.value, ended
        value, ended = known[key]
        if ended:
            raise CodeEndedError(ended)
        return value

    return run
