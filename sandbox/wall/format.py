"""`str.format` whose fields read attributes under the same rules as the program itself."""

from __future__ import annotations

# What `string.Formatter` is made of; typeshed does not know it.
from _string import (  # type: ignore[import-not-found]
    formatter_field_name_split,
    formatter_parser,
)
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["safe_format", "safe_format_map"]

GetAttribute = Callable[[Any, str], Any]

_MAX_DEPTH = 2  # fields in a field's specification, as `str.format` has it
_CONVERSIONS: dict[str | None, Callable[[Any], Any]] = {"r": repr, "s": str, "a": ascii}


def safe_format(get: GetAttribute, template: str, /, *arguments: Any, **named: Any) -> str:
    """Return what `template.format(*arguments, **named)` does; `get` reads attributes.

    Raises:
        Exception: whatever `str.format` or `get` raises.
    """
    if not _reads_attributes(template):
        return str.format(template, *arguments, **named)
    return _Expansion(get, arguments, named).expand(template)


def safe_format_map(get: GetAttribute, template: str, mapping: Mapping[str, Any], /) -> str:
    """Return what `template.format_map(mapping)` does; `get` reads attributes.

    Raises:
        Exception: whatever `str.format_map` or `get` raises.
    """
    if not _reads_attributes(template):
        return str.format_map(template, mapping)
    return _Expansion(get, None, mapping).expand(template)


def _reads_attributes(template: str) -> bool:
    try:
        return any(
            "." in (name or "") or _reads_attributes(spec or "")
            for _, name, spec, _ in formatter_parser(template)
        )
    except ValueError:
        return False  # `str.format` fails on it too, and at the same place


class _Expansion:
    """One template on its way to a text."""

    def __init__(
        self, get: GetAttribute, arguments: Sequence[Any] | None, named: Mapping[str, Any]
    ) -> None:
        self._get = get
        self._arguments = arguments
        self._named = named
        self._counted = 0
        self._numbered = False

    def expand(self, template: str, depth: int = _MAX_DEPTH) -> str:
        """Return the text."""
        if depth == 0:
            msg = "Max string recursion exceeded"
            raise ValueError(msg)
        parts = []
        for literal, field, spec, conversion in formatter_parser(template):
            parts.append(literal)
            if field is None:
                continue
            value = self._field(field)
            if conversion is not None:
                value = _convert(value, conversion)
            if "{" in spec:
                spec = self.expand(spec, depth - 1)
            parts.append(format(value, spec))
        return "".join(parts)

    def _field(self, field: str) -> Any:
        first, rest = formatter_field_name_split(field)
        value = self._named[first] if isinstance(first, str) and first else self._positional(first)
        for is_attribute, key in rest:
            value = self._get(value, key) if is_attribute else value[key]
        return value

    def _positional(self, index: int | str) -> Any:
        if self._arguments is None:
            msg = "Format string contains positional fields"
            raise ValueError(msg)
        if isinstance(index, str):
            if self._numbered:
                msg = "cannot switch from manual field specification to automatic field numbering"
                raise ValueError(msg)
            index, self._counted = self._counted, self._counted + 1
        elif self._counted:
            msg = "cannot switch from automatic field numbering to manual field specification"
            raise ValueError(msg)
        else:
            self._numbered = True
        if index >= len(self._arguments):
            msg = f"Replacement index {index} out of range for positional args tuple"
            raise IndexError(msg)
        return self._arguments[index]


def _convert(value: Any, conversion: str) -> Any:
    if conversion not in _CONVERSIONS:
        msg = f"Unknown conversion specifier {conversion!r}"
        raise ValueError(msg)
    return _CONVERSIONS[conversion](value)
