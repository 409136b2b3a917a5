"""Making the recorded calls once more, on copies of the live tools."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from toolguild.policies import Profile
from toolguild.registry import Registry
from toolguild.sandbox import ToolCallError
from toolguild.synth.drift.answers import run_of
from toolguild.synth.drift.composites import composites_of
from toolguild.synth.traces import ToolCall
from toolguild.synth.validation import LiveTools, Scratch

__all__ = ["calls_of_live_tools"]


def calls_of_live_tools(
    registry: Registry, profile: Profile, live: LiveTools
) -> Iterator[tuple[str, ToolCall]]:
    """Yield the calls that registered tools were validated on, with today's results.

    Those of one recorded run are made in order, on a copy of their own. Runs whose beginning cannot
    be had are left out.

    Args:
        registry: Where the tools are.
        profile: What tools may contain.
        live: What copies are made of.

    Raises:
        RegistryError: the registry cannot be read.
    """
    composites, _ = composites_of(registry, profile)
    for case in (case for composite in composites for case in composite.cases):
        scratch = live.scratch(case)
        if scratch is not None:
            yield from ((run_of(case), _made_again(call, scratch)) for call in case.calls)


def _made_again(call: ToolCall, scratch: Scratch) -> ToolCall:
    try:
        return replace(call, result=scratch(call.tool, call.arguments), error=None)
    except ToolCallError as error:
        return replace(call, result=None, error=str(error))
