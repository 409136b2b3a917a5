"""Sets of JSON values that one schema allows: their edges, and strategies to draw from."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import zip_longest

from hypothesis import strategies
from hypothesis.strategies import SearchStrategy

from toolguild.sandbox import Json
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs.choices import Pick
from toolguild.synth.validation.inputs.generation import generated

__all__ = ["Choice", "Union", "Values", "distinct", "interleaved", "is_plain", "same_type"]


class Values(ABC):
    """The values of one schema, near those that were recorded.

    They are meant to fit the schema, but only the whole of the arguments is checked against it.
    """

    @abstractmethod
    def edges(self) -> list[Json]:
        """Return where faults are usually found, the most telling first; always the same."""

    def mined(self) -> list[Json]:
        """Return values made of the constants in the tool's text; always the same."""
        return []

    @cached_property
    @abstractmethod
    def strategy(self) -> SearchStrategy[Json]:
        """What any value is drawn from."""

    @cached_property
    def large(self) -> SearchStrategy[Json]:
        """What values much longer than the recorded ones are drawn from, if there are any."""
        return self.strategy

    def near(self, value: Json, pick: Pick) -> Json:
        """Return a value that is nearly this one, where there is such a thing."""
        return value

    def usual(self) -> Json:
        """Return one value, the first edge where there is any; always the same."""
        edges = self.edges()
        return edges[0] if edges else next(iter(generated(self.strategy, 1, 0)), None)


class Choice(Values):
    """One of some values that are known beforehand."""

    def __init__(self, choices: Sequence[Json]) -> None:
        self._choices = distinct(choices) or [None]

    def edges(self) -> list[Json]:
        """Return all of them."""
        return self._choices

    @cached_property
    def strategy(self) -> SearchStrategy[Json]:
        """Any of them."""
        return strategies.sampled_from(self._choices)


class Union(Values):
    """A value of one of several sets."""

    def __init__(self, branches: Sequence[Values]) -> None:
        self._branches = branches

    def edges(self) -> list[Json]:
        """Return the edges of each in turn."""
        return distinct(interleaved(*(branch.edges() for branch in self._branches)))

    def mined(self) -> list[Json]:
        """Return what the constants give in each in turn."""
        return distinct(interleaved(*(branch.mined() for branch in self._branches)))

    @cached_property
    def strategy(self) -> SearchStrategy[Json]:
        """A value of any."""
        return strategies.one_of([branch.strategy for branch in self._branches])

    @cached_property
    def large(self) -> SearchStrategy[Json]:
        """A large value of any."""
        return strategies.one_of([branch.large for branch in self._branches])


def distinct(values: Iterable[Json]) -> list[Json]:
    """Return the values without repetition, in the order in which they come first."""
    found: dict[str, Json] = {}
    for value in values:
        found.setdefault(canonical(value), value)
    return list(found.values())


_NOTHING = object()


def interleaved(*several: Iterable[Json]) -> Iterator[Json]:
    """Yield the first of each, then the second of each, and so on."""
    for row in zip_longest(*several, fillvalue=_NOTHING):
        # The filler is compared by identity, so what is left are the values.
        yield from (value for value in row if value is not _NOTHING)  # type: ignore[misc]


def is_plain(value: Json) -> bool:
    """Whether a value is the same again after it was written as JSON, in UTF-8, and read."""
    try:
        text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:  # not finite, or half of a surrogate pair
        return False
    return "-0.0" not in text or not _has_negative_zero(value)


def _has_negative_zero(value: Json) -> bool:
    match value:
        case float():
            return value == 0 and str(value).startswith("-")
        case list():
            return any(map(_has_negative_zero, value))
        case dict():
            return any(map(_has_negative_zero, value.values()))
    return False


def same_type(a: Json, b: Json) -> bool:
    """Whether two values have one JSON type; whole numbers and fractions are both numbers."""
    number = (int, float)
    if isinstance(a, bool) or isinstance(b, bool):
        return isinstance(a, bool) and isinstance(b, bool)
    return type(a) is type(b) or (isinstance(a, number) and isinstance(b, number))
