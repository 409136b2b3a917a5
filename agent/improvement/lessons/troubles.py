"""What went wrong in runs, and which of them failed alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from toolguild.agent.improvement.likeness import likeness
from toolguild.registry.improvement import ScoredRun

__all__ = ["Trouble", "holds_answer", "is_same_trouble", "is_verdict", "trouble_of", "troubles_of"]

_SAME: Final = 0.8
"""Likeness from which two errors are one, numbers left out."""
_MOST_RUNS: Final = 200
"""Failed runs that are looked at, the newest."""
_SHORTEST_RESULT: Final = 12
"""Characters of a result that would tell it; shorter ones stand in any text."""
_SHORTEST_QUOTED: Final = 4

_VERDICT: Final = re.compile(
    r"(?:^|; )(?:it is .+, not |there is no number in |the result is no JSON: |result\b"
    r"|the world was left otherwise: )"
)
"""What the evaluators without a model say: of one result, with what was expected instead."""
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
_QUOTED: Final = re.compile(r"'([^']*)'|\"([^\"]*)\"")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong, and every run in which it did."""

    error: str
    """As the newest run has it."""
    runs: tuple[ScoredRun, ...]
    """The newest first."""


def troubles_of(runs: Sequence[ScoredRun], success: float) -> list[Trouble]:
    """Return what went wrong in runs that failed: the most frequent first, then the newest.

    Runs that do not tell what went wrong are left out.

    Args:
        runs: Scored runs, whatever came of them.
        success: Score from which a run did not fail.
    """
    failed = [run for run in runs if run.score < success and trouble_of(run)]
    failed.sort(key=lambda run: (run.at, run.number), reverse=True)
    alike: list[list[ScoredRun]] = []
    for run in failed[:_MOST_RUNS]:
        error = trouble_of(run)
        group = next((one for one in alike if is_same_trouble(trouble_of(one[0]), error)), None)
        if group is None:
            alike.append([run])
        else:
            group.append(run)
    alike.sort(key=len, reverse=True)
    return [Trouble(trouble_of(group[0]), tuple(group)) for group in alike]


def trouble_of(run: ScoredRun) -> str:
    """Return what went wrong in a run, without what was expected of it; empty where none tells."""
    if run.error:
        return run.error
    return f"wrong result: {run.task}" if is_verdict(run.why) else run.why


def is_same_trouble(one: str, other: str) -> bool:
    """Whether two errors are the same, numbers left out."""
    bare, other_bare = _NUMBER.sub("", one), _NUMBER.sub("", other)
    return bare == other_bare or likeness(bare, other_bare) >= _SAME


def is_verdict(why: str) -> bool:
    """Whether an evaluator said this of one result; a judge's or a reviewer's words are none."""
    return _VERDICT.search(why) is not None


def holds_answer(text: str, run: ScoredRun) -> bool:
    """Whether a text tells the result of a run, or what an evaluator expected instead."""
    said = _bare(text)
    result = _bare(run.result)
    if len(result) >= _SHORTEST_RESULT and result in said:
        return True
    if not is_verdict(run.why):
        return False
    quoted = {_bare(one or other) for one, other in _QUOTED.findall(run.why)}
    numbers = set(_NUMBER.findall(run.why))
    return bool(numbers.intersection(_NUMBER.findall(text))) or any(
        len(one) >= _SHORTEST_QUOTED and one in said for one in quoted
    )


def _bare(text: str) -> str:
    return " ".join(text.casefold().split())
