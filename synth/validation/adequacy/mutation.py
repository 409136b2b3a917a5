"""The mutants of a tool: small faults, drawn so that every kind and every line has its share."""

from __future__ import annotations

import ast
import hashlib
import random
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Final

from toolguild.policies import Profile, load_profile
from toolguild.synth.validation.adequacy.calls import CALLS
from toolguild.synth.validation.adequacy.expressions import EXPRESSIONS
from toolguild.synth.validation.adequacy.mutant import Mutant
from toolguild.synth.validation.adequacy.operators import Operator
from toolguild.synth.validation.adequacy.rendering import Code, Rendered, Text, code_of
from toolguild.synth.validation.adequacy.statements import STATEMENTS
from toolguild.synth.validation.adequacy.tree import Change, Site, ToolTree
from toolguild.synth.validation.static.reading import parse

__all__ = ["OPERATORS", "mutants"]

OPERATORS: Final[tuple[Operator, ...]] = (*EXPRESSIONS, *CALLS, *STATEMENTS)

_MAX_WORK = 1_000_000
"""Syntax nodes compiled for one tool; only texts near the limit of size get fewer mutants by it."""
_MAX_AT_ONE_PLACE = 20
"""Changes by one operator to one node: the thousand keys of a table are not a thousand faults."""
_MAX_SHOWN = 80
_ID_DIGITS = 12


def mutants(
    source: str, entry: str, *, limit: int, seed: int, profile: Profile | None = None
) -> tuple[Mutant, ...]:
    """Return first-order mutants of a tool, the same ones for the same arguments.

    Where there are more than wanted, they are spread over operators first and lines second. What
    compiles to the original's bytecode, or to another mutant's, is left out.

    Args:
        source: A tool text that passed the static gate.
        entry: Name of the tool's function; what it does not reach is not mutated.
        limit: Mutants at most.
        seed: Decides which ones.
        profile: Says how big the text may be; the shipped one unless given.

    Raises:
        SourceError: the text does not parse, or is too big or too deeply nested.
    """
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    module = parse(source, (profile or load_profile()).code.limits)
    text = Text(source, module)
    seen: set[Code | None] = {code_of(module)}
    found: list[Mutant] = []
    draw = _Draw(ToolTree(module, entry), seed)
    for _ in range(_MAX_WORK // sum(1 for _ in ast.walk(module))):
        candidate = draw.next() if len(found) < limit else None
        if candidate is None:
            break
        rendered = text.render(candidate.change, candidate.site.quoted_in)
        if rendered is not None and rendered.code not in seen:
            seen.add(rendered.code)
            found.append(_mutant(candidate.operator, rendered))
            draw.count(candidate)
    return tuple(sorted(found, key=lambda one: (one.line, one.column, one.operator, one.id)))


@dataclass(frozen=True, slots=True)
class _Candidate:
    operator: Operator
    site: Site
    change: Change

    @property
    def line(self) -> int:
        return getattr(self.site.node, "lineno", 1)


class _Draw:
    """Hands out candidates, next always one of the operator and line that had the fewest."""

    def __init__(self, tree: ToolTree, seed: int) -> None:
        self._left: dict[str, list[_Candidate]] = {operator.name: [] for operator in OPERATORS}
        for site in tree.sites():
            for operator in OPERATORS:
                self._left[operator.name] += [
                    _Candidate(operator, site, change)
                    for change in islice(operator.find(site), _MAX_AT_ONE_PLACE)
                ]
        shuffled = random.Random(seed)  # noqa: S311 - a reproducible sample, not a secret
        for candidates in self._left.values():
            shuffled.shuffle(candidates)
        self._operators: Counter[str] = Counter()
        self._lines: Counter[int] = Counter()

    def next(self) -> _Candidate | None:
        """Return a candidate and forget it; None where none is left."""
        waiting = [name for name, candidates in self._left.items() if candidates]
        if not waiting:
            return None
        candidates = self._left[min(waiting, key=self._operators.__getitem__)]
        taken = [self._lines[candidate.line] for candidate in candidates]
        return candidates.pop(taken.index(min(taken)))

    def count(self, candidate: _Candidate) -> None:
        """Note that a candidate became a mutant."""
        self._operators[candidate.operator.name] += 1
        self._lines[candidate.line] += 1


def _mutant(operator: Operator, rendered: Rendered) -> Mutant:
    digest = hashlib.sha256(rendered.text.encode()).hexdigest()
    return Mutant(
        id=digest[:_ID_DIGITS],
        operator=operator.name,
        line=rendered.line,
        column=rendered.column,
        description=f"`{_short(rendered.before)}` becomes `{_short(rendered.after)}`",
        source=rendered.text,
    )


def _short(code: str) -> str:
    text = " ".join(code.split())
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 3]}..."
