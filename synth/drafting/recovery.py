"""Recovering what recorded code took and gave, by running it again in a sandbox.

What a snippet computed stands in no log. Its session, run again with a recorder around the part
of interest (`mining.instrument`), shows it; a case counts only where the snippet that it came
from prints and fails just as the log says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from pydantic import BaseModel, JsonValue, ValidationError

from toolguild.policies import Tier
from toolguild.sandbox import Json, JsonObject, Limits, Outcome, Program, Sandbox, Status
from toolguild.synth.drafting.draft import Case
from toolguild.synth.mining import BLOCK_MARK, ENTRY, CodeOccurrence, canonical

__all__ = ["recover_cases"]

MAX_OCCURRENCES = 40
"""Sessions run again for one opportunity, spread over its tasks."""

_LIMITS = Limits(wall_s=5.0)
_ECHO = re.compile(r"^Out\[\d+\]: ?", re.MULTILINE)
"""How IPython marks the value of a last expression."""

_NO_OUTPUT = re.compile(r"^\[Executed Successfully with No Output\]$")


class _RecordedCase(BaseModel):
    block: int
    arguments: dict[str, JsonValue]
    value: JsonValue = None
    error: str | None = None


class _Report(BaseModel):
    """What an instrumented program returns; code under test wrote it, so it is checked."""

    cases: list[_RecordedCase]
    errors: list[str | None]


def recover_cases(
    occurrences: Sequence[CodeOccurrence],
    parameters: Sequence[str],
    sandbox: Sandbox,
    limits: Limits = _LIMITS,
) -> list[Case]:
    """Return the distinct cases of code occurrences, in the order of the occurrences.

    Where two runs disagree on the result for the same arguments, the code depends on more than
    its arguments: then there are no cases at all. A session that came to no end is not run for
    its other occurrences.

    Args:
        occurrences: Places of the code.
        parameters: The names that the cases give its inputs.
        sandbox: Where the sessions run.
        limits: What one of them may use.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """
    by_arguments: dict[str, Case] = {}
    endless: set[str] = set()
    for occurrence in islice(_one_task_after_the_other(occurrences), MAX_OCCURRENCES):
        if occurrence.trace_id in endless:
            continue
        outcome = _run_again(occurrence, sandbox, limits)
        if outcome.status is Status.TIMEOUT:
            endless.add(occurrence.trace_id)
        names = occurrence.parameters or tuple(parameters)
        for case in _cases_of(occurrence, outcome):
            if case.arguments.keys() != set(names):
                continue  # The recorded code has written into the report.
            case = _renamed(case, dict(zip(names, parameters, strict=True)))
            known = by_arguments.setdefault(canonical(case.arguments), case)
            if (canonical(known.value), known.error) != (canonical(case.value), case.error):
                return []
    return list(by_arguments.values())


def _renamed(case: Case, names: Mapping[str, str]) -> Case:
    arguments = {names[name]: value for name, value in case.arguments.items()}
    return replace(case, arguments=arguments)


def _one_task_after_the_other(occurrences: Sequence[CodeOccurrence]) -> Iterator[CodeOccurrence]:
    """Yield one occurrence of each task, then a second of each, and so on."""
    rounds: dict[str, int] = {}
    numbered = []
    for occurrence in occurrences:
        rounds[occurrence.task_id] = rounds.get(occurrence.task_id, -1) + 1
        numbered.append((rounds[occurrence.task_id], occurrence))
    return (occurrence for _, occurrence in sorted(numbered, key=lambda pair: pair[0]))


def _run_again(occurrence: CodeOccurrence, sandbox: Sandbox, limits: Limits) -> Outcome:
    # The isolation alone: a session is not written as a tool is, and nothing of it is kept.
    program = Program(occurrence.program, ENTRY, walled=False)
    return sandbox.run(program, {}, tier=Tier.SANDBOX, limits=limits)


def _cases_of(occurrence: CodeOccurrence, outcome: Outcome) -> list[Case]:
    if not outcome.ok:
        return []
    try:
        report = _Report.model_validate(outcome.value)
    except ValidationError:
        return []
    outputs = outcome.stdout.split(BLOCK_MARK)[1:]
    faithful = {
        number
        for number, (shown, failed, recorded) in enumerate(
            zip(outputs, report.errors, occurrence.recorded, strict=False)
        )
        if _agree(shown, failed, *recorded)
    }
    return [_case(recorded, occurrence) for recorded in report.cases if recorded.block in faithful]


def _agree(shown: str, failed: str | None, output: str, error: str | None) -> bool:
    """Say whether a snippet did what the log says: the same text, or the same kind of error."""
    if error is not None or failed is not None:
        return error is not None and failed is not None and error.split(":")[0] == failed
    return _normal(shown) == _normal(output)


def _normal(text: str) -> str:
    """Return a text without white space and the interpreter's own additions."""
    return "".join(_NO_OUTPUT.sub("", _ECHO.sub("", text.strip())).split())


def _case(recorded: _RecordedCase, occurrence: CodeOccurrence) -> Case:
    arguments: JsonObject = dict(recorded.arguments)  # pydantic's JsonValue is our Json
    value: Json = recorded.value
    return Case(
        arguments=arguments,
        value=value,
        error=recorded.error,
        calls=(),
        task_id=occurrence.task_id,
        place=occurrence.place,
        trace_id=occurrence.trace_id,
    )
