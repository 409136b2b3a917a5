"""Limits are kept from outside, whatever the program does, and the sandbox goes on."""

from __future__ import annotations

import math
import time

import pytest

from toolguild.policies import Tier
from toolguild.sandbox import Limits, Program, Status

BRIEF = Limits(wall_s=0.4)


def _still_works(run) -> bool:
    return run("def tool(): return 'alive'").value == "alive"


@pytest.mark.parametrize(
    "source",
    [
        "def tool():\n    while True: pass",
        "import time\ndef tool(): time.sleep(1e6)",
        "import re\ndef tool(): return bool(re.match(r'(a+)+$', 'a' * 60 + 'b'))",
        "def tool(): return len(str(7 ** (7 ** 8)))",
        "def tool():\n    while True:\n        try:\n            while True: pass\n"
        "        except BaseException: pass",
        "while True: pass",
        "class Slow(Exception):\n    def __str__(self):\n        while True: pass\n"
        "def tool(): raise Slow",
        "import signal, time\ndef tool():\n"
        "    for s in range(1, 32):\n"
        "        try: signal.signal(s, signal.SIG_IGN)\n"
        "        except (OSError, ValueError): pass\n"
        "    while True: time.sleep(1)",
        "import threading\ndef tool():\n    lock = threading.Lock()\n    lock.acquire()\n"
        "    lock.acquire()",
    ],
    ids=["loop", "sleep", "regex", "bigint", "swallow", "import", "message", "signals", "deadlock"],
)
def test_the_deadline_ends_everything(run, source) -> None:
    begin = time.monotonic()
    outcome = run(source, limits=BRIEF)
    assert outcome.status is Status.TIMEOUT
    assert time.monotonic() - begin < BRIEF.wall_s + 2
    assert _still_works(run)


def test_waiting_for_another_tool_counts_towards_the_deadline(run) -> None:
    def gateway(name, arguments):
        time.sleep(0.8)
        return 1

    outcome = run("def tool(): return call_tool('slow', {})", limits=BRIEF, tools=gateway)
    assert outcome.status is Status.TIMEOUT
    assert _still_works(run)


@pytest.mark.parametrize("pause_s", [0.0, 0.3])
def test_an_answer_that_comes_too_late_is_not_the_next_runs(run, pause_s) -> None:
    """Not even where the worker has set up the next process before the answer comes."""

    def gateway(name, arguments):
        time.sleep(0.6)
        return "late"

    source = "def tool(): return call_tool('slow', {})"
    assert run(source, limits=Limits(wall_s=0.2), tools=gateway).status is Status.TIMEOUT
    time.sleep(pause_s)
    assert run("def tool(): return call_tool('x', {})", tools=lambda *_: "own").value == "own"
    assert _still_works(run)


@pytest.mark.parametrize(
    "body",
    [
        "hoard = []\n    while True: hoard.append(' ' * 10_000_000)",
        "return 'R' * (1 << 30)",
        "return len(bytearray(1 << 40))",
        "return [0] * (1 << 34)",
    ],
    ids=["hoard", "result", "bytes", "list"],
)
def test_memory_beyond_the_limit_has_its_own_status(run, body) -> None:
    outcome = run(f"def tool():\n    {body}", limits=Limits(memory_mb=128))
    assert outcome.status is Status.MEMORY, outcome
    assert _still_works(run)


@pytest.mark.parametrize("shared", [True, False])
def test_memory_maps_count_as_memory(run, shared) -> None:
    source = """
    import mmap
    def tool(shared):
        flags = mmap.MAP_SHARED if shared else mmap.MAP_PRIVATE
        try:
            maps = [mmap.mmap(-1, 1 << 24, flags | mmap.MAP_ANONYMOUS) for _ in range(64)]
        except OSError as error:
            return error.errno
    """
    enomem = 12
    assert run(source, {"shared": shared}, limits=Limits(memory_mb=128)).value == enomem


def test_memory_within_the_limit_can_be_used(run) -> None:
    source = "def tool():\n    b = bytearray(100 << 20)\n    return len(b)"
    assert run(source, limits=Limits(memory_mb=128)).value == 100 << 20


@pytest.mark.parametrize(
    "body",
    ["print('x' * 1000)", "sys.stdout.write('.'); sys.stdout.flush()", "os.write(1, b'y' * 65536)"],
    ids=["lines", "bytes", "raw"],
)
def test_a_flood_on_stdout_is_cut_off(run, body) -> None:
    source = f"import os, sys\ndef tool():\n    while True:\n        {body}"
    outcome = run(source, limits=Limits(output_bytes=2000))
    assert outcome.status is Status.OUTPUT_LIMIT
    assert len(outcome.stdout) == 2000
    assert _still_works(run)


def test_a_flood_on_stderr_goes_nowhere_and_blocks_nothing(run) -> None:
    source = "import sys\ndef tool():\n    sys.stderr.write('x' * 5_000_000)\n    return 1"
    assert run(source).value == 1


def test_a_result_beyond_the_limit_says_how_large_it_is(run) -> None:
    outcome = run("def tool(): return 'x' * 5000", limits=Limits(output_bytes=1000))
    assert (outcome.status, outcome.error) == (
        Status.OUTPUT_LIMIT,
        "The result has 5002 bytes as JSON; the limit is 1000.",
    )
    exact = run("def tool(): return 'x' * 998", limits=Limits(output_bytes=1000))
    assert exact.status is Status.OK


def test_threads_are_bounded_and_the_bound_is_exact(run) -> None:
    source = """
    import threading, time
    def tool():
        count = 1
        try:
            while True:
                threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
                count += 1
        except RuntimeError:
            return count
    """
    assert run(source, limits=Limits(processes=7)).value == 7
    assert run(source, limits=Limits(processes=16)).value == 16


@pytest.mark.parametrize(
    "body",
    [
        "while True:\n        try: os.fork()\n        except OSError: continue",
        "pids = [os.fork() for _ in range(10_000)]",
        "subprocess.Popen(['sleep', '1000'])",
        "os.posix_spawn('/usr/bin/python3', ['python3'], {})",
        "multiprocessing.get_context('fork').Process(target=print).start()",
        "os.execv('/usr/bin/python3', ['python3', '-c', '1'])",
    ],
    ids=["bomb", "forks", "popen", "spawn", "multiprocessing", "exec"],
)
def test_a_program_stays_one_process(run, body) -> None:
    source = f"import multiprocessing, os, subprocess\ndef tool():\n    {body}"
    outcome = run(source, limits=Limits(wall_s=1))
    assert outcome.status in (Status.ERROR, Status.TIMEOUT)
    if outcome.status is Status.ERROR:
        assert outcome.error.startswith(("PermissionError", "FileNotFoundError"))
    assert _still_works(run)


def test_descriptors_run_out_inside_only(run) -> None:
    source = """
    import os
    def tool():
        opened = []
        try:
            while True:
                opened.append(os.open("/dev/null", os.O_RDONLY))
        except OSError as error:
            return [error.errno, len(opened) < 128]
    """
    emfile = 24
    assert run(source).value == [emfile, True]
    assert _still_works(run)


@pytest.mark.parametrize(
    "limits",
    [Limits(wall_s=0), Limits(wall_s=math.inf), Limits(memory_mb=-1), Limits(processes=0)],
)
def test_limits_that_are_none_are_the_callers_error(sandbox, limits) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        sandbox.run(Program("", "tool"), {}, tier=Tier.SANDBOX, limits=limits)
