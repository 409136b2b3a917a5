"""What an agent is at one stage: the configuration that it rewrites itself.

After ToolSelf (https://arxiv.org/abs/2602.07883), where a configuration is sub-goal, strategy,
toolbox, knowledge and context mode.
"""

from __future__ import annotations

import re
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from toolguild.sandbox import JsonObject

__all__ = ["ALL", "Configuration", "ContextMode", "same_text"]

ALL = "ALL"
"""Knowledge that is everything that was said and found at the stages before."""


class ContextMode(StrEnum):
    """What happens to the messages of a stage as they grow."""

    BASIC = "basic"
    """All of them stay."""
    TRUNCATION = "truncation"
    """Older results of tools are cut short."""


class Configuration(BaseModel):
    """What one stage is for, and what it has for that."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sub_goal: str = Field(min_length=1, max_length=2000)
    """What the stage is to reach."""
    strategy: str = Field(min_length=1, max_length=4000)
    """How."""
    toolbox: tuple[str, ...]
    """Names of the tools that are offered, apart from the two that every stage has."""
    knowledge: str = Field(max_length=20_000)
    """What the stage has to know of those before: a summary, `ALL`, or nothing."""
    context_mode: ContextMode = Field(strict=False)

    def is_like(self, other: Configuration) -> bool:
        """Whether nothing that matters is different: goal, strategy and tools."""
        return (
            same_text(self.sub_goal, other.sub_goal)
            and same_text(self.strategy, other.strategy)
            and {*self.toolbox} == {*other.toolbox}
        )

    def to_json(self) -> JsonObject:
        """Return it as plain data."""
        dumped: JsonObject = self.model_dump(mode="json")
        return dumped


def same_text(one: str, other: str) -> bool:
    """Whether two texts have the same words, whatever their case and punctuation."""
    return _words(one) == _words(other)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())
