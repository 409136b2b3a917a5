"""Better words for a tool that passed: a model describes it, and what it says is judged anew.

Words are taken all together or not at all, and cost a tool nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from toolguild.synth.authoring.author import Author
from toolguild.synth.authoring.rewording import UnsuitableWordsError
from toolguild.synth.authoring.rounds import Judge
from toolguild.synth.drafting import Draft
from toolguild.synth.models import CacheError, ModelError
from toolguild.synth.traces.errors import RedactionError
from toolguild.synth.validation import ValidationReport

__all__ = ["described"]


def described(
    draft: Draft,
    report: ValidationReport,
    author: Author,
    judge: Judge,
    on_trouble: Callable[[str], None],
) -> tuple[Draft, ValidationReport]:
    """Return a draft in a model's words that passes, with its report, or what was given.

    Args:
        draft: A draft that passed.
        report: What was found about it.
        author: Who describes it.
        judge: Validates drafts.
        on_trouble: Called with the reason where the draft stays as it is.

    Raises:
        SandboxUnavailableError: drafts cannot be judged.
    """
    try:
        words, authorship = author.describe(draft)
        new = author.worded(draft, words, authorship)
    except (CacheError, ModelError, RedactionError) as error:
        on_trouble(str(error))
        return draft, report
    except UnsuitableWordsError as error:
        on_trouble(f"its words for {draft.name} are not taken: {error}")
        return draft, report
    new_report = judge(new)
    if new_report.passed:
        return new, new_report
    on_trouble(f"its words for {draft.name} are not taken: {'; '.join(new_report.reasons)}")
    return draft, report
