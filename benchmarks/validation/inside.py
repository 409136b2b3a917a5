"""Two texts of one tool side by side: this module's own text is what runs in the sandbox.

It is no tool, and stands behind no wall: it runs hostile texts with `exec`, in a process that ends
with the run. What it says of them is good for telling that they differ, not for trusting them.
"""

from __future__ import annotations

import copy
import hashlib
import json
import signal
import sys
import types
from typing import Any

PATIENCE_S = 0.25
"""What one call may take."""


class ToolCallError(Exception):
    """What `call_tool` raises; the sandbox's own is not at hand here."""


class LateError(BaseException):
    """The time of a call is over; no tool's `except Exception` catches it."""


class Tool:
    """One text, executed once, as a process that served many calls would hold it."""

    def __init__(self, text: str, name: str, answers: dict[str, list[Any]]) -> None:
        self.name = name
        self.calls: list[list[Any]] = []
        self.failing: set[str] = set()
        """Tools whose calls fail."""
        self._answers = answers
        self.module = types.ModuleType("tool")
        self.module.__dict__.update(call_tool=self._call_tool, ToolCallError=ToolCallError)
        exec(compile(text, "<tool>", "exec"), self.module.__dict__)  # noqa: S102

    def _call_tool(self, name: str, arguments: dict[str, Any]) -> Any:
        asked = json.dumps(arguments, sort_keys=True, ensure_ascii=False)
        self.calls.append([name, asked])
        if name in self.failing or not self._answers.get(name):
            message = f"{name} failed"
            raise ToolCallError(message)
        digest = hashlib.sha256(f"{name}{asked}".encode()).digest()
        answers = self._answers[name]
        return copy.deepcopy(answers[int.from_bytes(digest[:8], "big") % len(answers)])

    def call(self, arguments: dict[str, Any], patience_s: float = PATIENCE_S) -> list[Any]:
        """Return how a call ends and what other tools it calls; its arguments stay as they are."""
        self.calls = []
        ending = _ending(self.module.__dict__[self.name], copy.deepcopy(arguments), patience_s)
        return [*ending, self.calls]

    def leaves(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call, and return what has become of the arguments."""
        given = copy.deepcopy(arguments)
        _ending(self.module.__dict__[self.name], given, PATIENCE_S)
        return given


def _late(*_: object) -> None:
    raise LateError


def _ending(function: Any, arguments: dict[str, Any], patience_s: float) -> list[Any]:
    signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, patience_s)
    try:
        value = function(**arguments)
        signal.setitimer(signal.ITIMER_REAL, 0)
        return ["ok", json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False)]
    except LateError:
        return ["late", ""]
    except BaseException as error:
        return ["error", type(error).__name__]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def first_difference(
    original: str,
    other: str,
    name: str,
    inputs: list[dict[str, Any]],
    answers: dict[str, list[Any]],
) -> list[Any] | None:
    """Return the first input that tells two texts apart, with both endings.

    An input for which the endings differ goes before one for which only calls of other tools do. An
    input for which the original has no end in time says nothing.
    """
    first, second = Tool(original, name, answers), Tool(other, name, answers)
    in_calls = None
    for arguments in inputs:
        expected = first.call(arguments)
        if expected[0] == "late" or (seen := second.call(arguments)) == expected:
            continue
        if seen[:2] != expected[:2]:
            return [arguments, expected[:2], seen[:2]]
        in_calls = in_calls or [arguments, expected[2], seen[2]]
    return in_calls


def shows(
    original: str,
    bad: str,
    name: str,
    arguments: dict[str, Any],
    answers: dict[str, list[Any]],
    probe: str,
) -> bool:
    """Say whether a probe sees that a text is bad where the original is not.

    The probe is the text of a function `shows(good, bad, arguments)`; both texts come to it as a
    `Tool` factory, so that it can start each of them afresh.
    """
    names: dict[str, Any] = {"__name__": "probe", "copy": copy, "json": json, "sys": sys}
    exec(probe, names)  # noqa: S102
    return bool(
        names["shows"](
            lambda: Tool(original, name, answers), lambda: Tool(bad, name, answers), arguments
        )
    )
