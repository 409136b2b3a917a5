"""What may be compared with what: numbers with numbers, and dates or times written in one way.

Python compares more than that: `True` with 300, or `2031-1-5` with `2031-01-10` letter by letter. A
tool that goes by a comparison has to stop there instead of making a choice that nobody made.
"""

from __future__ import annotations

from typing import Any

from toolguild.sandbox import Json

__all__ = ["COMPARABLE", "NUMBER", "comparable", "form_of"]

NUMBER = "number"
"""The form of all numbers."""

# The functions below, as they stand in a tool: they must do the same.
COMPARABLE = '''
def _form_of(value: object) -> str:
    """Return what values share that can be compared: numbers, or dates and times in one form."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number" if abs(value) < float("inf") else ""
    if not isinstance(value, str):
        return ""
    form = "".join("0" if sign in "0123456789" else sign for sign in value)
    known = ("0000-00-00", "00:00", "00:00:00", "00:00:00.000", "00:00:00.000000")
    parts = form.removesuffix("Z").replace("T", " ").split(" ")
    return form if all(part in known for part in parts) else ""


def _comparable(value: object, bound: object) -> object:
    """Return a value that can be compared with a bound."""
    form = _form_of(value)
    if form and form == _form_of(bound):
        return value
    message = f"{value!r} cannot be compared with {bound!r}"
    raise TypeError(message)
'''


def form_of(value: Json) -> str:
    """Return what values share that can be compared; "" for what cannot be.

    That is `NUMBER` for finite numbers. Dates and times in ISO 8601 have zeros for their digits: of
    one such form, the earlier is the lesser text. None has an offset from UTC other than `Z`, for
    there the earlier may be the greater one.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return NUMBER if abs(value) < float("inf") else ""
    if not isinstance(value, str):
        return ""
    form = "".join("0" if sign in "0123456789" else sign for sign in value)
    known = ("0000-00-00", "00:00", "00:00:00", "00:00:00.000", "00:00:00.000000")
    parts = form.removesuffix("Z").replace("T", " ").split(" ")
    return form if all(part in known for part in parts) else ""


def comparable(value: Any, bound: Any) -> Any:
    """Return a value that can be compared with a bound.

    Raises:
        TypeError: it cannot be.
    """
    form = form_of(value)
    if form and form == form_of(bound):
        return value
    message = f"{value!r} cannot be compared with {bound!r}"
    raise TypeError(message)
