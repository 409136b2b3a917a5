"""What answers a composite's `call_tool`: the tools that it declared, as far as its tier goes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from toolguild.policies import Capability
from toolguild.registry.canonical import canonical_json, decode_json
from toolguild.registry.effects import ExternalTool, Refusal, standing
from toolguild.registry.errors import NotJsonError
from toolguild.registry.external import TooLateError, TooManyLateError, call_external
from toolguild.registry.gates import Call, Gate, ToolResult
from toolguild.registry.json_schema import mismatch
from toolguild.registry.model import CallStatus, ToolVersion
from toolguild.sandbox import Json, JsonObject, ToolCallError

__all__ = ["MAX_CALLS", "MAX_DEPTH", "CompositeGateway"]

MAX_DEPTH = 4
"""Composites inside one another."""
MAX_CALLS = 1000
"""Calls of tools, at any depth, that one call from outside may lead to."""


class CompositeGateway:
    """Answers the calls of one run of one version, one at a time; a `Gateway` of `gates`."""

    def __init__(
        self,
        call: Call,
        *,
        external: Mapping[str, ExternalTool],
        find: Callable[[str], ToolVersion | None],
        gate: Gate,
    ) -> None:
        """Stand between one run and the tools.

        Args:
            call: The call whose run is answered.
            external: The caller's own tools. They go before registered ones of the same name, so
                that nobody can slip a tool in by registering it under their name.
            find: Gives the registered version that a name means.
            gate: The whole way of a call to a registered tool.
        """
        self._call = call
        self._external = external
        self._find = find
        self._gate = gate
        self._one_at_a_time = threading.Lock()
        self.effects: frozenset[Capability] = frozenset()
        self.inner: list[ToolResult] = []
        self.refusals: list[Refusal] = []
        self.held_back = False
        self.too_late = False
        self.fault: Exception | None = None

    def __call__(self, name: str, arguments: JsonObject) -> Json:
        """Call a tool by its name.

        Raises:
            ToolCallError: the call was refused, or the tool failed.
        """
        with self._one_at_a_time:
            try:
                self._check_allowed(name)
                plain = _object(arguments)
                if name in self._external:
                    return self._call_external(name, self._external[name], plain)
                return self._call_version(name, plain)
            except ToolCallError:
                raise
            except Exception as error:
                # The sandbox or the registry broke. The program gets a failed call and ends; then
                # the one who started it sees what really happened.
                self.fault = error
                msg = "the host could not answer the call"
                raise ToolCallError(msg) from error

    def _check_allowed(self, name: str) -> None:
        spec, budget = self._call.version.spec, self._call.budget
        if self.fault is not None:
            msg = "refused: the host could not answer an earlier call"
            raise ToolCallError(msg)
        if name not in spec.calls:
            msg = f"refused: {spec.name} does not declare that it calls {str(name)[:100]!r}"
            raise ToolCallError(msg)
        if not budget.spend_call():
            msg = "refused: no calls or no time left"
            raise ToolCallError(msg)

    def _call_external(self, name: str, tool: ExternalTool, arguments: JsonObject) -> Json:
        self.effects |= {tool.capability}
        tier = self._call.tier
        if tool.capability not in tier.capabilities:
            self.held_back = True
            self.refusals.append(Refusal(tool.capability, name))
            msg = f"refused: {name} needs {tool.capability.value}, not allowed in tier {tier.value}"
            raise ToolCallError(msg)
        problem = mismatch(arguments, tool.parameters, f"{name} arguments")
        if problem:
            raise ToolCallError(problem)
        try:
            return call_external(name, tool, arguments, self._call.budget.remaining_s())
        except TooLateError:
            self.too_late = True
            raise
        except TooManyLateError:
            self.held_back = True
            raise

    def _call_version(self, name: str, arguments: JsonObject) -> Json:
        version = self._find(name)
        if version is None:
            # Who calls the composite has to bring it along.
            self.held_back = True
            msg = f"no tool named {name!r} is available"
            raise ToolCallError(msg)
        depth = self._call.depth + 1
        if depth > MAX_DEPTH:
            msg = f"refused: composites are nested deeper than {MAX_DEPTH}"
            raise ToolCallError(msg)
        tier = min(self._call.tier, standing(version, self._find))
        caller = self._call.version.digest
        result = self._gate.run(Call(version, arguments, tier, self._call.budget, depth, caller))
        self.effects |= result.effects
        self.inner.append(replace(result, value=None))
        self.refusals += [Refusal(one.effect, name) for one in result.refusals]
        if result.status is CallStatus.REFUSED and (result.ran or result.refusals):
            self.held_back = True
        if not result.ok:
            msg = f"{name} did not succeed ({result.status.value}): {result.error}"
            raise ToolCallError(msg)
        return result.value


def _object(arguments: object) -> JsonObject:
    """Return what a program sent as arguments, reduced to plain JSON."""
    try:
        plain = decode_json(canonical_json(arguments))
    except NotJsonError as error:
        msg = f"arguments: {error}"
        raise ToolCallError(msg) from error
    if not isinstance(plain, dict):
        msg = "arguments: not a JSON object"
        raise ToolCallError(msg)
    return plain
