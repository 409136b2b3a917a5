"""The gate before composites that would move data from what reads to the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from toolguild.policies import Capability, Tier
from toolguild.registry.data_flow import NetworkFlow
from toolguild.registry.effects import Refusal
from toolguild.registry.gates import Call, Gate, ToolResult, refused
from toolguild.registry.model import ToolVersion

__all__ = ["NoFlowToNetwork"]


@dataclass(frozen=True, slots=True)
class NoFlowToNetwork(Gate):
    """Turns away composites below `full` in which data could come from a reader to the network.

    Before they run: half way, the reader would have been called for nothing.
    """

    inner: Gate
    flows: Callable[[ToolVersion], Sequence[NetworkFlow]]

    def run(self, call: Call) -> ToolResult:
        """Answer a call; see `Gate`."""
        version = call.version
        if call.tier is Tier.FULL or not version.spec.calls:
            return self.inner.run(call)
        flows = self.flows(version)
        if not flows:
            return self.inner.run(call)
        error = (
            f"refused: data would go from {flows[0]}; only a tool of the tier {Tier.FULL} may do "
            f"that, and {version.ref} runs at {call.tier}"
        )
        met = Refusal(Capability.NETWORK, flows[0].sink.tool)
        turned_away = refused(call, error)
        return replace(turned_away, effects=frozenset({met.effect}), refusals=(met,))
