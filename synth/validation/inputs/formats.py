"""Strings of the formats that JSON Schema names, as far as they are cheap to make."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from random import Random
from uuid import UUID

__all__ = ["FORMATS", "Format", "format_of"]

_DAYS = ("2024-02-29", "2023-12-31", "2024-01-01", "2023-02-28", "1900-02-28", "1970-01-01")
_TIMES = ("00:00:00", "23:59:59", "12:30:00")


class Format:
    """A kind of string: examples that are edges, and a way to draw more."""

    def __init__(self, examples: Sequence[str], draw: Callable[[Random], str]) -> None:
        self.examples = tuple(examples)
        self.draw = draw


def _day(random: Random) -> str:
    if random.random() < 0.3:
        return random.choice(_DAYS)
    return date(
        random.randint(1950, 2049), random.randint(1, 12), random.randint(1, 28)
    ).isoformat()


def _time(random: Random) -> str:
    hour, minute, second = random.randrange(24), random.randrange(60), random.randrange(60)
    return f"{hour:02}:{minute:02}:{second:02}"


def _moment(random: Random) -> str:
    return f"{_day(random)}T{_time(random)}{random.choice(('Z', '+02:00', '-11:30'))}"


def _address(random: Random) -> str:
    name = random.choice(("a", "anna.b", "x+tag", "o_1", "A-9"))
    return (
        f"{name}{random.randrange(100)}@{random.choice(('example.org', 'a.example', 'x-y.test'))}"
    )


FORMATS = {
    "date": Format(_DAYS, _day),
    "date-time": Format([f"{day}T{_TIMES[0]}Z" for day in _DAYS[:3]], _moment),
    "time": Format([f"{time}Z" for time in _TIMES], lambda random: f"{_time(random)}Z"),
    "email": Format(["a@example.org", "A.B+tag@x-y.test"], _address),
    "uuid": Format(
        ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff"],
        lambda random: str(UUID(int=random.getrandbits(128), version=4)),
    ),
}

_FORMS = (
    ("date", re.compile(r"\d{4}-\d\d-\d\d")),
    ("date-time", re.compile(r"\d{4}-\d\d-\d\dT.+")),
)


def format_of(name: object, seen: Sequence[str]) -> Format | None:
    """Return the format of this name, or the one that all the recorded strings have."""
    if isinstance(name, str) and name in FORMATS:
        return FORMATS[name]
    for guess, form in _FORMS:
        if seen and all(form.fullmatch(text) for text in seen):
            return FORMATS[guess]
    return None
