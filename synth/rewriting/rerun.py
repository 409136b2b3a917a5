"""Running a session as it was and as it was rewritten, and comparing all that can be seen of it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, JsonValue, ValidationError

from toolguild.policies import Tier
from toolguild.registry.json_schema import accepts
from toolguild.sandbox import Limits, Program, Sandbox
from toolguild.synth.mining import BLOCK_MARK, ENTRY
from toolguild.synth.mining.instrument import with_tools
from toolguild.synth.mining.recorder import MAX_CALLS
from toolguild.synth.rewriting.code_tool import CodeTool

__all__ = ["Transcript", "rerun"]

_LIMITS = Limits(wall_s=5.0)
_NO_PACKAGE = {"ModuleNotFoundError", "ImportError"}


@dataclass(frozen=True, slots=True)
class Transcript:
    """What can be seen of a session: compares equal where nothing differs."""

    shown: tuple[str, ...]
    """What each snippet printed, the value of its last expression included."""
    errors: tuple[str | None, ...]
    """The type of the exception that each snippet ended by."""
    messages: tuple[str, ...]
    """The message of each failed assertion."""

    @property
    def misses_a_package(self) -> bool:
        """Whether the sandbox does not have what the session imports."""
        return not _NO_PACKAGE.isdisjoint(self.errors)


class _Report(BaseModel):
    """What such a program returns; code under test may have written it, so it is checked."""

    errors: list[str | None]
    messages: list[str]
    lent: dict[str, list[dict[str, JsonValue]]]


def rerun(
    trees: Sequence[ast.Module], tools: Sequence[CodeTool], sandbox: Sandbox
) -> Transcript | str:
    """Run the snippets of a session, and return what can be seen of it, or why it cannot count.

    Tools are functions there that take and give nothing but JSON. As in a toolbox, a tool may
    only be called with what its schema allows.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """
    source = with_tools(trees, {tool.name: tool.source for tool in tools})
    outcome = sandbox.run(
        Program(source, ENTRY, walled=False), {}, tier=Tier.SANDBOX, limits=_LIMITS
    )
    if not outcome.ok:
        return f"it ends by {outcome.status}: {outcome.error[:200]}"
    try:
        report = _Report.model_validate(outcome.value)
    except ValidationError:
        return "it does not say how it ended"
    for tool in tools:
        if why := _wrong_call(tool, report):
            return why
    return Transcript(
        tuple(outcome.stdout.split(BLOCK_MARK)[1:]), tuple(report.errors), tuple(report.messages)
    )


def _wrong_call(tool: CodeTool, report: _Report) -> str:
    calls = report.lent.get(tool.name, [])
    if len(calls) > MAX_CALLS:
        return f"{tool.name} is called in too many ways to look at all of them"
    if all(accepts(tool.accepts, dict(arguments)) for arguments in calls):
        return ""
    return f"{tool.name} is called with what its schema does not allow"
