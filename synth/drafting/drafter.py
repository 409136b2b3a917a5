"""Drafting without a model."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from toolguild.policies.parsing import parse_module
from toolguild.sandbox import Sandbox
from toolguild.synth.drafting.composite import draft_composite
from toolguild.synth.drafting.composite_names import composite_name
from toolguild.synth.drafting.draft import Draft
from toolguild.synth.drafting.function import draft_function
from toolguild.synth.drafting.held_out import hold_out
from toolguild.synth.drafting.recovery import recover_cases
from toolguild.synth.drafting.wording import MAX_NAME, and_list, snake_case, unique
from toolguild.synth.mining import Opportunity, Pattern, RepeatedEpisode, RepeatedSequence

__all__ = ["NotDrafted", "draft_tool", "packages_needed", "tool_names"]


@dataclass(frozen=True, slots=True)
class NotDrafted:
    """An opportunity that no tool can be made of without a model, and why."""

    opportunity: Pattern
    reason: str


def tool_names(opportunities: Sequence[Opportunity]) -> list[str]:
    """Return a name for the tool of each opportunity, no two of them the same.

    Two pieces of code may have one name, and would become versions of one tool.
    """
    names: list[str] = []
    for opportunity in opportunities:
        wish = _wish(opportunity)
        # Shortened where a number follows, which must fit in as well.
        names.append(wish if wish not in names else unique(wish[: MAX_NAME - 4], names))
    return names


def _wish(opportunity: Opportunity) -> str:
    match opportunity:
        case RepeatedSequence(plan=plan):
            return composite_name(plan)
        case RepeatedEpisode(wish=wish):
            return snake_case(wish)
    return snake_case(opportunity.common_name or opportunity.name)


def draft_tool(
    opportunity: Pattern, sandbox: Sandbox, name: str | None = None
) -> Draft | NotDrafted:
    """Write a tool for an opportunity; the same opportunity always gives the same draft.

    Args:
        opportunity: What the tool is to do.
        sandbox: Where recorded code is run again.
        name: The tool's name; one that follows from the opportunity unless given.

    Raises:
        SandboxUnavailableError: recorded code could not be run again.
    """
    if isinstance(opportunity, RepeatedSequence):
        return draft_composite(opportunity, name)
    if not all(map(_is_parameter_name, opportunity.parameters)):
        return NotDrafted(opportunity, "the name of a parameter is long or not in ASCII")
    if missing := packages_needed(opportunity.source):
        return NotDrafted(opportunity, f"needs {and_list(missing)}, which sandboxes do not have")
    cases = recover_cases(opportunity.occurrences, opportunity.parameters, sandbox)
    if not any(case.error is None and case.value is not None for case in cases):
        return NotDrafted(
            opportunity,
            "running the recorded code again gave no result that agrees with the log",
        )
    seen, held_out = hold_out(cases)
    return draft_function(opportunity, seen, name=name, held_out=held_out)


def _is_parameter_name(name: str) -> bool:
    """Say whether vendors' APIs take a name as that of a property."""
    return name.isascii() and len(name) <= MAX_NAME


def packages_needed(source: str) -> list[str]:
    """Return the packages outside the standard library that a text imports, sorted."""
    imported: set[str] = set()
    for node in ast.walk(parse_module(source)):
        match node:
            case ast.Import(names=names):
                imported |= {alias.name.split(".")[0] for alias in names}
            case ast.ImportFrom(module=str() as module, level=0):
                imported.add(module.split(".")[0])
    return sorted(imported - sys.stdlib_module_names)
