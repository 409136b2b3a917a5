"""The real tools that everything here is tried on: mined from the shared traces and proven anew."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import toolguild
from toolguild.sandbox import Limits, Sandbox
from toolguild.synth.drafting import Draft, NotDrafted, draft_tool, tool_names
from toolguild.synth.mining import MiningSettings, Opportunity, RepeatedCode
from toolguild.synth.proving import Proof, prove
from toolguild.synth.synthesis import mine
from toolguild.synth.validation import ValidationSettings

__all__ = ["LOGS", "SETTINGS", "Log", "RealTool", "drafted_tools", "opportunities", "proven_tools"]

SETTINGS = ValidationSettings(mutants=0, limits=Limits(wall_s=0.5))
"""Mutation adequacy is left out: it tells how good a proof is, and decides nothing. A run gets a
quarter of the time that is shipped, a hundred times what one takes: bad tools use up all of it."""

_BESIDE = Path(toolguild.__file__).resolve().parent.parent / "shared"
_MINING = MiningSettings(
    definition_support=1, sequence_support=2, statements_support=2, max_opportunities=200
)
"""Far less support than is shipped: code that one agent wrote once is a real tool, too, to be wrong
about, though hardly worth having."""


@dataclass(frozen=True, slots=True)
class Log:
    """Traces that tools come from."""

    name: str
    path: str
    """Below the folder `traces`."""
    wanted: int
    """Tools to be taken from it at most; the logs of calls do not have many."""


LOGS = (
    Log("airline", "tau-bench-airline/trajectories.json", 10),
    Log("BFCL", "bfcl-multi-turn", 20),
    Log("MINT", "mint", 29),
)


@dataclass(frozen=True, slots=True)
class RealTool:
    """One tool and where it comes from."""

    draft: Draft
    log: str
    kind: str
    """`sequence`, `definition` or `statements`."""

    @property
    def name(self) -> str:
        """The tool's name."""
        return self.draft.name


def traces_folder() -> Path:
    """Return where the traces are: beside the repository, or below `$TOOLGUILD_SHARED`."""
    return Path(os.environ.get("TOOLGUILD_SHARED", _BESIDE)) / "traces"


def opportunities(log: Log) -> list[Opportunity]:
    """Return what recurs in a log, best first, of each name only the first.

    Agents that solve one task write much the same function under the same name.
    """
    mined = mine([traces_folder() / log.path], settings=_MINING).opportunities
    names = tool_names(mined)
    first: dict[str, Opportunity] = {}
    for name, opportunity in zip(names, mined, strict=True):
        own = opportunity.name if isinstance(opportunity, RepeatedCode) else name
        first.setdefault(own, opportunity)
    return list(first.values())


def proven_tools(
    sandbox: Sandbox, executor: Executor, settings: ValidationSettings = SETTINGS
) -> tuple[list[RealTool], list[Proof]]:
    """Prove opportunities in order until there are tools enough.

    Returns:
        The tools, and the proofs that failed on the way.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    tools: list[RealTool] = []
    failed: list[Proof] = []
    seen: set[str] = set()
    for log in LOGS:
        found = opportunities(log)
        wanted = log.wanted
        while found and wanted > 0:
            # So many at once as are still wanted: what is proven does not depend on the timing.
            now, found = found[:wanted], found[wanted:]
            names = _free_names(now, tools)
            proofs = executor.map(lambda one, name: prove(one, sandbox, settings, name), now, names)
            for proof in proofs:
                if proof.draft is None or not proof.passed:
                    failed.append(proof)
                elif (form := shape(proof.draft.source)) not in seen:
                    seen.add(form)
                    tools.append(RealTool(proof.draft, log.name, _kind(proof.opportunity)))
                    wanted -= 1
    return tools, failed


def drafted_tools(sandbox: Sandbox, executor: Executor, count: int) -> list[RealTool]:
    """Return tools of each log that nobody has proven, which takes a tenth of the time.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    tools: list[RealTool] = []
    for log in LOGS:
        found = opportunities(log)[:count]
        drafts = executor.map(
            lambda one, name: draft_tool(one, sandbox, name), found, _free_names(found, tools)
        )
        tools += [
            RealTool(draft, log.name, _kind(opportunity))
            for draft, opportunity in zip(drafts, found, strict=True)
            if not isinstance(draft, NotDrafted)
        ]
    return tools


def shape(source: str) -> str:
    """Return what two texts have in common that are equal up to names and documentation."""
    tree = ast.parse(source)
    numbers: dict[str, str] = {}

    def neutral(name: str) -> str:
        return numbers.setdefault(name, f"n{len(numbers)}")

    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef():
                node.name = neutral(node.name)
                node.returns = None
                if ast.get_docstring(node) is not None:
                    node.body = node.body[1:]
            case ast.arg():
                node.arg, node.annotation = neutral(node.arg), None
            case ast.Name():
                node.id = neutral(node.id)
    return ast.dump(tree)


def _free_names(found: Sequence[Opportunity], tools: Sequence[RealTool]) -> Iterator[str]:
    taken = {tool.name for tool in tools}
    for name in tool_names(found):
        number = 2
        free = name
        while free in taken:
            free = f"{name[:58]}_{number}"
            number += 1
        taken.add(free)
        yield free


def _kind(opportunity: Opportunity) -> str:
    return opportunity.kind if isinstance(opportunity, RepeatedCode) else "sequence"
