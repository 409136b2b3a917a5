"""How a version is named: `name`, `name@3`, `name@sha256:ab12` or `name@stable`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from toolguild.registry.canonical import storable_text
from toolguild.registry.errors import ChangeRefusedError, UnknownToolError

__all__ = ["Ref", "check_alias", "parse_ref"]

_ALIAS = r"(?![0-9]+\Z)[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_SELECTOR = re.compile(
    rf"(?P<number>[1-9][0-9]{{0,8}})|sha256:(?P<hex>[0-9a-f]{{4,64}})|(?P<alias>{_ALIAS})"
)
_RESERVED = frozenset({"latest"})
"""What would be read as the newest version, which no alias follows by itself."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A name, and at most one of the three ways to pick a version of it."""

    name: str
    number: int | None = None
    digest_prefix: str | None = None
    """`sha256:` and at least four hexadecimal digits."""
    alias: str | None = None


def parse_ref(text: str) -> Ref:
    """Read a reference to a version; a bare name means the version that the name points at.

    Raises:
        UnknownToolError: what follows the `@` is neither a number nor a digest, and no alias.
    """
    name, at, selector = storable_text(text).partition("@")
    if not at:
        return Ref(name)
    match = _SELECTOR.fullmatch(selector)
    if match is None:
        msg = f"{text!r} names no version; write name, name@3, name@sha256:ab12 or name@alias"
        raise UnknownToolError(msg)
    if match["number"]:
        return Ref(name, number=int(match["number"]))
    if match["hex"]:
        return Ref(name, digest_prefix=f"sha256:{match['hex']}")
    return Ref(name, alias=match["alias"])


def check_alias(text: str) -> str:
    """Return a text that can be an alias.

    Raises:
        ChangeRefusedError: it cannot; the message says what can.
    """
    if re.fullmatch(_ALIAS, text) is None or text.lower() in _RESERVED:
        msg = (
            f"{text[:100]!r} can be no alias: letters, digits, _ and -, no number alone, and "
            f"not {', '.join(sorted(_RESERVED))}"
        )
        raise ChangeRefusedError(msg)
    return text
