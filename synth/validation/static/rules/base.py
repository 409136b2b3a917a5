"""What a rule is."""

from __future__ import annotations

import ast
import inspect
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar

from toolguild.policies import Tier
from toolguild.policies.code_rules import CodeProfile
from toolguild.synth.validation.static.findings import Finding, Severity
from toolguild.synth.validation.static.source import ToolSource

__all__ = ["Family", "Question", "Rule", "TextRule", "TreeRule", "shown"]

NodeT = TypeVar("NodeT", bound=ast.AST)

_MAX_SHOWN = 60


class Family(StrEnum):
    """What a group of rules is about; the value is the first digit of their codes."""

    TEXT = "0"
    """Whether what people read is what the interpreter runs."""
    IMPORTS = "1"
    """Which modules, and what of them."""
    NAMES = "2"
    """Which names and attributes, and what they stand for."""
    DEFINITIONS = "3"
    """What runs while the module is being loaded."""
    CONTRACT = "4"
    """Whether a module is a tool. These rules are about quality, all others about safety."""
    WORK = "5"
    """Work that can be seen to have no end."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a text."""

    tier: Tier
    profile: CodeProfile
    entry: str | None = None
    """Name of the tool's function, where it is known."""
    calls: Collection[str] | None = None
    """Names of the tools that exist, where they are known."""


class Rule(ABC):
    """One thing that a tool's text may not do; its docstring says what."""

    code: ClassVar[str]
    title: ClassVar[str]
    """The rule in a few words."""
    why: ClassVar[str]
    """What would be lost without it."""
    remedy: ClassVar[str]
    """What to write instead, unless a finding knows better."""
    good: ClassVar[tuple[str, ...]]
    """Small texts in which the rule finds nothing."""
    bad: ClassVar[tuple[str, ...]]
    """Small texts in which it does, and no other rule; those about quality and those about safety
    do not count for one another."""

    @property
    def what(self) -> str:
        """What the rule finds, in a sentence."""
        # Without docstrings, as under `python -OO`, the title has to do.
        return inspect.cleandoc(type(self).__doc__ or f"{self.title.capitalize()}.")

    @property
    def family(self) -> Family:
        """The family that the code's first digit names."""
        return Family(self.code[2])

    def finding(
        self, place: tuple[int, int, int], message: str, remedy: str | None = None
    ) -> Finding:
        """Return a finding of this rule at `(line, column, last line)`."""
        line, column, end_line = place
        fix = self.remedy if remedy is None else remedy
        return Finding(self.code, Severity.ERROR, line, column, end_line, message, fix)


class TextRule(Rule):
    """A rule about the characters of a text, asked before it is parsed."""

    @abstractmethod
    def check_text(self, text: str) -> Iterator[Finding]:
        """Yield what is wrong with the text."""


class TreeRule(Rule, Generic[NodeT]):
    """A rule about nodes of the syntax tree."""

    visits: tuple[type[NodeT], ...]
    """The nodes that the rule wants to see."""

    @abstractmethod
    def check(self, node: NodeT, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Yield what is wrong with one of the nodes."""

    def at(
        self, node: ast.AST, source: ToolSource, message: str, remedy: str | None = None
    ) -> Finding:
        """Return a finding of this rule at a node."""
        return self.finding(source.place(node), message, remedy)


def shown(text: str) -> str:
    """Return text of a tool as it may stand in a message: short, quoted, nothing invisible."""
    return repr(text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 3]}...")
