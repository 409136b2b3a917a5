"""The texts in a JSON Schema, all of which a model reads along with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

__all__ = ["texts_of"]


def texts_of(schema: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield every text and every name, behind the path to it.

    Args:
        schema: A schema, or a part of one.
        path: Where it stands, for example `parameters`.
    """
    if isinstance(schema, str):
        yield path, schema
    elif isinstance(schema, list):
        for number, item in enumerate(schema):
            yield from texts_of(item, f"{path}[{number}]")
    elif isinstance(schema, Mapping):
        for name, value in schema.items():
            place = f"{path}.{name}"
            yield place, str(name)
            yield from texts_of(value, place)
