"""Which run of which task a record is, and how the run ended: looked up under common names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from toolguild.sandbox import Json
from toolguild.synth.traces.errors import TraceFileError
from toolguild.synth.traces.json_text import canonical_json
from toolguild.synth.traces.model import Outcome, Task
from toolguild.synth.traces.reader import ReadOptions

__all__ = ["MissingTaskError", "at_path", "outcome_of", "task_of", "task_text", "trace_id"]

_TASK_TEXTS = (
    "task.prompt",
    "task.instruction",
    "info.task.instruction",
    "task.description",
    "task.question",
    "task",
    "question",
    "instruction",
    "problem_statement",
    "extra.task",
    "extra.instruction",
)
_TASK_IDS = (
    "task_id",
    "task.id",
    "task.task_id",
    "info.task.id",
    "instance_id",
    "extra.task_id",
    "extra.instance_id",
)
_TRACE_IDS = ("trace_id", "trajectory_id", "run_id", "id", "uuid", "session_id")
_TRIALS = ("trial", "attempt", "epoch", "extra.trial")
_SCORES = (
    "reward",
    "score",
    "info.reward_info.reward",
    "info.reward",
    "info.score",
    "state.score",
    "extra.reward",
    "extra.score",
    "final_metrics.extra.reward",
)
_SUCCESSES = (
    "success",
    "state.success",
    "info.success",
    "resolved",
    "passed",
    "correct",
    "is_correct",
    "extra.success",
)
_DIGEST_DIGITS = 16


class MissingTaskError(TraceFileError):
    """A record has nothing at the path that the caller gave for its task."""


def at_path(value: Json, path: str) -> Json:
    """Return what stands at a dotted path of object keys; None where there is nothing."""
    for key in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def task_text(record: Json) -> str:
    """Return the text of the task that a record carries beside its steps; empty if none."""
    texts = (at_path(record, path) for path in _TASK_TEXTS)
    return next((text.strip() for text in texts if isinstance(text, str) and text.strip()), "")


def task_of(record: Json, opening: str, options: ReadOptions) -> Task:
    """Return the task of a run.

    Named by the caller's `task_key`; else by the digest of the task's own text, so that runs of
    different agents meet; else by the record's id for its task; else by the digest of `opening`.

    Args:
        record: the run as logged.
        opening: the first message of the user, the task's text where the record has no other.
        options: `task_key` is used.

    Raises:
        MissingTaskError: the record has no text or number at `task_key`.
    """
    own_text = task_text(record)
    text = own_text or opening.strip()
    if options.task_key is not None:
        named = _label(at_path(record, options.task_key))
        if not named:
            message = f"no text or number at {options.task_key!r}, given as task_key"
            raise MissingTaskError(message)
        return Task(named, text)
    if own_text:
        return Task(_digest(own_text), text)
    return Task(_first_label(record, _TASK_IDS) or _digest(text), text)


def trace_id(record: Json, options: ReadOptions) -> str:
    """Return the record's own id with its trial, or a digest of all that it says."""
    explicit = _first_label(record, _TRACE_IDS)
    if not explicit:
        return _digest(canonical_json(record))
    trials = (options.trial_key,) if options.trial_key else _TRIALS
    trial = _first_label(record, trials)
    return f"{explicit}/{trial}" if trial else explicit


def outcome_of(record: Json, options: ReadOptions) -> Outcome:
    """Return the score and the success that a record states.

    A score of exactly 0 or 1 with no success beside it is taken for failure or success; other
    scores have no known scale.
    """
    keys = (options.score_key,) if options.score_key else _SCORES
    scores = [value for key in keys if (value := at_path(record, key)) is not None]
    score = next((number for value in scores if (number := _number(value)) is not None), None)
    stated = [at_path(record, key) for key in _SUCCESSES]
    success = next((value for value in [*scores, *stated] if isinstance(value, bool)), None)
    if success is None and score in (0.0, 1.0):
        success = score == 1.0
    return Outcome(score=score, success=success)


def _number(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:  # an integer beyond every float
        return None


def _first_label(record: Json, paths: Iterable[str]) -> str:
    return next((label for path in paths if (label := _label(at_path(record, path)))), "")


def _label(value: Json) -> str:
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_DIGITS]
