"""The texts in a JSON Schema that a model reads along with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

__all__ = ["texts_of"]

_PROSE: Final = ("title", "description", "$comment")
_VALUES: Final = ("enum", "const", "default", "examples")


def texts_of(schema: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield each text, behind the path to it: prose, and values that are given as examples.

    Args:
        schema: A schema, or a part of one; what has another form holds no text.
        path: Where it stands, for example `parameters`.
    """
    if isinstance(schema, list):
        for number, item in enumerate(schema):
            yield from texts_of(item, f"{path}[{number}]")
    elif isinstance(schema, Mapping):
        for key, value in schema.items():
            place = f"{path}.{key}"
            if key in _PROSE and isinstance(value, str):
                yield place, value
            elif key in _VALUES:
                yield from _texts_in(value, place)
            else:
                yield from texts_of(value, place)


def _texts_in(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts_in(item, f"{path}[{number}]")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts_in(item, f"{path}.{key}")
