"""From one opportunity to a proven tool, or to the reasons why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from toolguild.sandbox import Access, Sandbox
from toolguild.sandbox.access import NOTHING
from toolguild.synth.authoring import Author, repaired
from toolguild.synth.drafting import Draft, NotDrafted, draft_function, draft_tool
from toolguild.synth.lessons import Known, learn
from toolguild.synth.mining import Opportunity, RepeatedCode
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
    served_by: str = ""
    """Name of the tool that does what this one does, and more; "" where there is none."""

    @property
    def passed(self) -> bool:
        """Whether there is a tool to register."""
        return self.report is not None and self.report.passed and not self.served_by


def prove(
    opportunity: Opportunity,
    sandbox: Sandbox,
    settings: ValidationSettings = ValidationSettings(),
    name: str | None = None,
    access: Access = NOTHING,
    author: Author | None = None,
    on_trouble: Callable[[str], None] = lambda why: None,
) -> Proof:
    """Draft a tool and validate it; where validation shows how, mend the draft and try again.

    Where agents wrote the same function in several ways, the first that passes is taken. A model
    is asked only where none passes, and what it writes has to pass in the same way.

    Args:
        opportunity: What the tool is to do.
        sandbox: Where everything runs.
        settings: How hard to try to refute it.
        name: The tool's name; one that follows from the opportunity unless given.
        access: What of the caller's files it sees where it needs to; see `validate`.
        author: Mends what fails; nobody unless given.
        on_trouble: Called with the reason where that gives nothing that can be used.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """
    proofs = []
    for spelling in _spellings(opportunity):
        proofs.append(_prove(spelling, sandbox, settings, name, access))
        if proofs[-1].passed:
            return proofs[-1]
    first = proofs[0]
    if author is None or first.draft is None or first.report is None:
        return first

    def judge(draft: Draft) -> ValidationReport:
        return validate(draft, sandbox, settings, access)

    draft, report = repaired(first.draft, first.report, author, judge, on_trouble)
    return replace(first, draft=draft, report=report)


def _spellings(opportunity: Opportunity) -> list[Opportunity]:
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
    opportunity: Opportunity,
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
