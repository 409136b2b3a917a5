"""What a model says of a tool: the form of its reply, and what a reply has to say at least."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from toolguild.policies import load_profile
from toolguild.synth.drafting import Draft, OriginalCalls
from toolguild.synth.models import UnfitReplyError
from toolguild.synth.validation.static.reading import SourceError, parse

__all__ = ["LONGEST", "ParameterWords", "ToolWords", "require_complete"]

LONGEST = 300
"""Characters of one text."""
_MIN_LETTERS = 3


def _plain_line(text: str) -> str:
    """Return a text with single spaces, or say why it is none that a docstring can hold."""
    if not (text.isascii() and text.isprintable()) or "\\" in text:
        message = "not plain ASCII on one line, without backslashes"
        raise ValueError(message)
    line = " ".join(text.split())
    if sum(character.isalpha() for character in line) < _MIN_LETTERS:
        message = "says nothing"
        raise ValueError(message)
    if _is_code(line):
        message = "code, where words are asked for"
        raise ValueError(message)
    return line


def _is_code(line: str) -> bool:
    """Say whether a line is a statement; many a short phrase could pass for an expression."""
    try:
        module = parse(line, load_profile().code.limits)
    except SourceError:
        return False
    return not all(isinstance(node, ast.Expr) for node in module.body)


Line = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_plain_line)]


class ParameterWords(BaseModel):
    """What a model says of a parameter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: Line


class ToolWords(BaseModel):
    """What a model says of a tool."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    summary: Line
    parameters: tuple[ParameterWords, ...]
    returns: Line

    def texts(self) -> Iterator[str]:
        """Yield all that models would read."""
        yield self.summary
        yield from (one.description for one in self.parameters)
        yield self.returns


def require_complete(words: ToolWords, draft: Draft) -> None:
    """Make sure that each parameter is described, and the results of all calls of a composite.

    Raises:
        UnfitReplyError: the message tells the model what to add.
    """
    names = _names(draft.parameters.get("properties"))
    if sorted(one.name for one in words.parameters) != sorted(names):
        asked = ", ".join(names) or "none"
        message = f"parameters: describe each of these once, and no other: {asked}"
        raise UnfitReplyError(message)
    if not isinstance(draft.original, OriginalCalls):
        return
    said = set(re.findall(r"\w+", words.returns))
    if missing := [key for key in _names(draft.returns.get("properties")) if key not in said]:
        message = f"returns: does not name the key(s) {', '.join(missing)} of the result"
        raise UnfitReplyError(message)


def _names(properties: object) -> list[str]:
    return [*properties] if isinstance(properties, dict) else []
