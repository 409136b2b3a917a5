"""The generated inputs of one validation, with what the tool did with each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from toolguild.sandbox import JsonObject
from toolguild.synth.validation.observation import Observation, is_conclusive
from toolguild.synth.validation.subject import Subject

__all__ = ["Trials"]

_PATIENCE = 3
"""Runs that may hit a limit before the rest is left out."""


@dataclass(frozen=True, slots=True)
class Trials:
    """Generated inputs and what one run of the tool showed on each."""

    subject: Subject
    inputs: Sequence[JsonObject]
    observations: Sequence[Observation]

    @classmethod
    def of(cls, subject: Subject) -> Trials:
        """Run a draft on its generated inputs, each in a process of its own.

        Where run after run hits a limit, the rest is left out: each would take until the deadline,
        and the draft is refused in any case.

        Raises:
            SandboxUnavailableError: the sandbox cannot run anything.
        """
        inputs: list[JsonObject] = []
        observations: list[Observation] = []
        patience = _PATIENCE
        for arguments in subject.inputs():
            observed = subject.run(arguments)
            if not is_conclusive(observed.outcome):
                # Once more: where a machine is busy, a run may be late through no fault of its own.
                observed = subject.run(arguments)
            inputs.append(arguments)
            observations.append(observed)
            patience -= not is_conclusive(observed.outcome)
            if not patience:
                break
        return cls(subject, inputs, observations)

    def __iter__(self) -> Iterator[tuple[JsonObject, Observation]]:
        """Yield each input with what was observed."""
        return zip(self.inputs, self.observations, strict=True)

    def simplest(
        self, example: JsonObject, fails: Callable[[Observation], bool]
    ) -> tuple[JsonObject, Observation]:
        """Return the simplest input on which a run fails as on the example, and that run.

        Raises:
            SandboxUnavailableError: the sandbox cannot run anything.
        """
        run = self.subject.run
        found = self.subject.simplest(example, lambda arguments: fails(run(arguments)))
        return found, run(found)
