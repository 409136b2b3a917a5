"""The process of one call: loads the program, calls its entry, hands over what came of it.

Everything here shares a process with the program, so nothing here is believed: the supervisor
takes from it a value, an exception or a request, and measures and ends it from outside.

To the supervisor go messages of a letter, a big-endian 32-bit length and a payload:

- `s`: set up, waiting for its job
- `r`: the wall refuses the program; a sentence
- `p`: the program was compiled and runs now: an `r` or `p` after this would be its own; with its
  code as `marshal` writes it, unless that is longer than `MAX_CODE`
- `x`: could not be set up; a sentence
- `u`: the program makes use of a capability, which it names; once each
- `v`: the value, as JSON
- `e`: the program failed; JSON of `status` and `error`
- `c`: a call of another tool; JSON of `name` and `arguments`

and in the same form come from it

- `j`: the job; `JOB_HEAD`, the program's code where it was compiled before, then JSON of `source`,
  `entry`, `walled` and `arguments`
- `w`: there is time before the job comes, to be used for rehearsing it
- `v`, or with a sentence `e`: the answer to a `c`
"""

from __future__ import annotations

import _thread
import contextlib
import gc
import json
import marshal
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any, NoReturn

from toolguild.sandbox.inside.observation import Listener
from toolguild.sandbox.inside.plain import encode_plain
from toolguild.sandbox.linux import kernel, seccomp
from toolguild.sandbox.wall.wall import RefusedError, Wall, line_of

__all__ = ["JOB_HEAD", "MAX_CODE", "MAX_DESCRIPTORS", "MESSAGE_HEAD", "MODULE_NAME", "run_child"]

MESSAGE_HEAD = struct.Struct("!cI")
JOB_HEAD = struct.Struct("!QQQI")
"""Bytes that the process may map, seconds of processor time (only a second line behind the
supervisor's deadline), and the value of RLIMIT_NPROC; 0 for no limit. Then the length of code."""
MAX_CODE = 1 << 16
"""Bytes of a program's code that is kept, to be used again."""
MODULE_NAME = "tool"
"""Under which the program is found in `sys.modules`."""

MAX_DESCRIPTORS = 128
"""That the process may have open; the nursery, which it comes from, has no higher number either."""

_UP, _DOWN = 3, 4  # the child's only descriptors besides 0, 1 and 2
_MAX_ERROR = 2000  # characters of an exception's text


class ToolCallError(Exception):
    """A tool called through `call_tool` failed or was refused."""


ToolCallError.__module__ = MODULE_NAME


def run_child(
    program_filter: seccomp.Filter,
    wall: Wall,
    observe: Callable[[Listener], None],
    stdout: int,
    up: int,
    down: int,
) -> NoReturn:
    """Take over a freshly forked process, whose descriptors 0 to 4 are /dev/null; never returns.

    Args:
        program_filter: On top of the worker's own.
        wall: What a program of the `sandbox` tier runs behind.
        observe: Starts watching which capabilities the program makes use of.
        stdout: Descriptor of the pipe for what the program prints.
        up: Descriptor of the pipe to the supervisor.
        down: Descriptor of the pipe from the supervisor.
    """
    try:
        _take_descriptors(stdout, up, down)
        _confine(program_filter)
    except BaseException as error:
        _send(b"x", f"{type(error).__name__}: {error}".encode("utf-8", "replace"))
        os._exit(1)
    try:
        _send(b"s", b"")
        kind, length = MESSAGE_HEAD.unpack(_receive(MESSAGE_HEAD.size))
        if kind == b"w":
            rehearse(wall)
            _, length = MESSAGE_HEAD.unpack(_receive(MESSAGE_HEAD.size))
        *limits, code_bytes = JOB_HEAD.unpack(_receive(JOB_HEAD.size))
        _limit(*limits)
        _execute(code_bytes, length - JOB_HEAD.size - code_bytes, wall, observe)
    finally:
        os._exit(0)


def _take_descriptors(stdout: int, up: int, down: int) -> None:
    # The sources lie above the targets, so no copy overwrites one that is still needed.
    for source, target in ((stdout, 1), (up, _UP), (down, _DOWN)):
        os.dup2(source, target, inheritable=False)
    os.closerange(_DOWN + 1, MAX_DESCRIPTORS)


def _confine(program_filter: seccomp.Filter) -> None:
    os.setsid()
    # The end of process 1 is the end of its namespace; any other parent could be outlived.
    if sys.platform == "linux" and os.getppid() != 1:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    program_filter.fit(os.getpid())
    program_filter.install()
    gc.enable()


def rehearse(wall: Wall) -> None:
    """Go through the motions of a job, and keep nothing of it.

    A forked process waits for the kernel at each page that it touches for the first time. This way
    it does so ahead of the job.
    """
    with contextlib.suppress(Exception):
        source = _decode_json('{"source": "def tool(x):\\n    return [x.real, 1.5]\\n"}')["source"]
        namespace: dict[str, Any] = {}
        code = marshal.loads(marshal.dumps(_compile(source, None)))  # noqa: S302 - ours
        exec(code, namespace)  # noqa: S102 - ours
        encode_plain({"value": namespace["tool"](1)}, "the rehearsal")
        wall.compile(source)
        wall.rehearse()


def _limit(address_space: int, cpu_s: int, processes: int) -> None:
    for limit, value in (
        (resource.RLIMIT_AS, address_space),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_NPROC, processes),
    ):
        if value:
            resource.setrlimit(limit, (value, value))


def _execute(
    code_bytes: int, job_bytes: int, wall: Wall, observe: Callable[[Listener], None]
) -> None:
    try:
        compiled = _receive(code_bytes)
        job = _decode_json(_receive(job_bytes).decode("utf-8"))
        walled = wall if job["walled"] else None
        observe(_tell_use)  # ahead: what the wall refuses to compile was asked for, too
        # What is unmarshalled, a child of ours wrote before its program ran.
        code = marshal.loads(compiled) if compiled else _compile(job["source"], walled)  # noqa: S302
        entry = _load(code, job["entry"], walled, is_new=not compiled)
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


def _compile(source: str, wall: Wall | None) -> CodeType:
    if wall is None:
        # From the text itself: a coding cookie in it means nothing, as it meant nothing to the
        # checker.
        return compile(source, f"<{MODULE_NAME}>", "exec", dont_inherit=True)
    try:
        return wall.compile(source)
    except RefusedError as error:
        _send(b"r", str(error)[:_MAX_ERROR].encode("utf-8", "backslashreplace"))
        os._exit(0)


def _load(code: CodeType, entry: str, wall: Wall | None, *, is_new: bool) -> Any:
    if wall is None:
        module = ModuleType(MODULE_NAME)
        module.__dict__["__builtins__"] = sys.modules["builtins"]
    else:
        module = wall.module
        wall.enter()
    module.__dict__.update(call_tool=_call_tool, ToolCallError=ToolCallError)
    sys.modules[MODULE_NAME] = module
    if is_new:
        kept = marshal.dumps(code)
        _send(b"p", kept if len(kept) <= MAX_CODE else b"")
    exec(code, module.__dict__)  # noqa: S102 - what the sandbox is for
    try:
        return module.__dict__[entry]
    except KeyError:
        msg = f"the program defines no {entry!r}"
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
