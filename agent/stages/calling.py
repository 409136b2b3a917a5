"""Calling a tool for the agent: the registry's through the toolbox, the caller's directly."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from toolguild.agent.stages.catalog import Catalog
from toolguild.policies import Capability
from toolguild.registry import (
    ExternalTool,
    NotJsonError,
    Toolbox,
    call_external,
    canonical_json,
    decode_json,
    mismatch,
)
from toolguild.sandbox import JsonObject, ToolCallError

__all__ = ["Called", "call_tool"]

T = TypeVar("T")
_MOST_TEXT = 20_000
"""Characters of a result that a model reads."""


@dataclass(frozen=True, slots=True)
class Called:
    """How a call ended."""

    ok: bool
    ran: bool
    """Whether the tool was called at all."""
    text: str
    """What the model gets."""
    seconds: float = 0.0
    capabilities: frozenset[Capability] = frozenset()


async def call_tool(
    toolbox: Toolbox, catalog: Catalog, name: str, arguments: str, most_s: float
) -> Called:
    """Call a tool of the catalog with arguments as a model wrote them.

    It runs in a thread, which goes on for as long as the tool's own deadline lets it where this is
    cancelled.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """
    begin = time.monotonic()
    external = toolbox.external.get(name)
    if external is None:
        result = await _in_thread(lambda: toolbox.call_json(name, arguments))
        ok, ran, text = result.ok, result.ran, result.for_model()
    else:
        ok, ran, text = await _in_thread(lambda: _own(name, external, arguments, most_s))
    known = catalog[name].capabilities if name in catalog else frozenset()
    return Called(ok, ran, _clipped(text), time.monotonic() - begin, known)


async def _in_thread(work: Callable[[], T]) -> T:
    """Wait for work in a thread, which nobody waits for any more where this is cancelled.

    The event loop's own threads are waited for when it ends, however long they take.
    """
    pending: Future[T] = Future()
    context = contextvars.copy_context()

    def do() -> None:
        try:
            pending.set_result(context.run(work))
        except BaseException as error:
            pending.set_exception(error)

    threading.Thread(target=do, name="toolguild: a tool's call", daemon=True).start()
    return await asyncio.shield(asyncio.wrap_future(pending))


def _own(name: str, tool: ExternalTool, text: str, most_s: float) -> tuple[bool, bool, str]:
    try:
        arguments = _arguments(text)
    except NotJsonError as error:
        return False, False, f"{name} was not called: arguments: {error}"
    if problem := mismatch(arguments, tool.parameters, "arguments"):
        return False, False, f"{name} was not called: {problem}"
    try:
        value = call_external(name, tool, arguments, most_s)
    except ToolCallError as error:
        return False, True, f"{name} failed: {error}"
    return True, True, value if isinstance(value, str) else canonical_json(value)


def _arguments(text: str) -> JsonObject:
    # Models send nothing at all for a tool without parameters.
    value = decode_json(text) if text.strip() else {}
    if not isinstance(value, dict):
        msg = "not a JSON object"
        raise NotJsonError(msg)
    return value


def _clipped(text: str) -> str:
    if len(text) <= _MOST_TEXT:
        return text
    return f"{text[:_MOST_TEXT]} [cut after {_MOST_TEXT:,} of {len(text):,} characters]"
