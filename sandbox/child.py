"""The process of one call: loads the program, calls its entry, hands over what came of it.

Everything here shares a process with the program, so nothing here is believed: the supervisor
takes from it a value, an exception or a request, and measures and ends it from outside.

To the supervisor go messages of a letter, a big-endian 32-bit length and a payload:

- `s`: set up, waiting for its job
- `r`: the wall refuses the program; a sentence
- `p`: the wall lets the program pass: it runs now, and an `r` after this would be its own
- `x`: could not be set up; a sentence
- `u`: the program makes use of a capability, which it names; once each
- `v`: the value, as JSON
- `e`: the program failed; JSON of `status` and `error`
- `c`: a call of another tool; JSON of `name` and `arguments`

and in the same form come from it

- `j`: the job; its limits as `JOB_LIMITS`, then JSON of `source`, `entry`, `walled`
  and `arguments`
- `w`: there is time before the job comes, to be used for rehearsing it
- `v`, or with a sentence `e`: the answer to a `c`
"""

from __future__ import annotations

import _thread
import contextlib
import gc
import json
import os
import resource
import signal
import struct
import sys

# `signal.signal` itself makes enums of what it returns, which takes longer than the rest of the
# set-up: a forked process pays for every page that it touches first.
from _signal import signal as set_signal  # type: ignore[import-not-found]  # not in typeshed
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any, NoReturn

from toolguild.sandbox import kernel, seccomp
from toolguild.sandbox.observation import Listener
from toolguild.sandbox.plain import encode_plain
from toolguild.sandbox.wall.wall import RefusedError, Wall, line_of

__all__ = ["JOB_LIMITS", "MAX_DESCRIPTORS", "MESSAGE_HEAD", "MODULE_NAME", "run_child"]

MESSAGE_HEAD = struct.Struct("!cI")
JOB_LIMITS = struct.Struct("!QQQ")
"""Bytes that the process may map, seconds of processor time (only a second line behind the
supervisor's deadline), and the value of RLIMIT_NPROC; 0 for no limit."""
MODULE_NAME = "tool"
"""Under which the program is found in `sys.modules`."""

MAX_DESCRIPTORS = 128
"""That the process may have open; the nursery, which it comes from, has no higher number either."""

_SIG_DFL = int(signal.SIG_DFL)
_UP, _DOWN = 3, 4  # the child's only descriptors besides 0, 1 and 2
_MAX_ERROR = 2000  # characters of an exception's text


class ToolCallError(Exception):
    """A tool called through `call_tool` failed or was refused."""


ToolCallError.__module__ = MODULE_NAME


def run_child(
    seccomp_filter: bytes,
    wall: Wall,
    observe: Callable[[Listener], None],
    stdout: int,
    up: int,
    down: int,
) -> NoReturn:
    """Take over a freshly forked process, whose descriptors 0 to 4 are /dev/null; never returns.

    Args:
        seccomp_filter: Assembled filter on top of the worker's own, empty for none.
        wall: What a program of the `sandbox` tier runs behind.
        observe: Starts watching which capabilities the program makes use of.
        stdout: Descriptor of the pipe for what the program prints.
        up: Descriptor of the pipe to the supervisor.
        down: Descriptor of the pipe from the supervisor.
    """
    try:
        _take_descriptors(stdout, up, down)
        _confine(seccomp_filter)
    except BaseException as error:
        _send(b"x", f"{type(error).__name__}: {error}".encode("utf-8", "replace"))
        os._exit(1)
    try:
        _send(b"s", b"")
        kind, length = MESSAGE_HEAD.unpack(_receive(MESSAGE_HEAD.size))
        if kind == b"w":
            _rehearse(wall)
            _, length = MESSAGE_HEAD.unpack(_receive(MESSAGE_HEAD.size))
        _limit(*JOB_LIMITS.unpack(_receive(JOB_LIMITS.size)))
        _execute(length - JOB_LIMITS.size, wall, observe)
    finally:
        os._exit(0)


def _take_descriptors(stdout: int, up: int, down: int) -> None:
    # The sources lie above the targets, so no copy overwrites one that is still needed.
    for source, target in ((stdout, 1), (up, _UP), (down, _DOWN)):
        os.dup2(source, target, inheritable=False)
    os.closerange(_DOWN + 1, MAX_DESCRIPTORS)


def _confine(seccomp_filter: bytes) -> None:
    os.setsid()
    signal.set_wakeup_fd(-1)
    set_signal(signal.SIGCHLD, _SIG_DFL)
    set_signal(signal.SIGINT, signal.default_int_handler)
    # The end of process 1 is the end of its namespace; any other parent could be outlived.
    if sys.platform == "linux" and os.getppid() != 1:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if seccomp_filter:
        seccomp.install(seccomp.for_process(seccomp_filter, os.getpid()))
    gc.enable()


def _rehearse(wall: Wall) -> None:
    """Go through the motions of a job, and keep nothing of it.

    A forked process waits for the kernel at each page that it touches for the first time. This way
    it does so ahead of the job.
    """
    with contextlib.suppress(Exception):
        source = _decode_json('{"source": "def tool(x):\\n    return [x.real, 1.5]\\n"}')["source"]
        namespace: dict[str, Any] = {}
        exec(compile(source, "<rehearsal>", "exec", dont_inherit=True), namespace)  # noqa: S102 - ours
        encode_plain({"value": namespace["tool"](1)}, "the rehearsal")
        wall.compile(source)


def _limit(address_space: int, cpu_s: int, processes: int) -> None:
    for limit, value in (
        (resource.RLIMIT_AS, address_space),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_NPROC, processes),
    ):
        if value:
            resource.setrlimit(limit, (value, value))


def _execute(job_bytes: int, wall: Wall, observe: Callable[[Listener], None]) -> None:
    try:
        job = _decode_json(_receive(job_bytes).decode("utf-8"))
        entry = _load(job["source"], job["entry"], wall if job["walled"] else None, observe)
        _send_value(entry(**job["arguments"]))
    except MemoryError:
        # The traceback still holds what filled the memory: nothing may be built here.
        os.write(_UP, _MEMORY_MESSAGE)
    except SystemExit as error:
        _send_failure("killed", f"The program left with sys.exit({_text_of(error)}).")
    except RefusedError as error:
        place = line_of(error)
        _send_failure("error", f"{type(error).__name__}: {place}{_text_of(error)}")
    except BaseException as error:
        _send_failure("error", f"{type(error).__name__}: {_text_of(error)}")


_printed = sys.stdout  # the program may put something else in its place


def _flush() -> None:
    # The program may have closed it, or bent it: then nothing of it is left to flush.
    with contextlib.suppress(BaseException):
        _printed.flush()


def _load(source: str, entry: str, wall: Wall | None, observe: Callable[[Listener], None]) -> Any:
    if wall is None:
        module = ModuleType(MODULE_NAME)
        module.__dict__["__builtins__"] = sys.modules["builtins"]
    else:
        module = wall.module
    module.__dict__.update(call_tool=_call_tool, ToolCallError=ToolCallError)
    sys.modules[MODULE_NAME] = module
    # From the text itself: a coding cookie in it means nothing, as it meant nothing to the checker.
    if wall is None:
        code = compile(source, f"<{MODULE_NAME}>", "exec", dont_inherit=True)
    else:
        code = _behind_wall(source, wall)
    observe(_tell_use)
    exec(code, module.__dict__)  # noqa: S102 - what the sandbox is for
    try:
        return module.__dict__[entry]
    except KeyError:
        msg = f"the program defines no {entry!r}"
        raise NameError(msg) from None


def _behind_wall(source: str, wall: Wall) -> CodeType:
    try:
        code = wall.compile(source)
    except RefusedError as error:
        _send(b"r", str(error)[:_MAX_ERROR].encode("utf-8", "backslashreplace"))
        os._exit(0)
    wall.enter()
    _send(b"p", b"")
    return code


_call_lock = _thread.allocate_lock()


def _call_tool(name: str, arguments: dict[str, Any] | None = None) -> Any:
    """Call another tool; its decoded JSON result comes back.

    Raises:
        ToolCallError: it failed or was refused.
    """
    given = {} if arguments is None else arguments
    request = encode_plain({"name": name, "arguments": given}, "the call")
    with _call_lock:
        _send(b"c", request)
        kind, length = MESSAGE_HEAD.unpack(_receive(MESSAGE_HEAD.size))
        payload = _receive(length).decode("utf-8")
    if kind == b"v":
        return _decode_json(payload)
    raise ToolCallError(payload)


_decode_json = json.JSONDecoder().decode


def _send_value(value: object) -> None:
    encoded = encode_plain(value, "the result")
    _flush()  # before the value, which ends the call
    _send(b"v", encoded)


def _send_failure(status: str, text: str) -> None:
    safe = text[:_MAX_ERROR].encode("utf-8", "backslashreplace").decode("utf-8")
    _flush()
    _send(b"e", encode_plain({"status": status, "error": safe}, "the failure"))


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # a hostile `__str__`, which may raise anything
        return "(its message cannot be shown)"


_untold: list[bytes] = []


def _tell_use(capability: str) -> None:
    _untold.append(MESSAGE_HEAD.pack(b"u", len(capability)) + capability.encode("ascii"))
    # Where a message is on its way, of this thread or another, waiting could be for ever: then
    # the next one takes this along.
    if _send_lock.acquire(blocking=False):
        try:
            _write_untold()
        finally:
            _send_lock.release()


_send_lock = _thread.allocate_lock()


def _write_untold() -> None:
    while _untold:
        _write(_untold.pop(0))


def _send(kind: bytes, payload: bytes) -> None:
    with _send_lock:
        _write_untold()
        _write(MESSAGE_HEAD.pack(kind, len(payload)) + payload)


def _write(message: bytes) -> None:
    data = memoryview(message)
    while data:
        data = data[os.write(_UP, data) :]


def _receive(length: int) -> bytearray:
    data = bytearray(length)
    rest = memoryview(data)
    while rest:
        count = os.readv(_DOWN, [rest])
        if not count:
            raise ToolCallError("the sandbox closed the connection")  # noqa: EM101 - no variable part
        rest = rest[count:]
    return data


_MEMORY_PAYLOAD = b'{"status": "memory", "error": "The memory limit was reached."}'
_MEMORY_MESSAGE = MESSAGE_HEAD.pack(b"e", len(_MEMORY_PAYLOAD)) + _MEMORY_PAYLOAD
