"""Where a tool comes from: what the registry keeps beside it, and `tools show` prints."""

from __future__ import annotations

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting import Draft, DraftOrigin
from toolguild.synth.mining import RepeatedSequence, extent_of, support_of
from toolguild.synth.uniting import members_as_json

__all__ = ["provenance_of", "written_by"]

MAX_LISTED_OCCURRENCES = 20


def written_by(draft: Draft) -> JsonObject:
    """Return who wrote a draft, its code and its words, and what that took, as plain data."""
    took = draft.authorship.to_json() if draft.authorship else {}
    if draft.authorship and draft.origin is DraftOrigin.DETERMINISTIC:
        took = {"words": str(DraftOrigin.MODEL), **took}
    return {"origin": str(draft.origin), **took}


def provenance_of(draft: Draft) -> JsonObject:
    """Return where a draft comes from, as plain data."""
    opportunity = draft.opportunity
    if opportunity is None:
        return written_by(draft)
    occurrences = opportunity.everywhere
    extent = extent_of(opportunity)
    places: list[Json] = [str(one.place) for one in occurrences[:MAX_LISTED_OCCURRENCES]]
    found: JsonObject = (
        {"kind": "sequence", "steps": _steps(draft, opportunity)}
        if isinstance(opportunity, RepeatedSequence)
        else {"kind": opportunity.kind}
    )
    return {
        **written_by(draft),
        **found,
        **members_as_json(draft),
        "support": support_of(occurrences),
        "occurrences": len(occurrences),
        "places": places,
        "saving": {"calls": extent.saving.calls, "characters": extent.saving.characters},
        **(
            {"estimated": {"support": extent.tasks, "occurrences": extent.places}}
            if opportunity.estimate
            else {}
        ),
    }


def _steps(draft: Draft, opportunity: RepeatedSequence) -> JsonObject:
    """Return, for each key of a composite's result, the tool that the value comes from, or code."""
    keys = draft.returns["properties"]
    tools = ["code" if step.code else step.tool for step in opportunity.plan]
    return dict(zip(keys if isinstance(keys, dict) else (), tools, strict=True))
