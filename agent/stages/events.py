"""What happens in a run, one event after the other: all that there is to know of it.

The state of a run follows from its events alone, so that a run which was interrupted goes on from
the file that they are kept in.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from toolguild.agent.stages.configuration import Configuration
from toolguild.agent.stages.limits import Limits
from toolguild.agent.stages.meta_tools import Status
from toolguild.policies import Capability

__all__ = [
    "CallEnded",
    "CallStarted",
    "Configured",
    "Ended",
    "Event",
    "Reconfigured",
    "RefusedMeta",
    "Reminded",
    "Replied",
    "RunStarted",
    "Tokens",
    "WantedCall",
    "event_adapter",
]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tokens(_Model):
    """What requests to the model took."""

    requests: int = 0
    input: int = 0
    output: int = 0
    usd: float | None = 0.0
    """None where the price is not known."""

    @property
    def total(self) -> int:
        """Tokens read and written."""
        return self.input + self.output

    def __add__(self, other: Tokens) -> Tokens:
        known = self.usd is not None and other.usd is not None
        return Tokens(
            requests=self.requests + other.requests,
            input=self.input + other.input,
            output=self.output + other.output,
            usd=(self.usd or 0.0) + (other.usd or 0.0) if known else None,
        )


class WantedCall(_Model):
    """A call that the model asks for."""

    id: str
    name: str
    arguments: str
    """As the model wrote them."""


class _Event(_Model):
    at: str
    """ISO 8601, UTC."""


class RunStarted(_Event):
    """The first event of every run."""

    kind: Literal["run_started"] = "run_started"
    layout: Literal[1] = 1
    run: str
    task: str
    model: str
    limits: Limits
    agent: str = ""
    """Who works on it, where a registry keeps what it has learned."""
    instructions: str = ""
    """What the house tells its agent, on every task."""
    lessons: tuple[str, ...] = ()
    """Of earlier runs, that bear on this task."""
    examples: tuple[str, ...] = ()
    """Earlier runs that went well, that bear on this task."""
    shown: tuple[str, ...] = ()
    """Digests of the artefacts that hold all of this, where it comes from a registry."""


class Configured(_Event):
    """The first stage begins."""

    kind: Literal["configured"] = "configured"
    configuration: Configuration
    notes: tuple[str, ...] = ()
    """What had to be mended in the configuration as the model wrote it."""
    tokens: Tokens
    """What writing it took."""


class Replied(_Event):
    """The model said something, or asked for calls."""

    kind: Literal["replied"] = "replied"
    offered: tuple[str, ...]
    """Names of the tools that it could call."""
    text: str
    calls: tuple[WantedCall, ...]
    tokens: Tokens


class CallStarted(_Event):
    """A tool is about to be called."""

    kind: Literal["call_started"] = "call_started"
    call: str
    """Id of the call."""
    name: str
    arguments: str


class CallEnded(_Event):
    """A call was answered, by the tool or in its place."""

    kind: Literal["call_ended"] = "call_ended"
    call: str
    name: str
    arguments: str
    ok: bool
    ran: bool
    """Whether the tool was called at all."""
    text: str
    """What the model gets."""
    seconds: float = Field(ge=0)
    capabilities: tuple[Capability, ...] = ()
    """What the call may have done to the world."""


class RefusedMeta(_Event):
    """A change of the configuration, or the end of the run, was refused."""

    kind: Literal["refused_meta"] = "refused_meta"
    call: str
    name: str
    why: str
    """What the model gets."""
    about: Literal["form", "limit", "goal", "loop", "configuration"]
    tokens: Tokens = Tokens()
    """What was spent on it."""


class Reminded(_Event):
    """The model was told what it has to do."""

    kind: Literal["reminded"] = "reminded"
    text: str
    forced: bool
    """Whether it may do nothing else now."""


class Reconfigured(_Event):
    """A stage is over, and the next one begins."""

    kind: Literal["reconfigured"] = "reconfigured"
    call: str
    stage: int
    """The one that is over, from 1."""
    old: Configuration
    new: Configuration
    rationale: str
    summary: str
    """What the stage did, in two or three sentences."""
    notes: tuple[str, ...] = ()
    """What had to be mended in the new configuration as the model wrote it."""
    tokens: Tokens
    """What writing it took."""


class Ended(_Event):
    """The last event of a run."""

    kind: Literal["ended"] = "ended"
    status: Status
    result: str
    summary: str
    stalled: str = ""
    """Where it came to a halt, and why; empty where the model ended it by itself."""
    handed_over: bool = False
    """Whether the user has to decide how to go on."""


Event = (
    RunStarted
    | Configured
    | Replied
    | CallStarted
    | CallEnded
    | RefusedMeta
    | Reminded
    | Reconfigured
    | Ended
)

event_adapter: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])
