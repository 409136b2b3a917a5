"""One text for one JSON value, and the digest of that text.

Canonical JSON here means: keys sorted by code point, no spaces, no escapes except those that JSON
demands, UTF-8. Close to RFC 8785, apart from numbers and the order of keys outside the Basic
Multilingual Plane: a number keeps its Python type, so `1` and `1.0` differ, as do `0.0` and
`-0.0`. A float is written as the shortest decimal that reads back as the same float; infinities
and NaN are refused. As in `json.dumps`, tuples become arrays and keys that are numbers, booleans
or None become strings.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable
from typing import NoReturn, cast

from toolguild.registry.errors import NotJsonError
from toolguild.sandbox import Json, JsonObject

__all__ = [
    "canonical_json",
    "decode_json",
    "decode_strict_json",
    "digest",
    "storable_text",
    "text_digest",
]


def canonical_json(value: object) -> str:
    """Return the canonical JSON text of a value.

    Raises:
        NotJsonError: the value is no JSON value, is nested too deeply, or holds text that is not
            Unicode (a lone surrogate).
    """
    try:
        text = json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"not a JSON value: {error}"
        raise NotJsonError(msg) from error
    return text


def decode_json(text: str) -> Json:
    """Return the value of a JSON text.

    Raises:
        NotJsonError: the text is not JSON. `NaN` and `Infinity` are not, and neither is a number
            beyond every float.
    """
    try:
        return cast("Json", _decode(text))
    except (ValueError, TypeError, RecursionError) as error:
        msg = f"not JSON: {error}"
        raise NotJsonError(msg) from error


def decode_strict_json(text: str, *, max_depth: int) -> Json:
    """Return the value of a JSON text from strangers, in which no object names a key twice.

    Args:
        text: The text.
        max_depth: How many arrays and objects may stand inside one another.

    Raises:
        NotJsonError: the text is not JSON, as in `decode_json`, or not such JSON.
    """
    try:
        value = cast("Json", _decode_unique(text))
    except (ValueError, RecursionError) as error:
        msg = f"not JSON: {error}"
        raise NotJsonError(msg) from error
    level: list[Json] = [value] if isinstance(value, list | dict) else []
    for _ in range(max_depth):
        level = [part for one in level for part in _parts(one) if isinstance(part, list | dict)]
    if level:
        msg = f"nested deeper than {max_depth} levels"
        raise NotJsonError(msg)
    return value


def _parts(value: Json) -> Iterable[Json]:
    match value:
        case list():
            return value
        case dict():
            return value.values()
    return ()


def digest(value: object) -> str:
    """Return `sha256:<hex>` over the canonical JSON of a value."""
    return text_digest(canonical_json(value))


def text_digest(text: str) -> str:
    """Return `sha256:<hex>` over the UTF-8 bytes of a text."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def storable_text(text: str) -> str:
    """Return the text with lone surrogates and NUL spelled as escapes.

    Messages and identifiers come from tools and logs, and databases refuse such characters.
    """
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is not a JSON number"
    raise ValueError(msg)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        msg = f"{digits[:20]} is beyond every float"
        raise ValueError(msg)
    return number


_decode = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite).decode


def _unique(pairs: list[tuple[str, Json]]) -> JsonObject:
    members = dict(pairs)
    if len(members) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        msg = f"an object names {twice[:100]!r} twice"
        raise ValueError(msg)
    return members


_decode_unique = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite
).decode
