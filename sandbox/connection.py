"""The host's side of one worker: sends a run, answers its calls, and takes its end."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from toolguild.policies import Capability, Tier
from toolguild.sandbox.access import FileChange
from toolguild.sandbox.base import Json, JsonObject, Limits, Outcome, Program, Status, ToolGateway
from toolguild.sandbox.channel import Channel, ChannelClosedError
from toolguild.sandbox.errors import SandboxUnavailableError, ToolCallError
from toolguild.sandbox.files.bundle import INDEX_LENGTH, MAX_INDEX
from toolguild.sandbox.files.changes import Parcel, UnsoundChangesError
from toolguild.sandbox.frames import Frame, encode_frame
from toolguild.sandbox.setting import Setting
from toolguild.sandbox.values import decode_untrusted

if TYPE_CHECKING:  # it brings asyncio along, which takes as long as starting a sandbox
    from toolguild.sandbox.network.egress import Egress

__all__ = ["Worker", "WorkerLostError", "with_hosts"]

_GRACE_S = 1.0
"""How much later than the worker's own deadline the host's falls."""
_CLEANUP_S = 2.5
"""Longer than a worker may take to end the processes of a call."""
_MAX_SOURCE = 10_000_000  # characters
_FILES_S = 10.0
"""Longer than a worker may take to lay out the files of a call, and to collect them."""
_SLACK = 1 << 16  # bytes of a frame's body besides the value, stdout and files


_CAPABILITIES = frozenset(Capability)
_encode = json.JSONEncoder(allow_nan=False).encode


class WorkerLostError(ConnectionError):
    """A worker ended while it had a run.

    Attributes:
        started: Whether the program may have begun to run.
        hosts: What it had asked to be connected to.
    """

    def __init__(self, why: str, *, started: bool) -> None:
        super().__init__(why)
        self.started = started
        self.hosts: tuple[str, ...] = ()


class Worker:
    """One worker, used by one thread at a time.

    `reusable` turns false with the first doubt about what state it is in.
    """

    def __init__(
        self,
        channel: Channel,
        end: Callable[[], None],
        *,
        fits: Callable[[Limits, Setting], bool],
        what_ended: Callable[[], str] = str,
        egress: Egress | None = None,
    ) -> None:
        """Take over a worker that said that it is ready.

        Args:
            channel: The connection to it.
            end: Ends all its processes, which breaks the connection; called once.
            fits: Whether a run under these limits, in this setting, may be given to it.
            what_ended: Says what ended or stopped it from outside, if anything did.
            egress: The way of its programs to hosts, where they have one; closed with it.
        """
        self.fits = fits
        self.reusable = True
        self.runs = 0
        self._channel = channel
        self._what_ended = what_ended
        self._egress = egress
        self._ending = threading.Lock()
        self._end: Callable[[], None] | None = end

    def end(self) -> None:
        """End the worker and everything in it; ending twice is harmless.

        May be called while another thread has a run here: that thread learns it from the
        connection, which therefore stays open.
        """
        self.reusable = False
        with self._ending:
            end, self._end = self._end, None
        if end:
            end()

    def close(self) -> None:
        """End the worker and close the connection; closing twice is harmless.

        Raises:
            SandboxUnavailableError: it cannot be ended; it ends by itself as the connection is.
        """
        try:
            self.end()
        finally:
            self._close_connections()

    def abandon(self) -> None:
        """Let go of the connection only: in a forked copy of the process that owns the worker."""
        self.reusable = False
        self._end = None
        self._close_connections()

    def _close_in_doubt(self) -> None:
        """Close in the middle of a run.

        Raises:
            SandboxUnavailableError: that it came to this was not the program's doing.
        """
        try:
            outside = self._what_ended() if self._end else ""  # else it was we who ended it
        finally:
            self.close()
        if outside:
            raise SandboxUnavailableError(outside)

    def _close_connections(self) -> None:
        self._channel.close()
        if self._egress:
            self._egress.close()

    def run(
        self,
        program: Program,
        arguments: Mapping[str, Json],
        tier: Tier,
        limits: Limits,
        tools: ToolGateway | None,
        parcel: Parcel | None = None,
        hosts: frozenset[str] | None = frozenset(),
    ) -> Outcome:
        """Run a program.

        Args:
            program: What to run.
            arguments: What to call its entry with.
            tier: Its tier, which decides about the wall.
            limits: What it may use.
            tools: Answers its `call_tool`.
            parcel: The files that it finds in its workspace, where this worker has one.
            hosts: To whom it may connect, where this worker has network; see `Access.hosts`.

        Raises:
            WorkerLostError: the worker ended, or it no longer speaks the protocol.
            SandboxUnavailableError: the worker could not set up a process for the program, or what
                ended it had nothing to do with the program.
            ValueError: an entry of the hosts is none.
        """
        if not self._egress:
            return self._run(program, arguments, tier, limits, tools, parcel)
        try:
            self._egress.begin_run(hosts)
            outcome = self._run(program, arguments, tier, limits, tools, parcel)
            return with_hosts(outcome, self._egress.end_run())
        except WorkerLostError as lost:
            lost.hosts = self._egress.end_run()
            raise
        except BaseException:
            with contextlib.suppress(SandboxUnavailableError):
                self.close()
            raise

    def _run(
        self,
        program: Program,
        arguments: Mapping[str, Json],
        tier: Tier,
        limits: Limits,
        tools: ToolGateway | None,
        parcel: Parcel | None,
    ) -> Outcome:
        if len(program.source) > _MAX_SOURCE:
            return Outcome(Status.REFUSED, error=f"The program has over {_MAX_SOURCE} characters.")
        self.runs += 1
        begin = time.monotonic()
        token = secrets.token_hex(16)
        request = _run_frame(program, arguments, tier, limits, token, parcel)
        exchange = _Exchange(self._channel, limits, tools, token, parcel)
        try:
            end = exchange.run(request, begin)
            changes, left_out = _read_changes(end, parcel)
        except TimeoutError:
            self._close_in_doubt()
            error = f"No end was in sight {exchange.patience_s:g} s after the deadline."
            return Outcome(Status.TIMEOUT, error=error, duration_s=time.monotonic() - begin)
        except (ChannelClosedError, UnsoundChangesError) as error:
            if exchange.started:
                self._close_in_doubt()
            else:
                self.close()
            raise WorkerLostError(str(error), started=exchange.started) from error
        except BaseException:
            # Of the gateway: the worker still waits for an answer.
            with contextlib.suppress(SandboxUnavailableError):
                self.close()
            raise
        duration_s = time.monotonic() - begin
        self.reusable = self.reusable and end.header.get("clean") is True
        outcome = _outcome(end, duration_s)
        if changes or left_out:
            effects = outcome.effects | {Capability.WRITE}
            return replace(outcome, changes=changes, left_out=left_out, effects=effects)
        return outcome


def with_hosts(outcome: Outcome, asked: tuple[str, ...]) -> Outcome:
    """Return an outcome with what its run asked to be connected to."""
    if not asked:
        return outcome
    return replace(outcome, hosts=asked, effects=outcome.effects | {Capability.NETWORK})


def _run_frame(
    program: Program,
    arguments: Mapping[str, Json],
    tier: Tier,
    limits: Limits,
    token: str,
    parcel: Parcel | None,
) -> bytes:
    files = parcel.bundle if parcel else b""
    walled = program.walled and tier is Tier.SANDBOX
    header = {
        "kind": "run",
        "program": _name_of(program.source, walled=walled),
        "token": token,
        "wall_s": limits.wall_s,
        "memory_bytes": limits.memory_mb << 20,
        "output_bytes": limits.output_bytes,
        "processes": limits.processes,
        "files_bytes": len(files),
    }
    job = {
        "source": program.source,
        "entry": program.entry,
        "walled": walled,
        "arguments": dict(arguments),
    }
    return encode_frame(header, files + _encode(job).encode("ascii"))


@lru_cache(maxsize=64)
def _name_of(source: str, *, walled: bool) -> str:
    text = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text} behind the wall" if walled else text


class _Exchange:
    """What goes back and forth in one run."""

    def __init__(
        self,
        channel: Channel,
        limits: Limits,
        tools: ToolGateway | None,
        token: str,
        parcel: Parcel | None,
    ) -> None:
        self.started = False
        self.patience_s = _GRACE_S + _CLEANUP_S + (_FILES_S if parcel else 0)
        self._token = token
        self._channel = channel
        self._tools = tools
        self._wall_s = limits.wall_s
        self._max_body = 2 * limits.output_bytes + _SLACK
        if parcel:
            self._max_body += parcel.capacity + INDEX_LENGTH.size + MAX_INDEX

    def run(self, request: bytes, begin: float) -> Frame:
        deadline = begin + self._wall_s + self.patience_s
        self._channel.send(request, deadline)
        while True:
            frame = self._channel.receive(self._max_body, deadline)
            if frame.header.get("token") != self._token:
                msg = "the worker sent a frame that does not belong to this run"
                raise ChannelClosedError(msg)
            if frame.kind == "end":
                return frame
            if frame.kind == "started":
                self.started = True
            elif frame.kind == "call":
                self.started = True
                answer = _answer(frame.body, self._tools)
                # The gateway's time counts: but an answer that is late may still be sent, so that
                # it is the worker that says how the run ended.
                deadline = max(deadline, time.monotonic() + self.patience_s)
                self._channel.send(answer, deadline)
            else:
                msg = f"the worker sent a frame of kind {frame.kind!r}"
                raise ChannelClosedError(msg)


def _answer(request: bytes, tools: ToolGateway | None) -> bytes:
    try:
        name, arguments = _read_call(request)
        if tools is None:
            msg = f"{name} cannot be called: this run was given no tools"
            raise ToolCallError(msg)
        body = _encode_answer(name, tools(name, arguments))
    except ToolCallError as error:
        return encode_frame({"kind": "answer", "ok": False}, str(error).encode("utf-8", "replace"))
    return encode_frame({"kind": "answer", "ok": True}, body)


def _encode_answer(name: str, value: Json) -> bytes:
    try:
        return json.dumps(value, allow_nan=False).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"the result of {name} is not JSON: {error}"
        raise ToolCallError(msg) from error


def _read_call(request: bytes) -> tuple[str, JsonObject]:
    try:
        call = decode_untrusted(request)
    except ValueError as error:
        msg = f"the call is no JSON: {error}"
        raise ToolCallError(msg) from error
    match call:
        case {"name": str(name), "arguments": dict(arguments)}:
            return name, arguments
    msg = "call_tool takes the name of a tool and an object of arguments"
    raise ToolCallError(msg)


def _files_bytes(end: Frame) -> int:
    count = end.header.get("files_bytes", 0)
    if not isinstance(count, int) or not 0 <= count <= len(end.body):
        msg = f"files of {count} bytes in {len(end.body)}"
        raise UnsoundChangesError(msg)
    return count


def _read_changes(
    end: Frame, parcel: Parcel | None
) -> tuple[tuple[FileChange, ...], tuple[str, ...]]:
    """Read what became of the files that a program found.

    Raises:
        UnsoundChangesError: it is nothing that could have become of them.
    """
    files = end.body[len(end.body) - _files_bytes(end) :]
    return parcel.read_changes(files) if parcel else ((), ())


def _outcome(end: Frame, duration_s: float) -> Outcome:
    header = end.header
    if header["status"] == "unavailable":
        msg = f"The sandbox could not set up a process for the program: {header['error']}"
        raise SandboxUnavailableError(msg)
    payload_bytes = cast("int", header["payload_bytes"])
    printed = end.body[payload_bytes : len(end.body) - _files_bytes(end)]
    payload, stdout = end.body[:payload_bytes], printed.decode("utf-8", "replace")
    effects = _CAPABILITIES & {*cast("list[str]", header["effects"])}
    if header["status"] == "failed":
        status, error = _read_failure(payload)
        return Outcome(status, None, error, stdout, duration_s, effects)
    if header["status"] == "refused":
        error = f"The wall refuses the program: {payload.decode('utf-8', 'replace')}."
        return Outcome(Status.REFUSED, None, error, stdout, duration_s, effects)
    status, error, value = Status(header["status"]), cast("str", header["error"]), None
    if status is Status.OK:
        try:
            value = decode_untrusted(payload)
        except ValueError as problem:
            status, error = Status.ERROR, f"ValueError: the result is not JSON: {problem}"
    return Outcome(status, value, error, stdout, duration_s, effects)


def _read_failure(payload: bytes) -> tuple[Status, str]:
    """Read what a program's process says about its own failure; it can be no other verdict."""
    with contextlib.suppress(ValueError):
        match decode_untrusted(payload):
            case {"status": "error" | "memory" | "killed" as status, "error": str(error)}:
                return Status(status), error
    return Status.KILLED, "The program wrote to the sandbox's own channel."
