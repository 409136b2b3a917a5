"""Calling the caller's own tools on the host, for no longer than there is time.

A function cannot be interrupted. So it runs in a thread of its own, which is given up on when the
time is over: it goes on until the function returns, and what it returns then is dropped. How many
such threads the process may have is bounded.
"""

from __future__ import annotations

import contextvars
import inspect
import os
import threading
from collections import Counter
from concurrent.futures import Future

from toolguild.registry.canonical import canonical_json, decode_json
from toolguild.registry.effects import ExternalTool
from toolguild.registry.errors import NotJsonError
from toolguild.registry.gates import clipped
from toolguild.sandbox import Json, JsonObject, ToolCallError

__all__ = ["MAX_ANSWER", "MAX_LATE", "TooLateError", "TooManyLateError", "call_external"]

MAX_ANSWER = 10_000_000
"""Characters of what an external tool returns, as JSON."""
MAX_LATE = 32
"""Calls, in the whole process, that were given up on and have not returned."""


class TooLateError(ToolCallError):
    """The function had not returned when the time was over."""


class TooManyLateError(ToolCallError):
    """The function was not called: too many that were given up on are still running."""


def call_external(name: str, tool: ExternalTool, arguments: JsonObject, wait_s: float) -> Json:
    """Call an external tool and return what it answered, decoded.

    Args:
        name: What the tool is called.
        tool: The tool.
        arguments: Its arguments, which it may keep and change.
        wait_s: Seconds to wait for the answer; as long as it takes where the tool asks for the
            thread of its caller.

    Raises:
        ToolCallError: it raised whatever exception, or what it returned is no JSON value.
        TooLateError: the time was over first.
        TooManyLateError: it was not called.
    """
    if tool.same_thread:
        answer = _answer(name, tool, arguments)
    else:
        answer = _answer_in_time(name, tool, arguments, wait_s)
    if isinstance(answer, ToolCallError):
        raise answer
    return answer


def _answer_in_time(
    name: str, tool: ExternalTool, arguments: JsonObject, wait_s: float
) -> Json | ToolCallError:
    _late.check(name)
    pending: Future[Json | ToolCallError] = Future()
    context = contextvars.copy_context()

    def work() -> None:
        pending.set_result(context.run(_answer, name, tool, arguments))

    threading.Thread(target=work, name=f"toolguild: {name}", daemon=True).start()
    try:
        return pending.result(wait_s)
    except BaseException as error:  # the time is over, or somebody pressed Ctrl-C
        _late.add(name, pending)
        if not isinstance(error, TimeoutError):
            raise
        msg = f"{name} had not answered after {wait_s:.1f} s, when the time was over"
        raise TooLateError(msg) from None


def _answer(name: str, tool: ExternalTool, arguments: JsonObject) -> Json | ToolCallError:
    try:
        return _decoded(tool.function(**arguments))
    except _UnfitError as error:
        return ToolCallError(f"{name} {error}")
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and _in_main_thread():
            raise  # Ctrl-C comes to the main thread and to no other
        return ToolCallError(_in_words(error))


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _in_words(error: BaseException) -> str:
    try:
        message = str(error)
    except Exception:  # some classes of exceptions are written carelessly
        message = "(its message cannot be shown)"
    return clipped(f"{type(error).__name__}: {message}")


class _UnfitError(Exception):
    """What a function returned cannot be passed on; the message begins with a verb."""


def _decoded(result: object) -> Json:
    """Return the JSON in a text, or the text, or the value."""
    if inspect.iscoroutine(result):
        result.close()
        msg = "is asynchronous; give the toolbox a function that waits for the result"
        raise _UnfitError(msg)
    if isinstance(result, str):
        _check_length(result)
        result = _read(result)
    try:
        text = canonical_json(result)
    except NotJsonError as error:
        msg = f"returned what is {error}"
        raise _UnfitError(msg) from error
    _check_length(text)
    # Decoded again even so: the function may go on changing what it returned.
    return decode_json(text)


def _check_length(text: str) -> None:
    if len(text) > MAX_ANSWER:
        msg = f"returned {len(text)} characters; at most {MAX_ANSWER} are passed on"
        raise _UnfitError(msg)


def _read(text: str) -> Json:
    try:
        return decode_json(text)
    except NotJsonError:
        return text


class _LateCalls:
    """The calls that nobody waits for any more, until they return."""

    def __init__(self) -> None:
        self.forget()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """Start with none: a forked copy of the process has none of its threads."""
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()

    def check(self, name: str) -> None:
        """Raise `TooManyLateError` where there are too many of them to add another."""
        with self._lock:
            if self._running.total() < MAX_LATE:
                return
            blocked = ", ".join(sorted(self._running))
        msg = (
            f"refused: {name} is not called while {MAX_LATE} earlier calls that were given up on "
            f"are still running (of {clipped(blocked)})"
        )
        raise TooManyLateError(msg)

    def add(self, name: str, pending: Future[Json | ToolCallError]) -> None:
        """Count a call until it returns."""
        with self._lock:
            self._running[name] += 1
        pending.add_done_callback(lambda _: self._remove(name))

    def _remove(self, name: str) -> None:
        with self._lock:
            self._running[name] -= 1
            self._running += Counter()  # drops the names at zero


_late = _LateCalls()
