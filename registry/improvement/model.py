"""What an agent is told beside its tasks, the changes of it, and the runs that speak for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from toolguild.registry.canonical import digest
from toolguild.sandbox import JsonObject

__all__ = ["Artefact", "ArtefactKind", "Change", "ChangeKind", "NewChange", "ScoredRun", "Standing"]


class ArtefactKind(StrEnum):
    """What an artefact is."""

    INSTRUCTIONS = "instructions"
    LESSON = "lesson"
    EXAMPLE = "example"


@dataclass(frozen=True, slots=True)
class Artefact:
    """One thing that an agent may be told; its digest is its identity."""

    kind: ArtefactKind
    content: JsonObject

    @property
    def digest(self) -> str:
        """`sha256:<hex>` over kind and content."""
        return digest({"kind": self.kind.value, "content": self.content})


class ChangeKind(StrEnum):
    """What a change is about."""

    INSTRUCTIONS = "instructions"
    LESSONS = "lessons"
    EXAMPLES = "examples"
    TOOLS = "tools"
    UNDO = "undo"
    ALERT = "alert"
    """Holds a change back until a person decides."""
    DECISION = "decision"
    """What a person decided on an alert."""
    REFUSED = "refused"
    """A change that did not pass its gates, kept so that it is not tried again and again."""
    CYCLE = "cycle"
    """A look at an agent's runs is over; `evidence` says how far it came."""


@dataclass(frozen=True, slots=True)
class NewChange:
    """A change that is proposed."""

    agent: str
    kind: ChangeKind
    why: str
    adds: tuple[Artefact, ...] = ()
    """Those of a change that is held back or refused are not in effect."""
    removes: tuple[str, ...] = ()
    """Digests of artefacts."""
    brings: tuple[str, ...] = ()
    """Digests of the tools' versions that came into use by it, or wait to."""
    retires: tuple[str, ...] = ()
    """Digests of the tools' versions that it takes out of use."""
    runs: tuple[int, ...] = ()
    """Numbers of the scored runs that it was made of."""
    cycle: str = ""
    """Changes of one cycle are watched together."""
    evidence: JsonObject = field(default_factory=dict)
    """What its gates found; `rate` is the share of successes that it must not fall below."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change as it was made."""

    number: int
    """From 1, over all agents."""
    at: datetime
    new: NewChange
    causes: tuple[int, ...] = ()
    """Numbers of the changes without which this one would not be what it is."""
    undoes: tuple[int, ...] = ()
    decides: int | None = None
    """Number of the alert."""
    accepted: bool = False
    """What was decided on it."""


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """A run of an agent, and how well it went."""

    agent: str
    run: str
    task: str
    score: float
    """From 0 to 1."""
    at: datetime
    why: str = ""
    """What was missing, or what a person said of it."""
    error: str = ""
    """The last thing that went wrong in it; empty where nothing did."""
    steps: tuple[str, ...] = ()
    """What it did, a line for each step; the last of them where there were many."""
    result: str = ""
    shown: tuple[str, ...] = ()
    """Digests of the artefacts that it was told."""
    tools: tuple[str, ...] = ()
    """Digests of the tools' versions that it called."""
    calls: int = 0
    tokens: int = 0
    number: int = 0
    """From 1, over all agents; 0 before it is recorded."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What an agent is told at present."""

    original: Artefact | None = None
    """The first instructions that it had."""
    instructions: Artefact | None = None
    lessons: tuple[Artefact, ...] = ()
    """The oldest first."""
    examples: tuple[Artefact, ...] = ()
    """The oldest first."""
    open_alerts: tuple[int, ...] = ()
    """While there is one, instructions are not changed."""

    @property
    def artefacts(self) -> dict[str, Artefact]:
        """All that is in effect, by digest."""
        instructions = () if self.instructions is None else (self.instructions,)
        return {one.digest: one for one in (*instructions, *self.lessons, *self.examples)}
