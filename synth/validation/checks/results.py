"""What the tool returns: something, and what its schema says."""

from __future__ import annotations

import jsonschema

from toolguild.synth.validation.checks.trials import Trials
from toolguild.synth.validation.observation import Observation, short
from toolguild.synth.validation.report import Check, CheckName
from toolguild.synth.validation.subject import counterexample

__all__ = ["check_not_none", "check_schema"]


def check_not_none(trials: Trials) -> Check:
    """Check that the tool always returns something."""

    def fails(observed: Observation) -> bool:
        return observed.outcome.ok and observed.outcome.value is None

    first = next((arguments for arguments, observed in trials if fails(observed)), None)
    if first is None:
        return Check(CheckName.RESULT, True, "never None")
    arguments, observed = trials.simplest(first, fails)
    found = counterexample(arguments, "a result", observed.outcome, "returns None")
    return Check(CheckName.RESULT, False, f"returns None for {short(arguments)}", (found,))


def check_schema(trials: Trials) -> Check:
    """Check that every result fits the schema that the draft declares."""
    validator = jsonschema.Draft202012Validator(trials.subject.draft.returns)

    def fault(observed: Observation) -> str:
        if not observed.outcome.ok:
            return ""
        error = jsonschema.exceptions.best_match(validator.iter_errors(observed.outcome.value))
        return "" if error is None else error.message[:200]

    first = next((arguments for arguments, observed in trials if fault(observed)), None)
    if first is None:
        return Check(CheckName.SCHEMA, True, "all results fit")
    arguments, observed = trials.simplest(first, lambda observed: bool(fault(observed)))
    told = f"returns {short(observed.outcome.value)}: {fault(observed)}"
    found = counterexample(arguments, "a result that fits its schema", observed.outcome, told)
    return Check(CheckName.SCHEMA, False, told, (found,))
