"""Keeping some recorded cases from drafting, so that they can decide whether it went too near."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from toolguild.synth.drafting.draft import Case
from toolguild.synth.mining import canonical

__all__ = ["SHARE", "hold_out"]

SHARE = 0.25
"""Share of the cases that drafting does not see, at most."""
_FEWEST = 3
"""With fewer cases there are none to spare."""


def hold_out(cases: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """Part cases into those that drafting sees and those that it does not.

    Whole tasks are held out, for cases of one task are much alike; single cases only where no
    task is small enough. Which ones follows from what they are, not from their order. Those seen
    have a case that returned something, as far as there is one.

    Returns:
        Both parts, each in the order given.
    """
    spare = max(1, int(len(cases) * SHARE)) if len(cases) >= _FEWEST else 0
    by_task: defaultdict[str, list[int]] = defaultdict(list)
    for number, case in enumerate(cases):
        by_task[case.task_id].append(number)
    tasks = [by_task[task] for task in sorted(by_task, key=_stable)]
    singles = [[number] for number in sorted(range(len(cases)), key=lambda n: _text(cases[n]))]
    held = _fill(tasks, cases, spare) or _fill(singles, cases, spare)
    seen = [case for number, case in enumerate(cases) if number not in held]
    return seen, [cases[number] for number in sorted(held)]


def _fill(groups: Sequence[Sequence[int]], cases: Sequence[Case], spare: int) -> set[int]:
    """Return the cases of the first groups that may all be spared."""
    held: set[int] = set()
    for group in groups:
        wider = held.union(group)
        left = (case for number, case in enumerate(cases) if number not in wider)
        if len(wider) <= spare and any(_returned(case) for case in left):
            held = wider
    return held


def _returned(case: Case) -> bool:
    return case.error is None and case.value is not None


def _text(case: Case) -> str:
    return _stable(canonical([case.task_id, case.arguments]))


def _stable(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
