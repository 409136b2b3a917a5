"""Evaluators that need no model: against a text, a number, a schema, or the state of the world."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from toolguild.agent.evaluation.evaluator import Evaluator, Score
from toolguild.registry import NotJsonError, decode_json, mismatch
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.validation.differences import difference

__all__ = ["Exact", "FitsSchema", "Numeric", "WorldState"]

_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?|[-+]?\.\d+")
_MOST_TOLD = 80
"""Characters of a result that are quoted."""


@dataclass(frozen=True)
class Exact(Evaluator):
    """The result is one text, whatever its case and white space."""

    expected: str
    strict: bool = False
    """Whether case and white space count, too."""

    async def score(self, task: str, result: str) -> Score:
        """Return 1 where it is, else 0."""
        same = result == self.expected if self.strict else _bare(result) == _bare(self.expected)
        if same:
            return Score(1.0)
        return Score(0.0, f"it is {_quoted(result)}, not {_quoted(self.expected)}")


@dataclass(frozen=True)
class Numeric(Evaluator):
    """The last number in the result is near enough to one."""

    expected: float
    relative: float = 1e-6
    """How far off it may be, as a share of what is expected,"""
    absolute: float = 0.0
    """or as a number, whichever is more."""

    async def score(self, task: str, result: str) -> Score:
        """Return 1 where it is, else 0."""
        found = _NUMBER.findall(result)
        if not found:
            return Score(0.0, f"there is no number in {_quoted(result)}")
        number = float(found[-1].replace(",", ""))
        near = math.isclose(number, self.expected, rel_tol=self.relative, abs_tol=self.absolute)
        return Score(1.0) if near else Score(0.0, f"it is {number:g}, not {self.expected:g}")


@dataclass(frozen=True)
class FitsSchema(Evaluator):
    """The result is JSON of a certain form."""

    schema: JsonObject

    async def score(self, task: str, result: str) -> Score:
        """Return 1 where it is, else 0."""
        try:
            value = decode_json(result)
        except NotJsonError as error:
            return Score(0.0, f"the result is no JSON: {error}")
        problem = mismatch(value, self.schema, "result")
        return Score(0.0, problem) if problem else Score(1.0)


@dataclass(frozen=True)
class WorldState(Evaluator):
    """The task left the world as it was to be left, whatever was said of it."""

    read: Callable[[], Json]
    """Returns the state of the world, as plain JSON."""
    expected: Json

    async def score(self, task: str, result: str) -> Score:
        """Return 1 where it is, else 0."""
        problem = difference(self.expected, self.read())
        return Score(0.0, f"the world was left otherwise: {problem}") if problem else Score(1.0)


def _bare(text: str) -> str:
    return " ".join(text.casefold().split())


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _MOST_TOLD else f"{text[:_MOST_TOLD]}...")
