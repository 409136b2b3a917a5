"""That the tool does the same as its original, and the same each time."""

from __future__ import annotations

from toolguild.sandbox import JsonObject
from toolguild.synth.mining import canonical
from toolguild.synth.validation.chance import new_sources_of_chance
from toolguild.synth.validation.checks.trials import Trials
from toolguild.synth.validation.observation import (
    Observation,
    error_type,
    in_words,
    is_conclusive,
    short,
)
from toolguild.synth.validation.reference import Reference
from toolguild.synth.validation.report import Check, CheckName, Counterexample
from toolguild.synth.validation.subject import counterexample

__all__ = ["check_original", "check_twice"]


def check_original(trials: Trials, original: Reference | None) -> Check:
    """Check that the tool does on generated inputs what the original does.

    That is: the same value, or an exception of the same type; and the same calls of other tools.
    """
    if original is None:
        return Check(CheckName.ORIGINAL, None, "nothing recorded that it could be compared with")

    def differs(arguments: JsonObject, observed: Observation) -> bool:
        # Asked once more in a process of its own, for the first answer came out of a crowd.
        usual = original.observe(arguments)
        return _both_conclusive(usual, observed) and usual.behaviour != observed.behaviour

    subject = trials.subject
    if (told := _prints(trials, original)) is not None:
        return told
    usually = original.observe_all(trials.inputs)
    compared = 0
    for (arguments, observed), usual in zip(trials, usually, strict=True):
        if not _both_conclusive(usual, observed):
            continue
        compared += 1
        if usual.behaviour != observed.behaviour and differs(arguments, observed):
            simplest = subject.simplest(arguments, lambda one: differs(one, subject.run(one)))
            found = _difference(simplest, subject.run(simplest), original)
            detail = f"{short(simplest)} {found.observed}, not as {original.words}"
            return Check(CheckName.ORIGINAL, False, detail, (found,))
    if not compared:
        return Check(CheckName.ORIGINAL, None, f"{original.words} came to no end on any input")
    return Check(CheckName.ORIGINAL, True, f"{compared} inputs, as {original.words}")


def _prints(trials: Trials, original: Reference) -> Check | None:
    """Return the check that failed because the tool prints what its original does not."""
    for arguments, observed in trials:
        shown = observed.outcome.stdout
        if shown and shown != original.observe(arguments).outcome.stdout:
            words = f"prints {short(shown)}"
            found = counterexample(arguments, "prints as the original", observed.outcome, words)
            detail = f"{short(arguments)} {words}, not as {original.words}"
            return Check(CheckName.ORIGINAL, False, detail, (found,))
    return None


def _both_conclusive(usual: Observation, observed: Observation) -> bool:
    return is_conclusive(usual.outcome) and is_conclusive(observed.outcome)


def _difference(
    arguments: JsonObject, observed: Observation, original: Reference
) -> Counterexample:
    usual = original.observe(arguments)
    expected, told = in_words(usual.outcome), in_words(observed.outcome)
    if expected == told:
        expected, told = (f"calls {_calls(one)}" for one in (usual, observed))
    return counterexample(arguments, expected, observed.outcome, told)


def _calls(observed: Observation) -> str:
    return ", ".join(f"{tool}({given})" for tool, given in observed.calls) or "no tool"


def check_twice(trials: Trials) -> Check:
    """Check that runs on the same input end the same, and nothing new may make them differ."""
    subject = trials.subject
    if chance := new_sources_of_chance(subject.draft, subject.settings.profile):
        return Check(CheckName.DETERMINISM, False, chance)
    pairs = list(trials)[: subject.settings.repeats]
    for arguments, first in pairs:
        second = subject.run(arguments)
        if first.behaviour == second.behaviour:
            continue
        observed = f"{in_words(first.outcome)}, then {in_words(second.outcome)}"
        if _ending(first) == _ending(second):
            observed = f"leaves other files the second time: {_other_files(first, second)}"
        if first.calls != second.calls:
            observed = f"calls {_calls(first)}, then {_calls(second)}"
        found = counterexample(arguments, "the same each time", second.outcome, observed)
        return Check(CheckName.DETERMINISM, False, observed, (found,))
    return Check(CheckName.DETERMINISM, True, f"{len(pairs)} inputs run twice")


def _ending(observed: Observation) -> tuple[object, ...]:
    outcome = observed.outcome
    return outcome.status, canonical(outcome.value), error_type(outcome)


def _other_files(first: Observation, second: Observation) -> str:
    changes = {*first.outcome.changes} ^ {*second.outcome.changes}
    return ", ".join(sorted({change.path for change in changes}))
