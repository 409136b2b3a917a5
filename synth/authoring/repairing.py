"""Counterexample-guided repair: a model mends what validation refused, and is judged as before.

A. Solar-Lezama et al., "Combinatorial sketching for finite programs", 2006, has the loop: whoever
writes sees only where the last try failed, and whoever judges sees everything.
"""

from __future__ import annotations

from collections.abc import Callable

from toolguild.synth.authoring.adopting import UnsuitableTextError
from toolguild.synth.authoring.author import Author
from toolguild.synth.drafting import Authorship, Draft
from toolguild.synth.models import CacheError, ModelError
from toolguild.synth.traces.errors import RedactionError
from toolguild.synth.validation import ValidationReport

__all__ = ["repaired"]

MAX_ROUNDS = 3
"""Times that the model is asked to mend one tool."""


def repaired(
    draft: Draft,
    report: ValidationReport,
    author: Author,
    judge: Callable[[Draft], ValidationReport],
    on_trouble: Callable[[str], None],
) -> tuple[Draft, ValidationReport]:
    """Return a mended draft that passes, with its report, or what was given.

    Args:
        draft: A draft that failed.
        report: Why it did.
        author: Who mends it.
        judge: Validates drafts.
        on_trouble: Called with the reason where the model gives nothing that can be used.

    Raises:
        SandboxUnavailableError: drafts cannot be judged.
    """
    last, last_report, problem = draft, report, ""
    authorship: Authorship | None = None
    seen = {draft.source}
    for _ in range(MAX_ROUNDS):
        try:
            source, authorship = author.repair(last, last_report, problem, authorship)
        except (CacheError, ModelError, RedactionError) as error:
            on_trouble(str(error))
            break
        if source in seen:
            break  # It would be asked the same once more.
        seen.add(source)
        try:
            last, problem = author.adopted(draft, source, authorship), ""
        except UnsuitableTextError as error:
            problem = str(error)
            continue
        last_report = judge(last)
        if last_report.passed:
            return last, last_report
    return draft, report
