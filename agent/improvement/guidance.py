"""What a run is told of all that stands: the instructions, and what bears on its task."""

from __future__ import annotations

from toolguild.agent.improvement.artefacts import MOST_LESSON, Example, Instructions, Lesson
from toolguild.agent.improvement.examples import text_of
from toolguild.agent.improvement.relevance import Texts
from toolguild.agent.stages import Guidance
from toolguild.policies.improvement import ImprovementRules
from toolguild.policies.wording import plain_line
from toolguild.registry import Registry
from toolguild.registry.improvement import Standing
from toolguild.registry.improvement.history import with_change
from toolguild.registry.retrieval import Embedder
from toolguild.registry.retrieval.relevance import Field

__all__ = ["Guides", "untried_tools", "with_change"]

_LESSON = Field(weight=1.0, usual_words=12)
_TASK = Field(weight=1.0, usual_words=20)


class Guides:
    """Says what a run is told beside its task; the same for the same task, as long as it lives."""

    def __init__(
        self,
        standing: Standing,
        rules: ImprovementRules,
        embedder: Embedder | None = None,
        *,
        withheld: tuple[str, ...] = (),
    ) -> None:
        """Read what stands.

        Args:
            standing: What an agent is told at present, or would be.
            rules: How many lessons and examples a run is told.
            embedder: Where there is one, what is nearer to the task in meaning goes first.
            withheld: Digests of the versions of tools that it is not to be offered.

        Raises:
            TamperedError: an artefact holds something else than its kind does.
        """
        self._rules, self._withheld = rules, withheld
        self._instructions = standing.instructions
        self._text = Instructions.of(standing.instructions).text if standing.instructions else ""
        # Of what is equally relevant the newest goes first.
        lessons = {one.digest: Lesson.of(one) for one in reversed(standing.lessons)}
        told = {
            digest: plain_line(one.lesson, limit=MOST_LESSON) for digest, one in lessons.items()
        }
        self._lessons = {digest: line for digest, line in told.items() if line}
        self._examples = {one.digest: Example.of(one) for one in reversed(standing.examples)}
        self._of_lessons = Texts(
            # A lesson that holds everywhere has a task that says nothing of where.
            {
                digest: {_LESSON: self._lessons[digest], _TASK: lessons[digest].task}
                for digest in self._lessons
            },
            embedder,
        )
        self._of_examples = Texts(
            {digest: {_TASK: one.task} for digest, one in self._examples.items()}, embedder
        )

    def __call__(self, task: str) -> Guidance:
        """Return what a run is told beside a task; what has no word in common with it is not."""
        lessons = self._of_lessons.most_relevant(task, self._rules.lessons_shown)
        examples = self._of_examples.most_relevant(task, self._rules.examples_shown)
        instructions = [self._instructions.digest] if self._instructions else []
        return Guidance(
            instructions=self._text,
            lessons=tuple(self._lessons[digest] for digest in lessons),
            examples=tuple(text_of(self._examples[digest]) for digest in examples),
            shown=(*instructions, *lessons, *examples),
            withheld=self._withheld,
        )


def untried_tools(registry: Registry, agent: str) -> tuple[str, ...]:
    """Return the digests of the versions that were made for an agent and wait for a change.

    They are registered before the agent is tried with them, so they are kept from its work, and
    from trials of anything else.
    """
    return tuple(version.digest for version, _ in registry.improvements.unclaimed_tools(agent))
