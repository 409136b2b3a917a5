"""Where in an earlier result a value stands, and whether it could be known beforehand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from toolguild.sandbox import Json
from toolguild.synth.mining.plan import JsonPath

__all__ = ["KnownText", "ResultIndex", "canonical", "value_at"]

MAX_INDEXED_VALUES = 20_000
MAX_LOOP_ITEMS = 100
MAX_TEXT = 20_000
MAX_PASSED_ON = 2000
"""Characters and members, together, of a list or object that is passed on as one argument."""
MAX_DEPTH = 12


# One encoder for all: `json.dumps` would make a new one for each value.
_encoded = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode
_quoted = json.encoder.encode_basestring


def canonical(value: Json) -> str:
    """Return a text that is equal for equal JSON values, whatever the order of their keys."""
    return _quoted(value) if isinstance(value, str) else _encoded(value)


def value_at(value: Json, path: JsonPath) -> Json:
    """Return the part of a value that a path leads to.

    Raises:
        LookupError: the value has no such part.
    """
    for part in path:
        match value, part:
            case dict(), str():
                value = value[part]
            case list(), int():
                value = value[part]
            case _:
                message = f"no part {part!r} in a {type(value).__name__}"
                raise LookupError(message)
    return value


def _children(value: Json) -> Iterator[tuple[str | int, Json]]:
    """Yield the parts of a value that a path may name: every key, the first and the last item.

    An item in the middle of a list is at its index by accident, so no path names it.
    """
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list) and value:
        yield 0, value[0]
        yield -1, value[-1]


def _walk(value: Json, path: JsonPath = ()) -> Iterator[tuple[JsonPath, Json]]:
    yield path, value
    if len(path) < MAX_DEPTH:
        for part, child in _children(value):
            yield from _walk(child, (*path, part))


class ResultIndex:
    """Finds the paths to a value in one result, shortest first.

    Lists and objects are rarely passed on whole, so they are looked into when one is asked for.
    """

    def __init__(self, result: Json) -> None:
        self._scalars: dict[str, list[JsonPath]] = {}
        self._containers: list[tuple[JsonPath, Json]] = []
        for count, (path, value) in enumerate(_walk(result)):
            if count >= MAX_INDEXED_VALUES:
                break
            if isinstance(value, list | dict):
                self._containers.append((path, value))
            elif _can_be_an_argument(value):
                self._scalars.setdefault(canonical(value), []).append(path)
        for paths in self._scalars.values():
            paths.sort(key=len)

    def paths_to(self, value: Json) -> list[JsonPath]:
        """Return every path to an equal value; empty for values too common to trace."""
        if isinstance(value, list | dict):
            return self._paths_to_containers.get(canonical(value), [])
        return self._scalars.get(canonical(value), [])

    @cached_property
    def _paths_to_containers(self) -> dict[str, list[JsonPath]]:
        found: dict[str, list[JsonPath]] = {}
        for path, value in self._containers:
            if _can_be_an_argument(value):
                found.setdefault(canonical(value), []).append(path)
        for paths in found.values():
            paths.sort(key=len)
        return found

    def columns_of(self, values: frozenset[str]) -> list[tuple[JsonPath, JsonPath]]:
        """Return what a loop that is given these values could run over.

        That is the path of a list, and the path within its items to one of the values in each. A
        list of values has the empty path within its items.

        Args:
            values: in canonical form.
        """
        # Only a list or an object is written with a bracket at its start.
        whole = any(value.startswith(("[", "{")) for value in values)
        return (self._columns if whole else self._scalar_columns).get(values, [])

    @cached_property
    def _scalar_columns(self) -> dict[frozenset[str], list[tuple[JsonPath, JsonPath]]]:
        return _by_values(self._cells(_is_telling_scalar))

    @cached_property
    def _columns(self) -> dict[frozenset[str], list[tuple[JsonPath, JsonPath]]]:
        return _by_values(self._cells(_can_be_an_argument))

    def _cells(
        self, can_be_given: Callable[[Json], bool]
    ) -> Iterator[tuple[JsonPath, JsonPath, list[Json]]]:
        """Yield the path of each list, each path within its items, and what stands there."""
        for path, items in self._containers:
            if not isinstance(items, list) or not 0 < len(items) <= MAX_LOOP_ITEMS:
                continue
            if all(map(can_be_given, items)):
                yield path, (), items
            rows = [item for item in items if isinstance(item, dict)]
            if len(rows) == len(items):
                for key in rows[0]:
                    cells = [row.get(key) for row in rows]
                    if all(map(can_be_given, cells)):
                        yield path, (key,), cells


def _by_values(
    columns: Iterable[tuple[JsonPath, JsonPath, list[Json]]],
) -> dict[frozenset[str], list[tuple[JsonPath, JsonPath]]]:
    found: dict[frozenset[str], list[tuple[JsonPath, JsonPath]]] = {}
    for over, cell, values in columns:
        found.setdefault(frozenset(map(canonical, values)), []).append((over, cell))
    return found


def _is_telling_scalar(value: Json) -> bool:
    return not isinstance(value, list | dict) and _can_be_an_argument(value)


def _can_be_an_argument(value: Json) -> bool:
    """Say whether equality with this value means anything: `true` or `3` stand everywhere."""
    if isinstance(value, str):
        return 3 <= len(value) <= MAX_TEXT
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, int | float):
        return abs(value) >= 100 or value != int(value)
    return 0 < len(value) <= MAX_LOOP_ITEMS and _is_small(value)


def _is_small(value: Json) -> bool:
    """Say whether a value is short as text, without reading all of one that is not."""
    pending: list[Json] = [value]
    room = MAX_PASSED_ON
    while pending and room > 0:
        part = pending.pop()
        room -= 1 + (len(part) if isinstance(part, str | list | dict) else 0)
        if room > 0 and isinstance(part, list):
            pending += part
        elif room > 0 and isinstance(part, dict):
            pending += [*part, *part.values()]
    return room > 0


_WORD = re.compile(r"[\w.\-#@]+")
_REST_OF_WORD = re.compile(r"[\w-]*")


class KnownText:
    """Everything that was said or returned up to some moment of a run."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._first: dict[str, int] = {}
        """For each text that was asked for, the first of the texts that may hold it: those before
        do not."""

    def add(self, value: Json) -> None:
        """Add what was heard or returned."""
        self._texts.append(value if isinstance(value, str) else canonical(value))

    def moment(self) -> int:
        """Return a mark for now, to ask later what was known at this point."""
        return len(self._texts)

    def knew(self, value: Json, moment: int) -> bool:
        """Say whether every scalar in the value had been said or returned by then."""
        return all(self._contains(text, moment) for text in _scalar_texts(value))

    def _contains(self, needle: str, moment: int) -> bool:
        first = self._first.get(needle, 0)
        # What holds the text is looked at again each time, which is quickly done.
        while first < moment and not _is_said_in(self._texts[first], needle):
            first += 1
        self._first[needle] = first
        return first < moment


def _is_said_in(text: str, needle: str) -> bool:
    """Say whether a text holds another, in whatever case, and a word not as a part of a word."""
    if not _WORD.fullmatch(needle):
        return needle.casefold() in text.casefold()
    if not (text.isascii() and needle.isascii()):
        pattern = re.compile(rf"(?<![\w-]){re.escape(needle)}(?![\w-])", re.IGNORECASE)
        return pattern.search(text) is not None
    return _is_a_word_of(text.lower(), needle.lower())


def _is_a_word_of(text: str, word: str) -> bool:
    at = text.find(word)
    while at >= 0:
        if at and _is_of_a_word(text[at - 1]):
            # No other place up to the end of the word that is here can begin one.
            rest = _REST_OF_WORD.match(text, at)
            following = rest.end() if rest else at
        elif not _is_of_a_word(text[at + len(word) : at + len(word) + 1]):
            return True
        else:
            following = at
        at = text.find(word, following + 1)
    return False


def _is_of_a_word(letter: str) -> bool:
    return letter.isalnum() or letter in ("_", "-")


def _scalar_texts(value: Json) -> Iterable[str]:
    if isinstance(value, dict):
        for child in value.values():
            yield from _scalar_texts(child)
    elif isinstance(value, list):
        for child in value:
            yield from _scalar_texts(child)
    elif isinstance(value, str):
        yield value
    else:
        yield json.dumps(value)
