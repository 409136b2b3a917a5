"""Turning what a program returns into JSON, with an exact word on what JSON cannot carry.

Runs in the program's own process. Nothing here decides a verdict: a program that bends this code
only spoils its own value, which the host parses and checks again.
"""

from __future__ import annotations

from json.encoder import encode_basestring
from typing import Any

__all__ = ["MAX_DEPTH", "encode_plain"]

MAX_DEPTH = 200
"""Levels of nesting that a value may have, so that whoever reads it may recurse over it."""

_BASES = (dict, list, tuple, str, bool, int, float, type(None))


class _Unfit(Exception):
    """Something that JSON cannot carry; on its way up it gathers where it stands."""

    def __init__(self, kind: type[Exception], what: str) -> None:
        self.kind = kind
        self.what = what
        self.steps: list[str] = []


def encode_plain(value: object, subject: str) -> bytes:
    """Return the value as JSON in UTF-8; tuples become lists, subclasses their base.

    Args:
        value: What to encode.
        subject: What to call it in messages, for example `the result`.

    Raises:
        TypeError: it holds something that JSON has no form for; the message says what and where.
        ValueError: it holds NaN, an infinity, a lone surrogate or itself, or is nested too deeply.
    """
    parts: list[str] = []
    try:
        _append(parts, value, ())
    except _Unfit as unfit:
        path = "$" + "".join(reversed(unfit.steps))
        msg = f"{subject} holds {unfit.what} at {path}, which JSON cannot carry"
        raise unfit.kind(msg) from None
    return "".join(parts).encode("utf-8")


# Not `json.dumps`: a program that patches what that is made of would bend the code below too.
def _append(parts: list[str], value: Any, above: tuple[int, ...]) -> None:
    base = _base(type(value))
    if base is str:
        parts.append(_text(value))
    elif base is float:
        parts.append(_number(value))
    elif base is int:
        parts.append(int.__repr__(value))
    elif base is bool:
        parts.append("true" if value else "false")
    elif value is None:
        parts.append("null")
    elif base is None:
        raise _Unfit(TypeError, _a(type(value).__name__))
    else:
        _append_container(parts, value, base, above)


def _base(kind: type) -> Any:
    """Return the JSON type that a type is or comes from, None where there is none.

    By the type's own ancestry and not by `isinstance`: an object may lie about its `__class__`.
    """
    return kind if kind in _BASES else next((base for base in kind.__mro__ if base in _BASES), None)


def _append_container(parts: list[str], value: Any, base: Any, above: tuple[int, ...]) -> None:
    if id(value) in above:
        raise _Unfit(ValueError, "itself")
    if len(above) == MAX_DEPTH:
        raise _Unfit(ValueError, f"more than {MAX_DEPTH} levels")
    above = (*above, id(value))
    if base is dict:
        _append_object(parts, value, above)
    else:
        _append_array(parts, base.__iter__(value), above)


def _append_object(parts: list[str], value: Any, above: tuple[int, ...]) -> None:
    separator = "{"
    for key, item in dict.items(value):
        if _base(type(key)) is not str:
            raise _Unfit(TypeError, f"a key of type {type(key).__name__}")
        parts += (separator, _text(key), ":")
        separator = ","
        try:
            _append(parts, item, above)
        except _Unfit as unfit:
            unfit.steps.append(f".{str.__str__(key)}")
            raise
    parts.append("{}" if separator == "{" else "}")


def _append_array(parts: list[str], items: Any, above: tuple[int, ...]) -> None:
    separator = "["
    for index, item in enumerate(items):
        parts.append(separator)
        separator = ","
        try:
            _append(parts, item, above)
        except _Unfit as unfit:
            unfit.steps.append(f"[{index}]")
            raise
    parts.append("[]" if separator == "[" else "]")


def _text(value: Any) -> str:
    text = str.__str__(value)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise _Unfit(ValueError, "text with a lone surrogate") from None
    return encode_basestring(text)


def _number(value: Any) -> str:
    number = float.__float__(value)
    if number - number != 0:  # true of NaN and the infinities only
        raise _Unfit(ValueError, float.__repr__(number))
    return float.__repr__(number)


def _a(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
