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
from toolguild.synth.drafting import (
    Draft,
    DraftOrigin,
    NotDrafted,
    draft_function,
    draft_tool,
    tool_names,
)
from toolguild.synth.lessons import Known, learn
from toolguild.synth.mining import Opportunity, Pattern, RepeatedCode, RepeatedEpisode
from toolguild.synth.validation import ValidationReport, ValidationSettings, validate

__all__ = ["Proof", "in_better_words", "prove"]

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
        author: Mends what fails, and writes what cannot be drafted; nobody unless given.
        on_trouble: Called with the reason where that gives nothing that can be used.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """

    def judge(draft: Draft) -> ValidationReport:
        return validate(draft, sandbox, settings, access)

    if isinstance(opportunity, RepeatedEpisode):
        name = name or tool_names([opportunity])[0]
        return _commissioned(opportunity, name, author, judge, on_trouble)
    best = _best(opportunity, sandbox, settings, name, access)
    if author is None or best.passed or best.draft is None or best.report is None:
        return best
    draft, report = repaired(best.draft, best.report, author, judge, on_trouble)
    return replace(best, draft=draft, report=report)


def in_better_words(
    proof: Proof,
    sandbox: Sandbox,
    settings: ValidationSettings,
    access: Access,
    author: Author,
    on_trouble: Callable[[str], None],
) -> Proof:
    """Have a tool that passed described, if nobody has written words for it; see `described`.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """
    draft, report = proof.draft, proof.report
    if not proof.passed or draft is None or report is None:
        return proof
    if draft.origin is not DraftOrigin.DETERMINISTIC:
        return proof
    # On the same inputs: whoever writes the words is not to choose these.
    same = replace(settings, seed=report.seed)

    def judge(draft: Draft) -> ValidationReport:
        return validate(draft, sandbox, same, access)

    draft, report = described(draft, report, author, judge, on_trouble)
    return replace(proof, draft=draft, report=report)


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
