"""Strings of the formats that JSON Schema names, as far as they are cheap to make."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from hypothesis import strategies
from hypothesis.strategies import SearchStrategy

from toolguild.synth.validation.inputs.choices import by_shares

__all__ = ["FORMATS", "Format", "format_of"]

_DAYS = ("2024-02-29", "2023-12-31", "2024-01-01", "2023-02-28", "1900-02-28", "1970-01-01")
_TIMES = ("00:00:00", "23:59:59", "12:30:00")


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of string: examples that are edges, and what more are drawn from."""

    examples: tuple[str, ...]
    strategy: SearchStrategy[str]


_MOST_DAYS = strategies.dates(date(1950, 1, 1), date(2049, 12, 31)).map(date.isoformat)
_ANY_DAY = by_shares((7, _MOST_DAYS), (3, strategies.sampled_from(_DAYS)))
_ANY_TIME = strategies.times().map(lambda moment: moment.replace(microsecond=0).isoformat())
_ADDRESS = r"(a|anna\.b|x\+tag|o_1|A-9)[0-9]{1,2}@(example\.org|a\.example|x-y\.test)"

FORMATS = {
    "date": Format(_DAYS, _ANY_DAY),
    "date-time": Format(
        tuple(f"{day}T{_TIMES[0]}Z" for day in _DAYS[:3]),
        strategies.builds(
            "{}T{}{}".format,
            _ANY_DAY,
            _ANY_TIME,
            strategies.sampled_from(("Z", "+02:00", "-11:30")),
        ),
    ),
    "time": Format(tuple(f"{time}Z" for time in _TIMES), _ANY_TIME.map("{}Z".format)),
    "email": Format(
        ("a@example.org", "A.B+tag@x-y.test"),
        strategies.from_regex(
            _ADDRESS, fullmatch=True, alphabet=strategies.characters(codec="ascii")
        ),
    ),
    "uuid": Format(
        ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff"),
        strategies.uuids(version=4).map(str),
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
