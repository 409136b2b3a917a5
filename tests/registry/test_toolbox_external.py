"""The caller's own tools: whatever they do, a call of a composite ends as a result, and in time."""

import contextvars
import sqlite3
import threading
import time
from collections import Counter

import pytest

from toolguild.registry import CallStatus, ExternalTool, Toolbox, external
from toolguild.registry.external import MAX_ANSWER, MAX_LATE
from toolguild.sandbox import Limits

SHORT = Limits(wall_s=0.2)


@pytest.fixture
def look(registry, sandbox, composite):
    """Calls a composite that returns what the function answers to it."""
    composite("look", "return call_tool('fetch', {})")

    def call(function, limits=Limits(), **fields):
        tools = {"fetch": ExternalTool(function, "read", **fields)}
        return Toolbox(registry, sandbox, tools, limits=limits).call("look", {})

    return call


@pytest.fixture
def blocked():
    """A function that blocks until the test is over, and its threads by then."""
    release, started = threading.Event(), []

    def block(**arguments):
        started.append(threading.current_thread())
        release.wait()
        return "late"

    block.started = started
    yield block
    release.set()
    for thread in started:
        thread.join()


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError


def raising(error):
    def function():
        raise error

    return function


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt: "),
        (GeneratorExit(), "GeneratorExit: "),
        (TimeoutError("slow server"), "TimeoutError: slow server"),
        (Unspeakable(), "Unspeakable: (its message cannot be shown)"),
        (ValueError("x" * 100_000), "ValueError: xxx"),
    ],
)
def test_whatever_it_raises_is_a_failed_call(look, error, words):
    result = look(raising(error))
    assert result.status is CallStatus.ERROR
    assert words in result.error
    assert len(result.error) < 2100


def test_it_is_given_up_on_when_the_time_is_over(registry, look, blocked):
    begin = time.monotonic()
    result = look(blocked, SHORT)
    assert result.status is CallStatus.TIMEOUT
    assert "fetch had not answered after 0.2 s" in result.error
    assert time.monotonic() - begin < 10
    record = registry.track_record(registry.tool("look").digest)
    assert (record.failures, record.refused) == (1, 0)
    [thread] = blocked.started
    assert thread.is_alive()
    assert thread.daemon  # the end of the process does not wait for it


def test_a_composite_inside_another_is_cut_off_by_it(registry, sandbox, composite, look, blocked):
    inner = registry.tool("look")
    composite("outer", "import time; call_tool('nap', {}); call_tool('look', {})", ("look", "nap"))
    tools = {
        "fetch": ExternalTool(blocked, "read"),
        "nap": ExternalTool(lambda: time.sleep(0.05), "read"),
    }
    result = Toolbox(registry, sandbox, tools, limits=SHORT).call("outer", {})
    assert result.status is CallStatus.ERROR
    assert "look did not succeed (cut_off)" in result.error
    assert registry.track_record(inner.digest).cut_off == 1


def test_what_comes_late_is_dropped(look, blocked):
    assert look(blocked, SHORT).status is CallStatus.TIMEOUT
    assert look(lambda: "new").value == "new"


def test_too_many_that_do_not_return_keep_others_from_being_called(registry, look, blocked):
    for _ in range(MAX_LATE):
        assert look(blocked, Limits(wall_s=0.02)).status is CallStatus.TIMEOUT
    called = []
    result = look(called.append)
    assert called == []
    assert result.status is CallStatus.REFUSED  # no evidence against the tool
    assert f"{MAX_LATE} earlier calls that were given up on" in result.error
    assert "(of fetch)" in result.error


def test_others_are_called_again_once_they_have_returned(look):
    release = threading.Event()
    for _ in range(MAX_LATE):
        look(release.wait, Limits(wall_s=0.02))
    assert look(lambda: 1).status is CallStatus.REFUSED
    release.set()
    deadline = time.monotonic() + 30
    while external._late._running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert external._late._running == Counter()
    assert look(lambda: 1).value == 1


def test_arguments_are_its_own(registry, sandbox, composite):
    def wreck(inner):
        inner.append("more")
        return len(inner)

    body = "a = [1]; n = call_tool('fetch', {'inner': a}); return [a, n]"
    composite("keep", body)
    toolbox = Toolbox(registry, sandbox, {"fetch": ExternalTool(wreck, "read")})
    assert toolbox.call("keep", {}).value == [[1], 2]


def test_what_it_changes_after_returning_is_not_seen(look):
    kept = {"a": [1]}
    assert look(lambda: kept).value == {"a": [1]}
    value = look(lambda: kept).value
    kept["a"].append(2)
    assert value == {"a": [1]}


@pytest.mark.parametrize("answer", ["\ud800", '"\\ud800"', {"a": "\ud800"}, float("inf"), {1: {2}}])
def test_what_is_no_json_fails_the_call(look, answer):
    result = look(lambda: answer)
    assert result.status is CallStatus.ERROR
    assert "fetch returned what is not a JSON value" in result.error


def test_a_number_beyond_every_float_is_a_text(look):
    assert look(lambda: "1e999").value == "1e999"


@pytest.mark.parametrize("answer", ["x" * (MAX_ANSWER + 1), ["x" * MAX_ANSWER]])
def test_answers_are_bounded(look, answer):
    result = look(lambda: answer)
    assert f"at most {MAX_ANSWER} are passed on" in result.error


def test_asynchronous_functions_are_told_apart(look):
    async def fetch():
        return 1

    assert "fetch is asynchronous; give the toolbox a function" in look(fetch).error


def test_it_sees_the_context_of_the_caller(look):
    request = contextvars.ContextVar("request")
    request.set("r-1")
    assert look(request.get).value == "r-1"


def test_objects_bound_to_a_thread_need_the_callers(look):
    with sqlite3.connect(":memory:") as connection:

        def count():
            return connection.execute("SELECT 7").fetchone()[0]

        assert "created in a thread can only be used in that same thread" in look(count).error
        assert look(count, same_thread=True).value == 7
    connection.close()


def test_in_the_callers_thread_ctrl_c_ends_the_call(look):
    with pytest.raises(KeyboardInterrupt):
        look(raising(KeyboardInterrupt()), same_thread=True)
    assert look(raising(SystemExit(1)), same_thread=True).error.endswith("SystemExit: 1")


def test_ctrl_c_while_it_is_waited_for_ends_the_call(look, blocked, monkeypatch):
    def interrupted(self, timeout=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(external.Future, "result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        look(blocked)
    assert external._late._running["fetch"] == 1  # nobody waits for it any more


def test_calls_of_several_threads_of_a_program_come_one_by_one(registry, sandbox, composite):
    body = (
        "from concurrent.futures import ThreadPoolExecutor as Pool\n"
        "    with Pool(8) as pool:\n"
        "        return sum(pool.map(lambda n: call_tool('fetch', {'n': n}), range(40)))"
    )
    composite("many", body)
    inside, most = [0], [0]

    def fetch(n):
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.001)
        inside[0] -= 1
        return n

    toolbox = Toolbox(registry, sandbox, {"fetch": ExternalTool(fetch, "read")})
    assert toolbox.call("many", {}).value == sum(range(40))
    assert most == [1]


def test_one_toolbox_serves_several_threads(registry, sandbox, composite):
    composite("look", "return call_tool('fetch', {})")
    gate = threading.Barrier(4, timeout=30)
    toolbox = Toolbox(registry, sandbox, {"fetch": ExternalTool(gate.wait, "read")})
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(toolbox.call("look", {}))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.value for result in results) == [0, 1, 2, 3]
