"""Writing from nothing: a model writes what nobody could draft, and mends what fails of it."""

from __future__ import annotations

from collections.abc import Callable

from toolguild.synth.authoring.adopting import UnsuitableTextError
from toolguild.synth.authoring.author import Author
from toolguild.synth.authoring.commission import Commission
from toolguild.synth.authoring.rounds import MAX_ROUNDS, Judge, Tried, in_rounds
from toolguild.synth.drafting import Authorship, Draft
from toolguild.synth.validation import ValidationReport

__all__ = ["NothingWrittenError", "written"]


class NothingWrittenError(Exception):
    """A model gave no text that could be tried; the message says why."""


def written(
    commission: Commission, author: Author, judge: Judge, on_trouble: Callable[[str], None]
) -> tuple[Draft, ValidationReport]:
    """Return a tool that a model wrote from nothing, with its report: one that passes, or the last.

    Args:
        commission: What is wanted.
        author: Who writes it.
        judge: Validates drafts.
        on_trouble: Called with the reason where the model gives nothing that can be used.

    Raises:
        NothingWrittenError: there is no text that could be tried.
        SandboxUnavailableError: drafts cannot be judged.
    """
    judged: list[tuple[Draft, ValidationReport]] = []
    reasons: list[str] = []

    def ask(tried: Tried[str]) -> tuple[str, Authorship]:
        if tried.draft is None or tried.report is None:
            return author.write(commission, tried)
        return author.repair(tried.draft, tried.report, tried)

    def read(source: str, authorship: Authorship) -> Draft:
        try:
            return commission.draft(source, authorship, author.profile)
        except UnsuitableTextError as error:
            reasons.append(str(error))
            raise

    def judge_noted(draft: Draft) -> ValidationReport:
        judged.append((draft, judge(draft)))
        return judged[-1][1]

    def note(reason: str) -> None:
        reasons.append(reason)
        on_trouble(reason)

    nothing: Tried[str] = Tried()
    # The first round writes; it mends in as many others as anything is mended in.
    found = in_rounds(nothing, ask, read, judge_noted, note, MAX_ROUNDS + 1)
    if found is None and not judged:
        raise NothingWrittenError(reasons[-1])
    return found or judged[-1]
