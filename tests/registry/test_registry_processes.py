import multiprocessing
import os
import runpy
import signal
import time
from pathlib import Path

import pytest

from toolguild.registry import Registry, UnknownToolError, tail, verify

SCRIPT = str(Path(__file__).with_name("registry_writer.py"))
WORKERS, ROUNDS = 16, 6

context = multiprocessing.get_context("forkserver")
# Each is a process of its own, as it would be elsewhere, but need not import everything anew.
context.set_forkserver_preload(["toolguild.registry", "sqlalchemy.dialects.postgresql.psycopg"])


def writer(where, worker, rounds, start=None):
    # A new process imports its target by name, which test modules do not have.
    settings = {"where": where, "worker": worker, "rounds": rounds, "start": start}
    return context.Process(target=runpy.run_path, args=(SCRIPT,), kwargs={"init_globals": settings})


def test_processes_that_write_at_once_lose_nothing(where):
    start = context.Barrier(WORKERS)
    processes = [writer(where, number, ROUNDS, start) for number in range(WORKERS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * WORKERS
    with Registry.open(where) as registry:
        shared = registry.tool("shared")
        assert len(registry.versions("shared")) == 1
        assert registry.track_record(shared.digest).successes == WORKERS * ROUNDS
        assert len({use.input_digest for use in registry.uses(shared.digest)}) == WORKERS * ROUNDS
        numbers = [version.number for version in registry.versions("common")]
        assert numbers == list(range(1, WORKERS * ROUNDS + 1))
        assert len(registry.rejections()) == WORKERS * ROUNDS
        report = verify(registry)
        assert report.ok, report
        rows = tail(registry, report.rows)
        moves = [row.content for row in rows if row.action == "set_tier"]
        assert report.rows == 1 + 2 * WORKERS * ROUNDS + len(moves)
        # Nobody moved the tool from a tier that another one had taken it from.
        tier = "sandbox"
        for move in moves:
            assert move["before"]["tier"] == tier
            tier = move["after"]["tier"]
        assert shared.tier == tier
        assert {row.actor for row in rows} == {f"worker-{number}" for number in range(WORKERS)}


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_a_process_ended_while_writing_leaves_whole_changes_only(where, ending):
    process = writer(where, 0, 1_000_000)
    process.start()
    with Registry.open(where) as registry:
        written, deadline = 0, time.monotonic() + 60
        while written < 20 and time.monotonic() < deadline:
            time.sleep(0.01)
            try:
                written = registry.tool("common").number
            except UnknownToolError:
                continue
        os.kill(process.pid, ending)
        process.join(60)
        process.kill()
        assert process.exitcode not in (None, 0)
        assert written >= 20
        with registry.database.write():
            pass  # what the process sent to a server may have been under way until here
        report = verify(registry)
        assert report.ok, report
        rows = tail(registry, report.rows)
        versions = len(registry.versions("common")) + len(registry.versions("shared"))
        moves = sum(row.action == "set_tier" for row in rows)
        assert report.rows == versions + len(registry.rejections()) + moves
