"""Rehearsing a composite: does it do to the world what the calls do that it replaces?

Recorded results show what a tool returns, not what it leaves behind. Where the live tools can be
copied, the original calls run on one copy and the tool on another: it has to return the same and
to take its copy through the same states. All of them count and not the last alone, so that an
extra write that is undone, or two writes in the wrong order, do not pass. Calls that change nothing
may be more or fewer.

The tool runs in the sandbox; the copies are on this side of `call_tool`, as is the comparison.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from toolguild.policies import Tier
from toolguild.sandbox import Json, JsonObject, Limits, Outcome, Program, Sandbox
from toolguild.synth.drafting import Case, Draft, OriginalCalls
from toolguild.synth.drafting.composite_names import parameter_spellings
from toolguild.synth.mining import canonical
from toolguild.synth.plans import Plan
from toolguild.synth.validation.differences import difference
from toolguild.synth.validation.live import LiveTools, Watched, other_states
from toolguild.synth.validation.observation import error_type, short
from toolguild.synth.validation.plan_run import RunCode, run_composite
from toolguild.synth.validation.recorded_code import code_runner
from toolguild.synth.validation.report import Counterexample

__all__ = ["Rehearsal", "rehearse_cases", "rehearse_inputs"]

NO_COPY = "the live tools cannot be put back to where the recorded calls began"
UNEQUAL_COPIES = "two copies of the live tools begin in different states"
UNSTEADY = "the original calls do not do the same twice"
NO_PLAN = "there is no plan to hold generated inputs against"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came of running a tool and the original calls side by side."""

    compared: int = 0
    """Runs in which the tool could be held against the original calls."""
    changing: int = 0
    """Those among them in which the original calls changed the state."""
    failing: int = 0
    """Those among them in which the original calls end with an exception."""
    inconclusive: Mapping[str, int] = field(default_factory=dict)
    """Why other runs say nothing, for or against the tool, and how many."""
    differing: tuple[Counterexample, ...] = ()
    """The compared runs in which the tool does something else."""

    @property
    def holds(self) -> bool:
        """Whether something speaks for the tool, and nothing against it."""
        return self.compared > 0 and not self.differing

    def __add__(self, other: Rehearsal) -> Rehearsal:
        return Rehearsal(
            self.compared + other.compared,
            self.changing + other.changing,
            self.failing + other.failing,
            dict(Counter(self.inconclusive) + Counter(other.inconclusive)),
            self.differing + other.differing,
        )


def rehearse_cases(
    draft: Draft, live: LiveTools, sandbox: Sandbox, limits: Limits = Limits()
) -> Rehearsal:
    """Run a tool beside the recorded calls of each of its cases, those held out included.

    A case says nothing where the live tools do not answer the recorded calls as they did then.

    Args:
        draft: The tool, past the static gate.
        live: What copies of the tools that it calls are made of.
        sandbox: Where it runs, in the lowest tier.
        limits: What one run may use, the time of the calls included.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """
    stage = _Stage(draft, live, sandbox, limits)
    return _total(
        stage.rehearse(case, case.arguments, _recorded_calls_of(case))
        for case in (*draft.cases, *draft.held_out)
    )


def rehearse_inputs(
    draft: Draft,
    inputs: Sequence[JsonObject],
    live: LiveTools,
    sandbox: Sandbox,
    limits: Limits = Limits(),
) -> Rehearsal:
    """Run a tool beside its plan on inputs that were not recorded.

    The inputs take turns with the states in which the cases began. Without a plan, or with
    parameters that are not the plan's, nothing can be said.

    Args:
        draft: The tool, past the static gate.
        inputs: Arguments to call it with.
        live: What copies of the tools that it calls are made of.
        sandbox: Where it runs, in the lowest tier.
        limits: What one run may use, the time of the calls included.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """
    plan = _plan_behind(draft)
    if plan is None or not draft.cases:
        return Rehearsal(inconclusive={NO_PLAN: len(inputs)} if inputs else {})
    stage = _Stage(draft, live, sandbox, limits)
    run_code = code_runner(sandbox, limits)
    return _total(
        stage.rehearse(
            draft.cases[number % len(draft.cases)], arguments, _plan_of(plan, arguments, run_code)
        )
        for number, arguments in enumerate(inputs)
    )


def _plan_behind(draft: Draft) -> Plan | None:
    """Return the plan that a draft carries out, if it takes the plan's parameters."""
    if not isinstance(draft.original, OriginalCalls):
        return None
    plan = draft.original.plan
    properties = draft.parameters.get("properties")
    taken = set(properties) if isinstance(properties, dict) else set()
    return plan if taken == set(parameter_spellings(plan).values()) else None


def _total(rehearsals: Iterable[Rehearsal]) -> Rehearsal:
    return sum(rehearsals, Rehearsal())


@dataclass(frozen=True, slots=True)
class _Ending:
    """How a run ends: with a value, or with the type of an exception or another status."""

    value: Json
    error: str | None

    def __str__(self) -> str:
        if self.error is not None:
            return f"ends by {self.error}"
        return f"returns {short(self.value)}"

    @property
    def text(self) -> tuple[str, str | None]:
        """What is equal for endings that are the same."""
        return canonical(self.value), self.error


class _InconclusiveError(Exception):
    """A run that says nothing; its message is the reason."""


_Original: TypeAlias = Callable[[Watched], _Ending]
"""Makes the original calls on a copy, and says how the tool has to end."""


def _recorded_calls_of(case: Case) -> _Original:
    def original(copy: Watched) -> _Ending:
        for call in sorted(case.calls, key=lambda call: call.place.step):
            recorded = ("", False) if call.error is not None else (canonical(call.result), True)
            if copy.answer(call.tool, call.arguments) != recorded:
                reason = f"the live {call.tool[:60]} does not answer as it was recorded"
                raise _InconclusiveError(reason)
        return _Ending(case.value, case.error)

    return original


def _plan_of(plan: Plan, arguments: JsonObject, run_code: RunCode) -> _Original:
    def original(copy: Watched) -> _Ending:
        run = run_composite(plan, arguments, copy, run_code)
        return _Ending(run.value, run.error)

    return original


class _Stage:
    """Where one tool and the original calls run side by side."""

    def __init__(self, draft: Draft, live: LiveTools, sandbox: Sandbox, limits: Limits) -> None:
        self._program = Program(draft.source, draft.name)
        self._live = live
        self._sandbox = sandbox
        self._limits = limits

    def rehearse(self, case: Case, arguments: JsonObject, original: _Original) -> Rehearsal:
        """Compare one run of the tool with the original calls, from where a case began."""
        try:
            model = self._copy(case)
            expected = original(model)
            # One more state than the original calls have is enough to tell that there are more.
            trial = self._copy(case, len(model.states) + 1)
            if model.states[0] != trial.states[0]:
                raise _InconclusiveError(UNEQUAL_COPIES)
            outcome = self._run(arguments, trial)
            observed = _ending(outcome)
            told = [_other_ending(expected, observed), other_states(model.states, trial.states)]
            if faults := [fault for fault in told if fault]:
                self._ask_again(case, original, model, expected)
        except _InconclusiveError as reason:
            return Rehearsal(inconclusive={str(reason): 1})
        wrong = Counterexample(
            arguments=arguments,
            expected=f"{expected}, and leaves the state that the original calls leave",
            observed=", and ".join(faults),
            value=outcome.value,
            error_type=observed.error,
        )
        return Rehearsal(
            compared=1,
            changing=int(len(model.states) > 1),
            failing=int(expected.error is not None),
            differing=(wrong,) if faults else (),
        )

    def _copy(self, case: Case, most: int | None = None) -> Watched:
        scratch = self._live.scratch(case)
        if scratch is None:
            raise _InconclusiveError(NO_COPY)
        return Watched(scratch, most)

    def _run(self, arguments: JsonObject, copy: Watched) -> Outcome:
        return self._sandbox.run(
            self._program, arguments, tier=Tier.SANDBOX, limits=self._limits, tools=copy
        )

    def _ask_again(
        self, case: Case, original: _Original, model: Watched, expected: _Ending
    ) -> None:
        """See, before the tool is blamed, that the original calls do not differ from themselves."""
        second = self._copy(case)
        if original(second).text != expected.text or second.states != model.states:
            raise _InconclusiveError(UNSTEADY)


def _ending(outcome: Outcome) -> _Ending:
    if outcome.ok:
        return _Ending(outcome.value, None)
    return _Ending(None, error_type(outcome) or str(outcome.status))


def _other_ending(expected: _Ending, observed: _Ending) -> str:
    """Say how a run ends otherwise than it has to; empty where it does not."""
    if expected.text == observed.text:
        return ""
    if expected.error is None and observed.error is None:
        return f"returns something else: {difference(expected.value, observed.value)}"
    return str(observed)
