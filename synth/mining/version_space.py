"""Every simple way to compute a value from values that are known: its version space.

One place admits many ways, most of them by accident; those that hold in the places of several tasks
are few (T. M. Mitchell, "Generalization as Search", 1982; for texts: S. Gulwani, "Automating String
Processing in Spreadsheets Using Input-Output Examples", 2011).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Final, TypeAlias

from toolguild.sandbox import Json
from toolguild.synth.mining.dataflow import canonical
from toolguild.synth.plans import FUNCTIONS, Computed, Constant, FromResult, JsonPath, Origin

__all__ = ["Known", "computations"]

Known: TypeAlias = tuple[Origin, Json]
"""A value, and where it stands."""

_MAX_PAIRS_OF = 40
"""Numbers of which all pairs are tried."""
_MAX_TEXTS = 200
_MAX_TEXT = 2000
_MAX_HOLES = 3
"""Values in a text that is built of several."""
_MAX_BUILDS = 200
_MAX_LISTS = 40
_MAX_ROWS = 100
_MIN_DIGITS = 2
_MIN_PART = 3
"""Characters of a part of a text that is more than an accident."""

_SEPARATORS = (", ", ",", " ", "/", "-", ":", "@", ".", "_", "\n", ";", "|")
_FACTORS = (100, 60, 1000, 12, 24, 3600)
"""What units differ by."""
_CHANGES = (
    "lower",
    "upper",
    "title",
    "strip",
    "spaces_to_underscores",
    "spaces_to_hyphens",
    "without_hyphens",
)


def computations(value: Json, known: Sequence[Known]) -> Iterator[Computed]:
    """Yield the ways to compute a value, each at least once.

    Args:
        value: What was passed to a call.
        known: What it may have been computed from: scalars and lists, with their origins.
    """
    sources = _Sources(known)
    match value:
        case bool() | None:
            return
        case str() if value:
            yield from _of_texts(value, sources)
            yield from _of_numbers_as_text(value, sources)
            yield from _joined(value, sources)
            yield from _built(value, sources)
        case int() | float():
            yield from _numbers_from_texts(value, sources)
            yield from _aggregated(value, sources)
            yield from _arithmetic(value, sources)
        case list() if value:
            yield from _lists(value, sources)
    if not isinstance(value, list | dict):
        yield from _looked_up(value, sources)


@dataclass(frozen=True)
class _Sources:
    known: Sequence[Known]

    @cached_property
    def texts(self) -> list[tuple[Origin, str]]:
        found = ((o, v) for o, v in self.known if isinstance(v, str) and 0 < len(v) <= _MAX_TEXT)
        return [*found][:_MAX_TEXTS]

    @cached_property
    def numbers(self) -> list[tuple[Origin, float]]:
        return [
            (origin, value)
            for origin, value in self.known
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]

    @cached_property
    def lists(self) -> list[tuple[Origin, list[Json]]]:
        found = ((o, v) for o, v in self.known if isinstance(v, list) and 0 < len(v) <= _MAX_ROWS)
        return [*found][:_MAX_LISTS]

    @cached_property
    def columns(self) -> list[tuple[Origin, list[Json]]]:
        """Lists of scalars, and what stands under one key in each row of a list of objects."""
        found: list[tuple[Origin, list[Json]]] = []
        for origin, items in self.lists:
            rows = [item for item in items if isinstance(item, dict)]
            if not any(isinstance(item, dict | list) for item in items):
                found.append((origin, items))
            elif len(rows) == len(items):
                for key in rows[0]:
                    cells = [row[key] for row in rows if key in row]
                    if len(cells) == len(rows) and not any(
                        isinstance(cell, dict | list) for cell in cells
                    ):
                        found.append((Computed("column", (origin, Constant(key))), cells))
        return found


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_texts(value: str, sources: _Sources) -> Iterator[Computed]:
    """Yield changes of one text, and parts of one."""
    for origin, text in sources.texts:
        if text == value:
            continue
        for change in _CHANGES:
            if FUNCTIONS[change].evaluate(text) == value:
                yield Computed(change, (origin,))
        if len(value) < _MIN_PART or value not in text:
            continue
        if text.startswith(value):
            yield Computed("head", (origin, Constant(len(value))))
        if text.endswith(value):
            yield Computed("tail", (origin, Constant(-len(value))))
            yield Computed("tail", (origin, Constant(len(text) - len(value))))
        for separator in _SEPARATORS:
            parts = text.split(separator)
            for index in {*range(min(len(parts), 4)), -1}:
                if len(parts) > 1 and parts[index] == value:
                    yield Computed("split", (origin, Constant(separator), Constant(index)))


def _of_numbers_as_text(value: str, sources: _Sources) -> Iterator[Computed]:
    for origin, number in sources.numbers:
        if str(number) == value:
            yield Computed("text", (origin,))
        elif f"{number:.2f}" == value:
            yield Computed("fixed", (origin, Constant(".2f")))


def _joined(value: str, sources: _Sources) -> Iterator[Computed]:
    for origin, items in sources.columns:
        if len(items) < 2:
            continue
        all_texts = all(isinstance(item, str) for item in items)
        texts = [str(item) for item in items]
        for separator in _SEPARATORS:
            if separator in value and separator.join(texts) == value:
                function = "joined" if all_texts else "joined_as_text"
                yield Computed(function, (Constant(separator), origin))


def _built(value: str, sources: _Sources) -> Iterator[Computed]:
    """Yield texts that are built of up to three known values and what stands around them."""
    pieces: list[tuple[int, int, Origin]] = []
    for origin, given in chain(sources.texts, sources.numbers):
        text = str(given)
        telling = len(text) >= (_MIN_PART if isinstance(given, str) else _MIN_DIGITS)
        start = value.find(text) if telling and text != value else -1
        while start >= 0:
            if _stands_alone(value, start, start + len(text)):
                pieces.append((start, start + len(text), origin))
            start = value.find(text, start + 1)
    pieces.sort(key=lambda piece: (piece[0], -piece[1], str(piece[2])))
    for number, chosen in enumerate(_apart(pieces, 0, _MAX_HOLES)):
        if number == _MAX_BUILDS:
            return
        yield Computed("concatenated", tuple(_with_text_between(value, chosen)))


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no letter or digit of the text goes on where a part of it begins or ends."""
    before, after = text[start - 1 : start], text[end : end + 1]
    inside = text[start:end]
    return not (before.isalnum() and inside[0].isalnum()) and not (
        after.isalnum() and inside[-1].isalnum()
    )


def _apart(
    pieces: Sequence[tuple[int, int, Origin]], first: int, most: int
) -> Iterator[list[tuple[int, int, Origin]]]:
    """Yield choices of pieces that do not overlap, in order."""
    for number in range(first, len(pieces)):
        end = pieces[number][1]
        following = next(
            (later for later in range(number + 1, len(pieces)) if pieces[later][0] >= end),
            len(pieces),
        )
        if most > 1:
            for rest in _apart(pieces, following, most - 1):
                yield [pieces[number], *rest]
        yield [pieces[number]]


def _with_text_between(value: str, pieces: Sequence[tuple[int, int, Origin]]) -> Iterator[Origin]:
    reached = 0
    for start, end, origin in pieces:
        if start > reached:
            yield Constant(value[reached:start])
        yield origin
        reached = end
    if reached < len(value):
        yield Constant(value[reached:])


def _numbers_from_texts(value: float, sources: _Sources) -> Iterator[Computed]:
    for origin, text in sources.texts:
        for function in ("integer", "number"):
            try:
                same = FUNCTIONS[function].evaluate(text) == value
            except ValueError:
                continue
            if same and isinstance(value, int) == (function == "integer"):
                yield Computed(function, (origin,))


def _aggregated(value: float, sources: _Sources) -> Iterator[Computed]:
    for origin, items in sources.columns:
        if len(items) == value:
            source = origin.inputs[0] if isinstance(origin, Computed) else origin
            yield Computed("count", (source,))
        if not all(map(_is_number, items)):
            continue
        for function in ("total", "least", "most"):
            if FUNCTIONS[function].evaluate(items) == value:
                yield Computed(function, (origin,))


_ARITHMETIC: Final[Mapping[str, Callable[[float, float], float]]] = {
    "sum_of": lambda left, right: left + right,
    "difference": lambda left, right: left - right,
    "product": lambda left, right: left * right,
}


def _arithmetic(value: float, sources: _Sources) -> Iterator[Computed]:
    if value in {0, 1, -1}:
        return
    numbers = [(o, v) for o, v in sources.numbers if v not in {0, 1, -1}][:_MAX_PAIRS_OF]
    for origin, number in numbers:
        for factor in _FACTORS:
            if number * factor == value:
                yield Computed("product", (origin, Constant(factor)))
            if number / factor == value:
                yield Computed("quotient", (origin, Constant(factor)))
    for place, (left, a) in enumerate(numbers):
        for right, b in numbers[place + 1 :]:
            for function, compute in _ARITHMETIC.items():
                ordered = [(left, right, compute(a, b))]
                if function == "difference":
                    ordered.append((right, left, compute(b, a)))
                for one, other, result in ordered:
                    yield from _exactly_or_rounded(value, result, Computed(function, (one, other)))


def _exactly_or_rounded(value: float, result: float, how: Computed) -> Iterator[Computed]:
    if result == value:
        yield how
    # Also where it is exact here: elsewhere it may not be.
    if isinstance(value, float) and round(result, 2) == value:
        yield Computed("rounded", (how, Constant(2)))


def _lists(value: list[Json], sources: _Sources) -> Iterator[Computed]:
    wanted = canonical(value)
    for origin, items in sources.columns:
        if isinstance(origin, Computed) and canonical(items) == wanted:
            yield origin
    for origin, items in sources.lists:
        if len(value) < len(items) and canonical(items[: len(value)]) == wanted:
            yield Computed("head", (origin, Constant(len(value))))
    if len(value) == 1:
        for origin, given in sources.known:
            if canonical(given) == canonical(value[0]):
                yield Computed("listed", (origin,))


def _looked_up(value: Json, sources: _Sources) -> Iterator[Computed]:
    """Yield cells of the row, in a list of objects, that something known points to."""
    pointers = {canonical(given): origin for origin, given in reversed(sources.known)}
    for origin, items in sources.lists:
        rows = [item for item in items if isinstance(item, dict)]
        if len(rows) < 2 or len(rows) < len(items):
            continue
        for cell in rows[0]:
            places = [number for number, row in enumerate(rows) if row.get(cell) == value]
            if len(places) == 1:
                for row in _ways_to(places[0], rows, origin, cell, pointers):
                    yield Computed("part", (row, Constant(cell)))


def _ways_to(
    place: int,
    rows: Sequence[dict[str, Json]],
    origin: Origin,
    cell: str,
    pointers: Mapping[str, Origin],
) -> Iterator[Computed]:
    for key, told in rows[place].items():
        column = [row.get(key) for row in rows]
        if key == cell or isinstance(told, dict | list | None):
            continue
        pointer = pointers.get(canonical(told))
        if pointer is not None and column.index(told) == place and not _inside(pointer, origin):
            yield Computed("row_where", (origin, Constant(key), pointer))
        numbers = [one for one in column if isinstance(one, int | float) and _is_number(one)]
        if len(numbers) == len(rows) and len({*numbers}) > 1:
            for function, best in (("row_with_least", min), ("row_with_most", max)):
                if numbers.index(best(numbers)) == place:
                    yield Computed(function, (origin, Constant(key)))


def _inside(pointer: Origin, rows: Origin) -> bool:
    """Whether what points to a row stands itself in the list of rows."""
    match pointer, rows:
        case FromResult(step, path), FromResult(other, around):
            return step == other and _starts_with(path, around)
    return False


def _starts_with(path: JsonPath, start: JsonPath) -> bool:
    return path[: len(start)] == start
