"""Small faults put into the real tools, and which of them are faults at all.

A changed text counts as a fault unless it is known to do what the tool does: the changes are made
by one module, what is known of them stands in a file that was written by reading, and neither asks
the other.
"""

from __future__ import annotations

import ast
import hashlib
import random
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.validation.tools import SETTINGS, RealTool
from toolguild.sandbox import Sandbox
from toolguild.synth.validation import CheckName, ValidationSettings, validate
from toolguild.synth.validation.adequacy import Mutant, difference, mutants

__all__ = ["EQUIVALENT", "Equivalent", "Fault", "Judged", "equivalents", "judge", "seeded"]

EQUIVALENT = Path(__file__).with_name("equivalent.toml")
COUNT = 320
_SEED = 20261121
_OF_ONE_TOOL = 400
_ID_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Fault:
    """One small change of a tool."""

    id: str
    """Follows from the tool's name and the changed code; words and types of it do not count."""
    tool: RealTool
    mutant: Mutant

    @property
    def difference(self) -> str:
        """What was changed, as a person reads it."""
        return difference(self.tool.draft.source, self.mutant)


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A change that makes no difference, as somebody found who read it."""

    id: str
    tool: str
    change: str
    """What was changed, for whoever reads the file."""
    why: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What validation said of one change."""

    fault: Fault
    refused_by: tuple[CheckName, ...]
    """The checks that it failed; none if it passed."""
    equivalent: Equivalent | None
    """Why it is no fault, if it is none."""


def seeded(tools: Sequence[RealTool], count: int = COUNT) -> list[Fault]:
    """Return changed texts, spread evenly over tools first and operators second.

    The same tools give the same ones.
    """
    left = [_Left(tool) for tool in tools]
    operators: Counter[str] = Counter()
    found: list[Fault] = []
    while len(found) < count and any(one.mutants for one in left):
        for one in left:
            if one.mutants and len(found) < count:
                mutant = min(one.mutants, key=lambda mutant: operators[mutant.operator])
                one.mutants.remove(mutant)
                operators[mutant.operator] += 1
                found.append(Fault(_id(one.tool.name, mutant.source), one.tool, mutant))
    return found


class _Left:
    """The changes of one tool that have not been taken, in an order drawn once."""

    def __init__(self, tool: RealTool) -> None:
        self.tool = tool
        made = mutants(tool.draft.source, tool.name, limit=_OF_ONE_TOOL, seed=_SEED)
        # By what stays when words and types of the tool change, and with them its other ids.
        self.mutants = sorted(made, key=lambda mutant: _id(tool.name, mutant.source))
        random.Random(_SEED).shuffle(self.mutants)  # noqa: S311 - a sample, not a secret


def judge(
    faults: Iterable[Fault],
    known: Mapping[str, Equivalent],
    sandbox: Sandbox,
    executor: Executor,
    settings: ValidationSettings = SETTINGS,
) -> list[Judged]:
    """Hand every changed text to validation in the place of the tool's own.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """

    def judged(fault: Fault) -> Judged:
        draft = replace(fault.tool.draft, source=fault.mutant.source)
        report = validate(draft, sandbox, settings)
        failed = tuple(check.name for check in report.checks if not check.passed)
        return Judged(fault, failed, known.get(fault.id))

    return list(executor.map(judged, faults))


def equivalents(path: Path = EQUIVALENT) -> dict[str, Equivalent]:
    """Read which changes make no difference.

    Raises:
        ValueError: an entry lacks something, or stands there twice.
    """
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["equivalent"]
    found: dict[str, Equivalent] = {}
    for row in rows:
        if row.keys() != {"id", "tool", "change", "why"} or not all(row.values()):
            message = f"an entry has id, tool, change and why: {row}"
            raise ValueError(message)
        if row["id"] in found:
            message = f"{row['id']} stands there twice"
            raise ValueError(message)
        found[row["id"]] = Equivalent(**row)
    return found


def _id(name: str, source: str) -> str:
    module = ast.parse(source)
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:]
        elif isinstance(node, ast.arg):
            node.annotation = None
    return hashlib.sha256(f"{name}\n{ast.dump(module)}".encode()).hexdigest()[:_ID_DIGITS]
