"""Where two JSON values differ, in a line that a person can read."""

from __future__ import annotations

from collections.abc import Iterator

from toolguild.sandbox import Json
from toolguild.synth.mining import canonical
from toolguild.synth.plans import JsonPath, render_path

__all__ = ["difference"]

MAX_SHOWN = 3
"""Differing places that are spelt out; of the others there is only the number."""
MAX_CHARACTERS = 80
"""Characters shown of each value and path."""


def difference(expected: Json, observed: Json) -> str:
    """Return the places at which two values differ, with both values; empty for equal ones."""
    places = list(_places(expected, observed, ()))
    told = [f"{_short(render_path(path) or 'it')} {words}" for path, words in places[:MAX_SHOWN]]
    if more := len(places) - len(told):
        told.append(f"{more} more")
    return "; ".join(told)


def _places(expected: Json, observed: Json, path: JsonPath) -> Iterator[tuple[JsonPath, str]]:
    match expected, observed:
        case dict(), dict():
            for key in sorted({*expected, *observed}):
                if key not in observed:
                    yield (*path, key), "is missing"
                elif key not in expected:
                    yield (*path, key), f"is there, as {_short(canonical(observed[key]))}"
                else:
                    yield from _places(expected[key], observed[key], (*path, key))
        case list(), list() if len(expected) == len(observed):
            for number, (one, other) in enumerate(zip(expected, observed, strict=True)):
                yield from _places(one, other, (*path, number))
        case list(), list():
            yield path, f"has {len(observed)} items, not {len(expected)}"
        case _ if (one := canonical(expected)) != (other := canonical(observed)):
            yield path, f"is {_short(other)}, not {_short(one)}"


def _short(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 3]}..."
