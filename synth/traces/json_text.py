"""JSON as it occurs in logs, parsed with every surprise turned into one error."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import NoReturn, cast

from toolguild.sandbox import Json
from toolguild.synth.traces.errors import BrokenJsonError

__all__ = ["MAX_DEPTH", "canonical_json", "parse_json"]

MAX_DEPTH = 100
"""Deepest nesting taken. Code that walks a value recursively may rely on it."""

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_json(text: str, *, numbers_as_null: bool = False) -> Json:
    """Parse one JSON value.

    Halves of surrogate pairs, which no UTF-8 text can hold, become U+FFFD.

    Args:
        text: the JSON text; nothing but white space may stand around the value.
        numbers_as_null: read `NaN`, `Infinity` and numbers too large for a float as null, as
            JavaScript writes them; without it they are errors.

    Raises:
        BrokenJsonError: the text is not JSON, or nested deeper than `MAX_DEPTH`.
    """
    decoder = _LENIENT if numbers_as_null else _STRICT
    try:
        value = cast("Json", decoder.decode(text))
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as error:
        message = f"not valid JSON: {error.msg} (column {error.colno})"
        raise BrokenJsonError(message) from None
    except ValueError as error:  # an integer of more digits than Python converts
        message = f"not usable JSON: {error}"
        raise BrokenJsonError(message) from None
    # Counting brackets is much cheaper than walking the value, and settles nearly every text.
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise _too_deep()
    return _mended(value) if _ESCAPED_SURROGATE.search(text) else value


def canonical_json(value: Json) -> str:
    """Return the one text that stands for a value whatever the order of its keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _too_deep() -> BrokenJsonError:
    return BrokenJsonError(f"nested deeper than {MAX_DEPTH} levels")


def _null(_: str) -> None:
    return None


def _refuse(text: str) -> NoReturn:
    message = f"{text} is not a JSON number"
    raise ValueError(message)


def _float_or(otherwise: Callable[[str], object]) -> Callable[[str], float | None]:
    def parse(text: str) -> float | None:
        number = float(text)
        if math.isfinite(number):
            return number
        otherwise(text)
        return None

    return parse


# The standard library types `parse_float` and `parse_constant` as `Callable[[str], Any]`.
_LENIENT = json.JSONDecoder(parse_constant=_null, parse_float=_float_or(_null))
_STRICT = json.JSONDecoder(parse_constant=_refuse, parse_float=_float_or(_refuse))


def _is_deeper(value: Json, limit: int) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _mended(value: Json) -> Json:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_SURROGATE.sub("\ufffd", key): _mended(item) for key, item in value.items()}
    return value
