"""Answering `call_tool` from recordings: exactly, or with what the tools returned elsewhere."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from toolguild.sandbox import Json, JsonObject, ToolCallError
from toolguild.synth.mining import believed_read_only, canonical
from toolguild.synth.traces import ToolCall

__all__ = ["RecordedTools", "SimulatedTools", "VariedTools", "with_repeats"]


class RecordedTools:
    """Answers each call as one recorded run did; what was not recorded fails."""

    def __init__(self, calls: Sequence[ToolCall]) -> None:
        self._answers: defaultdict[tuple[str, str], list[ToolCall]] = defaultdict(list)
        for call in calls:
            self._answers[call.tool, canonical(call.arguments)].append(call)
        self._expected_writes = [_key(call) for call in calls if not believed_read_only(call.tool)]
        self._writes: list[tuple[str, str]] = []
        self.unrecorded: list[str] = []
        """Calls that the tool made and the recorded run did not."""

    def __call__(self, name: str, arguments: JsonObject) -> Json:
        """Return the recorded result.

        Raises:
            ToolCallError: the recorded run made no such call, or it failed there.
        """
        key = name, canonical(arguments)
        if not believed_read_only(name):
            self._writes.append(key)
        answers = self._answers[key]
        if not answers:
            told = f"{name}({canonical(arguments)[:200]})"
            self.unrecorded.append(told)
            message = f"the recorded run has no call {told}"
            raise ToolCallError(message)
        # The last answer stays: reading the same thing once more changes nothing.
        call = answers.pop(0) if len(answers) > 1 else answers[0]
        if call.error is not None:
            raise ToolCallError(call.error)
        return call.result

    @property
    def writes_agree(self) -> bool:
        """Whether calls that may write came as often and in the order of the recorded run."""
        return self._writes == self._expected_writes


def _key(call: ToolCall) -> tuple[str, str]:
    return call.tool, canonical(call.arguments)


class SimulatedTools:
    """Answers any call with a result that the tool gave somewhere in the recordings.

    Which one depends on the arguments only, so the same call always has the same answer.
    """

    def __init__(self, calls: Iterable[ToolCall]) -> None:
        results: defaultdict[str, dict[str, Json]] = defaultdict(dict)
        for call in calls:
            if call.error is None:
                results[call.tool].setdefault(canonical(call.result), call.result)
        self._results = {tool: list(distinct.values()) for tool, distinct in results.items()}

    def __call__(self, name: str, arguments: JsonObject) -> Json:
        """Return one of the tool's recorded results.

        Raises:
            ToolCallError: no recording has a result of this tool.
        """
        results = self._results.get(name)
        if not results:
            message = f"no recorded run has a result of {name}"
            raise ToolCallError(message)
        digest = hashlib.sha256(f"{name}{canonical(arguments)}".encode()).digest()
        return results[int.from_bytes(digest[:8]) % len(results)]


class VariedTools:
    """Answers as `SimulatedTools` do, but that some calls fail, and values are told apart.

    In recordings, two parts of a result often hold the same value, and calls hardly ever fail. So
    three of four inputs get results in which each text and number says where it stands, and of
    every fifth one call fails.
    """

    def __init__(self, simulated: SimulatedTools, number: int) -> None:
        """Answer the calls of the input with this number."""
        self._simulated = simulated
        self._fails = number // _FAILING % _FAILING_CALLS if _is_failing(number) else -1
        self._marks = number % 4 != 3
        self._calls = 0

    def __call__(self, name: str, arguments: JsonObject) -> Json:
        """Return a recorded result of the tool, perhaps with other values.

        Raises:
            ToolCallError: this call is one that fails, or no recording has a result of the tool.
        """
        self._calls += 1
        if self._calls - 1 == self._fails:
            message = f"{name} is out of order"
            raise ToolCallError(message)
        result = self._simulated(name, arguments)
        return _marked(result, f"{name}{canonical(arguments)}") if self._marks else result


_FAILING = 5
_FAILING_CALLS = 3


def _is_failing(number: int) -> bool:
    return number % _FAILING == 1


def with_repeats(inputs: Iterable[JsonObject]) -> list[JsonObject]:
    """Return inputs with some of them twice: each is once at a number of which no call fails.

    What a tool does after a call that fails says little of what it does with its arguments.
    """
    repeated: list[JsonObject] = []
    for arguments in inputs:
        repeated.append(arguments)
        if _is_failing(len(repeated)):
            repeated.append(arguments)
    return repeated


def _marked(value: Json, path: str) -> Json:
    """Return a value of the same shape in which no two leaves are equal."""
    match value:
        case dict():
            return {key: _marked(inner, f"{path}/{key}") for key, inner in value.items()}
        case list():
            return [_marked(inner, f"{path}/{place}") for place, inner in enumerate(value)]
        case str():
            return f"{value}~{_mark(path)}"
        case int() | float() if not isinstance(value, bool):
            return value + _mark(path) % 9973
    return value


def _mark(path: str) -> int:
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:4])
