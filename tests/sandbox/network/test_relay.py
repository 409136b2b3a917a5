"""The relay by itself: bytes passed on, held up where nobody reads, and cut between runs."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from toolguild.sandbox.network.relay import Relay

PATIENCE_S = 20.0
LIMIT = 32


class Served:
    """A relay in a thread that serves it as the supervisor does, and the host's end."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.host = self.listen()
        self.relay = Relay(path, ("127.0.0.1", 0))
        self.rounds = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def listen(self) -> socket.socket:
        host = socket.socket(socket.AF_UNIX)
        host.settimeout(PATIENCE_S)
        host.bind(self.path)
        host.listen(64)
        return host

    def _serve(self) -> None:
        while not self._stopped.is_set():
            if select.select([self.relay], [], [], 0.05)[0]:
                with self._lock:
                    self.rounds += 1
                    self.relay.serve()

    def cut(self) -> None:
        with self._lock:
            self.relay.cut()

    def dial(self) -> socket.socket:
        return socket.create_connection(self.relay.address, timeout=PATIENCE_S)

    def accept(self) -> socket.socket:
        connection = self.host.accept()[0]
        connection.settimeout(PATIENCE_S)
        return connection

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()
        self.relay.close()
        self.host.close()


@pytest.fixture
def served(tmp_path) -> Iterator[Served]:
    with contextlib.closing(Served(str(tmp_path / "s"))) as served:
        yield served


@pytest.fixture
def pair(served) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A program's connection, and the host's end of it."""
    with served.dial() as program, served.accept() as host:
        yield program, host


def drain(connection: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while data := connection.recv(1 << 16):
            received += data
    return received


def eventually(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE_S
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


def fill(connection: socket.socket) -> int:
    """Send until nothing more is taken; return how much was."""
    connection.settimeout(0.5)
    sent = 0
    with contextlib.suppress(TimeoutError):
        while sent < 100_000_000:
            sent += connection.send(b"x" * 65536)
    connection.settimeout(PATIENCE_S)
    return sent


class TestBytes:
    def test_they_pass_both_ways_whole_and_at_once(self, pair) -> None:
        program, host = pair
        there, back = os.urandom(3_000_000), os.urandom(3_000_000)
        received: dict[str, bytes] = {}

        def take(name: str, end: socket.socket) -> None:
            received[name] = drain(end)

        def send(data: bytes, end: socket.socket) -> None:
            end.sendall(data)
            end.shutdown(socket.SHUT_WR)

        threads = [
            threading.Thread(target=take, args=("there", host)),
            threading.Thread(target=take, args=("back", program)),
            threading.Thread(target=send, args=(there, program)),
            threading.Thread(target=send, args=(back, host)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert received == {"there": there, "back": back}

    @pytest.mark.parametrize("first", [0, 1])
    def test_either_side_may_end_its_half_first(self, pair, first) -> None:
        one, other = pair[first], pair[1 - first]
        one.sendall(b"question")
        one.shutdown(socket.SHUT_WR)
        assert drain(other) == b"question"
        other.sendall(b"answer")
        other.close()
        assert drain(one) == b"answer"

    def test_what_was_said_before_a_sudden_end_still_arrives(self, pair) -> None:
        program, host = pair
        program.sendall(b"unread")
        assert eventually(lambda: bool(select.select([host], [], [], 0)[0]))
        host.sendall(b"last words")
        host.close()
        assert drain(program) == b"last words"

    @pytest.mark.parametrize("reader", [0, 1])
    def test_whoever_does_not_read_is_not_sent_more(self, served, pair, reader) -> None:
        sent = fill(pair[1 - reader])
        # What the kernel itself holds for the sockets, and two pieces.
        assert sent < 20_000_000
        with served.dial() as another, served.accept() as host:
            another.sendall(b"meanwhile")
            assert host.recv(100) == b"meanwhile"
        pair[1 - reader].close()
        assert len(drain(pair[reader])) == sent

    @pytest.mark.parametrize("reader", [0, 1])
    def test_nothing_is_done_while_there_is_nothing_to_do(self, served, pair, reader) -> None:
        # A socket whose other end is closed is reported over and over, if one is not careful.
        fill(pair[1 - reader])
        pair[1 - reader].close()
        time.sleep(0.3)
        before = served.rounds
        time.sleep(0.5)
        assert served.rounds - before < 5


class TestBounds:
    def test_the_next_connection_waits_for_a_place(self, served) -> None:
        with contextlib.ExitStack() as stack:
            programs = [stack.enter_context(served.dial()) for _ in range(LIMIT + 1)]
            hosts = [stack.enter_context(served.accept()) for _ in range(LIMIT)]
            served.host.settimeout(0.3)
            with pytest.raises(TimeoutError):
                served.accept()
            served.host.settimeout(PATIENCE_S)
            programs[0].close()
            hosts[0].close()
            programs[LIMIT].sendall(b"at last")
            with served.accept() as host:
                assert host.recv(100) == b"at last"

    def test_a_host_that_is_gone_ends_the_connection_and_is_noted(self, served) -> None:
        assert served.relay.failure == ""
        served.host.close()
        with served.dial() as program:
            assert drain(program) == b""
        assert "refused" in served.relay.failure
        os.unlink(served.path)  # noqa: PTH108 - it is a text
        served.host = served.listen()
        with served.dial() as program, served.accept() as host:
            program.sendall(b"again")
            assert host.recv(100) == b"again"

    def test_a_host_that_cannot_be_reached_is_found_out_before_any_program_runs(
        self, served
    ) -> None:
        served.relay.check()
        served.host.close()
        with pytest.raises(ConnectionRefusedError):
            served.relay.check()
        os.unlink(served.path)  # noqa: PTH108 - it is a text
        with pytest.raises(FileNotFoundError):
            served.relay.check()

    def test_what_comes_too_fast_for_the_host_is_the_programs_doing(self, served) -> None:
        served.host.listen(0)
        with contextlib.ExitStack() as stack:
            programs = [stack.enter_context(served.dial()) for _ in range(5)]
            assert drain(programs[-1]) == b""
        assert served.relay.failure == ""

    def test_connections_leave_no_descriptor_behind(self, served) -> None:
        def count() -> int:
            return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - only how many

        before = count()
        for _ in range(200):
            with served.dial() as program, served.accept() as host:
                program.sendall(b"x")
                assert host.recv(1) == b"x"
        assert eventually(lambda: count() <= before)


class TestCut:
    def test_it_ends_every_connection(self, served) -> None:
        with contextlib.ExitStack() as stack:
            programs = [stack.enter_context(served.dial()) for _ in range(5)]
            hosts = [stack.enter_context(served.accept()) for _ in range(5)]
            fill(programs[0])
            served.cut()
            for program in programs:
                assert drain(program) == b""
            assert drain(hosts[1]) == b""

    def test_it_ends_those_that_wait_too(self, served) -> None:
        with contextlib.ExitStack() as stack:
            programs = [stack.enter_context(served.dial()) for _ in range(LIMIT + 5)]
            for _ in range(LIMIT):
                stack.enter_context(served.accept())
            served.cut()
            for program in programs:
                assert drain(program) == b""
            # Nothing of them comes later, and there are places again.
            with served.dial() as program:
                program.sendall(b"next")
                with served.accept() as host:
                    assert host.recv(100) == b"next"

    def test_it_may_be_done_at_any_time(self, served) -> None:
        served.cut()
        served.cut()
        with served.dial() as program, served.accept() as host:
            program.sendall(b"x")
            assert host.recv(1) == b"x"
            served.cut()
        served.cut()
