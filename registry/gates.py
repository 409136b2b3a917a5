"""The way of one call to a tool: gates around a sandbox, each a thin wrapper of the next.

`Recorded(OnlyActive(CheckedArguments(NoFlowToNetwork(CheckedResult(InSandbox(...))))))` is the
whole way. A gate that turns a call away answers with a refused result; it raises nothing.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Protocol

from toolguild.policies import Capability, Tier, beyond
from toolguild.registry.effects import Refusal, process_tier
from toolguild.registry.json_schema import closed, mismatch
from toolguild.registry.model import CallStatus, State, ToolVersion
from toolguild.sandbox import (
    Access,
    FileChange,
    Json,
    JsonObject,
    Limits,
    Outcome,
    Program,
    Sandbox,
    Status,
)
from toolguild.sandbox.access import reach

__all__ = [
    "Budget",
    "Call",
    "ChangedFile",
    "CheckedArguments",
    "CheckedResult",
    "Gate",
    "Gateway",
    "InSandbox",
    "OnlyActive",
    "ToolResult",
    "clipped",
    "refused",
]

_MAX_ERROR = 2000
"""Characters of an error that are kept and shown to a model."""
_MAX_NAMES, _MAX_NAME = 20, 200
"""Files that a model is told of by name, and how many characters of each."""


@dataclass(slots=True)
class Budget:
    """What one call from outside may use, shared by all the calls that it leads to."""

    wall_s: float
    calls: int
    """Calls that composites may still make."""
    deadline: float | None = None
    """On the clock of `time.monotonic`; set by the first call of a composite.

    Not earlier, because a sandbox may be long in starting, which costs the program no time. Later
    than the program's own deadline, which the sandbox enforces.
    """

    def spend_call(self) -> bool:
        """Take one call from the budget; return whether there was one, and time for it."""
        now = time.monotonic()
        if self.deadline is None:
            self.deadline = now + self.wall_s
        self.calls -= 1
        return self.calls >= 0 and now < self.deadline

    def remaining_s(self) -> float:
        """Return the seconds that a run may take; a moment where there are none left."""
        if self.deadline is None:
            return self.wall_s
        return max(0.001, self.deadline - time.monotonic())


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one version."""

    version: ToolVersion
    arguments: JsonObject
    tier: Tier
    """The most that it is trusted with."""
    budget: Budget
    depth: int = 0
    """How many composites it is inside of."""
    caller: str | None = None
    """Digest of the composite that makes it; None where it comes from outside."""


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file of the workspace that a tool made, changed or removed."""

    path: str
    """Relative to the workspace, with slashes."""
    size: int | None
    """Bytes that it has now; None where it was removed."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """How a call of a tool ended, and what it did with the tools that it called."""

    status: CallStatus
    value: Json = None
    error: str = ""
    version: str | None = None
    """Digest of the version that was called; None where there is no such tool."""
    duration_s: float = 0.0
    effects: frozenset[Capability] = frozenset()
    """Capabilities that were used or asked for."""
    ran: bool = False
    """Whether the tool's code was started."""
    undeclared: frozenset[Capability] = frozenset()
    """Those of the effects of the tool's own code that its specification does not declare."""
    changes: tuple[ChangedFile, ...] = ()
    """What was carried out in the caller's workspace, in the order of the calls."""
    discarded: tuple[ChangedFile, ...] = ()
    """What was *not* carried out: the tier was `sandbox`, there was no workspace to carry it out
    in, or the call that did it failed."""
    left_out: tuple[str, ...] = ()
    """What was left in a workspace that is no ordinary file, each with the reason."""
    hosts: tuple[str, ...] = ()
    """Hosts that were asked for, as `name:port`, refused ones included."""
    refusals: tuple[Refusal, ...] = ()
    """Effects that its tier does not allow, for want of which it ended."""

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.status is CallStatus.OK

    def for_model(self) -> str:
        """Return the text that goes back to a model: the value as JSON, or what went wrong.

        Lines of their own say which files were changed, and which were not although the tool may
        believe that they were.
        """
        if self.ok:
            text = json.dumps(self.value, ensure_ascii=False)
        else:
            text = f"The call did not succeed ({self.status.value}): {self.error}"
        notes = {
            "Changed in the workspace": [file.path for file in self.changes],
            "Discarded, not in the workspace": [file.path for file in self.discarded],
            "Left out, not in the workspace": self.left_out,
        }
        lines = (f"{note}: {_quoted(names)}" for note, names in notes.items() if names)
        return "\n".join((text, *lines))


def refused(call: Call, error: str) -> ToolResult:
    """Return the result of a call that a gate turned away."""
    return ToolResult(CallStatus.REFUSED, error=clipped(error), version=call.version.digest)


def clipped(error: str) -> str:
    """Return an error no longer than a model has to read."""
    return error if len(error) <= _MAX_ERROR else f"{error[:_MAX_ERROR]}..."


def _quoted(names: Iterable[str]) -> str:
    """Return names on one line; quoted, as tools choose them and models read them."""
    distinct = list(dict.fromkeys(names))
    told = ", ".join(json.dumps(name[:_MAX_NAME]) for name in distinct[:_MAX_NAMES])
    return told if len(distinct) <= _MAX_NAMES else f"{told} and {len(distinct) - _MAX_NAMES} more"


class Gate(ABC):
    """Something that answers calls, in most cases by passing them on."""

    @abstractmethod
    def run(self, call: Call) -> ToolResult:
        """Answer a call.

        Raises:
            SandboxUnavailableError: the sandbox cannot run anything.
        """


@dataclass(frozen=True, slots=True)
class OnlyActive(Gate):
    """Turns away calls of versions that are not active."""

    inner: Gate

    def run(self, call: Call) -> ToolResult:
        """Answer a call; see `Gate`."""
        version = call.version
        if version.state is not State.ACTIVE:
            return refused(call, f"{version.ref} is {version.state.value} and cannot be called")
        return self.inner.run(call)


@dataclass(frozen=True, slots=True)
class CheckedArguments(Gate):
    """Turns away calls whose arguments do not match the schema of the tool."""

    inner: Gate

    def run(self, call: Call) -> ToolResult:
        """Answer a call; see `Gate`."""
        schema = closed(call.version.spec.parameters)
        problem = mismatch(call.arguments, schema, "arguments")
        return refused(call, problem) if problem else self.inner.run(call)


@dataclass(frozen=True, slots=True)
class CheckedResult(Gate):
    """Makes an error of a result that does not match the schema of the tool."""

    inner: Gate

    def run(self, call: Call) -> ToolResult:
        """Answer a call; see `Gate`."""
        result = self.inner.run(call)
        problem = mismatch(result.value, call.version.spec.returns, "result") if result.ok else ""
        if not problem:
            return result
        return replace(result, status=CallStatus.ERROR, value=None, error=problem)


class Gateway(Protocol):
    """Answers the `call_tool` of one run, and remembers what came of it."""

    @property
    def effects(self) -> frozenset[Capability]:
        """Capabilities of the tools that the run called or wanted to call."""

    @property
    def inner(self) -> Sequence[ToolResult]:
        """How the calls of registered tools ended, without their values."""

    @property
    def refusals(self) -> Sequence[Refusal]:
        """Effects of called tools that the run's tier does not allow."""

    @property
    def held_back(self) -> bool:
        """Whether a call was refused through no fault of the run, as by its tier."""

    @property
    def too_late(self) -> bool:
        """Whether a call was given up on as the time was over."""

    @property
    def fault(self) -> Exception | None:
        """What broke on the host during a call, if anything did: not the run's failure."""

    def __call__(self, name: str, arguments: JsonObject) -> Json:
        """Call a tool; raise `ToolCallError` to fail the call."""


@dataclass(frozen=True, slots=True)
class InSandbox(Gate):
    """Runs the tool's code."""

    sandbox: Sandbox
    limits: Limits
    access: Access
    """What the caller gives to the tools that need it."""
    gateway: Callable[[Call], Gateway]

    def run(self, call: Call) -> ToolResult:
        """Answer a call; see `Gate`."""
        spec, gateway = call.version.spec, self.gateway(call)
        wall_s = min(self.limits.wall_s, call.budget.remaining_s())
        tier = process_tier(call.version, call.tier)
        outcome = self.sandbox.run(
            Program(spec.source, spec.name, needs=spec.needs),
            call.arguments,
            tier=tier,
            limits=replace(self.limits, wall_s=wall_s),
            tools=gateway if spec.calls else None,
            access=self.access,
        )
        if gateway.fault is not None:
            raise gateway.fault
        status = _status(outcome.status, gateway, shortened=wall_s < self.limits.wall_s)
        kept = outcome.ok and reach(spec.needs, tier, self.access).kept
        return _result(call, outcome, gateway, status, kept=kept)


def _result(
    call: Call, outcome: Outcome, gateway: Gateway, status: CallStatus, *, kept: bool
) -> ToolResult:
    inner, own = gateway.inner, _files(outcome.changes)
    hosts = chain(*(one.hosts for one in inner), outcome.hosts)
    return ToolResult(
        status,
        value=outcome.value,
        error=clipped(outcome.error),
        version=call.version.digest,
        duration_s=outcome.duration_s,
        effects=outcome.effects | gateway.effects,
        ran=True,
        undeclared=beyond(outcome.effects, call.version.spec.needs),
        changes=tuple(chain(*(one.changes for one in inner), own if kept else ())),
        discarded=tuple(chain(*(one.discarded for one in inner), () if kept else own)),
        left_out=tuple(chain(*(one.left_out for one in inner), outcome.left_out)),
        hosts=tuple(dict.fromkeys(hosts)),
        refusals=tuple(_refusals(call, outcome, gateway, status)),
    )


def _refusals(
    call: Call, outcome: Outcome, gateway: Gateway, status: CallStatus
) -> Iterator[Refusal]:
    if status is CallStatus.REFUSED:
        yield from gateway.refusals
    if outcome.status in (Status.ERROR, Status.REFUSED):
        # What its own code was seen to try is its word: it counts as far as it is declared.
        for effect in (outcome.effects & call.version.spec.needs) - call.tier.capabilities:
            yield Refusal(effect)


def _files(changes: Iterable[FileChange]) -> tuple[ChangedFile, ...]:
    return tuple(
        ChangedFile(change.path, None if change.content is None else len(change.content))
        for change in changes
    )


def _status(status: Status, gateway: Gateway, *, shortened: bool) -> CallStatus:
    if status is Status.ERROR and gateway.held_back:
        # It failed for want of a tier that it may still earn: no evidence against its code.
        return CallStatus.REFUSED
    if status is Status.ERROR and gateway.too_late:
        # It was faster to fail over the call than the sandbox was to end it.
        status = Status.TIMEOUT
    if status is Status.TIMEOUT and shortened:
        return CallStatus.CUT_OFF
    return CallStatus(status.value)
