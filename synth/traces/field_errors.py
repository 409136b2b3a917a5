"""Saying in one line what pydantic found wrong with a record."""

from __future__ import annotations

from pydantic import ValidationError

__all__ = ["describe"]


def describe(error: ValidationError) -> str:
    """Return where the first mistake is, and what it is, without the value itself."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
