"""What agents could not do: errors that recur, tools that there are none of, tasks that fail.

A gap is no pattern to make a tool of by itself; it says where one is missing, and what was tried.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum

from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.traces import CodeExecution, Place, Step, ToolCall, Trace

__all__ = ["Attempt", "CapabilityGap", "GapKind", "GapMiner", "gap_at"]

_MAX_TRIED = 8
_MAX_ABOUT = 160
_PYTHON = "python"
"""What stands for the interpreter where others have the name of a tool."""


class GapKind(StrEnum):
    """How a gap shows."""

    ERROR = "error"
    """A tool, or code, ends by the same error in many tasks, and few get past it."""
    UNKNOWN_TOOL = "unknown tool"
    """Agents call a tool that they were not offered."""
    FAILED_TASK = "failed task"
    """No run of a task succeeded."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run that came upon a gap."""

    trace_id: str
    task_id: str
    place: Place
    tried: tuple[str, ...]
    """The tools that were called from there on, in order, `python` for code; each once."""
    overcome: bool
    """Whether the same tool, or code, ended well later in the run; of a failed task, never."""


@dataclass(frozen=True, slots=True)
class CapabilityGap:
    """Something that agents needed and did not have."""

    kind: GapKind
    about: str
    """The tool and its error with what varies left out, the tool's name, or the task's text."""
    attempts: tuple[Attempt, ...]

    @property
    def support(self) -> int:
        """Count the distinct tasks."""
        return len({attempt.task_id for attempt in self.attempts})

    @property
    def open_tasks(self) -> int:
        """Count the tasks in which no run got past it."""
        past = {attempt.task_id for attempt in self.attempts if attempt.overcome}
        return self.support - len(past)


class GapMiner:
    """Collects what went wrong in traces."""

    def __init__(self, settings: MiningSettings) -> None:
        self._settings = settings
        self._attempts: defaultdict[tuple[GapKind, str], list[Attempt]] = defaultdict(list)
        self._texts: dict[str, str] = {}
        self._runs: defaultdict[str, list[tuple[bool | None, Attempt]]] = defaultdict(list)

    def add(self, trace: Trace, *, every_run: bool = True) -> None:
        """Take in one trace.

        Args:
            trace: The trace.
            every_run: Whether every run of its task is taken in; else nothing is said of the task.
        """
        offered = {tool.name for tool in trace.tools}
        seen: set[tuple[GapKind, str]] = set()
        for number, step in enumerate(trace.steps):
            key = gap_at(step, offered)
            if key is not None and key not in seen:
                seen.add(key)
                self._attempts[key].append(_attempt(trace, number))
        if trace.steps and every_run:
            self._texts[trace.task.id] = max(self._texts.get(trace.task.id, ""), trace.task.text)
            run = replace(_attempt(trace, 0), overcome=trace.outcome.success is True)
            self._runs[trace.task.id].append((trace.outcome.success, run))

    def mine(self) -> list[CapabilityGap]:
        """Return the gaps, those of most tasks first; in any order of traces the same."""
        least = self._settings.sequence_support
        recurring = [
            CapabilityGap(kind, about, _sorted(attempts))
            for (kind, about), attempts in self._attempts.items()
        ]
        gaps = [gap for gap in recurring if gap.open_tasks >= least]
        gaps += [
            CapabilityGap(GapKind.FAILED_TASK, self._texts[task], _sorted(run for _, run in runs))
            for task, runs in self._runs.items()
            if len(runs) > 1 and all(success is False for success, _ in runs)
        ]
        return sorted(gaps, key=_rank)


def _rank(gap: CapabilityGap) -> tuple[int, int, str, str]:
    return -gap.open_tasks, -len(gap.attempts), gap.kind, gap.about


def _sorted(attempts: Sequence[Attempt] | Iterator[Attempt]) -> tuple[Attempt, ...]:
    return tuple(sorted(attempts, key=lambda one: (one.trace_id, one.place.step)))


def gap_at(step: Step, offered: Set[str]) -> tuple[GapKind, str] | None:
    """Return the gap that a step shows, and what it is about; None where it did not fail.

    Args:
        step: A step of a run.
        offered: The names of the tools that the agent was offered; none where that is not known.
    """
    if step.error is None:
        return None
    if isinstance(step, ToolCall) and offered and step.tool not in offered:
        return GapKind.UNKNOWN_TOOL, step.tool
    return GapKind.ERROR, f"{_name(step)}: {_without_values(step.error)}"


def _name(step: Step) -> str:
    return _PYTHON if isinstance(step, CodeExecution) else step.tool


def _attempt(trace: Trace, number: int) -> Attempt:
    failed = trace.steps[number]
    later = trace.steps[number + 1 :] if failed.error is not None else trace.steps[number:]
    return Attempt(
        trace.id,
        trace.task.id,
        failed.place,
        tuple(dict.fromkeys(map(_name, later)))[:_MAX_TRIED],
        any(_name(step) == _name(failed) and step.error is None for step in later),
    )


_MISSING = "No module named"
_VARYING = re.compile(
    r"""'[^']*'|"[^"]*"|`[^`]*`   # quoted
    |\b\w*\d[\w.\-:]*           # numbers, ids, dates
    """,
    re.VERBOSE,
)


def _without_values(error: str) -> str:
    """Return the line of an error that says most, with what varies from task to task left out."""
    lines = [line.strip() for line in error.splitlines() if line.strip()] or [""]
    # Of a Python traceback that is the last line, of anything else the first.
    line = lines[-1] if lines[0].startswith(("Traceback", "---")) else lines[0]
    # Which module is missing is what it is about.
    return (line if _MISSING in line else _VARYING.sub("...", line))[:_MAX_ABOUT]
