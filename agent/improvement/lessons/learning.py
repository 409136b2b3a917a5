"""Learning from runs that failed: one sentence for each thing that went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from toolguild.agent.improvement.artefacts import MOST_LESSON, Lesson
from toolguild.agent.improvement.lessons.own_words import own_words
from toolguild.agent.improvement.lessons.past import PastLesson, past_lessons
from toolguild.agent.improvement.lessons.plain_text import UnfitTextError, plain_sentence
from toolguild.agent.improvement.lessons.troubles import (
    Trouble,
    holds_answer,
    is_same_trouble,
    trouble_of,
    troubles_of,
)
from toolguild.agent.improvement.likeness import likeness
from toolguild.agent.improvement.shown_runs import cut
from toolguild.policies.improvement import ImprovementRules
from toolguild.policies.wording.characters import visible
from toolguild.registry.improvement import Change, ChangeKind, NewChange, ScoredRun, Standing
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.models import AsyncModel, ModelError, Prompt, Request, UnfitReplyError
from toolguild.synth.traces.errors import RedactionError

__all__ = ["new_lessons"]

_PROMPT: Final = Prompt.load("lesson", "toolguild.agent.improvement.lessons")
_SAME_LESSON: Final = 0.8
"""Likeness from which a lesson says nothing new."""
_TRIED: Final = 2
"""Times as many troubles are looked at as there may be lessons: a model is asked about each."""
_MOST_QUOTED: Final = 5
"""Steps, and opinions, that a model is shown."""
_MOST_ERROR: Final = 120
"""Characters of an error that a change quotes as its reason."""


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid")

    when: str = Field(max_length=MOST_LESSON)
    """The condition; asked for first, so that the lesson is for more than one task."""
    lesson: str = Field(max_length=MOST_LESSON)

    @property
    def sentence(self) -> str:
        """Both in one sentence."""
        when, lesson = self.when.strip().rstrip(".,:;"), self.lesson.strip()
        return f"{when}: {lesson}" if when and lesson else lesson


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence, and who said it."""

    sentence: str
    evidence: JsonObject


async def new_lessons(
    model: AsyncModel | None,
    standing: Standing,
    runs: Sequence[ScoredRun],
    rules: ImprovementRules,
    *,
    agent: str,
    cycle: str,
    changes: Sequence[Change] = (),
) -> list[NewChange]:
    """Propose lessons of the runs that failed, one change for each; nothing is done yet.

    Without a model, or where it gives none that passes the gate, a lesson is what whoever judged
    the run said of it, or else is made of the error.

    Args:
        model: What words them.
        standing: What the agent is told at present.
        runs: Its scored runs since the last time.
        rules: What a failure is, and how many changes there may be.
        agent: Whose lessons they are.
        cycle: Of the improvement.
        changes: All of the agent's, so that what was taken back is not learned from the same
            runs again.

    Raises:
        TamperedError: a lesson is not what was written.
    """
    present = [Lesson.of(artefact) for artefact in standing.lessons]
    digests = [artefact.digest for artefact in standing.lessons]
    known = [lesson.lesson for lesson in present]
    past = past_lessons(changes, standing)
    open_troubles = [
        trouble
        for trouble in troubles_of(_newer_than(past, runs), rules.success)
        if not _is_answered(trouble, zip(digests, present, strict=True))
    ]
    proposed: list[NewChange] = []
    for trouble in open_troubles[: _TRIED * rules.changes_a_cycle]:
        if len(proposed) == rules.changes_a_cycle:
            break
        said = await _said(model, trouble, known)
        if said is None or any(likeness(said.sentence, one) >= _SAME_LESSON for one in known):
            continue
        known.append(said.sentence)
        proposed.append(_change(trouble, said, agent, cycle))
    return proposed


def _newer_than(past: Sequence[PastLesson], runs: Iterable[ScoredRun]) -> list[ScoredRun]:
    """Return the runs from which nothing was learned that was taken back since."""
    return [
        run
        for run in runs
        if not any(
            run.at <= one.gone and is_same_trouble(trouble_of(run), one.lesson.error)
            for one in past
        )
    ]


def _is_answered(trouble: Trouble, lessons: Iterable[tuple[str, Lesson]]) -> bool:
    """Whether there is a lesson of this error that none of the runs was told yet."""
    shown = {digest for run in trouble.runs for digest in run.shown}
    answers = {digest for digest, lesson in lessons if is_same_trouble(lesson.error, trouble.error)}
    return bool(answers) and not answers & shown


async def _said(model: AsyncModel | None, trouble: Trouble, known: Sequence[str]) -> _Said | None:
    """Return the lesson of a trouble; None where nothing can be learned."""
    if model is not None:
        try:
            return await _written(model, trouble, known)
        except (ModelError, RedactionError):
            pass  # What the runs say themselves is better than nothing.
    for text in own_words(trouble):
        try:
            return _Said(_gated(text, trouble), {"written_by": "the runs"})
        except UnfitTextError:
            continue
    return None


async def _written(model: AsyncModel, trouble: Trouble, known: Sequence[str]) -> _Said | None:
    """Let a model write a lesson.

    Raises:
        ModelError: it writes none that passes the gate.
        RedactionError: the runs hold more secrets than can be followed.
    """

    def check(written: _Written) -> None:
        try:
            if written.sentence:
                _gated(written.sentence, trouble)
        except UnfitTextError as error:
            raise UnfitReplyError(str(error)) from error

    newest = trouble.runs[0]
    missing: list[Json] = [*dict.fromkeys(run.why for run in trouble.runs if run.why)]
    data: JsonObject = {
        "task": newest.task,
        "runs": len(trouble.runs),
        "error": newest.error,
        "missing": missing[:_MOST_QUOTED],
        "steps": [*newest.steps[-_MOST_QUOTED:]],
        "known": [*known],
    }
    reply = await model.ask(Request(_PROMPT, data, _Written, check))
    if not reply.value.sentence:
        return None
    evidence: JsonObject = {"written_by": reply.model, "prompt": reply.prompt}
    return _Said(_gated(reply.value.sentence, trouble), evidence)


def _gated(text: str, trouble: Trouble) -> str:
    """Return a lesson as it may be told.

    Raises:
        UnfitTextError: it may not.
    """
    sentence = plain_sentence(text, MOST_LESSON)
    if any(holds_answer(sentence, run) for run in trouble.runs):
        msg = "it tells the result of a task; say how to get it instead"
        raise UnfitTextError(msg)
    return sentence


def _change(trouble: Trouble, said: _Said, agent: str, cycle: str) -> NewChange:
    newest, count = trouble.runs[0], len(trouble.runs)
    lesson = Lesson(
        lesson=said.sentence,
        task=newest.task,
        error=trouble.error,
        steps=newest.steps[-_MOST_QUOTED:],
    )
    quoted = cut(" ".join(visible(trouble.error)[0].split()), _MOST_ERROR)
    return NewChange(
        agent=agent,
        kind=ChangeKind.LESSONS,
        why=f"{count} {'run' if count == 1 else 'runs'} failed: {quoted}",
        adds=(lesson.artefact,),
        runs=tuple(sorted(run.number for run in trouble.runs)),
        cycle=cycle,
        evidence={"runs": count, **said.evidence},
    )
