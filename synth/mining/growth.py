"""Growing windows call by call, loops recognised, and grouping those that may be one pattern."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import NamedTuple, TypeAlias

from toolguild.sandbox import Json
from toolguild.synth.mining.call_log import CallLog, Kind, WindowItem
from toolguild.synth.mining.loops import Earlier, Reading, loop_readings, values_per_turn
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.windows import ItemKind, Shape, Window, item_kind

__all__ = ["grouped_windows", "windows_of"]

_ItemKey: TypeAlias = tuple[int, bool, bool]
_Shape: TypeAlias = tuple[int, ...]
"""The numbers of the items' kinds: a `Shape` that is quickly compared."""
_Follower: TypeAlias = tuple[str, Kind]
"""A tool, and what is called after it."""


def grouped_windows(
    logs: Sequence[CallLog], settings: MiningSettings
) -> list[tuple[Shape, list[Window]]]:
    """Return the windows of some runs by their shape, those of shapes that enough tasks hold.

    All windows grow by one item at a time, and only those of which enough tasks hold the like: what
    goes on from the others is rarer still (R. Agrawal and R. Srikant, "Mining sequential patterns",
    1995). What acts on an answer of the user's is no place of any plan, nor is what goes on from
    it: such windows are told where they end, but do not grow.
    """
    # What is a loop of one turn wherever it is called is no loop.
    looped = {follower for log in logs for follower in _looped(log, settings)}
    kinds: dict[ItemKind, int] = {}
    stems = [stem for log in logs for stem in _Growth(log, settings, kinds, looped).stems()]
    grouped: dict[_Shape, list[Window]] = {}
    while stems:
        calm = [stem for stem in stems if not stem.window.acts_on_an_answer()]
        common = _common(calm, settings.sequence_support)
        whole = [stem for stem in stems if stem.is_whole and stem.shape in common]
        for stem in whole:
            grouped.setdefault(stem.shape, []).append(stem.window)
        stems = [
            grown for stem in calm if stem.shape in common for grown in stem.growth.longer(stem)
        ]
    by_shape = [(windows[0].shape(), windows) for windows in grouped.values()]
    return sorted(by_shape, key=lambda entry: str(entry[0]))


def _common(stems: Iterable[_Stem], support: int) -> set[_Shape]:
    """Return the shapes of windows that so many tasks hold."""
    tasks: defaultdict[_Shape, set[str]] = defaultdict(set)
    for stem in stems:
        tasks[stem.shape].add(stem.window.log.task_id)
    return {shape for shape, holding in tasks.items() if len(holding) >= support}


def windows_of(log: CallLog, settings: MiningSettings) -> Iterator[Window]:
    """Yield every window of two items or more, a run of calls read both ways.

    A window takes a run of one tool whole or not at all: part of a loop over a list is not a
    pattern of its own. Between its items there may be calls that only read and have nothing to do
    with what came before, if what comes after them only reads, too, and has: it could as well have
    been called before them.
    """
    growth = _Growth(log, settings, {})
    stems = [*growth.stems()]
    while stems:
        yield from (stem.window for stem in stems if stem.is_whole)
        stems = [grown for stem in stems for grown in growth.longer(stem)]


def _looped(log: CallLog, settings: MiningSettings) -> Iterator[_Follower]:
    """Yield what is called several times in a row, and after which tool."""
    starts: list[int] = []
    for start, end in log.runs():
        if end - start > 1:
            # Before it in a window may stand what comes before the runs that are left out.
            for place in [start, *reversed(starts)][: settings.max_left_out + 1]:
                if place:
                    yield _follower(log, place - 1, start)
        starts.append(start)


def _follower(log: CallLog, before: int, position: int) -> _Follower:
    return log.calls[before].tool, log.kinds[position]


def _key(item: WindowItem) -> _ItemKey:
    """Return what tells an item from all others of its run."""
    return item.calls[0], bool(item.readings), item.is_instead


class _Stem(NamedTuple):
    """A window that may go on."""

    window: Window
    shape: _Shape
    position: int
    """Where what comes next is called."""
    left_out: int
    """Runs of calls left out so far."""
    is_whole: bool
    """Whether it may stand for itself, having two items and no part of a run only."""
    growth: _Growth


class _Growth:
    """How the windows of one run grow."""

    def __init__(
        self,
        log: CallLog,
        settings: MiningSettings,
        kinds: dict[ItemKind, int],
        looped: Set[_Follower] | None = None,
    ) -> None:
        """Prepare to grow them.

        Args:
            log: The calls.
            settings: Thresholds.
            kinds: A number for each kind of items, the same for all runs; new ones are added.
            looped: What may be a loop of one turn; anything where not given.
        """
        self._log = log
        self._settings = settings
        self._looped = looped
        self._per_turn: dict[int, dict[str, frozenset[str]]] = {}
        """What the turns of each run were given, by where it starts."""
        self._single = [WindowItem((position,)) for position in range(len(log.calls))]
        self._earlier: dict[_ItemKey, Earlier] = {}
        self._kinds = kinds
        self._kind_of: dict[_ItemKey, int] = {}

    def stems(self) -> Iterator[_Stem]:
        """Yield what windows begin with."""
        for start, _ in self._log.runs():
            yield self._stem(None, self._single[start], start + 1, is_whole=False)
        for start in self._log.instead_of:
            yield self._stem(None, WindowItem((start,), is_instead=True), start + 1)

    def longer(self, stem: _Stem) -> Iterator[_Stem]:
        """Yield the windows that have one item more."""
        if len(stem.window.items) < self._settings.max_items:
            yield from self._grown(stem, stem.position, stem.left_out)

    def _stem(
        self,
        stem: _Stem | None,
        item: WindowItem,
        position: int,
        *,
        left_out: int = 0,
        is_whole: bool = True,
    ) -> _Stem:
        items, shape = (stem.window.items, stem.shape) if stem else ((), ())
        window = Window(self._log, (*items, item))
        return _Stem(window, (*shape, self._kind(item)), position, left_out, is_whole, self)

    def _kind(self, item: WindowItem) -> int:
        key = _key(item)
        if key not in self._kind_of:
            kind = item_kind(self._log, item)
            self._kind_of[key] = self._kinds.setdefault(kind, len(self._kinds))
        return self._kind_of[key]

    def _grown(self, stem: _Stem, position: int, left_out: int) -> Iterator[_Stem]:
        log, items = self._log, stem.window.items
        if position == len(log.calls):
            return
        if position in log.instead_of and not left_out:
            instead = WindowItem((position,), is_instead=True)
            yield self._stem(stem, instead, position + 1)
        if log.ends_at(position):
            return
        for item, following in self._next_items(items, position):
            if left_out and not (log.reads(position) and self._is_linked((*items, item))):
                continue
            is_whole = log.ends_at(following) or log.run_end(following) is not None
            yield self._stem(stem, item, following, left_out=left_out, is_whole=is_whole)
        end = log.run_end(position)
        if end is not None and left_out < self._settings.max_left_out:
            between = WindowItem(tuple(range(position, end)))
            if log.reads(position) and not self._is_linked((*items, between)):
                yield from self._grown(stem, end, left_out + 1)

    def _next_items(
        self, items: tuple[WindowItem, ...], position: int
    ) -> Iterator[tuple[WindowItem, int]]:
        """Yield the ways to take what is called next, and where that ends."""
        end = self._log.run_end(position)
        if end is not None and self._may_be_a_loop(items, position, end):
            readings = self._loop_readings(items, position, end)
            if readings:
                yield WindowItem(tuple(range(position, end)), readings), end
        if not self._third_in_a_row(items, position):
            yield self._single[position], position + 1

    def _may_be_a_loop(self, items: tuple[WindowItem, ...], start: int, end: int) -> bool:
        if end - start > 1 or self._looped is None:
            return True
        return _follower(self._log, items[-1].calls[-1], start) in self._looped

    def _is_linked(self, items: tuple[WindowItem, ...]) -> bool:
        """Say whether a call of the last item was given something that stands in those before."""
        *earlier, last = items
        return last.is_loop or any(
            self._stands_in(value, earlier)
            for position in last.calls
            for value in self._log.calls[position].arguments.values()
        )

    def _stands_in(self, value: Json, items: Iterable[WindowItem]) -> bool:
        """Say whether a single call among some items was given or returned a value."""
        log = self._log
        return any(
            value in log.given_to(item).values() or log.index(item.calls[0]).paths_to(value)
            for item in items
            if not item.is_loop
        )

    def _third_in_a_row(self, items: tuple[WindowItem, ...], position: int) -> bool:
        """Say whether a single call would be the third of its tool: a loop not understood."""
        if len(items) < 2:
            return False
        calls = self._log.calls
        before, last = (calls[item.calls[-1]].tool for item in items[-2:])
        return before == last == calls[position].tool

    def _loop_readings(
        self, items: Iterable[WindowItem], start: int, end: int
    ) -> frozenset[Reading]:
        if start not in self._per_turn:
            self._per_turn[start] = values_per_turn(self._log.calls[start:end])
        per_turn = self._per_turn[start]
        if not per_turn:
            return frozenset()
        return loop_readings(per_turn, [self._as_earlier(item) for item in items])

    def _as_earlier(self, item: WindowItem) -> Earlier:
        log = self._log
        key = _key(item)
        if key not in self._earlier:
            self._earlier[key] = Earlier(
                [log.index(position) for position in item.calls],
                item.is_loop,
                {} if item.is_loop else log.given_to(item),
            )
        return self._earlier[key]
