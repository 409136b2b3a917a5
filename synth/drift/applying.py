"""Recorded answers as they would be today: with the fields different that have drifted."""

from __future__ import annotations

from toolguild.policies.drift import Change
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drift.answers import Answer
from toolguild.synth.drift.comparing import ToolChange
from toolguild.synth.drift.differences import kind_of_answer
from toolguild.synth.drift.fields import ITEM, FieldPath

__all__ = ["as_of_today"]


def as_of_today(answer: Answer, change: ToolChange) -> Answer:
    """Return a recorded answer with one field as it is now; the rest stays as it was."""
    path = change.difference.path
    if not path:
        return _replaced(answer, change)
    if answer.error is not None:
        return answer
    return Answer(_changed(answer.value, path, change))


def _changed(value: Json, path: FieldPath, change: ToolChange) -> Json:
    if not path:
        return _replaced(Answer(value), change).value
    key, rest = path[0], path[1:]
    match value:
        case list() if key is ITEM:
            return [_changed(item, rest, change) for item in value]
        case dict() if key is ITEM:
            return {name: _changed(inner, rest, change) for name, inner in value.items()}
        case dict() if key is not ITEM:
            if not rest and change.difference.change in _OF_KEYS:
                return _with_key(value, key, change)
            if key in value:
                return {**value, key: _changed(value[key], rest, change)}
    return value


_OF_KEYS = frozenset({Change.RENAMED, Change.MISSING, Change.NEW})


def _with_key(value: JsonObject, key: str, change: ToolChange) -> JsonObject:
    """Return an object in which a key has another name, is gone, or is there."""
    match change.difference.change:
        case Change.NEW:
            return {**value, key: value.get(key, change.example.value)}
        case Change.MISSING:
            return {name: inner for name, inner in value.items() if name != key}
    to = change.difference.to
    return {to if name == key else name: inner for name, inner in value.items()}


def _replaced(answer: Answer, change: ToolChange) -> Answer:
    """Return what stands in the place of a value, or of a whole answer, now."""
    difference = change.difference
    if difference.change is not Change.KIND:
        return change.today.get(answer.text, answer)
    if not difference.was_of(kind_of_answer(answer)):
        return answer
    return change.today.get(answer.text, change.example)
