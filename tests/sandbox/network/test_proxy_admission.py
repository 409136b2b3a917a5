"""Whom the proxy connects programs to, and whom not: real servers on the loopback interface."""

from __future__ import annotations

import os
import socket
import ssl
from ipaddress import ip_address

import pytest

from toolguild.sandbox.network import lookup, proxy
from toolguild.sandbox.network.exchange import Stream


class TestAllowed:
    def test_a_request_reaches_its_server(self, open_egress, web) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{web.port}"}))
        url = f"http://web.test:{web.port}/a?b=c"
        assert opened.request(url) == (200, "OK", b"you said: ")
        assert web.seen == [("GET", "/a?b=c", f"web.test:{web.port}", b"")]

    @pytest.mark.parametrize("size", [1, 70_000, 3_000_000])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_a_body_is_passed_on_whole(self, open_egress, web, size, chunked) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{web.port}"}))
        body = os.urandom(size)
        sent = iter([body[: size // 2], body[size // 2 :]]) if chunked else body
        status, _, answer = opened.request(f"http://web.test:{web.port}/", "POST", sent)
        assert (status, answer) == (200, b"you said: " + body)
        assert [seen.body for seen in web.seen] == [body]

    def test_a_client_asks_again_and_again(self, open_egress, web) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{web.port}"}))
        with opened.http() as connection:
            for number in range(50):
                # This server ends each connection without a word about it.
                connection.request("GET", f"http://web.test:{web.port}/{number}")
                response = connection.getresponse()
                assert response.getheader("Connection") == "close"
                assert response.read() == b"you said: "
        assert len(web.seen) == 50

    @pytest.mark.parametrize(
        ("sent", "arrives"),
        [
            (
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nrest",
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\nrest",
            ),
            (b"HTTP/1.1 200 OK\n\nold habits", b"HTTP/1.1 200 OK\n\nold habits"),
            (
                b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000,
                b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000,
            ),
            (b"", b""),
        ],
    )
    def test_an_answer_arrives_whatever_it_is(self, open_egress, silent, sent, arrives) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{silent.port}"}))
        with opened.dial() as client:
            target = f"http://web.test:{silent.port}/"
            client.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            with silent.accept() as server:
                assert server.recv(1000).startswith(b"GET / HTTP/1.1\r\n")
                server.sendall(sent)
            assert opened.drain(client) == arrives

    def test_tls_goes_from_end_to_end(self, open_egress, web_servers, certificate) -> None:
        with web_servers(certificate=certificate) as web:
            opened = open_egress()
            opened.begin_run(frozenset({f"web.test:{web.port}"}))
            trust = ssl.create_default_context(cafile=certificate)
            with (
                opened.tunnel(f"web.test:{web.port}") as tunnel,
                trust.wrap_socket(tunnel, server_hostname="web.test") as secure,
            ):
                secure.sendall(b"GET / HTTP/1.0\r\nHost: web.test\r\n\r\n")
                assert opened.drain(secure).endswith(b"you said: ")

    def test_http_client_opens_its_tunnels(self, open_egress, web) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{web.port}"}))
        with opened.http() as connection:
            connection.set_tunnel("web.test", web.port)
            for _ in range(2):
                connection.request("GET", "/")
                assert connection.getresponse().read() == b"you said: "

    def test_what_is_sent_ahead_of_the_answer_gets_through(self, open_egress, web) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{web.port}"}))
        target = f"web.test:{web.port}"
        answer = opened.raw(
            f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode(),
            b"GET /early HTTP/1.0\r\nHost: web.test\r\n\r\n",
        )
        assert answer.endswith(b"you said: ")
        assert web.seen[0].path == "/early"

    def test_either_side_may_end_its_half_first(self, open_egress, silent) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{silent.port}"}))
        with opened.tunnel(f"web.test:{silent.port}") as client, silent.accept() as peer:
            client.sendall(b"question")
            client.shutdown(socket.SHUT_WR)
            assert opened.drain(peer) == b"question"
            peer.sendall(b"answer")
            peer.shutdown(socket.SHUT_WR)
            assert opened.drain(client) == b"answer"

    def test_an_address_is_connected_to_without_asking_for_names(
        self, open_egress, web, names
    ) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({f"127.0.0.1:{web.port}"}))
        assert opened.request(f"http://127.0.0.1:{web.port}/").status == 200
        assert names.asked == []

    def test_version_6_is_spoken(self, open_egress, web_servers) -> None:
        opened = open_egress()
        with web_servers("::1") as web:
            opened.begin_run(frozenset({f"[::1]:{web.port}"}))
            assert opened.request(f"http://[0:0::1]:{web.port}/").status == 200
        assert opened.end_run() == (f"[::1]:{web.port}",)

    def test_the_next_address_is_tried_where_one_does_not_answer(
        self, open_egress, web, names
    ) -> None:
        names["web.test"] = ["127.0.0.2", "127.0.0.1"]
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{web.port}"}))
        assert opened.request(f"http://web.test:{web.port}/").status == 200

    def test_a_public_host_is_reached_at_the_address_that_was_checked(
        self, open_egress, web, names, monkeypatch
    ) -> None:
        names["public.test"] = ["93.184.216.34"]
        connected = []

        async def to_the_test_server(address, port) -> Stream:
            # In place of the internet: no test may connect to it.
            connected.append((str(address), port))
            return await real(ip_address("127.0.0.1"), web.port)

        real = proxy._open
        monkeypatch.setattr(proxy, "_open", to_the_test_server)
        opened = open_egress()
        opened.begin_run(None)
        assert opened.request("http://public.test/").status == 200
        assert connected == [("93.184.216.34", 80)]


class TestRefused:
    def test_a_host_that_is_not_listed_is_not_even_looked_up(self, open_egress, web, names) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({"example.org"}))
        status, reason, body = opened.request(f"http://web.test:{web.port}/")
        assert status == 403
        assert f"web.test:{web.port}" in reason
        assert f"Access(hosts={{'web.test:{web.port}'}})" in reason
        assert body.decode() == f"{reason}\n"
        assert names.asked == []
        assert web.seen == []

    def test_python_tells_the_program_why(self, open_egress) -> None:
        opened = open_egress()
        opened.begin_run(frozenset())
        with opened.http() as connection:
            connection.set_tunnel("web.test", 443)
            with pytest.raises(OSError, match=r"403 .*web\.test:443 is refused.*'web\.test'"):
                connection.connect()

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1", "10.0.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "::1",
            "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "168.63.129.16",
        ],
    )  # fmt: skip
    def test_of_all_public_hosts_none_leads_inside(
        self, open_egress, names, address, monkeypatch
    ) -> None:
        monkeypatch.setattr(proxy, "_open", None)
        names["inside.test"] = ["93.184.216.34", address]
        opened = open_egress()
        opened.begin_run(None)
        status, reason, _ = opened.request("http://inside.test/")
        assert status == 403
        assert str(ip_address(address)) in reason
        literal = f"[{address}]" if ":" in address else address
        assert opened.request(f"http://{literal}/").status == 403

    def test_of_all_public_hosts_none_is_this_machine(self, open_egress, monkeypatch) -> None:
        monkeypatch.setattr(proxy, "is_public", lambda address: True)
        opened = open_egress()
        opened.begin_run(None)
        for host in ("127.0.0.1", "[::1]"):
            status, reason, _ = opened.request(f"http://{host}/")
            assert status == 403
            assert "this machine's own" in reason

    def test_of_all_public_hosts_only_the_ports_of_the_web_are_open(self, open_egress) -> None:
        opened = open_egress()
        opened.begin_run(None)
        status, reason, _ = opened.request("http://mail.test:25/")
        assert status == 403
        assert "80 and 443" in reason
        assert "'mail.test:25'" in reason

    def test_a_wildcard_leads_to_public_addresses_only(self, open_egress, web, names) -> None:
        names["nas.corp.test"] = ["127.0.0.1"]
        opened = open_egress()
        opened.begin_run(frozenset({f"*.corp.test:{web.port}"}))
        status, reason, _ = opened.request(f"http://nas.corp.test:{web.port}/")
        assert status == 403
        assert f"'nas.corp.test:{web.port}'" in reason

    @pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254"])
    def test_metadata_is_reached_by_its_address_only(
        self, open_egress, names, address, monkeypatch
    ) -> None:
        tried = []

        async def note(address, port) -> Stream:
            tried.append(str(address))
            raise ConnectionRefusedError(111, "as a test wants it")

        monkeypatch.setattr(proxy, "_open", note)
        literal = f"[{address}]" if ":" in address else address
        names["metadata.test"] = [address]
        opened = open_egress()
        opened.begin_run(frozenset({"metadata.test", literal}))
        status, reason, _ = opened.request("http://metadata.test/")
        assert (status, tried) == (403, [])
        assert f"{literal!r}" in reason
        assert opened.request(f"http://{literal}/").status == 502
        assert tried == [address]

    @pytest.mark.parametrize("hosts", [None, frozenset({"web.test"})])
    def test_a_name_without_an_address_is_out_of_reach(self, open_egress, names, hosts) -> None:
        names["web.test"] = []
        opened = open_egress()
        opened.begin_run(hosts)
        assert opened.request("http://web.test/").status == 502
        del names.answers["web.test"]
        status, reason, _ = opened.request("http://web.test/")
        assert status == 502
        assert "Name or service not known" in reason

    def test_a_server_that_does_not_listen_is_out_of_reach(self, open_egress, silent) -> None:
        silent.listener.close()
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{silent.port}"}))
        answer = opened.request(f"http://web.test:{silent.port}/")
        assert answer.status == 502
        assert "Connect" in answer.reason

    def test_a_resolvers_words_cannot_add_headers(self, open_egress, names) -> None:
        def be_hostile() -> None:
            raise OSError(1, "n\u00e9\r\nSet-Cookie: a=b\r\n\r\nx")

        names.answers["web.test"] = be_hostile
        opened = open_egress()
        opened.begin_run(None)
        with opened.http() as connection:
            connection.request("GET", "http://web.test/")
            response = connection.getresponse()
            assert response.status == 502
            assert response.getheader("Set-Cookie") is None
            assert b"Set-Cookie: a=b" in response.read()

    def test_whoever_is_still_sending_gets_the_answer(self, open_egress) -> None:
        opened = open_egress()
        opened.begin_run(frozenset())
        assert opened.request("http://web.test/", "POST", b"x" * 900_000).status == 403


class TestRebinding:
    def test_a_name_is_looked_up_once_and_that_address_connected_to(
        self, open_egress, web_servers, names
    ) -> None:
        with (
            web_servers() as first,
            web_servers("127.0.0.2", port=first.port) as second,
        ):
            names.answers["web.test"] = [["127.0.0.1"], ["127.0.0.2"]]
            opened = open_egress()
            opened.begin_run(frozenset({f"web.test:{first.port}"}))
            assert opened.request(f"http://web.test:{first.port}/").status == 200
            assert names.asked == ["web.test"]
            assert (len(first.seen), len(second.seen)) == (1, 0)

    def test_each_request_is_checked_anew(self, open_egress, names, monkeypatch) -> None:
        names.answers["web.test"] = [["93.184.216.34"], ["127.0.0.1"]]

        async def refused(address, port) -> Stream:
            raise ConnectionRefusedError(111, "as a test wants it")

        monkeypatch.setattr(proxy, "_open", refused)
        opened = open_egress()
        opened.begin_run(None)
        assert opened.request("http://web.test/").status == 502
        assert opened.request("http://web.test/").status == 403


def test_this_machines_resolver_is_asked() -> None:
    assert ip_address("127.0.0.1") in lookup.resolve("localhost")
