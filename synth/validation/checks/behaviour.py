"""That the tool does the same as its original, the same each time, and nothing on the side."""

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
from toolguild.synth.validation.together import Told

_COMPOSITES_AT_ONCE = 40
"""Results of other tools are long, and one process may tell a megabyte."""

__all__ = ["check_original", "check_state_and_arguments", "check_twice"]


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


def check_state_and_arguments(trials: Trials) -> list[Check]:
    """Check that the tool keeps nothing from call to call, and leaves its arguments alone.

    All inputs are run in one process, there and back again, and compared with single runs. Tools
    that work on files are not asked: what is outside them has a state of its own.
    """
    names = CheckName.STATE, CheckName.ARGUMENTS
    if not trials.subject.runs_together:
        return [Check(name, None, "it works on files") for name in names]
    ended = [pair for pair in trials if is_conclusive(pair[1].outcome)]
    ended = ended[: _COMPOSITES_AT_ONCE if trials.subject.draft.calls else None]
    there_and_back = [*ended, *reversed(ended)]
    told = trials.subject.run_together([arguments for arguments, _ in there_and_back])
    if told is None:
        return [Check(name, None, "it does not run on all inputs at once") for name in names]
    again = list(zip(there_and_back, told, strict=True))
    stateful = next((pair for pair, one in again if not one.is_as(pair[1])), None)
    changed = next(
        ((pair, one) for pair, one in again if canonical(one.arguments) != canonical(pair[0])),
        None,
    )
    return [
        _state(stateful, len(again)),
        _arguments(changed, len(ended)),
    ]


def _state(stateful: tuple[JsonObject, Observation] | None, runs: int) -> Check:
    if stateful is None:
        return Check(CheckName.STATE, True, f"{runs} runs in one process, as alone")
    arguments, alone = stateful
    observed = "does something else after other calls"
    found = counterexample(arguments, in_words(alone.outcome), alone.outcome, observed)
    return Check(CheckName.STATE, False, f"{observed}, for {short(arguments)}", (found,))


def _arguments(changed: tuple[tuple[JsonObject, Observation], Told] | None, runs: int) -> Check:
    if changed is None:
        return Check(CheckName.ARGUMENTS, True, f"{runs} inputs left as they were")
    (arguments, alone), one = changed
    observed = f"changes them to {short(one.arguments)}"
    found = counterexample(arguments, "its arguments unchanged", alone.outcome, observed)
    return Check(CheckName.ARGUMENTS, False, f"{short(arguments)}: {observed}", (found,))
