"""A sample of runs that stands for logs of any size.

What many tasks have in common shows in some hundreds of them. Of the tasks in which a tool is
called with the same arguments' names, those with the smallest hashes are kept, and of each task the
runs with the smallest hashes. What is kept follows from what was seen and not from its order, and
samples merge: the sample of two samples' runs is that of all runs that they were taken from.

Every kept run has a known chance of being kept, and stands for as many runs as that makes it. Such
coordinated bottom-k samples, and the chance in a union of them, are treated in E. Cohen and
H. Kaplan, "Leveraging discarded samples: tighter estimation of multiple-set aggregates", 2009.
"""

from __future__ import annotations

import hashlib
from bisect import insort
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from toolguild.synth.mining.extent import Weight
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.traces import ToolCall, ToolDefinition, Trace
from toolguild.synth.traces.packed import pack, unpack

__all__ = ["Kept", "Lot", "Sample", "Sampled", "Stratum"]

_HASHES = 1 << 63
"""How many hashes there are: SQLite's whole numbers have 63 bits and a sign."""
Stratum: TypeAlias = tuple[str, ...]
"""What runs have in common that are sampled together, its kind first: a tool and the names of the
arguments that it was called with, a tool that failed, code, or only that they are runs."""
_CALLED, _FAILED, _CODE, _ANY = "called", "failed", "code", "any"


class Lot(NamedTuple):
    """What is drawn by: the hashes of a task and of a run."""

    task: int
    run: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A run in a sample."""

    lot: Lot
    strata: tuple[Stratum, ...]
    run: Trace | bytes
    """The trace, or the same by `pack` where it comes from a file or another process."""

    @property
    def packed(self) -> bytes:
        """The trace, by `pack`."""
        return self.run if isinstance(self.run, bytes) else pack(self.run)

    def trace(self, tools: Mapping[str, ToolDefinition]) -> Trace:
        """Return the trace, its tools as they are defined by name."""
        if isinstance(self.run, bytes):
            return unpack(self.run, tools)
        return _with_tools(self.run, tools)

    def __reduce__(self) -> tuple[type[Kept], tuple[Lot, tuple[Stratum, ...], bytes]]:
        # Packing takes a fraction of what it takes to pickle all the objects of a trace.
        return Kept, (self.lot, self.strata, self.packed)


@dataclass(frozen=True, slots=True)
class Sampled:
    """A run to be mined, and what it stands for."""

    trace: Trace
    weight: Weight
    every_run: bool
    """Whether the sample holds every run of its task."""


class Sample:
    """The runs kept of some logs."""

    def __init__(self, settings: MiningSettings) -> None:
        self._settings = settings
        self._draws: dict[Stratum, _Draw] = {}
        self._kept: dict[Lot, Kept] = {}
        self._uses: dict[Lot, int] = {}
        """In how many strata each kept run is."""
        self._tasks: set[int] = set()
        self._tools: dict[str, ToolDefinition] = {}
        self._draws_of_calls: dict[tuple[str, ...], _Draw | None] = {}
        """The draws for calls, by the tool and the arguments' names in the order given."""

    @property
    def tools(self) -> Collection[ToolDefinition]:
        """What the logs say of the tools that agents were offered."""
        return self._tools.values()

    @property
    def kept(self) -> Collection[Kept]:
        """All that is needed to make this sample again."""
        return self._kept.values()

    @property
    def tasks(self) -> Set[int]:
        """The hashes of all tasks: those of the runs that are not kept, too."""
        return self._tasks

    def add(self, trace: Trace) -> None:
        """Take in a run. No two may have both id and source in common."""
        for tool in trace.tools:
            self.describe(tool)
        task = _hash(trace.task.id)
        self._tasks.add(task)
        draws = self._draws_of(trace)
        near = [draw for draw in draws if task <= draw.last]
        if not near:
            return  # as of most runs of large logs, so nothing more is asked of them
        lot = Lot(task, _hash(f"{trace.id}\0{trace.source}"))
        wanting = [draw for draw in near if draw.wants(lot)]
        if wanting:
            strata = tuple(draw.stratum for draw in draws)
            # Every run brings its own copies of the definitions; these are shared.
            self._keep(Kept(lot, strata, _with_tools(trace, self._tools)), wanting)

    def describe(self, tool: ToolDefinition) -> None:
        """Take in what a log says of a tool."""
        known = self._tools.setdefault(tool.name, tool)
        # Logs may describe a tool differently; which is kept must not depend on their order.
        if known != tool:
            self._tools[tool.name] = max(known, tool, key=str)

    def merge(self, other: Sample) -> None:
        """Take in all that another sample stands for."""
        self.restore(other.tasks, other.tools, other.kept)

    def restore(
        self, tasks: Iterable[int], tools: Iterable[ToolDefinition], kept: Iterable[Kept]
    ) -> None:
        """Take in all that a sample stands for, given in its parts."""
        self._tasks.update(tasks)
        for tool in tools:
            self.describe(tool)
        for one in kept:
            draws = map(self._draw, one.strata)
            self._keep(one, [draw for draw in draws if draw.wants(one.lot)])

    def _keep(self, kept: Kept, wanting: Collection[_Draw]) -> None:
        """Keep a run for the strata that want it."""
        if not wanting:
            return
        self._kept[kept.lot] = kept
        self._uses[kept.lot] = self._uses.get(kept.lot, 0) + len(wanting)
        for draw in wanting:
            for lot in draw.take(kept.lot):
                self._uses[lot] -= 1
                if not self._uses[lot]:
                    del self._uses[lot], self._kept[lot]

    def __iter__(self) -> Iterator[Sampled]:
        """Yield the runs to be mined, sorted by their ids, which are made unique."""
        drawn = []
        for kept in self._kept.values():
            chances = [self._draws[stratum].chance(kept.lot) for stratum in kept.strata]
            if any(both.task for both in chances):
                trace = kept.trace(self._tools)
                weight = Weight(runs=1 / _union(chances), tasks=1 / max(chances).task)
                # A run of a task that was drawn for being a task was certain to be in.
                every_run = self._draws[_ANY,].chance(kept.lot).run == 1
                drawn.append(Sampled(trace, weight, every_run))
        drawn.sort(key=lambda one: (one.trace.id, str(one.trace.source)))
        seen: set[str] = set()
        for one in drawn:
            identity = _untaken(one.trace.id, seen)
            seen.add(identity)
            if identity != one.trace.id:
                one = replace(one, trace=replace(one.trace, id=identity))
            yield one

    def _draw(self, stratum: Stratum) -> _Draw:
        if stratum not in self._draws:
            settings = self._settings
            is_of_a_tool = stratum[0] in (_CALLED, _FAILED)
            tasks = settings.sampled_tasks if is_of_a_tool else settings.sampled_tasks_in_all
            self._draws[stratum] = _Draw(stratum, tasks, settings.sampled_runs)
        return self._draws[stratum]

    def _draws_of(self, trace: Trace) -> Collection[_Draw]:
        """Return the draws that a run takes part in, each once."""
        if not trace.steps:
            return ()
        draws: dict[_Draw | None, None] = {self._draw((_ANY,)): None}
        known = self._draws_of_calls
        for step in trace.steps:
            if not isinstance(step, ToolCall):
                draws[self._draw((_CODE,))] = None
            elif step.error is not None:
                draws[self._draw((_FAILED, step.tool))] = None
            else:
                signature = (step.tool, *step.arguments)
                if signature not in known:
                    known[signature] = self._draw_of_calls(step)
                draws[known[signature]] = None
        return [draw for draw in draws if draw]

    def _draw_of_calls(self, call: ToolCall) -> _Draw | None:
        """Return the draw for calls like one; None where they are no work to save."""
        if call.tool.lower() in self._settings.ignored_tools:
            return None
        return self._draw((_CALLED, call.tool, *sorted(call.arguments)))


def _with_tools(trace: Trace, tools: Mapping[str, ToolDefinition]) -> Trace:
    """Return a trace with its tools as they are defined by name."""
    if not trace.tools:
        return trace
    return replace(trace, tools=tuple(tools[tool.name] for tool in trace.tools))


class _Chance(NamedTuple):
    """How likely a run is kept: its task, and among the runs of the task."""

    task: float
    run: float


class _Draw:
    """The runs of one stratum with the smallest hashes.

    One task more than wanted is kept, and of each task one run more: theirs are the first hashes
    that are too large, and tell how likely the others were to be smaller.
    """

    def __init__(self, stratum: Stratum, tasks: int, runs: int) -> None:
        self.stratum = stratum
        self._most_tasks = tasks
        self._most_runs = runs
        self._tasks: list[int] = []
        self._runs: dict[int, list[int]] = {}
        self.last = _HASHES
        """The hash beyond which no task is wanted."""

    def wants(self, lot: Lot) -> bool:
        """Say whether a run is new and among the smallest."""
        if lot.task > self.last:
            return False
        runs = self._runs.get(lot.task)
        if runs is None:
            return True
        return lot.run not in runs and (len(runs) <= self._most_runs or lot.run < runs[-1])

    def take(self, lot: Lot) -> list[Lot]:
        """Take in a run that is wanted, and return those that it displaces."""
        displaced = []
        if lot.task not in self._runs:
            self._runs[lot.task] = []
            insort(self._tasks, lot.task)
        runs = self._runs[lot.task]
        insort(runs, lot.run)
        if len(runs) > self._most_runs + 1:
            displaced.append(Lot(lot.task, runs.pop()))
        if len(self._tasks) > self._most_tasks + 1:
            last = self._tasks.pop()
            displaced += [Lot(last, run) for run in self._runs.pop(last)]
        if len(self._tasks) > self._most_tasks:
            self.last = self._tasks[-1]
        return displaced

    def chance(self, lot: Lot) -> _Chance:
        """Return how likely a run like this one is mined for this stratum; 0 where it is not."""
        runs = self._runs.get(lot.task, [])
        task_bound = _bound(self._tasks, self._most_tasks)
        run_bound = _bound(runs, self._most_runs)
        if lot.run not in runs or lot.task >= task_bound or lot.run >= run_bound:
            return _Chance(0.0, 0.0)
        return _Chance(task_bound / _HASHES, run_bound / _HASHES)


def _bound(hashes: list[int], most: int) -> int:
    """Return what a hash must be less than: the first that is one too many."""
    return hashes[-1] if len(hashes) > most else _HASHES


def _union(chances: Collection[_Chance]) -> float:
    """Return how likely a run is in one of several strata at least.

    All chances are bounds on the same two hashes, so that is the area that rectangles with one
    corner in common cover.
    """
    area = height = 0.0
    for task, run in sorted(chances, reverse=True):
        if run > height:
            area += task * (run - height)
            height = run
    return area


def _hash(text: str) -> int:
    encoded = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(encoded, digest_size=8).digest(), "big") >> 1


def _untaken(identity: str, taken: Collection[str]) -> str:
    count = 1
    wished = identity
    while wished in taken:
        count += 1
        wished = f"{identity}~{count}"
    return wished
