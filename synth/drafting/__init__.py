"""From opportunities to drafts of tools."""

from toolguild.synth.drafting.authorship import Authorship
from toolguild.synth.drafting.draft import (
    Case,
    Draft,
    DraftOrigin,
    Member,
    OriginalCalls,
    OriginalCode,
    OriginalEpisode,
    OriginalTools,
)
from toolguild.synth.drafting.drafter import NotDrafted, draft_tool, tool_names
from toolguild.synth.drafting.function import Domain, draft_function
from toolguild.synth.drafting.held_out import hold_out
from toolguild.synth.drafting.schemas import infer_schema, object_schema

__all__ = [
    "Authorship",
    "Case",
    "Domain",
    "Draft",
    "DraftOrigin",
    "Member",
    "NotDrafted",
    "OriginalCalls",
    "OriginalCode",
    "OriginalEpisode",
    "OriginalTools",
    "draft_function",
    "draft_tool",
    "hold_out",
    "infer_schema",
    "object_schema",
    "tool_names",
]
