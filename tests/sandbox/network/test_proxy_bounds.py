"""What programs cannot make the proxy do: carry hidden requests, wait, or hold without end."""

from __future__ import annotations

import contextlib
import http.client
import os
import threading
import time

import pytest

PATIENCE_S = 20.0
GET = b"GET http://web.test:%d/%s HTTP/1.1\r\nHost: web.test\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


class TestSmuggling:
    def test_a_second_request_behind_the_first_goes_nowhere(self, open_egress, web) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{web.port}"}))
        one = GET % (web.port, b"one")
        two = b"GET /two HTTP/1.1\r\nHost: secret.test\r\n\r\n"
        opened.raw(one + b"\r\n" + two)
        opened.raw(one + b"Content-Length: 2\r\n\r\nab" + two)
        opened.raw(one + CHUNKED + b"2\r\nab\r\n0\r\n\r\n" + two)
        # Nothing of it is still on its way either.
        assert opened.request(f"http://web.test:{web.port}/three").status == 200
        assert {seen.path for seen in web.seen} <= {"/one", "/three"}

    def test_whoever_says_more_than_one_request_is_cut_off(self, open_egress, silent) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{silent.port}"}))
        # The server would not answer.
        assert opened.raw(GET % (silent.port, b"one") + b"\r\nx") == b""
        with silent.accept() as server:
            assert opened.drain(server).endswith(b"\r\n\r\n")

    @pytest.mark.parametrize(
        "body",
        [
            b"2;a=b\r\nab\r\n0\r\n\r\n",
            b"2\r\nabc\r\n0\r\n\r\n",
            b"2\r\nabXX0\r\n\r\n",
            b"2\nab\r\n0\r\n\r\n",
            b"0x2\r\nab\r\n0\r\n\r\n",
            b"0\r\nTrailer: 1\r\n\r\n",
            b"0\r\nGET /two HTTP/1.1\r\n\r\n",
            b"-1\r\n\r\n",
        ],
    )
    def test_chunks_that_could_be_read_in_two_ways_end_the_connection(
        self, open_egress, web, body
    ) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{web.port}"}))
        assert opened.raw(GET % (web.port, b"one") + CHUNKED, body) == b""
        assert web.seen == []

    def test_a_malformed_head_is_answered_and_asks_for_nobody(self, open_egress, web) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{web.port}"}))
        for text in (b"\x16\x03\x01 hello\r\n\r\n", b"GET / HTTP/1.1\r\nHost: web.test\r\n\r\n"):
            assert opened.raw(text).startswith(b"HTTP/1.1 400 ")
        assert web.seen == []
        assert opened.end_run() == ()


class TestTime:
    def test_a_head_has_to_come_in_time(self, open_egress) -> None:
        opened = open_egress(head_s=0.2)
        opened.begin_run(None)
        assert opened.raw(b"GET http://web.test/ HTTP/1.1\r\nX: ").startswith(b"HTTP/1.1 408 ")

    def test_an_idle_tunnel_is_cut(self, open_egress, silent) -> None:
        opened = open_egress(idle_s=0.2)
        opened.begin_run(frozenset({f"web.test:{silent.port}"}))
        with opened.tunnel(f"web.test:{silent.port}") as client, silent.accept() as peer:
            assert opened.drain(client) == b""
            assert opened.drain(peer) == b""

    def test_a_tunnel_in_use_is_not_idle(self, open_egress, silent) -> None:
        opened = open_egress(idle_s=1.0)
        opened.begin_run(frozenset({f"web.test:{silent.port}"}))
        with opened.tunnel(f"web.test:{silent.port}") as client, silent.accept() as peer:
            for _ in range(10):
                time.sleep(0.2)
                peer.sendall(b"x")
                assert client.recv(1) == b"x"

    def test_a_body_that_does_not_come_is_not_waited_for(self, open_egress, web) -> None:
        opened = open_egress(idle_s=0.2)
        opened.begin_run(frozenset({f"web.test:{web.port}"}))
        assert opened.raw(GET % (web.port, b"one") + b"Content-Length: 2\r\n\r\na") == b""
        assert web.seen == []

    def test_a_resolver_that_hangs_holds_up_nobody_else(self, open_egress, names, web) -> None:
        release = threading.Event()
        names.answers["hangs.test"] = lambda: release.wait(PATIENCE_S)
        opened = open_egress()
        hosts = frozenset({"hangs.test", f"web.test:{web.port}"})
        try:
            opened.begin_run(hosts)
            with opened.dial() as waiting:
                waiting.sendall(b"GET http://hangs.test/ HTTP/1.1\r\nHost: x\r\n\r\n")
                assert opened.request(f"http://web.test:{web.port}/").status == 200
                begin = time.monotonic()
                opened.end_run()
                assert opened.drain(waiting) == b""
                assert time.monotonic() - begin < PATIENCE_S / 2
        finally:
            release.set()

    def test_only_so_many_lookups_hang(self, open_egress, names, web) -> None:
        release = threading.Event()
        names.answers["hangs.test"] = lambda: release.wait(PATIENCE_S)
        opened = open_egress(connections=2)
        try:
            for _ in range(2):  # each run leaves one behind
                opened.begin_run(frozenset({"hangs.test"}))
                before = len(names.asked)
                with opened.dial() as waiting:
                    waiting.sendall(b"GET http://hangs.test/ HTTP/1.1\r\nHost: x\r\n\r\n")
                    until = time.monotonic() + PATIENCE_S
                    while len(names.asked) == before:
                        assert time.monotonic() < until
                        time.sleep(0.01)
                opened.end_run()
            opened.begin_run(frozenset({f"web.test:{web.port}"}))
            answer = opened.request(f"http://web.test:{web.port}/")
            assert answer.status == 502
            assert "too many names" in answer.reason
            assert opened.request(f"http://web.test:{web.port}/").status == 502
        finally:
            release.set()


class TestAmounts:
    def test_a_head_has_to_be_small(self, open_egress) -> None:
        opened = open_egress()
        opened.begin_run(None)
        flood = b"GET http://web.test/ HTTP/1.1\r\nX: " + b"x" * 100_000
        assert opened.raw(flood).startswith(b"HTTP/1.1 431 ")

    def test_only_so_many_connections_are_served_at_once(self, open_egress, web) -> None:
        opened = open_egress(connections=3)
        opened.begin_run(frozenset({f"web.test:{web.port}"}))
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(opened.tunnel(f"web.test:{web.port}")) for _ in range(3)]
            assert opened.raw(b"x\r\n\r\n") == b""
            held[0].close()
            until = time.monotonic() + PATIENCE_S
            while opened.raw(b"x\r\n\r\n") == b"":
                assert time.monotonic() < until, "no place was given back"

    def test_many_connections_at_once_are_all_served(self, open_egress, web) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{web.port}"}))
        statuses: list[int] = []

        def work() -> None:
            for _ in range(10):
                statuses.append(opened.request(f"http://web.test:{web.port}/").status)

        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 160

    def test_connections_leave_no_descriptor_behind(self, open_egress, web) -> None:
        def count() -> int:
            return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - only how many

        opened = open_egress()
        before = count()
        for _ in range(5):
            opened.begin_run(frozenset({f"web.test:{web.port}"}))
            for _ in range(20):
                assert opened.request(f"http://web.test:{web.port}/").status == 200
            opened.end_run()
        # The test's own server closes its ends when its threads get to it.
        until = time.monotonic() + PATIENCE_S
        while count() > before:
            assert time.monotonic() < until, "descriptors are left"
            time.sleep(0.02)

    def test_a_run_moves_only_so_many_bytes(self, open_egress, web) -> None:
        opened = open_egress(total_bytes=10_000)
        hosts, url = frozenset({f"web.test:{web.port}"}), f"http://web.test:{web.port}/"
        opened.begin_run(hosts)
        with pytest.raises((OSError, http.client.HTTPException)):
            opened.request(url, "POST", b"x" * 20_000)
        answer = opened.request(url)
        assert answer.status == 403
        assert "10000 bytes" in answer.reason
        opened.end_run()
        opened.begin_run(hosts)
        assert opened.request(url).status == 200

    def test_a_slow_reader_holds_the_server_up_and_fills_nothing(self, open_egress, silent) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{silent.port}"}))
        with opened.tunnel(f"web.test:{silent.port}"), silent.accept() as peer:
            peer.settimeout(1)
            sent = 0
            with contextlib.suppress(TimeoutError):
                while sent < 100_000_000:
                    sent += peer.send(b"x" * 65536)
            # What the kernel itself holds for the sockets, and hardly more.
            assert sent < 20_000_000
