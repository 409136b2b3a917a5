"""The way of one call to a tool: gates around a sandbox, each a thin wrapper of the next.

`Recorded(OnlyActive(CheckedArguments(CheckedResult(InSandbox(...)))))` is the whole way. A gate
that turns a call away answers with a refused result; it raises nothing.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from toolguild.policies import Capability, Tier
from toolguild.registry.effects import process_tier
from toolguild.registry.json_schema import closed, mismatch
from toolguild.registry.model import CallStatus, State, ToolVersion
from toolguild.sandbox import (
    Json,
    JsonObject,
    Limits,
    Outcome,
    Program,
    Sandbox,
    Status,
)

__all__ = [
    "Budget",
    "Call",
    "CheckedArguments",
    "CheckedResult",
    "Gate",
    "Gateway",
    "InSandbox",
    "OnlyActive",
    "ToolResult",
    "clipped",
]

_MAX_ERROR = 2000
"""Characters of an error that are kept and shown to a model."""


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


@dataclass(frozen=True, slots=True)
class ToolResult:
    """How a call of a tool ended."""

    status: CallStatus
    value: Json = None
    error: str = ""
    version: str | None = None
    """Digest of the version that was called; None where there is no such tool."""
    duration_s: float = 0.0
    effects: frozenset[Capability] = frozenset()
    ran: bool = False
    """Whether the tool's code was started."""

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.status is CallStatus.OK

    def for_model(self) -> str:
        """Return the text that goes back to a model: the value as JSON, or what went wrong."""
        if self.ok:
            return json.dumps(self.value, ensure_ascii=False)
        return f"The call did not succeed ({self.status.value}): {self.error}"


def refused(call: Call, error: str) -> ToolResult:
    """Return the result of a call that a gate turned away."""
    return ToolResult(CallStatus.REFUSED, error=clipped(error), version=call.version.digest)


def clipped(error: str) -> str:
    """Return an error no longer than a model has to read."""
    return error if len(error) <= _MAX_ERROR else f"{error[:_MAX_ERROR]}..."


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
    def refused_by_tier(self) -> bool:
        """Whether a call was refused that a higher tier would allow."""

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
    gateway: Callable[[Call], Gateway]

    def run(self, call: Call) -> ToolResult:
        """Answer a call; see `Gate`."""
        spec, gateway = call.version.spec, self.gateway(call)
        wall_s = min(self.limits.wall_s, call.budget.remaining_s())
        outcome = self.sandbox.run(
            Program(spec.source, spec.name),
            call.arguments,
            tier=process_tier(call.version, call.tier),
            limits=replace(self.limits, wall_s=wall_s),
            tools=gateway if spec.calls else None,
        )
        if gateway.fault is not None:
            raise gateway.fault
        return _result(call, outcome, gateway, shortened=wall_s < self.limits.wall_s)


def _result(call: Call, outcome: Outcome, gateway: Gateway, *, shortened: bool) -> ToolResult:
    return ToolResult(
        _status(outcome.status, gateway, shortened),
        value=outcome.value,
        error=clipped(outcome.error),
        version=call.version.digest,
        duration_s=outcome.duration_s,
        effects=outcome.effects | gateway.effects,
        ran=True,
    )


def _status(status: Status, gateway: Gateway, shortened: bool) -> CallStatus:
    if status is Status.ERROR and gateway.refused_by_tier:
        # It failed for want of a tier that it may still earn: no evidence against its code.
        return CallStatus.REFUSED
    if status is Status.TIMEOUT and shortened:
        return CallStatus.CUT_OFF
    return CallStatus(status.value)
