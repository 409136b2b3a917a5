"""Counterexample-guided repair: a model mends what validation refused, and is judged as before.

A. Solar-Lezama et al., "Combinatorial sketching for finite programs", 2006, has the loop: whoever
writes sees only where the last try failed, and whoever judges sees everything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from toolguild.synth.authoring.adopting import UnsuitableTextError, adopted
from toolguild.synth.authoring.author import Author
from toolguild.synth.authoring.commission import Commission
from toolguild.synth.drafting import Authorship, Draft
from toolguild.synth.models import CacheError, ModelError
from toolguild.synth.traces.errors import RedactionError
from toolguild.synth.validation import ValidationReport

__all__ = ["Judge", "NothingWrittenError", "repaired", "written"]

MAX_ROUNDS = 3
"""Times that the model is asked to mend one tool."""
_NO_REPLY = (CacheError, ModelError, RedactionError)

Judge: TypeAlias = Callable[[Draft], ValidationReport]


class NothingWrittenError(Exception):
    """A model gave no text that could be tried; the message says why."""


def written(
    commission: Commission, author: Author, judge: Judge, on_trouble: Callable[[str], None]
) -> tuple[Draft, ValidationReport]:
    """Return a tool that a model wrote from nothing, mended where need be, with its report.

    Args:
        commission: What is wanted.
        author: Who writes it.
        judge: Validates drafts.
        on_trouble: Called with the reason where the model gives nothing that can be used.

    Raises:
        NothingWrittenError: there is no text that could be tried.
        SandboxUnavailableError: drafts cannot be judged.
    """
    problem = ""
    authorship: Authorship | None = None
    for _ in range(MAX_ROUNDS):
        try:
            source, authorship = author.write(commission, problem, authorship)
            draft = commission.draft(source, authorship, author.profile)
        except _NO_REPLY as error:
            on_trouble(str(error))
            raise NothingWrittenError(problem or str(error)) from error
        except UnsuitableTextError as error:
            if problem == str(error):
                break  # It would be asked the same once more.
            problem = str(error)
            continue
        return repaired(draft, judge(draft), author, judge, on_trouble)
    raise NothingWrittenError(problem)


def repaired(
    draft: Draft,
    report: ValidationReport,
    author: Author,
    judge: Judge,
    on_trouble: Callable[[str], None],
) -> tuple[Draft, ValidationReport]:
    """Return a mended draft that passes, with its report, or what was given.

    Args:
        draft: A draft.
        report: What validation found out about it.
        author: Who mends it.
        judge: Validates drafts.
        on_trouble: Called with the reason where the model gives nothing that can be used.

    Raises:
        SandboxUnavailableError: drafts cannot be judged.
    """
    last, last_report, problem = draft, report, ""
    authorship = draft.authorship
    seen = {draft.source}
    for _ in range(MAX_ROUNDS):
        if last_report.passed:
            return last, last_report
        try:
            source, authorship = author.repair(last, last_report, problem, authorship)
        except _NO_REPLY as error:
            on_trouble(str(error))
            break
        if source in seen:
            break  # It would be asked the same once more.
        seen.add(source)
        try:
            last, problem = adopted(draft, source, authorship, author.profile), ""
        except UnsuitableTextError as error:
            problem = str(error)
            continue
        last_report = judge(last)
    return (last, last_report) if last_report.passed else (draft, report)
