"""What agents are handed: the registered tools, and the only way to call them."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from toolguild.policies import Capability, Tier
from toolguild.registry.canonical import canonical_json, decode_json, digest
from toolguild.registry.data_flow import NetworkFlow, network_flows
from toolguild.registry.effects import ExternalTool, effects_of, standing
from toolguild.registry.errors import NotJsonError, UnknownToolError
from toolguild.registry.flow_gate import NoFlowToNetwork
from toolguild.registry.gates import (
    Budget,
    Call,
    CheckedArguments,
    CheckedResult,
    Gate,
    InSandbox,
    OnlyActive,
    ToolResult,
)
from toolguild.registry.gateway import MAX_CALLS, CompositeGateway
from toolguild.registry.model import CallStatus, State, ToolSpec, ToolVersion, Use
from toolguild.registry.store import Registry
from toolguild.registry.strict import OpenAIApi, openai_tool, without_placeholders
from toolguild.sandbox import Access, Json, JsonObject, Limits, Sandbox, SandboxUnavailableError
from toolguild.sandbox.access import NOTHING

__all__ = ["Toolbox", "UsableTool"]

_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class UsableTool:
    """A tool whose tier lets it do all that it does."""

    version: ToolVersion
    capabilities: frozenset[Capability]
    """What it does to the world, with all that it calls."""


_NO_TOOLS: Mapping[str, ExternalTool] = MappingProxyType({})


class Toolbox:
    """Offers the active tools of a registry to one agent, and runs them for it.

    Every call goes gate -> sandbox -> record. Tools registered, promoted or quarantined while the
    agent runs show up at once. Safe to share between threads as far as the external tools are.

    An external tool that has not returned when the time of the call is over is given up on: the
    call ends as `timeout`, the function goes on in a thread of its own until it returns. While
    32 such threads are left in the process, no external tool is called.
    """

    def __init__(
        self,
        registry: Registry,
        sandbox: Sandbox,
        tools: Mapping[str, ExternalTool] = _NO_TOOLS,
        *,
        limits: Limits = _LIMITS,
        access: Access = NOTHING,
        task: str | None = None,
        trace: str | None = None,
        model: str | None = None,
        live: bool = True,
        without: Collection[str] = (),
    ) -> None:
        """Make a toolbox; it closes neither the registry nor the sandbox.

        Args:
            registry: Where the tools are, and where their uses are recorded.
            sandbox: What they run in.
            tools: The caller's own tools, by name, for composites to call.
            limits: What one call may use, the calls inside it included in its time.
            access: What of your files and of the network the tools get that need it and whose
                tier allows it; nothing unless given.
            task: Identifier of what the agent was asked to do; kept with each use.
            trace: Identifier of the agent's run; kept with each use.
            model: Name of the model that the agent goes by; kept with each use.
            live: Whether this is work, whose uses count, and no trial of an agent.
            without: Digests of versions that this agent is not to have. Their names mean the newest
                version before them that is in use, as they would if these were retired.
        """
        self._registry, self._sandbox = registry, sandbox
        self.external: Mapping[str, ExternalTool] = dict(tools)
        """The caller's own tools, by name."""
        self._limits = limits
        self._without = frozenset(without)
        run = InSandbox(sandbox, limits, access, self._gateway)
        checked = CheckedArguments(NoFlowToNetwork(CheckedResult(run), self._flows))
        self._gate = _Recorded(OnlyActive(checked), registry, sandbox, task, trace, model, live)

    def specs(self) -> list[ToolSpec]:
        """Return the tools that can be called now, by name."""
        return [version.spec for version in self._active()]

    def usable(self) -> list[UsableTool]:
        """Return the tools that can be called now and are not held back by their tier, by name.

        Left out are those that would be refused an effect, or whose effects would be thrown away,
        and composites that call what is not there.
        """
        found = []
        for version in self._active():
            here = self._named(version.spec.name)
            capabilities = effects_of(here, self._find, self.external)
            if capabilities is not None:
                allowed = capabilities <= standing(here, self._find).capabilities
                found += [UsableTool(here, capabilities)] if allowed else []
        return found

    def openai_tools(self, api: OpenAIApi = "chat") -> list[JsonObject]:
        """Return the `tools` list of a request to OpenAI's Chat Completions or Responses API."""
        return [openai_tool(spec, api) for spec in self.specs()]

    def call(self, name: str, arguments: Mapping[str, Json]) -> ToolResult:
        """Call a tool by its name, and add the call to its record.

        Whatever is wrong with the call or the tool is a result. A null for a property that the
        tool does not require counts as left out, because strict mode makes models send it.

        Raises:
            SandboxUnavailableError: the sandbox cannot run anything; recorded as that.
            RegistryError: the registry cannot be read or written.
        """
        try:
            version = self._named(name)
        except UnknownToolError as error:
            return ToolResult(CallStatus.REFUSED, error=str(error))
        try:
            plain = decode_json(canonical_json(dict(arguments)))
        except (NotJsonError, TypeError, ValueError) as error:
            msg = f"arguments: {error}"
            return ToolResult(CallStatus.REFUSED, error=msg, version=version.digest)
        given = without_placeholders(plain, version.spec.parameters)
        return self._gate.run(
            Call(
                version,
                given if isinstance(given, dict) else {},
                tier=standing(version, self._find),
                budget=Budget(self._limits.wall_s, MAX_CALLS),
            )
        )

    def call_json(self, name: str, text: str) -> ToolResult:
        """Call a tool with its arguments as the JSON text that a model wrote; see `call`."""
        try:
            # Models send nothing at all for a tool without parameters.
            arguments = decode_json(text) if text.strip() else {}
        except NotJsonError as error:
            return ToolResult(CallStatus.REFUSED, error=f"arguments: {error}")
        if not isinstance(arguments, dict):
            return ToolResult(CallStatus.REFUSED, error="arguments: not a JSON object")
        return self.call(name, arguments)

    def _active(self) -> list[ToolVersion]:
        """Return the versions in use that names mean here, by name."""
        if not self._without:
            return self._registry.tools(state=State.ACTIVE)
        found = []
        for version in self._registry.tools():
            with contextlib.suppress(UnknownToolError):
                meant = self._before(version) if version.digest in self._without else version
                found += [meant] if meant.state is State.ACTIVE else []
        return found

    def _before(self, left_out: ToolVersion) -> ToolVersion:
        """Return what a name means where the version that it means is left out."""
        for version in reversed(self._registry.versions(left_out.spec.name)):
            is_earlier = version.number < left_out.number and version.digest not in self._without
            if is_earlier and version.state is State.ACTIVE:
                return version
        msg = f"{left_out.ref} is left out, and no version before it is in use"
        raise UnknownToolError(msg)

    def _named(self, name: str) -> ToolVersion:
        if not isinstance(name, str) or "@" in name:
            # A model must not pick an older version that has a higher tier.
            msg = f"{str(name)[:100]!r} is not a tool's name; call it without a version"
            raise UnknownToolError(msg)
        version = self._registry.tool(name)
        if version.digest in self._without:
            version = self._before(version)
        if version.image in ("", self._sandbox.level):
            return version
        # What it has earned, it has earned in another image.
        return replace(version, tier=Tier.SANDBOX)

    def _find(self, name: str) -> ToolVersion | None:
        try:
            version = None if name in self.external else self._named(name)
        except UnknownToolError:
            return None
        # Composites are not to blame for what nobody can call yet.
        return None if version is None or version.state is State.PROPOSED else version

    def _flows(self, version: ToolVersion) -> list[NetworkFlow]:
        declared = {name: tool.capability for name, tool in self.external.items()}
        return network_flows(version, self._find, declared)

    def _gateway(self, call: Call) -> CompositeGateway:
        return CompositeGateway(call, external=self.external, find=self._find, gate=self._gate)


@dataclass(frozen=True, slots=True)
class _Recorded(Gate):
    """Adds each call to the record of its version, whatever came of it."""

    inner: Gate
    registry: Registry
    sandbox: Sandbox
    task: str | None
    trace: str | None
    model: str | None
    live: bool

    def run(self, call: Call) -> ToolResult:
        """Answer a call; see `Gate`."""
        at = self.registry.now()
        try:
            result = self.inner.run(call)
        except SandboxUnavailableError as error:
            self._record(call, ToolResult(CallStatus.UNAVAILABLE, error=str(error)), at)
            raise
        self._record(call, result, at)
        return result

    def _record(self, call: Call, result: ToolResult, at: datetime) -> None:
        self.registry.record(
            Use(
                version=call.version.digest,
                input_digest=digest(call.arguments),
                status=result.status,
                duration_s=result.duration_s,
                at=at,
                ran=result.ran,
                task=self.task,
                trace=self.trace,
                error=result.error,
                effects=result.effects,
                undeclared=result.undeclared,
                caller=call.caller,
                tier=call.tier,
                image=self.sandbox.level if result.ran else "",
                model=self.model,
                live=self.live,
            ),
            result.refusals,
        )
