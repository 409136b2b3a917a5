"""What the static gate says against one place in a tool's text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import total_ordering

__all__ = ["Finding", "Severity", "refused"]


class Severity(StrEnum):
    """What a finding means for the tool."""

    ERROR = "error"
    """The tool is refused."""
    WARNING = "warning"
    """The tool passes; somebody should look."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a text; findings sort by place."""

    code: str
    """`TG` and three digits, of which the first is the family of the rule."""
    severity: Severity
    line: int
    """From 1."""
    column: int
    """In characters, from 1."""
    end_line: int
    message: str
    """What is wrong and why, in a sentence."""
    remedy: str
    """What to write instead."""

    def __lt__(self, other: object) -> bool:
        return self._place() < other._place() if isinstance(other, Finding) else NotImplemented

    def _place(self) -> tuple[int, int, str, str]:
        return self.line, self.column, self.code, self.message

    def render(self, path: str) -> str:
        """Return the finding as linters print it: `path:line:column: TG101 message`."""
        return f"{path}:{self.line}:{self.column}: {self.code} {self.message}"

    def to_json(self) -> dict[str, str | int]:
        """Return the fields as a JSON object."""
        return asdict(self)


def refused(findings: Iterable[Finding]) -> bool:
    """Whether one of the findings refuses the tool."""
    return any(finding.severity is Severity.ERROR for finding in findings)
