"""Keeping lessons few: like ones become one; where that is not enough, the least useful go."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from toolguild.agent.improvement.artefacts import MOST_LESSON, Lesson
from toolguild.agent.improvement.lessons.plain_text import UnfitTextError, plain_sentence
from toolguild.agent.improvement.likeness import likeness
from toolguild.policies.improvement import ImprovementRules
from toolguild.registry.improvement import Artefact, ChangeKind, NewChange, Standing
from toolguild.sandbox import JsonObject
from toolguild.synth.models import AsyncModel, ModelError, Prompt, Request, UnfitReplyError
from toolguild.synth.traces.errors import RedactionError

__all__ = ["consolidated"]

_PROMPT: Final = Prompt.load("merge_lessons", "toolguild.agent.improvement.lessons")
_ALIKE: Final = 0.4
"""Mean likeness from which the lessons of two clusters may become one."""
_OF_THE_MATTER: Final = 0.2
"""Likeness that a merged lesson has to each of those that it stands for."""
_UNTRIED: Final = 0.5


class _Merged(BaseModel):
    model_config = ConfigDict(extra="forbid")

    lesson: str = Field(max_length=MOST_LESSON)


@dataclass(frozen=True, slots=True)
class _Held:
    """A lesson in effect."""

    digest: str
    lesson: Lesson
    chance: float
    """That it helps."""
    age: int
    """Its place among all, the oldest first."""

    @property
    def worth(self) -> tuple[float, int]:
        """The more useful is worth more, and of two as useful the newer."""
        return self.chance, self.age


_Cluster = tuple[_Held, ...]
"""Lessons that are alike, the oldest first; mostly one."""


async def consolidated(
    model: AsyncModel | None,
    standing: Standing,
    rules: ImprovementRules,
    *,
    agent: str,
    cycle: str,
    chances: Mapping[str, float] | None = None,
) -> NewChange | None:
    """Propose to bring the lessons down to as many as there may be; None where there are no more.

    The two most alike clusters are merged again and again, by the mean likeness of their lessons
    (average linkage; Sokal and Michener 1958). The lessons of a cluster become one that the model
    writes; without a model, or where it writes none that passes the gate, the most useful of them
    stands for all.

    Args:
        model: What words them.
        standing: What the agent is told at present.
        rules: How many lessons there may be.
        agent: Whose lessons they are.
        cycle: Of the improvement.
        chances: That a lesson helps, by its digest; a half for those that are not there.

    Raises:
        TamperedError: a lesson is not what was written.
    """
    if len(standing.lessons) <= rules.lessons:
        return None
    held = [
        _Held(one.digest, Lesson.of(one), (chances or {}).get(one.digest, _UNTRIED), age)
        for age, one in enumerate(standing.lessons)
    ]
    clusters = _clusters(held, rules.lessons)
    by_worth = sorted(clusters, key=lambda one: max(each.worth for each in one), reverse=True)
    kept, dropped = by_worth[: rules.lessons], by_worth[rules.lessons :]
    merged = [cluster for cluster in kept if len(cluster) > 1]
    removed = [one.digest for cluster in (*merged, *dropped) for one in cluster]
    return NewChange(
        agent=agent,
        kind=ChangeKind.LESSONS,
        why=f"{len(held)} lessons are more than {rules.lessons}",
        adds=tuple([await _merged(model, cluster) for cluster in merged]),
        removes=tuple(removed),
        cycle=cycle,
        evidence={
            "merged": [[one.digest for one in cluster] for cluster in merged],
            "dropped": [one.digest for cluster in dropped for one in cluster],
        },
    )


def _clusters(held: Sequence[_Held], most: int) -> list[_Cluster]:
    """Merge like lessons until there are no more than so many, or none that are alike."""
    clusters: dict[int, _Cluster] = {one.age: (one,) for one in held}
    alike = {
        (one.age, other.age): likeness(one.lesson.lesson, other.lesson.lesson)
        for one, other in itertools.combinations(held, 2)
    }
    while len(clusters) > max(most, 1):
        pair = max(alike, key=lambda one: alike[one])
        if alike.pop(pair) < _ALIKE:
            break
        first, second = pair
        size, joining = len(clusters[first]), len(clusters[second])
        clusters[first] += clusters.pop(second)
        for other in clusters.keys() - {first}:
            stays, goes = _pair(first, other), _pair(second, other)
            alike[stays] = (size * alike[stays] + joining * alike.pop(goes)) / (size + joining)
    return [tuple(sorted(one, key=lambda each: each.age)) for one in clusters.values()]


def _pair(one: int, other: int) -> tuple[int, int]:
    return min(one, other), max(one, other)


async def _merged(model: AsyncModel | None, cluster: _Cluster) -> Artefact:
    """Return the lesson that stands for a cluster."""
    best = max(cluster, key=lambda one: one.worth).lesson
    sentence = await _written(model, cluster) or best.lesson
    digests = tuple(one.digest for one in cluster)
    return best.model_copy(update={"lesson": sentence, "merges": digests}).artefact


async def _written(model: AsyncModel | None, cluster: _Cluster) -> str:
    """Return what a model makes of a cluster; nothing where that passes no gate."""
    if model is None:
        return ""
    texts = [one.lesson.lesson for one in cluster]

    def check(merged: _Merged) -> None:
        try:
            sentence = plain_sentence(merged.lesson, MOST_LESSON)
        except UnfitTextError as error:
            raise UnfitReplyError(str(error)) from error
        lost = next((one for one in texts if likeness(one, sentence) < _OF_THE_MATTER), None)
        if lost is not None:
            msg = f"it does not say what this lesson says: {lost}"
            raise UnfitReplyError(msg)

    data: JsonObject = {"lessons": [*texts]}
    try:
        reply = await model.ask(Request(_PROMPT, data, _Merged, check))
    except (ModelError, RedactionError):
        return ""
    return plain_sentence(reply.value.lesson, MOST_LESSON)
