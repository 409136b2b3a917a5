"""Counterexample-guided rounds: a model writes, validation refutes, and the model is told how.

A. Solar-Lezama et al., "Combinatorial sketching for finite programs", 2006, has the loop: whoever
writes sees only where the last try failed, and whoever judges sees everything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeAlias, TypeVar

from toolguild.synth.authoring.adopting import UnsuitableTextError
from toolguild.synth.drafting import Authorship, Draft
from toolguild.synth.models import CacheError, ModelError
from toolguild.synth.traces.errors import RedactionError
from toolguild.synth.validation import ValidationReport

__all__ = ["MAX_ROUNDS", "Judge", "Tried", "in_rounds"]

T = TypeVar("T")
Judge: TypeAlias = Callable[[Draft], ValidationReport]
MAX_ROUNDS = 3
"""Times that a model is asked for one tool."""


@dataclass(frozen=True, slots=True)
class Tried(Generic[T]):
    """What came of the rounds so far."""

    answer: T | None = None
    """What the model wrote last, or what it is to mend."""
    draft: Draft | None = None
    """The last draft that could be judged."""
    report: ValidationReport | None = None
    """Why it failed."""
    problem: str = ""
    """Why the last answer could not be judged, if it could not."""
    authorship: Authorship | None = None
    """What the rounds took."""


def in_rounds(
    before: Tried[T],
    ask: Callable[[Tried[T]], tuple[T, Authorship]],
    read: Callable[[T, Authorship], Draft],
    judge: Judge,
    on_trouble: Callable[[str], None],
    rounds: int = MAX_ROUNDS,
) -> tuple[Draft, ValidationReport] | None:
    """Return the first draft of a model's that passes, with its report; None where none does.

    Args:
        before: What is known before the first round.
        ask: Asks the model once, and says what all the rounds took.
        read: Takes an answer as a draft; raises `UnsuitableTextError` where it is none.
        judge: Validates drafts.
        on_trouble: Called with the reason where the model gives nothing that can be used.
        rounds: How often the model is asked at most.

    Raises:
        SandboxUnavailableError: drafts cannot be judged.
    """
    last, answers = before, [before.answer]
    for _ in range(rounds):
        try:
            answer, authorship = ask(last)
        except (CacheError, ModelError, RedactionError) as error:
            on_trouble(str(error))
            return None
        if answer in answers:
            return None  # It would be asked the same once more.
        answers.append(answer)
        try:
            draft = read(answer, authorship)
        except UnsuitableTextError as error:
            last = replace(last, answer=answer, problem=str(error), authorship=authorship)
            continue
        report = judge(draft)
        if report.passed:
            return draft, report
        last = Tried(answer, draft, report, authorship=authorship)
    return None
