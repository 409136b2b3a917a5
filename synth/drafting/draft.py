"""A draft: a tool text that answers an opportunity, not yet proven."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting.authorship import Authorship
from toolguild.synth.mining import Opportunity
from toolguild.synth.plans import Plan
from toolguild.synth.traces import Place, ToolCall

__all__ = [
    "Case",
    "Draft",
    "DraftOrigin",
    "Member",
    "OriginalCalls",
    "OriginalCode",
    "OriginalEpisode",
    "OriginalTools",
]


@dataclass(frozen=True, slots=True)
class Case:
    """What a recorded run says that the tool must do."""

    arguments: JsonObject
    value: Json
    error: str | None
    """Type of the exception that the recorded code raised; then there is no value."""
    calls: tuple[ToolCall, ...]
    """The recorded answers to the tools that a composite calls."""
    task_id: str
    place: Place
    trace_id: str = ""
    """The trace that it was recorded in; empty where it comes from elsewhere."""


@dataclass(frozen=True, slots=True)
class OriginalCode:
    """Code that a draft is to replace."""

    source: str
    """A function that takes the draft's parameters, after what it needs."""
    entry: str
    """The function's name."""


@dataclass(frozen=True, slots=True)
class OriginalCalls:
    """Calls of other tools that a draft is to replace."""

    plan: Plan
    overfitted: str = ""
    """Why the plan is taken to explain only what it was made from; empty where it is not."""


@dataclass(frozen=True, slots=True)
class OriginalEpisode:
    """Calls by which agents came to the same, in ways that no plan says.

    There is nothing to run beside the draft; it says where in a run the draft could be called.
    """

    called_at: str
    """The tool whose call a run begins with."""
    takes: Mapping[str, tuple[str, str]]
    """For each parameter of the draft, the tool and the argument of its first call from there on
    that hold the value."""


@dataclass(frozen=True, slots=True)
class OriginalTools:
    """Tools that a draft does the work of, each of them made of code."""

    members: tuple[Member, ...]


Original: TypeAlias = "OriginalCode | OriginalCalls | OriginalEpisode | OriginalTools"


class DraftOrigin(StrEnum):
    """Who wrote a draft."""

    DETERMINISTIC = "deterministic"
    PERSON = "person"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Draft:
    """A tool text with its schemas, and the cases that it must reproduce."""

    name: str
    description: str
    source: str
    parameters: JsonObject
    """JSON Schema of the arguments object: closed, every parameter required."""
    returns: JsonObject
    """JSON Schema of the result."""
    calls: tuple[str, ...]
    """Names of the tools that it calls through `call_tool`."""
    origin: DraftOrigin
    opportunity: Opportunity | None
    """What it answers; None for a tool that a person wrote."""
    cases: tuple[Case, ...]
    held_out: tuple[Case, ...] = ()
    """Cases that drafting never saw, which decide at validation."""
    original: Original | None = None
    """What it replaces, and must do the same as; None where that is not known."""
    authorship: Authorship | None = None
    """What it took a model to write, or, where its code is deterministic, to put in words; None
    where no model did either."""

    @property
    def replaced_code(self) -> tuple[str, ...]:
        """The texts of the code that it replaces; none where it replaces none."""
        match self.original:
            case OriginalCode(source=source):
                return (source,)
            case OriginalTools(members=members):
                return tuple(source for one in members for source in one.draft.replaced_code)
        return ()


@dataclass(frozen=True, slots=True)
class Member:
    """A tool that a more general one does the work of, and how that one is called for it."""

    draft: Draft
    """The tool, with its own recorded cases and its own original."""
    takes: Mapping[str, str]
    """For parameters of the general tool, the parameter of this one whose value they take."""
    constants: JsonObject
    """Values of the other parameters of the general tool: the same in each call."""

    def given(self, arguments: JsonObject) -> JsonObject:
        """Return the general tool's arguments for a call of this one."""
        taken = {name: arguments[own] for name, own in self.takes.items()}
        return {**taken, **self.constants}
