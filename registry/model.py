"""What the registry keeps: specifications, versions, rejected drafts and uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from toolguild.policies import Capability, Tier
from toolguild.registry.canonical import digest
from toolguild.sandbox import JsonObject

__all__ = [
    "TRANSITIONS",
    "CallStatus",
    "Record",
    "Registration",
    "RejectedDraft",
    "Rejection",
    "State",
    "ToolSpec",
    "ToolVersion",
    "Use",
]


class State(StrEnum):
    """Where a version stands in its life. Only an `ACTIVE` one can be called."""

    PROPOSED = "proposed"
    """It waits for room among the new tools."""
    ACTIVE = "active"
    QUARANTINED = "quarantined"
    RETIRED = "retired"
    REJECTED = "rejected"
    """Of drafts that were never registered; no version has it."""


class CallStatus(StrEnum):
    """How a call of a tool ended: the sandbox's statuses, and two that are nobody's fault."""

    OK = "ok"
    ERROR = "error"
    """The tool raised an exception, or its result does not match its schema."""
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT_LIMIT = "output_limit"
    KILLED = "killed"
    REFUSED = "refused"
    """A gate turned the call away, or the tool asked for something outside its tier."""
    CUT_OFF = "cut_off"
    """It timed out on the time of the composite that called it, which is no measure for it."""
    UNAVAILABLE = "unavailable"
    """The sandbox could not run anything."""


TRANSITIONS: Final[Mapping[State, frozenset[State]]] = {
    State.PROPOSED: frozenset({State.ACTIVE, State.RETIRED}),
    State.ACTIVE: frozenset({State.QUARANTINED, State.RETIRED}),
    State.QUARANTINED: frozenset({State.ACTIVE, State.RETIRED}),
    State.RETIRED: frozenset({State.ACTIVE}),
    State.REJECTED: frozenset(),
}
"""The states that each state may lead to."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """Everything that makes a tool the tool it is; its digest is its identity."""

    name: str
    description: str
    source: str
    """The text of one Python module with a function called `name`."""
    parameters: JsonObject
    """JSON Schema of the arguments object."""
    returns: JsonObject
    """JSON Schema of the result."""
    calls: tuple[str, ...] = ()
    """Names of the tools that the source calls through `call_tool`, sorted."""
    needs: frozenset[Capability] = frozenset()

    def __post_init__(self) -> None:
        # The order of names means nothing, so that it must not tell equal specifications apart.
        object.__setattr__(self, "calls", tuple(sorted(set(self.calls))))

    def content(self) -> JsonObject:
        """Return the specification as the JSON object that is stored and digested."""
        return {
            "calls": list(self.calls),
            "description": self.description,
            "name": self.name,
            "needs": [*sorted(self.needs)],
            "parameters": self.parameters,
            "returns": self.returns,
            "source": self.source,
        }

    @property
    def digest(self) -> str:
        """`sha256:<hex>` over the canonical JSON of `content()`."""
        return digest(self.content())


@dataclass(frozen=True, slots=True)
class ToolVersion:
    """A registered specification. Tier, state and record are its own and never inherited."""

    spec: ToolSpec
    number: int
    """From 1 within the tool's name."""
    tier: Tier
    state: State
    registered_at: datetime
    provenance: JsonObject = field(default_factory=dict)
    """Where it comes from: traces, origin of the draft, model."""
    evidence: JsonObject = field(default_factory=dict)
    """What was shown about it, by the newest of its validations."""
    since_use: int = 0
    """Number of the last use from before it was promoted, or became another one by its parts: those
    up to it say nothing of it any more."""
    image: str = ""
    """What its tier was earned in; says nothing in `sandbox`, where each image has a record of its
    own, and is empty where a tier was given without a record."""

    @property
    def digest(self) -> str:
        """The digest of its specification."""
        return self.spec.digest

    @property
    def ref(self) -> str:
        """`name@number`."""
        return f"{self.spec.name}@{self.number}"


@dataclass(frozen=True, slots=True)
class Registration:
    """What `Registry.register` did."""

    version: ToolVersion
    created: bool
    """False where this very specification was registered before: nothing was written."""


@dataclass(frozen=True, slots=True)
class RejectedDraft:
    """A draft that did not pass, kept so that nobody has to try it again."""

    spec: ToolSpec
    reasons: tuple[str, ...]
    evidence: JsonObject
    rejected_at: datetime


@dataclass(frozen=True, slots=True)
class Rejection:
    """What `Registry.reject` did."""

    draft: RejectedDraft
    created: bool
    """False where this very specification was rejected before: nothing was written."""


@dataclass(frozen=True, slots=True)
class Use:
    """One call of one version."""

    version: str
    """Digest of the version."""
    input_digest: str
    """Digest of the arguments."""
    status: CallStatus
    duration_s: float
    at: datetime
    ran: bool = True
    """Whether the tool's code was started."""
    task: str | None = None
    trace: str | None = None
    error: str = ""
    effects: frozenset[Capability] = frozenset()
    """Capabilities that the run used or asked for."""
    undeclared: frozenset[Capability] = frozenset()
    """Those of them that its own code used or asked for, and its specification does not declare:
    a finding against the version, whatever the status."""
    caller: str | None = None
    """Digest of the composite that made the call; None where it came from outside, and for uses
    recorded before callers were."""
    tier: Tier | None = None
    """The most that it was trusted with; None where nobody said, and then it is no evidence."""
    image: str = ""
    """What it ran in: the sandbox's level, with the digest of an image where there is one."""
    model: str | None = None
    """The model that asked for it."""
    live: bool = True
    """Whether somebody wanted the result: a use inside validation is none."""


@dataclass(frozen=True, slots=True)
class Record:
    """How often a version was called, and how; each call counts once down to `unavailable`."""

    successes: int = 0
    failures: int = 0
    """It ran and raised, gave a wrong result, or broke a limit."""
    refused: int = 0
    """It ran and asked for something outside its tier, or the sandbox would not start it."""
    turned_away: int = 0
    """A gate refused the call before it ran: the caller's fault, or the version's state."""
    cut_off: int = 0
    """It ran for a composite whose time was over before it was done."""
    unavailable: int = 0
    """The sandbox could not run anything."""
    undeclared: int = 0
    """Those of all these in which its code was seen to use or ask for what it does not declare."""
    last_used_at: datetime | None = None

    @property
    def runs(self) -> int:
        """Runs that say something about the tool: successes and failures."""
        return self.successes + self.failures
