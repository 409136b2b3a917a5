"""Programs that attack the sandbox itself: they spoil their own run at most."""

from __future__ import annotations

import pytest

from toolguild.sandbox import Limits, Status

BRIEF = Limits(wall_s=1)


def _still_works(run) -> bool:
    return run("def tool(): return 'alive'").value == "alive"


@pytest.mark.parametrize("numbers", ["range(21)", "range(5)", "(1,)", "(3,)", "(4,)"])
def test_closing_descriptors(run, numbers) -> None:
    source = f"""
    import os
    def tool():
        for number in {numbers}:
            try: os.close(number)
            except OSError: pass
        return call_tool("a", {{}})
    """
    outcome = run(source, limits=BRIEF, tools=lambda *_: 1)
    assert outcome.status in (Status.ERROR, Status.KILLED, Status.OK)
    assert outcome.value in (None, 1)
    assert _still_works(run)


def test_swapping_descriptors(run) -> None:
    source = """
    import os
    def tool():
        read, write = os.pipe()
        for number in range(3, 64):
            try: os.dup2(write, number)
            except OSError: pass
        return "lost"
    """
    outcome = run(source, limits=BRIEF)
    assert outcome.status in (Status.KILLED, Status.TIMEOUT)
    assert _still_works(run)


FORGERIES = {
    "json": b'{"kind": "end", "status": "ok", "payload_bytes": 2, "error": "", "clean": true}42',
    "host frame": b"\0\0\0\x10\0\0\0\0" + b'{"kind": "ready"}',
    "endless length": b"v\xff\xff\xff\xff42",
    "endless note": b"e\xff\xff\xff\xff42",
    "unknown letter": b"q\0\0\0\x0242",
    "second set-up": b"s\0\0\0\0s\0\0\0\0v\0\0\0\x0242",
    "late failure to set up": b"x\0\0\0\x0242",
    "failure that is no json": b"e\0\0\0\x0242",
    "failure with a status of ours": b'e\0\0\0\x22{"status": "ok", "error": "gotcha"}',
    "failure without text": b'e\0\0\0\x20{"status": "error", "error": 42}'[:37],
    "zeros": bytes(64),
}


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES.keys())
def test_forged_messages_do_not_become_a_value(run, forged) -> None:
    source = f"""
    import os
    def tool():
        for number in range(64):
            try: os.write(number, {forged!r})
            except OSError: pass
        os._exit(0)
    """
    outcome = run(source, limits=BRIEF)
    assert outcome.status in (Status.KILLED, Status.OUTPUT_LIMIT), outcome
    assert outcome.value is None
    assert _still_works(run)


def test_frames_for_a_later_run_written_past_the_supervisor_do_not_count(run) -> None:
    # Linux refuses to open these; gVisor opens them, and there the token keeps them out.
    source = """
    import json, os
    def tool():
        end = {"kind": "end", "status": "ok", "error": "", "payload_bytes": 2, "clean": True}
        head = json.dumps(end).encode()
        frame = len(head).to_bytes(4, "big") + (2).to_bytes(4, "big") + head + b"42"
        for number in range(64):
            try: os.write(os.open(f"/proc/1/fd/{number}", os.O_WRONLY | os.O_NONBLOCK), frame)
            except OSError: pass
        return "first"
    """
    assert run(source, limits=BRIEF).value in ("first", None)
    assert _still_works(run)


FORGED_CODE = """
import marshal, os
code = marshal.dumps(compile("def tool(): return 'forged'", "<tool>", "exec"))
os.write(3, b"p" + len(code).to_bytes(4, "big") + code)
def tool(): return "own"
"""


def test_what_a_program_says_that_it_was_compiled_to_does_not_count(run) -> None:
    for _ in range(3):  # from its text, and from what that was compiled to
        outcome = run(FORGED_CODE, limits=BRIEF)
        assert outcome.status is Status.KILLED, outcome
        assert outcome.value is None


def test_a_program_is_the_same_each_time(run) -> None:
    source = """
    import sys
    seen = []
    def tool(number: int = 3) -> list:
        seen.append(number)
        return [seen, __name__, tool.__code__.co_filename, sys._getframe().f_lineno]
    """
    first = run(source)
    assert first.ok, first
    assert [run(source).value for _ in range(3)] == [first.value] * 3


def test_closing_its_own_channel_ends_a_program(run) -> None:
    outcome = run("import os, time\ndef tool():\n    os.close(3)\n    time.sleep(3600)")
    assert outcome.status is Status.KILLED, outcome
    assert "channel" in outcome.error


def test_a_well_formed_value_is_just_the_programs_value(run) -> None:
    source = "import os\ndef tool():\n    os.write(3, b'v\\0\\0\\0\\x0242')\n    return 1"
    assert run(source).value == 42  # as if it had returned 42; what comes after is not read


@pytest.mark.parametrize(
    "text",
    [
        b"NaN",
        b"1e999",
        b'"\\ud800"',
        b"[" * 5000 + b"]" * 5000,
        b"[" * 300 + b"]" * 300,
        b"\xff\xfe",
        b"{",
        b"",
        b"1 2",
        b"-Infinity",
        b"1" * 5000,
    ],
)
def test_a_forged_value_that_is_no_strict_json_is_an_error(run, text) -> None:
    source = f"""
    import os
    def tool():
        os.write(3, b"v" + len({text!r}).to_bytes(4, "big") + {text!r})
        return 1
    """
    outcome = run(source)
    assert outcome.status is Status.ERROR
    assert outcome.error.startswith("ValueError: the result is not JSON: ")
    assert _still_works(run)


def test_forged_calls_are_only_calls(run) -> None:
    source = """
    import os
    def tool():
        request = b'{"name": "a", "arguments": {}}'
        for _ in range(3):
            os.write(3, b"c" + len(request).to_bytes(4, "big") + request)
        for junk in (b"[]", b"{", b'{"name": 1}'):
            os.write(3, b"c" + len(junk).to_bytes(4, "big") + junk)
        return "done"
    """
    calls = []
    outcome = run(source, tools=lambda name, arguments: calls.append(name))
    assert outcome.value == "done"
    assert calls == ["a"] * 3
    assert _still_works(run)


@pytest.mark.parametrize(
    "signal", ["SIGKILL", "SIGTERM", "SIGSTOP", "SIGINT", "SIGCHLD", "SIGSEGV"]
)
def test_signals_at_the_supervisor(run, signal) -> None:
    # It is process 2 of its namespace, and has the program's identity.
    source = f"""
    import os, signal
    def tool():
        for target in (1, 2, 3, -1, 0, -os.getppid()):
            try: os.kill(target, signal.{signal})
            except OSError: pass
        return "done"
    """
    outcome = run(source, limits=BRIEF)
    assert outcome.value == "done", outcome
    assert _still_works(run)


@pytest.mark.parametrize("signal", ["SIGSTOP", "SIGKILL"])
def test_signals_at_itself(run, signal) -> None:
    source = f"import os, signal\ndef tool(): os.kill(os.getpid(), signal.{signal})"
    expected = Status.TIMEOUT if signal == "SIGSTOP" else Status.KILLED
    assert run(source, limits=BRIEF).status is expected
    assert _still_works(run)


def test_patching_what_carries_the_value(run) -> None:
    source = """
    import builtins, json, os
    def tool():
        json.dumps = json.JSONEncoder.encode = json.JSONEncoder.iterencode = lambda *a, **k: "42"
        json.encoder.encode_basestring = json.encoder.encode_basestring_ascii = lambda s: "42"
        for name in ("isinstance", "type", "len", "next", "id", "repr", "str", "dict", "list"):
            setattr(builtins, name, lambda *a, **k: 42)
        return {"wrong": ["text", 1.5]}
    """
    assert run(source).value == {"wrong": ["text", 1.5]}


def test_tracing_what_carries_the_value(run) -> None:
    source = """
    import sys
    def tool():
        def trace(frame, event, argument):
            for name in ("value", "plain", "encoded", "result", "payload"):
                if name in frame.f_locals:
                    frame.f_locals[name] = 42
            return trace
        sys.settrace(trace)
        frame = sys._getframe()
        while frame:
            frame.f_trace = trace
            frame = frame.f_back
        return "wrong"
    """
    # Within its own process the program may spoil its value; the next run has none of it.
    assert run(source).status in (Status.OK, Status.ERROR, Status.KILLED)
    assert run("def tool(): return 'right'").value == "right"


@pytest.mark.parametrize(
    "late",
    [
        "atexit.register(lambda: os.write(3, b'v\\0\\0\\0\\x0242'))",
        "threading.Timer(0.2, os.write, (3, b'v\\0\\0\\0\\x0242')).start()",
    ],
    ids=["atexit", "thread"],
)
def test_nothing_happens_after_the_value(run, late) -> None:
    source = f"import atexit, os, threading, time\ndef tool():\n    {late}\n    return 'first'"
    assert run(source).value == "first"
    assert _still_works(run)


@pytest.mark.parametrize("replacement", ["None", "open('/dev/null', 'w')", "io.StringIO()", "42"])
def test_stdout_may_be_replaced_or_closed(run, replacement) -> None:
    source = f"""
    import io, sys
    def tool():
        print("before")
        sys.stdout.close()
        sys.stdout = sys.stderr = {replacement}
        return 1
    """
    assert run(source).value == 1
    assert _still_works(run)


def test_an_object_that_lies_about_itself_is_no_json(run) -> None:
    source = """
    class Liar:
        __class__ = dict
        def items(self): return [("passed", True)]
        def __eq__(self, other): return True
        def __reduce__(self): return (print, ())
    def tool(): return Liar()
    """
    outcome = run(source)
    assert outcome.error == "TypeError: the result holds a Liar at $, which JSON cannot carry"


def test_what_the_program_calls_itself_reaches_the_host_as_plain_text(run) -> None:
    source = "def tool(): raise type('E', (Exception,), {})('\\ud800\\x1b[31m' + 'x' * 100_000)"
    outcome = run(source)
    assert outcome.status is Status.ERROR
    assert len(outcome.error) < 2100
    outcome.error.encode("utf-8")
