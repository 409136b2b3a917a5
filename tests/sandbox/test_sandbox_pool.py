"""Workers come, are shared, are replaced, and go without a trace."""

from __future__ import annotations

import contextlib
import contextvars
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from toolguild.policies import Tier
from toolguild.sandbox import (
    Limits,
    Outcome,
    Program,
    Sandbox,
    SandboxUnavailableError,
    Status,
    ToolCallError,
    open_sandbox,
)

IDENTITY = Program("def tool(x): return x", "tool")


def run(sandbox: Sandbox, x: object = 1) -> Outcome:
    return sandbox.run(IDENTITY, {"x": x}, tier=Tier.SANDBOX)


def test_threads_get_their_own_results(sandbox) -> None:
    def work(thread: int) -> list[object]:
        return [run(sandbox, [thread, i]).value for i in range(25)]

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(work, range(8)))
    assert results == [[[thread, i] for i in range(25)] for thread in range(8)]


def test_threads_with_failing_programs_do_not_disturb_others(sandbox) -> None:
    programs = [
        ("def tool(x): return x", Status.OK),
        ("import os\ndef tool(x): os._exit(1)", Status.KILLED),
        ("def tool(x):\n    while True: pass", Status.TIMEOUT),
        ("def tool(x): raise ValueError", Status.ERROR),
    ]

    def work(n: int) -> bool:
        source, expected = programs[n % 4]
        program = Program(source, "tool", walled=False)
        outcome = sandbox.run(program, {"x": n}, tier=Tier.SANDBOX, limits=Limits(wall_s=0.5))
        return outcome.status is expected

    with ThreadPoolExecutor(8) as threads:
        # On a loaded machine a good program, too, may miss so short a deadline.
        assert sum(threads.map(work, range(32))) >= 30


def test_a_composite_may_run_tools_in_the_sandbox_it_holds(kind) -> None:
    with open_sandbox(kind, size=1) as sandbox:

        def gateway(name, arguments):
            depth = arguments["depth"]
            source = "def tool(depth): return call_tool('deeper', {'depth': depth - 1}) + 1"
            if depth == 0:
                source = "def tool(depth): return 0"
            outcome = sandbox.run(
                Program(source, "tool"), {"depth": depth}, tier=Tier.SANDBOX, tools=gateway
            )
            if not outcome.ok:
                raise ToolCallError(outcome.error)
            return outcome.value

        assert gateway("top", {"depth": 2}) == 2
        assert run(sandbox).ok


def test_runs_wait_for_a_place_in_a_small_pool(local_sandbox_of_one) -> None:
    with ThreadPoolExecutor(6) as threads:
        outcomes = list(threads.map(lambda n: run(local_sandbox_of_one, n).value, range(30)))
    assert outcomes == list(range(30))
    assert len(_launchers(local_sandbox_of_one)) == 1


@pytest.fixture
def local_sandbox_of_one():
    with open_sandbox("local", size=1) as sandbox:
        yield sandbox


def _kill(pids: set[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # the end of one may be that of another
            os.kill(pid, signal.SIGKILL)


def _launchers(sandbox) -> set[int]:
    """Return the processes that a local sandbox started itself."""
    workers = (*sandbox._places.idle, *sandbox._places.busy)
    return {worker._end.__self__._popen.pid for worker in workers}


def test_a_worker_is_replaced_after_so_many_runs() -> None:
    with open_sandbox("local", size=1, recycle_after=2) as sandbox:
        seen = []
        for _ in range(4):
            assert run(sandbox).ok
            seen.append(_launchers(sandbox))
    assert seen[0] and not seen[1]
    assert seen[2] and seen[2] != seen[0]


def test_a_worker_killed_while_idle_is_replaced_unnoticed(local_sandbox_of_one, processes) -> None:
    assert run(local_sandbox_of_one).ok
    _kill(processes.below(_launchers(local_sandbox_of_one)))
    assert run(local_sandbox_of_one).ok


def test_a_worker_killed_during_a_run_ends_that_run_only(local_sandbox_of_one, processes) -> None:
    assert run(local_sandbox_of_one).ok
    begun = threading.Event()
    program = Program("def tool():\n    call_tool('x', {})\n    while True: pass", "tool")
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(
            local_sandbox_of_one.run, program, {}, tier=Tier.SANDBOX, tools=lambda *_: begun.set()
        )
        assert begun.wait(10)
        _kill(processes.below(_launchers(local_sandbox_of_one)))
        outcome = future.result(10)
    assert outcome.status is Status.KILLED
    assert run(local_sandbox_of_one).ok


def test_a_stopped_worker_is_a_timeout_and_is_replaced(local_sandbox_of_one, processes) -> None:
    """Not even a worker that never answers makes a run hang."""
    assert run(local_sandbox_of_one).ok
    stopped = processes.below(_launchers(local_sandbox_of_one))
    for pid in stopped:
        with contextlib.suppress(ProcessLookupError):  # that of the last run, on its way out
            os.kill(pid, signal.SIGSTOP)
    outcome = local_sandbox_of_one.run(
        IDENTITY, {"x": 1}, tier=Tier.SANDBOX, limits=Limits(wall_s=0.2)
    )
    assert outcome.status is Status.TIMEOUT
    assert not processes.alive(stopped)
    assert run(local_sandbox_of_one).ok


def test_closing_ends_every_process(processes) -> None:
    sandbox = open_sandbox("local", size=2)
    with ThreadPoolExecutor(2) as threads:
        assert all(outcome.ok for outcome in threads.map(lambda n: run(sandbox, n), range(8)))
    mine = processes.below(_launchers(sandbox)) | _launchers(sandbox)
    assert len(mine) >= 2
    sandbox.close()
    sandbox.close()
    assert not processes.alive(mine)
    with pytest.raises(SandboxUnavailableError, match="closed"):
        run(sandbox)


def test_closing_ends_runs_that_are_under_way(kind) -> None:
    sandbox = open_sandbox(kind, size=1)
    assert run(sandbox).ok
    started = threading.Event()

    def gateway(name, arguments):
        started.set()
        return

    program = Program(
        "import time\ndef tool():\n    call_tool('x', {})\n    time.sleep(60)", "tool"
    )
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(
            sandbox.run, program, {}, tier=Tier.SANDBOX, limits=Limits(wall_s=60), tools=gateway
        )
        assert started.wait(10)
        begin = time.monotonic()
        sandbox.close()
        outcome = future.result(30)
    assert outcome.status is Status.KILLED
    assert time.monotonic() - begin < 15


ORPHAN = """
import os, sys, threading, time
from toolguild.policies import Tier
from toolguild.sandbox import Limits, Program, open_sandbox

sandbox = open_sandbox("local", size=2)
sleep = Program("import time\\ndef tool(): time.sleep(600)", "tool")
def work():
    sandbox.run(sleep, {}, tier=Tier.SANDBOX, limits=Limits(wall_s=600))
assert sandbox.run(Program("def tool(): return 1", "tool"), {}, tier=Tier.SANDBOX).ok
threading.Thread(target=work, daemon=True).start()
time.sleep(0.5)
print("ready", flush=True)
{ending}
"""


@pytest.mark.parametrize(
    "ending",
    ["time.sleep(600)", "os._exit(0)", "sys.exit(0)"],
    ids=["killed", "at once", "orderly"],
)
def test_when_the_host_process_ends_nothing_is_left(ending, processes) -> None:
    host = subprocess.Popen(
        [sys.executable, "-c", ORPHAN.replace("{ending}", ending)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    with host:
        assert host.stdout
        assert host.stdout.readline() == b"ready\n"
        family = processes.below({host.pid})
        if ending == "time.sleep(600)":
            assert len(family) >= 3  # launcher, worker, program
            host.kill()
        host.wait(20)
    assert processes.eventually(lambda: not processes.alive(family))


def _in_fork(sandbox, results) -> None:
    results.put(run(sandbox, "copy").value)
    sandbox.close()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_copy_of_the_host_starts_workers_of_its_own(local_sandbox_of_one) -> None:
    assert run(local_sandbox_of_one, "original").value == "original"
    fork = multiprocessing.get_context("fork")
    results = fork.Queue()
    copy = fork.Process(target=_in_fork, args=(local_sandbox_of_one, results))
    copy.start()
    assert results.get(timeout=20) == "copy"
    copy.join(20)
    assert copy.exitcode == 0
    assert run(local_sandbox_of_one, "original").value == "original"


@pytest.mark.parametrize("options", [{"size": 0}, {"recycle_after": 0}])
def test_a_pool_without_room_is_refused(options) -> None:
    with pytest.raises(ValueError, match="must be 1 or more"):
        open_sandbox("local", **options)


def test_an_overlong_program_is_refused(sandbox) -> None:
    program = Program("#" * 10_000_001, "tool")
    assert sandbox.run(program, {}, tier=Tier.SANDBOX).status is Status.REFUSED


def test_a_thread_that_started_a_worker_may_end(processes) -> None:
    # A parent-death signal fires at the end of a thread, too; workers must not depend on it.
    with open_sandbox("local", size=1) as sandbox:
        starter = threading.Thread(target=run, args=(sandbox,))
        starter.start()
        starter.join()
        before = _launchers(sandbox)
        time.sleep(0.2)
        assert run(sandbox).ok
        assert _launchers(sandbox) == before


def test_workers_that_all_died_while_idle_are_replaced_unnoticed(processes) -> None:
    with open_sandbox("local", size=3) as sandbox:
        barrier = threading.Barrier(3)
        program = Program("def tool(): return call_tool('x', {})", "tool")

        def work(number: int) -> Outcome:
            return sandbox.run(
                program, {}, tier=Tier.SANDBOX, tools=lambda *_: barrier.wait(20) and None
            )

        with ThreadPoolExecutor(3) as threads:
            assert all(outcome.ok for outcome in threads.map(work, range(3)))
        workers = _launchers(sandbox)
        assert len(workers) == 3
        _kill(processes.below(workers))
        assert run(sandbox).ok


def test_a_run_that_another_thread_makes_on_behalf_of_one_does_not_wait_for_its_place() -> None:
    with open_sandbox("local", size=1) as sandbox, ThreadPoolExecutor(1) as threads:

        def answer(name, arguments):
            context = contextvars.copy_context()
            return threads.submit(context.run, run, sandbox, arguments["x"]).result(30).value

        program = Program("def tool(): return call_tool('inner', {'x': 7})", "tool")
        assert sandbox.run(program, {}, tier=Tier.SANDBOX, tools=answer).value == 7
