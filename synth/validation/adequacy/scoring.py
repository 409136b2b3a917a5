"""How many of a tool's mutants the inputs of its validation tell from the tool itself.

A mutant that behaves as the tool does on every input is a fault that validation would have let
pass: either the inputs are too weak, or the change makes no difference at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from toolguild.sandbox import Json, JsonObject, Outcome, Status, ToolGateway
from toolguild.synth.validation.adequacy.mutant import Mutant, difference
from toolguild.synth.validation.observation import Observation

__all__ = [
    "Adequacy",
    "AdequacySettings",
    "Baseline",
    "Kill",
    "Run",
    "Trial",
    "adequacy",
    "observe",
]

_CONCLUSIVE = (Status.OK, Status.ERROR)
"""Endings that say what the tool does; a deadline or a limit only says what it costs."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One input that validation gives to a tool."""

    arguments: JsonObject
    tools: Callable[[], ToolGateway] | None = None
    """Makes what answers the calls of a composite, anew for each run."""


Run: TypeAlias = Callable[[str, Trial, float], Observation]
"""Runs a text in a sandbox: its source, the input, and a deadline in seconds."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the tool itself does with one input."""

    trial: Trial
    observed: Observation


@dataclass(frozen=True, slots=True)
class AdequacySettings:
    """How long a mutant may take."""

    patience: float = 10.0
    """A mutant gets so many times what the tool itself took."""
    shortest_s: float = 0.25
    """But at least so many seconds, for a busy machine is slow at times."""
    longest_s: float = 2.0
    """And at most so many."""

    def deadline_s(self, original: Outcome) -> float:
        """Return the deadline for a mutant where the tool ended as it did."""
        return min(max(self.patience * original.duration_s, self.shortest_s), self.longest_s)


@dataclass(frozen=True, slots=True)
class Kill:
    """A mutant that an input tells from the tool."""

    mutant: Mutant
    arguments: JsonObject | None
    """The input; None where the mutant told nothing about any."""
    timed_out: bool
    """Whether it only took much longer than the tool."""


@dataclass(frozen=True, slots=True)
class Adequacy:
    """Which faults the inputs would have found."""

    source: str
    """The tool that was mutated."""
    kills: tuple[Kill, ...]
    survivors: tuple[Mutant, ...]
    trials: int
    """Inputs that there were to tell the mutants by."""

    @property
    def total(self) -> int:
        """Mutants that were tried."""
        return len(self.kills) + len(self.survivors)

    @property
    def share(self) -> float | None:
        """Killed of all, from 0 to 1; None where there was nothing to mutate."""
        return len(self.kills) / self.total if self.total else None

    @property
    def timed_out(self) -> int:
        """Kills by the deadline."""
        return sum(kill.timed_out for kill in self.kills)

    def differences(self) -> list[str]:
        """Return the surviving faults as a person reads them, in the order of the text."""
        return [f"{difference(self.source, one)} ({one.operator})" for one in self.survivors]

    def evidence(self) -> JsonObject:
        """Return plain data to be kept with the version; the same inputs give the same."""
        survived: list[Json] = [*self.differences()]
        return {
            "mutants": self.total,
            "killed": len(self.kills),
            "timed_out": self.timed_out,
            "survived": survived,
        }


def observe(source: str, trials: Iterable[Trial], run: Run, deadline_s: float) -> list[Baseline]:
    """Run the tool itself on every input, for later comparison.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """
    return [Baseline(trial, run(source, trial, deadline_s)) for trial in trials]


def adequacy(
    source: str,
    baselines: Sequence[Baseline],
    mutants: Sequence[Mutant],
    run: Run,
    settings: AdequacySettings = AdequacySettings(),
) -> Adequacy:
    """Try every mutant on the inputs until one tells it from the tool.

    Args:
        source: The tool.
        baselines: What it does with the inputs; those that hit a limit are left out.
        mutants: Its mutants.
        run: Runs a text. A mutant of a hostile text is hostile: only ever in a sandbox.
        settings: Deadlines.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """
    waiting = _varied_first(
        [one for one in baselines if one.observed.outcome.status in _CONCLUSIVE]
    )
    trials = len(waiting)
    kills, survivors = [], []
    for mutant in mutants:
        for position, baseline in enumerate(waiting):
            kill = _kill(mutant, baseline, run, settings)
            if kill is not None:
                kills.append(kill)
                # What told one fault tells the next one more often than not.
                waiting.insert(0, waiting.pop(position))
                break
        else:
            survivors.append(mutant)
    return Adequacy(source, tuple(kills), tuple(survivors), trials)


def _kill(mutant: Mutant, baseline: Baseline, run: Run, settings: AdequacySettings) -> Kill | None:
    """Return how one input tells a mutant from the tool, or None where it does not."""
    deadline_s = settings.deadline_s(baseline.observed.outcome)
    observed = run(mutant.source, baseline.trial, deadline_s)
    if observed.behaviour == baseline.observed.behaviour:
        return None
    timed_out = observed.outcome.status is Status.TIMEOUT
    return Kill(mutant, baseline.trial.arguments, timed_out)


def _varied_first(baselines: Sequence[Baseline]) -> list[Baseline]:
    """Return the inputs with those first that show something which none before them showed."""
    seen: set[tuple[object, ...]] = set()
    new: list[Baseline] = []
    known: list[Baseline] = []
    for one in baselines:
        (known if one.observed.behaviour in seen else new).append(one)
        seen.add(one.observed.behaviour)
    return [*new, *known]
