"""From one opportunity to a proven tool, or to the reasons why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from toolguild.sandbox import Access, Sandbox
from toolguild.sandbox.access import NOTHING
from toolguild.synth.authoring import (
    Author,
    Commission,
    Judge,
    NothingWrittenError,
    described,
    repaired,
    written,
)
from toolguild.synth.drafting import Draft, NotDrafted, draft_function, draft_tool, tool_names
from toolguild.synth.lessons import Known, learn
from toolguild.synth.mining import Opportunity, Pattern, RepeatedCode, RepeatedEpisode
from toolguild.synth.validation import ValidationReport, ValidationSettings, validate

__all__ = ["Proof", "prove"]

MAX_ROUNDS = 4
"""Drafts tried for one spelling of an opportunity."""
MAX_SPELLINGS = 3
"""Spellings tried."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of an opportunity: a draft with its report, or the reason why there is none."""

    opportunity: Opportunity
    draft: Draft | None
    report: ValidationReport | None
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether there is a tool to register."""
        return self.report is not None and self.report.passed


def prove(
    opportunity: Opportunity,
    sandbox: Sandbox,
    settings: ValidationSettings = ValidationSettings(),
    name: str | None = None,
    access: Access = NOTHING,
    author: Author | None = None,
    on_trouble: Callable[[str], None] = lambda why: None,
    takes_words: Callable[[Draft], bool] = lambda draft: True,
) -> Proof:
    """Draft a tool and validate it; where validation shows how, mend the draft and try again.

    Where agents wrote the same function in several ways, the first that passes is taken, and a
    model gives it better words. It is asked for a text only where none passes, and what it writes
    has to pass in the same way.

    Args:
        opportunity: What the tool is to do.
        sandbox: Where everything runs.
        settings: How hard to try to refute it.
        name: The tool's name; one that follows from the opportunity unless given.
        access: What of the caller's files it sees where it needs to; see `validate`.
        author: Mends what fails, and describes what passes; nobody unless given.
        on_trouble: Called with the reason where that gives nothing that can be used.
        takes_words: Says of what passes whether it is to be described.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """
    if isinstance(opportunity, RepeatedEpisode):

        def judge_anew(draft: Draft) -> ValidationReport:
            return validate(draft, sandbox, settings, access)

        name = name or tool_names([opportunity])[0]
        return _commissioned(opportunity, name, author, judge_anew, on_trouble)
    best = _best(opportunity, sandbox, settings, name, access)
    if author is None or best.draft is None or best.report is None:
        return best
    if best.passed and not takes_words(best.draft):
        return best
    # Other words are tried on the same inputs: whoever writes them is not to choose these.
    judged = replace(settings, seed=best.report.seed) if best.passed else settings

    def judge(draft: Draft) -> ValidationReport:
        return validate(draft, sandbox, judged, access)

    improved = described if best.passed else repaired
    draft, report = improved(best.draft, best.report, author, judge, on_trouble)
    return replace(best, draft=draft, report=report)


def _best(
    opportunity: Pattern,
    sandbox: Sandbox,
    settings: ValidationSettings,
    name: str | None,
    access: Access,
) -> Proof:
    """Return the first spelling that passes, or the first."""
    proofs = []
    for spelling in _spellings(opportunity):
        proofs.append(_prove(spelling, sandbox, settings, name, access))
        if proofs[-1].passed:
            return proofs[-1]
    return proofs[0]


def _commissioned(
    opportunity: RepeatedEpisode,
    name: str,
    author: Author | None,
    judge: Judge,
    on_trouble: Callable[[str], None],
) -> Proof:
    """Have a tool written where none can be drafted."""
    commission = Commission.of(opportunity, name)
    if commission is None:
        return Proof(opportunity, None, None, "too few recorded runs to tell a rule from a guess")
    if author is None:
        return Proof(opportunity, None, None, "takes a model to write it")
    try:
        return Proof(opportunity, *written(commission, author, judge, on_trouble))
    except NothingWrittenError as error:
        return Proof(opportunity, None, None, f"the model wrote none: {error}")


def _spellings(opportunity: Pattern) -> list[Pattern]:
    """Return an opportunity as each of the ways in which agents wrote it, the best first."""
    if not isinstance(opportunity, RepeatedCode):
        return [opportunity]
    others = [
        replace(opportunity, name=one.name, source=one.source, parameters=one.parameters)
        for one in opportunity.spellings
        if not one.differs and one.source != opportunity.source
    ]
    return [opportunity, *others[: MAX_SPELLINGS - 1]]


def _prove(
    opportunity: Pattern,
    sandbox: Sandbox,
    settings: ValidationSettings,
    name: str | None,
    access: Access,
) -> Proof:
    draft = draft_tool(opportunity, sandbox, name)
    if isinstance(draft, NotDrafted):
        return Proof(opportunity, None, None, draft.reason)
    known = Known(draft.cases, draft.held_out)
    report = validate(draft, sandbox, settings, access)
    for _ in range(MAX_ROUNDS - 1):
        learned = learn(draft, report, known)
        if report.passed or learned is None or not isinstance(opportunity, RepeatedCode):
            break
        known = learned
        draft = draft_function(opportunity, known.seen, known.domain, draft.name, known.held_out)
        report = validate(draft, sandbox, settings, access)
    return Proof(opportunity, draft, report)
