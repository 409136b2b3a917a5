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
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.validation.tools import SETTINGS, RealTool
from toolguild.sandbox import Sandbox
from toolguild.synth.validation import CheckName, ValidationSettings, validate
from toolguild.synth.validation.adequacy import Mutant, difference, mutants

__all__ = [
    "EQUIVALENT",
    "OF_ONE_TOOL",
    "Equivalent",
    "Fault",
    "Judged",
    "equivalents",
    "judge",
    "seeded",
]

EQUIVALENT = Path(__file__).with_name("equivalent.toml")
OF_ONE_TOOL = 7
_SEED = 20261121
_MADE = 400
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


def seeded(tools: Iterable[RealTool], of_one_tool: int = OF_ONE_TOOL) -> list[Fault]:
    """Return changed texts of each tool, spread over operators.

    The same tool gives the same ones, whatever other tools there are.
    """
    return [fault for tool in tools for fault in _of_tool(tool, of_one_tool)]


def _of_tool(tool: RealTool, count: int) -> Iterator[Fault]:
    made = mutants(tool.draft.source, tool.name, limit=_MADE, seed=_SEED)
    # By an id that stays when words and types of the tool change, or it works on copies, and with
    # that the mutant's own.
    left = sorted(
        (Fault(_id(tool.name, mutant.source), tool, mutant) for mutant in made),
        key=lambda fault: fault.id,
    )
    # So that not every tool begins with the same operators.
    random.Random(f"{_SEED} {tool.name}").shuffle(left)  # noqa: S311 - a sample, not a secret
    operators: Counter[str] = Counter()
    while left and count:
        fault = min(left, key=lambda fault: operators[fault.mutant.operator])
        left.remove(fault)
        operators[fault.mutant.operator] += 1
        count -= 1
        yield fault


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
        failed = tuple(check.name for check in report.checks if check.passed is False)
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
        if isinstance(node, ast.Module | ast.FunctionDef):
            node.body = [part for part in node.body if not _copies(part)]
    return hashlib.sha256(f"{name}\n{ast.dump(module)}".encode()).hexdigest()[:_ID_DIGITS]


def _copies(statement: ast.stmt) -> bool:
    """Whether a statement belongs to how drafting has a tool work on copies of its arguments."""
    match statement:
        case ast.ImportFrom(module="copy"):
            return True
        case ast.Assign(
            targets=[ast.Name(name)], value=ast.Call(ast.Name(), [ast.Name(given)], [])
        ):
            return name == given
    return False
