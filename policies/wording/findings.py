"""What was taken out of a text, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Cleaned", "Reason", "Removed", "removed"]

_MAX_EXCERPT = 80


class Reason(StrEnum):
    """Why something may not stand in a description."""

    HIDDEN = "characters that are not seen"
    MARKUP = "markup"
    LINK = "a link"
    TEMPLATE = "the marks of another speaker's turn"
    OVERRIDE = "sets its reader's instructions aside"
    SECRECY = "asks for secrecy"
    SECRETS = "asks for secrets or data"
    CONSENT = "speaks for the user"
    STEERING = "says which tools to use and when"
    SPEECH = "says what to answer"
    ADDRESS = "speaks to its reader"
    URGENCY = "calls for attention"
    COMMAND = "a shell command"
    DISGUISED = "text in disguise"
    ENCODED = "encoded data"
    LENGTH = "too long"
    GUARDRAILS = "speaks against checks"


@dataclass(frozen=True, slots=True)
class Removed:
    """One thing that was taken out."""

    reason: Reason
    excerpt: str
    """Its beginning as printable ASCII, for a person to judge; never to be shown to a model."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text that may be shown, and what it was freed of."""

    text: str
    removed: tuple[Removed, ...] = ()


def removed(reason: Reason, text: str) -> Removed:
    """Return the note of something that was taken out."""
    escaped = text.encode("ascii", "backslashreplace").decode()
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in escaped)
    cut = shown if len(shown) <= _MAX_EXCERPT else f"{shown[: _MAX_EXCERPT - 3]}..."
    return Removed(reason, cut)
