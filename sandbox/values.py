"""Reading, on the host, JSON that comes out of a sandbox."""

from __future__ import annotations

import json
import math
from typing import NoReturn, cast

from toolguild.sandbox.base import Json
from toolguild.sandbox.inside.plain import MAX_DEPTH

__all__ = ["decode_untrusted"]


def decode_untrusted(data: bytes) -> Json:
    """Return the value of strict JSON in UTF-8: no NaN, no lone surrogates, not too deep.

    Raises:
        ValueError: it is none of that; the message says why.
    """
    try:
        text = data.decode("utf-8")
        value = _decode(text)
        if text.count("[") + text.count("{") > MAX_DEPTH:
            _check_depth(value)
        if "\\ud" in text.lower():
            # An escape may stand for half a character, which UTF-8 itself could not carry.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    return cast("Json", value)


_TOO_DEEP = f"it is nested deeper than {MAX_DEPTH} levels"


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        msg = f"it holds {digits[:20]}, which is beyond every float"
        raise ValueError(msg)
    return number


def _refuse_constant(name: str) -> NoReturn:
    msg = f"it holds {name}"
    raise ValueError(msg)


_decode = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite).decode


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[object] = []
        for node in level:
            if isinstance(node, dict):
                below += node.values()
            elif isinstance(node, list):
                below += node
        if not below:
            return
        level = below
    raise ValueError(_TOO_DEEP)
