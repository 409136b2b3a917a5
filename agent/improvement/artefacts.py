"""What the artefacts of an agent hold: its instructions, its lessons and its examples."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from toolguild.registry import TamperedError
from toolguild.registry.improvement import Artefact, ArtefactKind

__all__ = ["Example", "Instructions", "Lesson"]

MOST_LESSON = 300
"""Characters of a lesson."""


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def artefact(self) -> Artefact:
        """The artefact that holds this."""
        return Artefact(_KINDS[type(self)], self.model_dump(mode="json"))

    @classmethod
    def of(cls, artefact: Artefact) -> Self:
        """Read an artefact.

        Raises:
            TamperedError: it holds something else.
        """
        try:
            return cls.model_validate(artefact.content)
        except ValidationError as error:
            msg = f"the {artefact.kind.value} {artefact.digest} holds what no toolguild writes"
            raise TamperedError(msg) from error


class Instructions(_Content):
    """What an agent is told on every task."""

    text: str


class Lesson(_Content):
    """What an agent should have known in a run that failed."""

    lesson: str = Field(max_length=MOST_LESSON)
    """One sentence."""
    task: str
    error: str
    steps: tuple[str, ...] = ()
    """What was done last."""
    merges: tuple[str, ...] = ()
    """Digests of the lessons that it was consolidated from."""


class Example(_Content):
    """A run that went well."""

    task: str
    steps: tuple[str, ...]
    """What was done, a line for each step."""
    result: str
    score: float = Field(ge=0, le=1)
    is_seed: bool = False
    """Whether a person gave it: it does not become stale."""


_KINDS = {
    Instructions: ArtefactKind.INSTRUCTIONS,
    Lesson: ArtefactKind.LESSON,
    Example: ArtefactKind.EXAMPLE,
}
