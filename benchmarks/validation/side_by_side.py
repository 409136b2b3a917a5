"""Running a tool and another text of it side by side, in the sandbox and in batches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from toolguild.policies import Tier
from toolguild.sandbox import Json, JsonObject, Limits, Outcome, Program, Sandbox, Status
from toolguild.synth.drafting import Draft
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs import arguments_strategy, draw

__all__ = ["Difference", "answers_of", "inputs_of", "is_shown", "search"]

_INSIDE = Path(__file__).with_name("inside.py").read_text(encoding="utf-8")
_BATCH = 250
_LIMITS = Limits(wall_s=20)


@dataclass(frozen=True, slots=True)
class Difference:
    """An input for which two texts do not do the same."""

    arguments: JsonObject
    expected: str
    observed: str


def search(
    draft: Draft, source: str, inputs: list[JsonObject], sandbox: Sandbox
) -> Difference | None:
    """Look for an input that tells another text of a tool from the tool itself.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    answers = answers_of(draft)
    for start in range(0, len(inputs), _BATCH):
        batch = inputs[start : start + _BATCH]
        given: JsonObject = {
            "original": draft.source, "other": source, "name": draft.name,
            "inputs": [*batch], "answers": answers,
        }  # fmt: skip
        outcome = _run(sandbox, "first_difference", given)
        if not outcome.ok:
            return Difference({}, "a result", f"{outcome.status}: {outcome.error[:200]}")
        match outcome.value:
            case [dict() as arguments, expected, observed]:
                return Difference(arguments, canonical(expected), canonical(observed))
    return None


def is_shown(draft: Draft, bad: str, arguments: JsonObject, probe: str, sandbox: Sandbox) -> bool:
    """Say whether a probe sees that a text is bad (see `inside.shows`).

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    given: JsonObject = {
        "original": draft.source, "bad": bad, "name": draft.name, "arguments": arguments,
        "answers": answers_of(draft), "probe": probe,
    }  # fmt: skip
    outcome = _run(sandbox, "shows", given)
    # A text that takes the whole process down does what the original did not.
    return outcome.value is True or outcome.status in (Status.MEMORY, Status.KILLED)


def inputs_of(draft: Draft, count: int, seed: int) -> list[JsonObject]:
    """Return the recorded inputs of a tool and as many generated ones as are asked for."""
    recorded = [case.arguments for case in draft.cases]
    return [*recorded, *draw(arguments_strategy(draft.parameters, recorded), count, seed)]


def answers_of(draft: Draft) -> JsonObject:
    """Return what the tools that a composite calls answered in the recordings."""
    answers: dict[str, dict[str, Json]] = {}
    for case in draft.cases:
        for call in case.calls:
            if call.error is None:
                answers.setdefault(call.tool, {})[canonical(call.result)] = call.result
    return {tool: [*results.values()] for tool, results in answers.items()}


def _run(sandbox: Sandbox, entry: str, arguments: JsonObject) -> Outcome:
    # Not walled: `inside.py` is ours, and executes texts, which no wall would let it.
    program = Program(_INSIDE, entry, walled=False)
    return sandbox.run(program, arguments, tier=Tier.SANDBOX, limits=_LIMITS)
