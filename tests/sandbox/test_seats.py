"""Which processor each worker keeps to."""

from __future__ import annotations

import os
import threading

import pytest

from toolguild.policies import Tier
from toolguild.sandbox import Limits, Program, open_sandbox
from toolguild.sandbox.seats import Seats

WHERE = Program("import os\ndef tool(): return sorted(os.sched_getaffinity(0))", "tool", False)
ELSEWHERE = Program(
    "import os\ndef tool(): os.sched_setaffinity(0, range(os.cpu_count()))", "tool", False
)


def test_seats_are_taken_in_a_row_and_the_lowest_free_one_first() -> None:
    seats = Seats()
    first, second, third = (seats.take() for _ in range(3))
    assert (second, third) == (first + 1, first + 2)
    seats.give_back(second)
    seats.give_back(first)
    assert [seats.take(), seats.take(), seats.take()] == [first, second, third + 1]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one processor only")
@pytest.mark.parametrize("kind", ["local", "docker"])
def test_two_workers_at_once_keep_to_two_processors(kind) -> None:
    both = threading.Barrier(2)
    where = []

    def wait(name, arguments):
        both.wait(60)
        return arguments["x"]

    program = Program(
        "import os\ndef tool():\n    return call_tool('wait', {'x': [*os.sched_getaffinity(0)]})",
        "tool",
        False,
    )
    with open_sandbox(kind, size=2) as sandbox:

        def run() -> None:
            outcome = sandbox.run(program, {}, tier=Tier.FULL, limits=Limits(wall_s=60), tools=wait)
            where.append(outcome.value)

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(map(len, where)) == [1, 1]
    assert where[0] != where[1]


@pytest.mark.parametrize("kind", ["local", "docker"])
def test_a_program_stays_on_the_processor_of_its_worker(kind) -> None:
    with open_sandbox(kind, size=1) as sandbox:
        outcome = sandbox.run(ELSEWHERE, {}, tier=Tier.FULL)
        assert outcome.error.startswith("PermissionError"), outcome
        assert len(sandbox.run(WHERE, {}, tier=Tier.FULL).value) == 1
