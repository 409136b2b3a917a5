"""What an example shows: a run in short and plain words, and what these words tell."""

from __future__ import annotations

import re
from typing import Final

from toolguild.agent.improvement.artefacts import Example
from toolguild.policies.wording import Reason, plain_description, plain_line
from toolguild.registry.improvement import ScoredRun
from toolguild.synth.traces.errors import RedactionError
from toolguild.synth.traces.redaction import redact

__all__ = [
    "demonstration_of",
    "gives_orders",
    "is_whole",
    "plain_example",
    "text_of",
    "tools_of",
    "way_of",
]

_MOST_STEPS = 20
_MOST_TASK = 800
_MOST_STEP = 120
_MOST_RESULT = 300
"""Characters of the parts of an example: whoever is told it reads it with every request."""
_ANY_LENGTH = 20_000

_CALL = re.compile(r"(\S+) \{")
"""How a step begins that is the call of a tool; what a person wrote may be anything else."""
_ORDERS: Final = frozenset({Reason.OVERRIDE, Reason.SECRECY, Reason.SECRETS, Reason.DISGUISED})


def is_whole(run: ScoredRun) -> bool:
    """Whether a run shows how its task was done, from its first step on."""
    return bool(run.task and (run.steps or run.result)) and run.calls <= len(run.steps)


def demonstration_of(run: ScoredRun) -> Example | None:
    """Return the example that a run makes; None where what tools returned in it gives orders.

    It would give them to every later run as well.
    """
    if any(gives_orders(text) for text in (*run.steps, run.result)):
        return None
    try:
        return plain_example(
            Example(task=run.task, steps=run.steps, result=run.result, score=run.score)
        )
    except RedactionError:
        return None


def plain_example(example: Example) -> Example:
    """Return an example as it may be kept: plain, short and without secrets.

    Raises:
        RedactionError: it holds more secrets than can be followed.
    """
    # A secret shows once hidden characters inside it are gone, and before half of it is.
    plain = _cut(example, _ANY_LENGTH, _ANY_LENGTH, _ANY_LENGTH)
    without_secrets = Example.model_validate(redact(plain.model_dump(mode="json")))
    return _cut(without_secrets, _MOST_TASK, _MOST_STEP, _MOST_RESULT)


def text_of(example: Example) -> str:
    """Return an example as a run is told it; to be quoted as data."""
    # Once more: what came from elsewhere need not have been kept by `plain_example`.
    plain = _cut(example, _MOST_TASK, _MOST_STEP, _MOST_RESULT)
    steps = [f"{number}. {step}" for number, step in enumerate(plain.steps, start=1)]
    return "\n".join((f"Task: {plain.task}", *steps, f"Result: {plain.result}"))


def tools_of(example: Example) -> list[str]:
    """Return the names of the tools that an example calls, in their order."""
    calls = map(_CALL.match, example.steps)
    return [call[1] for call in calls if call]


def way_of(example: Example) -> list[str]:
    """Return the tools that an example calls, each where it was called first.

    What was called once more, after a failure or for another item, is no other way.
    """
    return [*dict.fromkeys(tools_of(example))]


def gives_orders(text: str) -> bool:
    """Whether a text that is only to be read tells its reader what to do."""
    found = plain_description(text, fallback="nothing").removed
    return any(one.reason in _ORDERS for one in found)


def _cut(example: Example, most_task: int, most_step: int, most_result: int) -> Example:
    return Example(
        task=plain_line(example.task, limit=most_task),
        steps=tuple(plain_line(step, limit=most_step) for step in example.steps[:_MOST_STEPS]),
        result=plain_line(example.result, limit=most_result),
        score=example.score,
        is_seed=example.is_seed,
    )
