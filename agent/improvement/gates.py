"""What a proposed change must be, whoever proposes it, before any task is spent on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from toolguild.agent.improvement.artefacts import MOST_LESSON, Example, Instructions, Lesson
from toolguild.agent.improvement.examples import gives_orders, plain_example
from toolguild.agent.improvement.instructions import changed_clauses, clauses_of
from toolguild.agent.improvement.instructions.similarity import drift_reason, similarity
from toolguild.agent.improvement.lessons import UnfitTextError, plain_sentence
from toolguild.policies.improvement import ImprovementRules
from toolguild.policies.wording import plain_instruction
from toolguild.registry import Embedder, Registry, State, TamperedError
from toolguild.registry.improvement import (
    Artefact,
    ArtefactKind,
    Change,
    ChangeKind,
    NewChange,
    Standing,
)
from toolguild.synth.traces.errors import RedactionError

__all__ = ["drift_of", "objection_to", "objection_to_tools", "waits_for_room", "was_refused"]

_ADDED: Final = {
    ChangeKind.INSTRUCTIONS: ArtefactKind.INSTRUCTIONS,
    ChangeKind.LESSONS: ArtefactKind.LESSON,
    ChangeKind.EXAMPLES: ArtefactKind.EXAMPLE,
}
"""What each kind of change may add and remove."""


def objection_to(new: NewChange, standing: Standing, rules: ImprovementRules) -> str:
    """Return why a change may not even be tried; empty where it may.

    Args:
        new: The change.
        standing: What the agent is told at present.
        rules: How far a change may go.
    """
    try:
        return next(_objections(new, standing, rules), "")
    except TamperedError as error:
        return str(error)


def objection_to_tools(new: NewChange, registry: Registry) -> str:
    """Return why a change may not bring or retire what it is to; empty where it may.

    A trial can only tell what a version does that is in use, and only the agent's own tasks are
    tried: so a change brings what was made for the agent and never was decided on, and retires what
    an earlier change brought to it.
    """
    improvements = registry.improvements
    if new.brings:
        unclaimed = {one.digest for one, _ in improvements.unclaimed_tools(new.agent)}
        for digest in new.brings:
            if digest not in unclaimed:
                return f"{digest} was not made for {new.agent}, or was decided on before"
    if new.retires:
        brought = {one.digest: one for _, one in improvements.brought_tools(new.agent)}
        for digest in new.retires:
            if digest not in brought:
                return f"no change brought {digest} to {new.agent}, so none may retire it"
            if brought[digest].state is State.RETIRED:
                return f"{brought[digest].ref} is retired already"
    return ""


def waits_for_room(new: NewChange, registry: Registry) -> str:
    """Return which version of those that a change brings is not in use yet; empty where all are.

    What is let in later would come into use without having been tried.
    """
    for version, _ in registry.improvements.unclaimed_tools(new.agent) if new.brings else ():
        if version.digest in new.brings and version.state is State.PROPOSED:
            return f"{version.ref} cannot be tried before the budget of new tools has room for it"
    return ""


def was_refused(new: NewChange, changes: Iterable[Change]) -> bool:
    """Say whether just this was refused before, and no run since speaks for it."""
    latest = max(new.runs, default=0)
    return any(
        one.new.kind is ChangeKind.REFUSED
        and _what(one.new) == _what(new)
        and latest <= max(one.new.runs, default=0)
        for one in changes
    )


def drift_of(
    new: NewChange, standing: Standing, rules: ImprovementRules, embedder: Embedder | None
) -> str:
    """Return why a person has to decide on a change; empty where nobody has to.

    May take its time where an embedding model is an endpoint.
    """
    original = standing.original
    if original is None:
        return ""
    present = Instructions.of(original).text
    for artefact in new.adds:
        if artefact.kind is ArtefactKind.INSTRUCTIONS:
            near = similarity(present, Instructions.of(artefact).text, embedder)
            return drift_reason(near, rules)
    return ""


def _objections(new: NewChange, standing: Standing, rules: ImprovementRules) -> Iterator[str]:
    kind = _ADDED.get(new.kind)
    touched = {one.kind for one in new.adds}
    touched |= {standing.artefacts[one].kind for one in new.removes if one in standing.artefacts}
    if touched - {kind}:
        yield f"a change of {new.kind.value} does not touch {min(touched - {kind}).value}"
    if (new.brings or new.retires) and new.kind is not ChangeKind.TOOLS:
        yield f"a change of {new.kind.value} does not touch tools"
    if not (new.adds or new.removes or new.brings or new.retires):
        yield "it changes nothing"
    missing = [digest for digest in new.removes if digest not in standing.artefacts]
    if missing:
        yield f"the agent is not told {missing[0]}, so that cannot be removed"
    if any(one.digest in standing.artefacts for one in new.adds):
        yield "the agent is told that already"
    if new.kind is ChangeKind.INSTRUCTIONS and len(new.adds) != 1:
        yield "instructions are replaced by other instructions"
    for artefact in new.adds:
        yield from _objections_to_artefact(artefact, standing, rules)


def _objections_to_artefact(
    artefact: Artefact, standing: Standing, rules: ImprovementRules
) -> Iterator[str]:
    match artefact.kind:
        case ArtefactKind.LESSON:
            yield from _objections_to_lesson(Lesson.of(artefact))
        case ArtefactKind.EXAMPLE:
            yield from _objections_to_example(Example.of(artefact))
        case ArtefactKind.INSTRUCTIONS:
            present = standing.instructions
            before = Instructions.of(present).text if present else ""
            yield from _objections_to_instructions(Instructions.of(artefact).text, before, rules)


def _objections_to_lesson(lesson: Lesson) -> Iterator[str]:
    try:
        if plain_sentence(lesson.lesson, MOST_LESSON) != lesson.lesson:
            yield "the lesson is no plain sentence"
    except UnfitTextError as error:
        yield f"the lesson: {error}"


def _objections_to_example(example: Example) -> Iterator[str]:
    try:
        if plain_example(example) != example:
            yield "the example holds secrets, hidden characters or more than it may"
    except RedactionError as error:
        yield f"the example: {error}"
    if example.is_seed:
        yield "only a person gives examples that do not grow stale"
    if any(map(gives_orders, (example.task, *example.steps, example.result))):
        yield "the example gives orders to whoever reads it"


def _objections_to_instructions(text: str, present: str, rules: ImprovementRules) -> Iterator[str]:
    if present:
        changed = changed_clauses(present, text)
        if changed > rules.clauses:
            yield f"{changed} clauses are changed, more than {rules.clauses}"
    new = Counter(one.words for one in clauses_of(text))
    new -= Counter(one.words for one in clauses_of(present))
    # What is harmless clause by clause may be harmful in one piece, as it is read.
    for words in (*new, "\n\n".join(new)):
        _, reasons = plain_instruction(words, present)
        if reasons:
            yield f"a new clause may not stand in instructions: {reasons[0].value}"


def _what(new: NewChange) -> tuple[frozenset[str], ...]:
    added = [one.digest for one in new.adds]
    return tuple(map(frozenset, (added, new.removes, new.brings, new.retires)))
