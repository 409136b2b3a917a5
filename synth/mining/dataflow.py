"""Where in an earlier result a value stands, and whether it could be known beforehand."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from functools import cached_property
from itertools import islice
from typing import TypeAlias

from toolguild.sandbox import Json
from toolguild.synth.plans import JsonPath

__all__ = ["KnownText", "ResultIndex", "canonical", "is_traceable"]

MAX_INDEXED_VALUES = 20_000
MAX_LOOP_ITEMS = 100
MAX_PARTS = 400
"""Values of one result that others may be computed from."""
MAX_TEXT = 20_000
MAX_PASSED_ON = 2000
"""Characters and members, together, of a list or object that is passed on as one argument, unless
it is a whole result or one of its fields."""
MAX_DEPTH = 12


# One encoder for all: `json.dumps` would make a new one for each value.
_encoded = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode
_quoted = json.encoder.encode_basestring


def canonical(value: Json) -> str:
    """Return a text that is equal for equal JSON values, whatever the order of their keys."""
    if isinstance(value, str):
        return _quoted(value)
    # Far quicker than the encoder, which is made anew for each value.
    return repr(value) if type(value) is int else _encoded(value)


def _walk(whole: Json) -> Iterator[tuple[JsonPath, Json]]:
    """Yield the parts of a value that a path may name: of a list, the first and the last item.

    An item in the middle of a list is at its index by accident, so no path names it.
    """
    pending: list[tuple[JsonPath, Json]] = [((), whole)]
    while pending:
        place = path, value = pending.pop()
        yield place
        # The last that is put there is the first to be walked.
        if len(path) == MAX_DEPTH:
            continue
        if isinstance(value, dict):
            pending += [((*path, key), value[key]) for key in reversed(value)]
        elif isinstance(value, list) and value:
            pending += [((*path, -1), value[-1]), ((*path, 0), value[0])]


Column: TypeAlias = tuple[JsonPath, JsonPath, frozenset[str]]
"""What a loop could run over: path of the list, path within its items, and the values there in
canonical form. A list of scalars has the empty path within its items."""


class _Parts:
    """The parts of a result, by what they are."""

    def __init__(self, result: Json) -> None:
        self.scalars: list[tuple[JsonPath, Json]] = []
        self.containers: list[tuple[JsonPath, Json]] = []
        self.lists: list[tuple[JsonPath, list[Json]]] = []
        self.no_objects: list[tuple[JsonPath, Json]] = []
        for place in islice(_walk(result), MAX_INDEXED_VALUES):
            value = place[1]
            if isinstance(value, dict):
                self.containers.append(place)
                continue
            if len(self.no_objects) < MAX_PARTS:
                self.no_objects.append(place)
            if not isinstance(value, list):
                self.scalars.append(place)
                continue
            self.containers.append(place)
            if 0 < len(value) <= MAX_LOOP_ITEMS:
                self.lists.append((place[0], value))


class ResultIndex:
    """Finds the paths to a value in one result, shortest first.

    Most values that are looked for do not stand in its text; only for the others is it taken apart.
    """

    def __init__(self, result: Json, text: str | None = None) -> None:
        """Prepare to look into a result.

        Args:
            result: What a call returned.
            text: Its canonical form, if that is known.
        """
        self._result = result
        self._known_text = text
        self._columns_with: dict[frozenset[str], list[Column]] = {}
        """What was found once: each window with the result asks again."""

    @cached_property
    def _text(self) -> str:
        return canonical(self._result) if self._known_text is None else self._known_text

    @cached_property
    def _parts(self) -> _Parts:
        return _Parts(self._result)

    def paths_to(self, value: Json) -> list[JsonPath]:
        """Return every path to an equal value; empty for values too common to trace."""
        wanted = canonical(value)
        if wanted not in self._text:
            return []
        # Lists and objects are rarely passed on whole, and take long to compare.
        is_container = isinstance(value, list | dict)
        paths = self._paths_to_containers if is_container else self._paths_to_scalars
        return paths.get(wanted, [])

    @cached_property
    def _paths_to_scalars(self) -> dict[str, list[JsonPath]]:
        return _paths(self._parts.scalars)

    @cached_property
    def _paths_to_containers(self) -> dict[str, list[JsonPath]]:
        return _paths(self._parts.containers)

    def list_at(self, path: JsonPath) -> list[Json]:
        """Return the list at the path of a column."""
        return next(items for place, items in self._parts.lists if place == path)

    def parts(self) -> list[tuple[JsonPath, Json]]:
        """Return what something may be computed from: scalars and lists, with their paths."""
        return self._parts.no_objects

    @cached_property
    def cells(self) -> dict[JsonPath, str]:
        """The parts that are no lists, in canonical form."""
        parts = self._parts.no_objects
        return {path: canonical(part) for path, part in parts if not isinstance(part, list)}

    def columns_with(self, values: Set[str]) -> list[Column]:
        """Return the columns that hold all of some values, given in canonical form."""
        if not all(value in self._text for value in values):
            return []
        wanted = frozenset(values)
        if wanted not in self._columns_with:
            self._columns_with[wanted] = self._looked_into(wanted).with_all(wanted)
        return self._columns_with[wanted]

    def columns_of(self, values: Set[str]) -> list[Column]:
        """Return the columns that hold nothing but some values, given in canonical form."""
        return self._looked_into(values).of_some(values)

    def column_at(self, path: JsonPath, cell: JsonPath) -> frozenset[str] | None:
        """Return the values of one column, if there is such a one."""
        return self._every_column.values_at.get((path, cell))

    def _looked_into(self, values: Set[str]) -> _Columns:
        # Only lists and objects begin with a bracket.
        whole = any(value.startswith(("[", "{")) for value in values)
        return self._every_column if whole else self._scalar_columns

    @cached_property
    def _every_column(self) -> _Columns:
        return _Columns(_columns(self._parts.lists, whole=True))

    @cached_property
    def _scalar_columns(self) -> _Columns:
        return _Columns(_columns(self._parts.lists, whole=False))


class _Columns:
    """Columns, found by what they hold."""

    def __init__(self, columns: Iterable[Column]) -> None:
        self.values_at: dict[tuple[JsonPath, JsonPath], frozenset[str]] = {}
        self._with: defaultdict[str, list[Column]] = defaultdict(list)
        for column in columns:
            path, cell, values = column
            self.values_at[path, cell] = values
            for value in values:
                self._with[value].append(column)

    def with_all(self, values: Set[str]) -> list[Column]:
        one = next(iter(values), "")
        return [column for column in self._with.get(one, ()) if values <= column[2]]

    def of_some(self, values: Set[str]) -> list[Column]:
        found = {
            column[:2]: column
            for value in values
            for column in self._with.get(value, ())
            if column[2] <= values
        }
        return [*found.values()]


def _columns(lists: Iterable[tuple[JsonPath, list[Json]]], *, whole: bool) -> Iterator[Column]:
    """Yield the columns of lists.

    Args:
        lists: The lists, none of them empty, with their paths.
        whole: Whether to look into columns of nothing but lists or objects, which takes long.
    """
    for path, items in lists:
        columns: list[tuple[JsonPath, list[Json]]] = [((), items)]
        rows = [item for item in items if isinstance(item, dict)]
        if len(rows) == len(items):
            columns += [((key,), [row.get(key) for row in rows]) for key in rows[0]]
        for cell, values in columns:
            scalars = whole or not all(isinstance(value, list | dict) for value in values)
            if scalars and all(map(is_traceable, values)):
                yield path, cell, frozenset(map(canonical, values))


def _paths(values: Iterable[tuple[JsonPath, Json]]) -> dict[str, list[JsonPath]]:
    found: dict[str, list[JsonPath]] = {}
    for path, value in values:
        # What code was given may be long, but it is all of a result, or of one of its fields.
        whole = len(path) <= 1 and isinstance(value, list | dict) and bool(value)
        if whole or is_traceable(value):
            found.setdefault(canonical(value), []).append(path)
    for paths in found.values():
        paths.sort(key=len)
    return found


def is_traceable(value: Json) -> bool:
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
        self._values: list[Json] = []
        self._texts: list[str] = []
        """The first of them as texts, as many as have been looked into."""
        self._first: dict[str, int] = {}
        """For each text that was asked for, the first of the texts that may hold it: those before
        do not."""

    def add(self, value: Json) -> None:
        """Add what was heard or returned."""
        self._values.append(value)

    def moment(self) -> int:
        """Return a mark for now, to ask later what was known at this point."""
        return len(self._values)

    def knew(self, value: Json, moment: int) -> bool:
        """Say whether every scalar in the value had been said or returned by then."""
        return all(self._contains(text, moment) for text in _scalar_texts(value))

    def _contains(self, needle: str, moment: int) -> bool:
        first = self._first.get(needle, 0)
        # What holds the text is looked at again each time, which is quickly done.
        while first < moment and not _is_said_in(self.text(first), needle):
            first += 1
        self._first[needle] = first
        return first < moment

    def text(self, number: int) -> str:
        """Return what was said or returned, counted from 0: values in canonical form."""
        for value in self._values[len(self._texts) : number + 1]:
            self._texts.append(value if isinstance(value, str) else canonical(value))
        return self._texts[number]


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
