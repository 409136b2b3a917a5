"""Who gets which worker: fitting ones first, nobody waits for ever, nothing is lost."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import cast

import pytest

from toolguild.sandbox import places as places_module
from toolguild.sandbox.connection import Worker
from toolguild.sandbox.places import _PATIENCE, Place, Places, PlacesClosedError


class Fake:
    """Stands for a worker of one kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


def fits(kind: str):
    return lambda worker: cast("Fake", worker).kind == kind


def start(places: Places, kind: str) -> Worker:
    """Take a place without a worker, and fill it."""
    place = places.take(fits(kind))
    assert place.worker is None
    worker = cast("Worker", Fake(kind))
    assert places.started(worker)
    return worker


@pytest.fixture
def threads():
    with ThreadPoolExecutor(64) as pool:
        yield pool


def waiting(places: Places, number: int) -> None:
    """Wait until so many threads wait."""
    pause = threading.Event()
    for _ in range(2000):
        if len(places._waiting) == number:
            return
        pause.wait(0.005)
    pytest.fail(f"{len(places._waiting)} threads wait, not {number}")


def test_there_is_room_at_first_and_then_what_is_idle_is_used() -> None:
    places = Places(2)
    first, second = start(places, "a"), start(places, "a")
    assert places.give_back(first, keep=True)
    assert places.give_back(second, keep=True)
    # The one that was used last, which the caches of the machine still know.
    assert places.take(fits("a")) == Place(second)


def test_one_that_fits_is_taken_before_one_that_does_not() -> None:
    places = Places(2)
    a, b = start(places, "a"), start(places, "b")
    for worker in (a, b):
        assert places.give_back(worker, keep=True)
    assert places.take(fits("a")) == Place(a)


def test_one_is_started_while_there_is_room_even_if_others_are_idle() -> None:
    places = Places(2)
    a = start(places, "a")
    assert places.give_back(a, keep=True)
    assert places.take(fits("b")) == Place(None, None)
    assert [*places.idle] == [a]


def test_the_longest_idle_has_to_go_where_there_is_no_room() -> None:
    places = Places(2)
    first, second = start(places, "a"), start(places, "a")
    for worker in (first, second):
        assert places.give_back(worker, keep=True)
    assert places.take(fits("b")) == Place(None, first)
    assert [*places.idle] == [second]


def test_a_thread_waits_while_all_are_busy(threads) -> None:
    places = Places(1)
    a = start(places, "a")
    taken = threads.submit(places.take, fits("a"))
    waiting(places, 1)
    assert not taken.done()
    assert places.give_back(a, keep=True)
    assert taken.result(10) == Place(a)


def test_one_that_was_not_started_leaves_room_for_others(threads) -> None:
    places = Places(1)
    assert places.take(fits("a")).worker is None
    taken = threads.submit(places.take, fits("a"))
    waiting(places, 1)
    assert not places.started(None)
    assert taken.result(10) == Place(None)


def test_one_that_is_not_kept_leaves_room_for_others(threads) -> None:
    places = Places(1)
    a = start(places, "a")
    taken = threads.submit(places.take, fits("a"))
    waiting(places, 1)
    assert not places.give_back(a, keep=False)
    assert taken.result(10) == Place(None)


def test_whoever_may_not_wait_gets_one_beyond_the_bound_which_does_not_stay() -> None:
    places = Places(1)
    a = start(places, "a")
    assert places.take(fits("a"), at_once=True) == Place(None)
    more = cast("Worker", Fake("a"))
    assert places.started(more)
    assert not places.give_back(more, keep=True)
    assert places.give_back(a, keep=True)
    assert places.take(fits("a"), at_once=True) == Place(a)


def test_those_whom_a_worker_fits_go_ahead_but_not_for_ever(threads) -> None:
    places = Places(1)
    a = start(places, "a")
    other = threads.submit(places.take, fits("b"))
    waiting(places, 1)
    queued: list[Future[Place]] = []
    for number in range(_PATIENCE + 5):
        queued.append(threads.submit(places.take, fits("a")))
        waiting(places, 2 + number)
    for taken in queued[:_PATIENCE]:
        assert places.give_back(a, keep=True)
        assert taken.result(10) == Place(a)
        assert not other.done()
    assert places.give_back(a, keep=True)
    assert other.result(10) == Place(None, a)
    assert not any(taken.done() for taken in queued[_PATIENCE:])
    assert places.started(cast("Worker", Fake("b")))
    places.close()


def test_one_that_was_used_just_now_is_kept_for_whoever_comes_back(threads, monkeypatch) -> None:
    monkeypatch.setattr(places_module, "_PATIENCE_S", 60.0)
    places = Places(2)
    a, b = start(places, "a"), start(places, "b")
    other = threads.submit(places.take, fits("c"))
    waiting(places, 1)
    for _ in range(_PATIENCE):
        assert places.give_back(b, keep=True)
        assert not other.done()
        assert places.take(fits("b")) == Place(b)
    assert places.give_back(a, keep=True)
    assert other.result(10) == Place(None, a)


def test_one_that_was_not_used_for_long_is_not_kept(threads, monkeypatch) -> None:
    monkeypatch.setattr(places_module, "_PATIENCE_S", 0.0)
    places = Places(2)
    a, _ = start(places, "a"), start(places, "b")
    assert places.give_back(a, keep=True)
    assert places.take(fits("c")) == Place(None, a)


def test_who_has_waited_for_long_gets_one_that_is_idle(threads, monkeypatch) -> None:
    monkeypatch.setattr(places_module, "_PATIENCE_S", 0.1)
    places = Places(2)
    a, _ = start(places, "a"), start(places, "b")
    taken = threads.submit(places.take, fits("c"))
    waiting(places, 1)
    assert places.give_back(a, keep=True)
    assert taken.result(10) == Place(None, a)


def test_who_is_alone_does_not_wait(monkeypatch) -> None:
    monkeypatch.setattr(places_module, "_PATIENCE_S", 60.0)
    places = Places(1)
    for kind in "abab":
        worker, _ = places.take(fits(kind))
        assert worker is None
        started = cast("Worker", Fake(kind))
        assert places.started(started)
        assert places.give_back(started, keep=True)


@pytest.mark.parametrize("kinds", ["aab", "abc", "aabb", "aabbcc"])
def test_threads_that_come_back_mostly_find_their_workers(threads, monkeypatch, kinds) -> None:
    monkeypatch.setattr(places_module, "_PATIENCE_S", 2.0)
    places, started, rounds = Places(2), [], 200

    def work(kind: str) -> None:
        for _ in range(rounds):
            worker, _ = places.take(fits(kind))
            if worker is None:
                started.append(kind)
                worker = cast("Worker", Fake(kind))
                assert places.started(worker)
            time.sleep(0.0005)
            assert places.give_back(worker, keep=True)

    list(threads.map(work, kinds))
    # One for about as many runs as others may go ahead, and few more as threads come and go.
    assert len(started) < rounds * len(kinds) / 5


def test_closing_sends_away_whoever_waits_and_comes(threads) -> None:
    places = Places(2)
    busy, idle = start(places, "a"), start(places, "b")
    assert places.give_back(idle, keep=True)
    places.take(fits("b"))
    taken = threads.submit(places.take, fits("a"))
    waiting(places, 1)
    assert places.close() == ([], [*places.busy])
    assert busy in places.busy
    for late in (taken, threads.submit(places.take, fits("a"))):
        with pytest.raises(PlacesClosedError):
            late.result(10)
    with pytest.raises(PlacesClosedError):
        places.take(fits("a"), at_once=True)
    assert not places.give_back(busy, keep=True)


def test_one_that_was_started_too_late_may_not_be_used() -> None:
    places = Places(1)
    places.take(fits("a"))
    places.close()
    assert not places.started(cast("Worker", Fake("a")))


@pytest.mark.parametrize("free", ["worker", "room"])
def test_an_interrupted_wait_gives_back_what_it_got(monkeypatch, free) -> None:
    places = Places(1)
    a = start(places, "a")

    class Interrupted:
        """As if the signal came when it had just been decided."""

        def __init__(self) -> None:
            self.waits = False

        def acquire(self, timeout: float = -1) -> bool:
            if self.waits:
                places.give_back(a, keep=free == "worker")
                raise KeyboardInterrupt
            self.waits = True
            return True

        def release(self) -> None:
            pass

    with monkeypatch.context() as patch:
        patch.setattr(threading, "Lock", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            places.take(fits("a"))
    assert places.take(fits("a")) == (Place(a) if free == "worker" else Place(None))


def test_many_threads_of_many_kinds_all_get_their_turn(threads) -> None:
    places, lock = Places(3), threading.Lock()
    alive = most = 0

    def work(number: int) -> int:
        nonlocal alive, most
        kind = "abcde"[number % 5]
        for _ in range(30):
            worker, unfit = places.take(fits(kind))
            with lock:
                alive += (worker is None) - (unfit is not None)
                most = max(most, alive)
            if worker is None:
                worker = cast("Worker", Fake(kind))
                assert places.started(worker)
            assert cast("Fake", worker).kind == kind
            assert places.give_back(worker, keep=True)
        return number

    assert sorted(threads.map(work, range(20))) == list(range(20))
    assert most <= 3
    assert len(places.idle) == 3
    assert not places.busy
