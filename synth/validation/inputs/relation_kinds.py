"""What may be so of two arguments, and how one of them is changed so that it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

from toolguild.sandbox import Json
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs.choices import Pick
from toolguild.synth.validation.inputs.values import same_type

__all__ = ["KINDS", "Kind"]

Mend: TypeAlias = Callable[[Json, Json, Pick], Json]
"""Makes one of two values anew, from both, so that they are related."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A relation, and how it is made to hold."""

    name: str
    holds: Callable[[Json, Json], bool]
    first: Mend
    """Gives the first value for a second one."""
    second: Mend
    """Gives the second value for a first one."""


def _equal(a: Json, b: Json) -> bool:
    return same_type(a, b) and canonical(a) == canonical(b)


def _is_prefix(a: Json, b: Json) -> bool:
    return isinstance(a, str) and isinstance(b, str) and b.startswith(a)


def _is_inside(a: Json, b: Json) -> bool:
    return isinstance(a, str) and isinstance(b, str) and a in b


def _is_key(a: Json, b: Json) -> bool:
    return isinstance(a, str) and isinstance(b, dict) and a in b


def _is_item(a: Json, b: Json) -> bool:
    return isinstance(b, list) and any(_equal(a, item) for item in b)


def _is_length(a: Json, b: Json) -> bool:
    return isinstance(a, list | str) and _is_whole(b) and len(a) == b


def _is_index(a: Json, b: Json) -> bool:
    return isinstance(a, list | str) and _is_whole(b) and 0 <= b < len(a)


def _is_sum(a: Json, b: Json) -> bool:
    return isinstance(a, list) and _is_number(b) and all(map(_is_number, a)) and _sum(a) == b


def _is_subset(a: Json, b: Json) -> bool:
    return isinstance(a, list) and isinstance(b, list) and all(_is_item(item, b) for item in a)


def _are_as_long(a: Json, b: Json) -> bool:
    return isinstance(a, list | str) and type(a) is type(b) and len(a) == len(b)


def _is_at_most(a: Json, b: Json) -> bool:
    if isinstance(a, str) and isinstance(b, str):
        return a <= b
    return _is_number(a) and _is_number(b) and a <= b


def _is_whole(value: Json) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Json) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _sum(numbers: Sequence[Json]) -> int | float:
    return sum(number for number in numbers if _is_number(number))


def _resized(value: Json, length: int) -> Json:
    """Return a list or string of this length: cut, or gone through again."""
    if not isinstance(value, list | str) or not value or length < 0 or length > 1_000:
        return value
    return (value * (length // len(value) + 1))[:length]


def _above(number: Json, pick: Pick) -> Json:
    return number + _distance(number, pick) if _is_number(number) else number


def _below(number: Json, pick: Pick) -> Json:
    return number - _distance(number, pick) if _is_number(number) else number


def _distance(number: float, pick: Pick) -> int:
    """Return none, a little, or as much as the number itself."""
    return (0, 1, 2, pick(2 + abs(int(number))))[pick(4)]


def _prefix_of(_: Json, b: Json, pick: Pick) -> Json:
    return b[: pick(len(b) + 1)] if isinstance(b, str) else b


def _with_prefix(a: Json, b: Json, _: Pick) -> Json:
    return a + b if isinstance(a, str) and isinstance(b, str) else a


def _part_of(_: Json, b: Json, pick: Pick) -> Json:
    if not isinstance(b, str):
        return b
    start, end = sorted((pick(len(b) + 1), pick(len(b) + 1)))
    return b[start:end]


def _with_part(a: Json, b: Json, pick: Pick) -> Json:
    """Return the text with a part put in, once or twice."""
    if not isinstance(a, str) or not isinstance(b, str):
        return a
    at = pick(len(b) + 1)
    again = ("", a)[pick(2)]
    return f"{again}{b[:at]}{a}{b[at:]}"


def _key_of(a: Json, b: Json, pick: Pick) -> Json:
    return sorted(b)[pick(len(b))] if isinstance(b, dict) and b else a


def _with_key(a: Json, b: Json, pick: Pick) -> Json:
    if not isinstance(a, str) or not isinstance(b, dict) or not b:
        return b
    return {**b, a: b[sorted(b)[pick(len(b))]]}


def _item_of(a: Json, b: Json, pick: Pick) -> Json:
    return b[pick(len(b))] if isinstance(b, list) and b else a


def _with_item(a: Json, b: Json, pick: Pick) -> Json:
    """Return the list with an item put in, once or twice."""
    if not isinstance(b, list):
        return b
    at = pick(len(b) + 1)
    return [*b[:at], a, *b[at:], *([], [a])[pick(2)]]


def _subset_of(a: Json, b: Json, pick: Pick) -> Json:
    return _shuffled(b, pick)[: pick(len(b) + 1)] if isinstance(b, list) else a


def _with_items(a: Json, b: Json, pick: Pick) -> Json:
    if not isinstance(a, list) or not isinstance(b, list):
        return b
    return _shuffled([*b, *(item for item in a if not _is_item(item, b))], pick)


def _shuffled(items: Sequence[Json], pick: Pick) -> list[Json]:
    left = [*items]
    return [left.pop(pick(len(left))) for _ in items]


def _length_of(a: Json, b: Json, _: Pick) -> Json:
    return len(a) if isinstance(a, list | str) else b


def _index_of(a: Json, b: Json, pick: Pick) -> Json:
    if not isinstance(a, list | str) or not a:
        return b
    return (0, len(a) - 1, pick(len(a)))[pick(3)]


def _long_enough(a: Json, b: Json, pick: Pick) -> Json:
    return _resized(a, b + 1 + pick(3)) if _is_whole(b) else a


def _as_long(a: Json, b: Json) -> Json:
    return _resized(a, len(b)) if isinstance(b, list | str) else a


def _summing_to(a: Json, b: Json, _: Pick) -> Json:
    if not isinstance(a, list) or not _is_number(b):
        return a
    return [*a[:-1], b - _sum(a[:-1])]


def _sum_of(a: Json, b: Json, _: Pick) -> Json:
    return _sum(a) if isinstance(a, list) else b


KINDS = (
    Kind("equal", _equal, lambda a, b, pick: b, lambda a, b, pick: a),
    Kind("prefix", _is_prefix, _prefix_of, _with_prefix),
    Kind("part", _is_inside, _part_of, _with_part),
    Kind("key", _is_key, _key_of, _with_key),
    Kind("item", _is_item, _item_of, _with_item),
    Kind(
        "length",
        _is_length,
        lambda a, b, pick: _resized(a, b) if _is_whole(b) else a,
        _length_of,
    ),
    Kind("sum", _is_sum, _summing_to, _sum_of),
    Kind("index", _is_index, _long_enough, _index_of),
    Kind("subset", _is_subset, _subset_of, _with_items),
    Kind(
        "as long",
        _are_as_long,
        lambda a, b, pick: _as_long(a, b),
        lambda a, b, pick: _as_long(b, a),
    ),
    Kind(
        "at most",
        _is_at_most,
        lambda a, b, pick: _below(b, pick),
        lambda a, b, pick: _above(a, pick),
    ),
)
"""From the strictest to the mildest."""
