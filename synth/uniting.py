"""Making one tool of several that passed, where a model writes one that does what they all do.

The tools that were made without it are what has to be beaten: they stay where the one tool is not
proven as they were, or explains no more held-out occurrences than the best of them alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.authoring import Author, generalised, grouped
from toolguild.synth.drafting import Draft, OriginalCode, OriginalTools
from toolguild.synth.mining import (
    Extent,
    Opportunity,
    RepeatedCode,
    Saving,
    extent_of,
    support_of,
)
from toolguild.synth.proving import Proof
from toolguild.synth.validation import ValidationReport

__all__ = ["members_as_json", "united"]

_MOST_PLACES = 20


def united(
    proofs: Sequence[Proof],
    author: Author,
    judge: Callable[[Draft], ValidationReport],
    can_be_registered: Callable[[Draft], bool],
    executor: Executor,
    on_trouble: Callable[[str], None],
) -> list[Proof]:
    """Return the proofs, with one tool for several where a model writes one that passes.

    It stands in the place of the tool with the most support, and has its name, so that the model
    has no say in which name is taken. The others are served by it.

    Args:
        proofs: What became of all opportunities of a run.
        author: Says which tools may be one, and writes it.
        judge: Validates drafts.
        can_be_registered: Whether the registry takes a tool that passed.
        executor: What deals with several groups at once.
        on_trouble: Called, from any thread, where the model gives nothing that can be used.

    Raises:
        SandboxUnavailableError: drafts cannot be judged.
    """
    members = {
        proof.draft.name: proof
        for proof in proofs
        if proof.passed and proof.draft and _may_be_member(proof, proof.draft)
    }
    drafts = [proof.draft for proof in members.values() if proof.draft]
    if len(drafts) < 2:
        return [*proofs]

    def unite(group: Sequence[Draft]) -> dict[str, Proof]:
        ranked = sorted((members[draft.name] for draft in group), key=_support, reverse=True)
        return _united(ranked, author, judge, can_be_registered, on_trouble)

    changed: dict[str, Proof] = {}
    for one in executor.map(unite, grouped(drafts, author, on_trouble)):
        changed |= one
    return [
        changed.get(proof.draft.name, proof) if proof.draft and proof.passed else proof
        for proof in proofs
    ]


def _may_be_member(proof: Proof, draft: Draft) -> bool:
    """Whether a tool is made of code whose behaviour is known, and so can be held against another.

    Each of its parameters is given in each call, so that a call can be mapped to another one.
    """
    is_code = isinstance(proof.opportunity, RepeatedCode) and not draft.calls
    parameters, required = draft.parameters["properties"], draft.parameters["required"]
    all_given = isinstance(parameters, dict) and [*parameters] == required
    return is_code and isinstance(draft.original, OriginalCode) and all_given


def _support(proof: Proof) -> int:
    return support_of(proof.opportunity.everywhere)


def _united(
    proofs: Sequence[Proof],
    author: Author,
    judge: Callable[[Draft], ValidationReport],
    can_be_registered: Callable[[Draft], bool],
    on_trouble: Callable[[str], None],
) -> dict[str, Proof]:
    """Return what changes for the tools of a group, by name; nothing where no one tool is found."""
    members = [proof.draft for proof in proofs if proof.draft]
    found = generalised(members, author, judge, on_trouble)
    if found is None or not can_be_registered(found[0]):
        return {}
    opportunity = _together([proof.opportunity for proof in proofs])
    draft = replace(found[0], opportunity=opportunity)
    served = {
        member.name: replace(proof, served_by=draft.name)
        for member, proof in zip(members, proofs, strict=True)
    }
    return {**served, draft.name: Proof(opportunity, draft, found[1])}


def _together(opportunities: Sequence[Opportunity]) -> Opportunity:
    """Return what recurs as one thing: the first, found wherever any of them was."""
    code = [one for one in opportunities if isinstance(one, RepeatedCode)]
    return replace(
        code[0],
        occurrences=tuple(occurrence for one in code for occurrence in one.occurrences),
        estimate=_added([extent_of(one) for one in code]) if code[0].estimate else None,
        utility=None,
    )


def _added(extents: Sequence[Extent]) -> Extent:
    """Return what estimates come to together; which tasks they share is not known."""
    return Extent(
        places=sum(one.places for one in extents),
        tasks=max(one.tasks for one in extents),
        saving=sum((one.saving for one in extents), Saving()),
    )


def members_as_json(draft: Draft) -> JsonObject:
    """Return the tools that a draft does the work of, how it is called for each, and where from."""
    if not isinstance(draft.original, OriginalTools):
        return {}
    members: JsonObject = {}
    for one in draft.original.members:
        found = one.draft.opportunity.everywhere if one.draft.opportunity else ()
        places: list[Json] = [str(each.place) for each in found[:_MOST_PLACES]]
        members[one.draft.name] = {
            "takes": {**one.takes},
            "constants": one.constants,
            "support": support_of(found),
            "places": places,
        }
    return {"members": members}
