"""The forms of a model's replies, role by role."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from toolguild.sandbox import Json
from toolguild.synth.models import UnfitReplyError

__all__ = ["Argument", "GeneralTool", "Groups", "ToolText", "Use", "require_apart"]

_LONGEST = 20_000
"""Characters of a tool."""
_LONGEST_CONSTANT = 500
_MOST_MEMBERS = 6
_MOST_ARGUMENTS = 20

Text: TypeAlias = Annotated[str, Field(max_length=_LONGEST_CONSTANT)]
Scalar: TypeAlias = Text | int | float | bool | None
Constant: TypeAlias = Scalar | Annotated[list[Scalar], Field(max_length=_MOST_ARGUMENTS)]
"""What a call may always be given; deeper values are data, and no way of calling a tool."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ToolText(_Form):
    """A tool as a model writes it."""

    source: str = Field(min_length=1, max_length=_LONGEST)


class Groups(_Form):
    """Tools of which each group may become one."""

    groups: list[Annotated[list[str], Field(min_length=2, max_length=_MOST_MEMBERS)]]


def require_apart(reply: Groups, known: Collection[str]) -> None:
    """Require that groups name known tools, and no tool is in two of them.

    Raises:
        UnfitReplyError: they do not.
    """
    named = [name for group in reply.groups for name in group]
    if unknown := sorted({*named} - {*known}):
        message = f"There is no tool {unknown[0]!r}."
        raise UnfitReplyError(message)
    if twice := next((name for name in named if named.count(name) > 1), ""):
        message = f"{twice!r} comes twice; a tool is in one group at most."
        raise UnfitReplyError(message)


class Argument(_Form):
    """What a call of the general tool gives for one of its parameters."""

    parameter: str
    takes: str | None
    """The parameter of the member whose value it takes; None for a constant."""
    constant: Constant

    @property
    def value(self) -> Json:
        """The constant as any other JSON value."""
        return [*self.constant] if isinstance(self.constant, list) else self.constant


class Use(_Form):
    """How the general tool is called to do the work of one member."""

    member: str
    arguments: list[Argument] = Field(max_length=_MOST_ARGUMENTS)


class GeneralTool(ToolText):
    """One tool for several, and how it stands for each."""

    uses: list[Use] = Field(max_length=_MOST_MEMBERS)
