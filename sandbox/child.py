"""The process of one call: loads the program, calls its entry, hands over what came of it.

Everything here shares a process with the program, so nothing here is believed: the supervisor
takes from it a value, an exception or a request, and measures and ends it from outside.

To the supervisor go messages of a letter, a big-endian 32-bit length and a payload:

- `s`: set up; once a `g` has come back, the program runs
- `x`: could not be set up; a sentence
- `v`: the value, as JSON
- `e`: the program failed; JSON of `status` and `error`
- `c`: a call of another tool; JSON of `name` and `arguments`

and answers to `c` come back in the same form as `v` or, with a sentence, as `e`.
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
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NoReturn

from toolguild.sandbox import kernel, seccomp
from toolguild.sandbox.plain import encode_plain

__all__ = ["MESSAGE_HEAD", "MODULE_NAME", "Job", "run_child"]

MESSAGE_HEAD = struct.Struct("!cI")
MODULE_NAME = "tool"
"""Under which the program is found in `sys.modules`."""

_UP, _DOWN = 3, 4  # the child's only descriptors besides 0, 1 and 2
_MAX_ERROR = 2000  # characters of an exception's text


@dataclass(frozen=True, slots=True)
class Job:
    """What one child is to do, and within which bounds."""

    source: str
    entry: str
    arguments: dict[str, Any]
    address_space: int
    """Bytes the process may map, 0 for no limit."""
    cpu_s: int
    """Seconds of processor time: only a second line behind the supervisor's deadline."""
    processes: int
    """Value of RLIMIT_NPROC, 0 for no limit."""
    seccomp_filter: bytes
    """Assembled filter on top of the worker's own, empty for none."""


class ToolCallError(Exception):
    """A tool called through `call_tool` failed or was refused."""


ToolCallError.__module__ = MODULE_NAME


def run_child(job: Job, stdout: int, up: int, down: int) -> NoReturn:
    """Take over a freshly forked process, whose descriptors 0 to 4 are /dev/null; never returns.

    Args:
        job: What to do.
        stdout: Descriptor of the pipe for what the program prints.
        up: Descriptor of the pipe to the supervisor.
        down: Descriptor of the pipe from the supervisor.
    """
    try:
        _take_descriptors(stdout, up, down)
        _confine(job)
    except BaseException as error:
        _send(b"x", f"{type(error).__name__}: {error}".encode("utf-8", "replace"))
        os._exit(1)
    try:
        _send(b"s", b"")
        # Only once the host knows that the program runs: from then on the end of the worker may be
        # the program's doing, and the run is not tried again.
        _receive(MESSAGE_HEAD.size)
        _execute(job)
    finally:
        os._exit(0)


def _take_descriptors(stdout: int, up: int, down: int) -> None:
    # The sources lie above the targets, so no copy overwrites one that is still needed.
    for source, target in ((stdout, 1), (up, _UP), (down, _DOWN)):
        os.dup2(source, target, inheritable=False)
    kernel.close_everything_from(_DOWN + 1)


def _confine(job: Job) -> None:
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if job.processes:
        resource.setrlimit(resource.RLIMIT_NPROC, (job.processes, job.processes))
    resource.setrlimit(resource.RLIMIT_CPU, (job.cpu_s, job.cpu_s))
    if job.address_space:
        resource.setrlimit(resource.RLIMIT_AS, (job.address_space, job.address_space))
    if sys.platform == "linux":
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if job.seccomp_filter:
        seccomp.install(job.seccomp_filter)
    gc.enable()


def _execute(job: Job) -> None:
    try:
        entry = _load(job)
        _send_value(entry(**job.arguments))
    except MemoryError:
        # The traceback still holds what filled the memory: nothing may be built here.
        os.write(_UP, _MEMORY_MESSAGE)
    except SystemExit as error:
        _send_failure("killed", f"The program left with sys.exit({_text_of(error)}).")
    except BaseException as error:
        _send_failure("error", f"{type(error).__name__}: {_text_of(error)}")


_printed = sys.stdout  # the program may put something else in its place


def _flush() -> None:
    # The program may have closed it, or bent it: then nothing of it is left to flush.
    with contextlib.suppress(BaseException):
        _printed.flush()


def _load(job: Job) -> Any:
    module = ModuleType(MODULE_NAME)
    module.__dict__.update(
        __builtins__=sys.modules["builtins"], call_tool=_call_tool, ToolCallError=ToolCallError
    )
    sys.modules[MODULE_NAME] = module
    # From the text itself: a coding cookie in it means nothing, as it meant nothing to the checker.
    exec(compile(job.source, f"<{MODULE_NAME}>", "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - what the sandbox is for
    try:
        return module.__dict__[job.entry]
    except KeyError:
        msg = f"the program defines no {job.entry!r}"
        raise NameError(msg) from None


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


def _send(kind: bytes, payload: bytes) -> None:
    data = memoryview(MESSAGE_HEAD.pack(kind, len(payload)) + payload)
    while data:
        data = data[os.write(_UP, data) :]


def _receive(length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = os.read(_DOWN, length - len(data))
        if not part:
            raise ToolCallError("the sandbox closed the connection")  # noqa: EM101 - no variable part
        data += part
    return data


_MEMORY_PAYLOAD = b'{"status": "memory", "error": "The memory limit was reached."}'
_MEMORY_MESSAGE = MESSAGE_HEAD.pack(b"e", len(_MEMORY_PAYLOAD)) + _MEMORY_PAYLOAD
