"""How a version is named: `name`, `name@3` or `name@sha256:ab12`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from toolguild.registry.canonical import storable_text
from toolguild.registry.errors import UnknownToolError

__all__ = ["Ref", "parse_ref"]

_SELECTOR = re.compile(r"(?P<number>[1-9][0-9]{0,8})|sha256:(?P<hex>[0-9a-f]{4,64})")


@dataclass(frozen=True, slots=True)
class Ref:
    """A name, and at most one of the two ways to pick a version of it."""

    name: str
    number: int | None = None
    digest_prefix: str | None = None
    """`sha256:` and at least four hexadecimal digits."""


def parse_ref(text: str) -> Ref:
    """Read a reference to a version; a bare name means the version that the name points at.

    Raises:
        UnknownToolError: what follows the `@` is neither a number nor a digest.
    """
    name, at, selector = storable_text(text).partition("@")
    if not at:
        return Ref(name)
    match = _SELECTOR.fullmatch(selector)
    if match is None:
        msg = f"{text!r} names no version; write name, name@3 or name@sha256:ab12"
        raise UnknownToolError(msg)
    if match["number"]:
        return Ref(name, number=int(match["number"]))
    return Ref(name, digest_prefix=f"sha256:{match['hex']}")
