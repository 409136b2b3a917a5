"""Repair: a model mends what validation refused, and is judged as before."""

from __future__ import annotations

from collections.abc import Callable

from toolguild.synth.authoring.adopting import adopted
from toolguild.synth.authoring.author import Author
from toolguild.synth.authoring.rounds import Judge, Tried, in_rounds
from toolguild.synth.drafting import Authorship, Draft
from toolguild.synth.validation import ValidationReport

__all__ = ["repaired"]


def repaired(
    draft: Draft,
    report: ValidationReport,
    author: Author,
    judge: Judge,
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

    def ask(tried: Tried[str]) -> tuple[str, Authorship]:
        return author.repair(tried.draft or draft, tried.report or report, tried)

    def read(source: str, authorship: Authorship) -> Draft:
        return adopted(draft, source, authorship, author.profile)

    return in_rounds(Tried(draft.source), ask, read, judge, on_trouble) or (draft, report)
