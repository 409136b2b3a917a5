"""Heads of requests: what is passed on, and that whatever could mean two things is refused."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox.network.hosts import Target
from toolguild.sandbox.network.request import (
    CHUNKED,
    ProxyRefusedError,
    announce_close,
    is_interim,
    parse_chunk_size,
    parse_head,
)


def head(first: str, *headers: str, host: str = "Host: example.org") -> bytes:
    return "\r\n".join([first, *([host] if host else []), *headers, "", ""]).encode("latin-1")


def get(*headers: str, method: str = "GET") -> bytes:
    return head(f"{method} http://example.org/ HTTP/1.1", *headers)


def lines_of(text: bytes) -> list[str]:
    assert text.endswith(b"\r\n\r\n")
    return text.decode("latin-1").split("\r\n")[:-2]


@pytest.mark.parametrize(
    ("authority", "target"),
    [
        ("example.org:443", Target("example.org", 443)),
        ("EXAMPLE.org.:8443", Target("example.org", 8443)),
        ("192.0.2.1:80", Target("192.0.2.1", 80)),
        ("[2001:DB8::1]:443", Target("[2001:db8::1]", 443)),
    ],
)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_tunnel_is_asked_for(authority, target, version) -> None:
    request = parse_head(head(f"CONNECT {authority} HTTP/{version}"))
    assert request.is_tunnel
    assert request.target == target
    assert request.body_bytes == 0


def test_python_3_11_asks_for_tunnels_without_a_host_header() -> None:
    assert parse_head(head("CONNECT example.org:443 HTTP/1.0", host="")).is_tunnel


@pytest.mark.parametrize(
    ("url", "path", "host"),
    [
        ("http://example.org/a?b=c", "/a?b=c", "example.org"),
        ("HTTP://EXAMPLE.org", "/", "example.org"),
        ("http://example.org:80/", "/", "example.org"),
        ("http://example.org:8080?q", "/?q", "example.org:8080"),
        ("http://[2001:db8::1]:81/", "/", "[2001:db8::1]:81"),
        ("http://example.org//evil.net/", "//evil.net/", "example.org"),
        ("http://example.org/http://a@b/", "/http://a@b/", "example.org"),
    ],
)
def test_a_request_goes_on_in_the_form_that_servers_take(url, path, host) -> None:
    request = parse_head(head(f"GET {url} HTTP/1.1"))
    assert not request.is_tunnel
    assert lines_of(request.head) == [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close"]


def test_options_of_a_whole_server() -> None:
    request = parse_head(head("OPTIONS http://example.org HTTP/1.1"))
    assert lines_of(request.head)[0] == "OPTIONS * HTTP/1.1"


def test_the_server_is_told_the_host_that_was_checked() -> None:
    sent = head("GET http://example.org/ HTTP/1.1", host="Host: secret.example.net")
    assert lines_of(parse_head(sent).head)[1] == "Host: example.org"


def test_what_concerns_this_connection_only_is_not_passed_on() -> None:
    request = parse_head(
        get(
            "Proxy-Authorization: Basic abc",
            "Proxy-Connection: keep-alive",
            "Connection: keep-alive, X-Private , host, content-length",
            "Keep-Alive: 5",
            "TE: trailers",
            "Trailer: X",
            "Upgrade: h2c",
            "X-Private: 1",
            "Accept: */*",
            "X-Latin: \xe9",
            "Content-Length: 3",
        )
    )
    assert lines_of(request.head)[1:] == [
        "Host: example.org",
        "Accept: */*",
        "X-Latin: \xe9",
        "Content-Length: 3",
        "Connection: close",
    ]


def test_a_body_has_a_length_or_is_chunked() -> None:
    assert parse_head(get("Content-Length: 0012", method="POST")).body_bytes == 12
    chunked = parse_head(get("Transfer-Encoding: Chunked", method="POST"))
    assert chunked.body_bytes == CHUNKED
    assert "Transfer-Encoding: chunked" in lines_of(chunked.head)


SMUGGLING = [
    get("Content-Length: 3", "Transfer-Encoding: chunked"),
    get("Content-Length: 3", "Content-Length: 3"),
    get("Content-Length: 3", "content-length: 4"),
    get("Content-Length: 3, 3"),
    get("Content-Length: +3"),
    get("Content-Length: -1"),
    get("Content-Length: 0x3"),
    get("Content-Length: 3 3"),
    get("Content-Length:"),
    get("Content-Length: ³"),
    get("Content-Length: " + "9" * 16),
    get("Transfer-Encoding: gzip, chunked"),
    get("Transfer-Encoding: identity"),
    get("Transfer-Encoding: xchunked"),
    get("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    get("Transfer-Encoding : chunked"),
    get("Transfer-Encoding\t: chunked"),
    get(" Transfer-Encoding: chunked"),
    get("X: 1", " folded"),
    get("X: 1", "\tfolded"),
    get("X: 1\n Y: 2"),
    get("X: 1\nContent-Length: 3"),
    get("X: 1\rContent-Length: 3"),
    get("X: \x00"),
    get("X: \x7f"),
    get("X\x00: 1"),
    get(": 1"),
    get("no colon"),
    get("Host: other.example"),
    get("host: example.org"),
    head("GET http://example.org/ HTTP/1.0", "Transfer-Encoding: chunked"),
    head("GET http://example.org/ HTTP/1.1", host=""),
    head("CONNECT example.org:443 HTTP/1.1", "Content-Length: 3"),
    head("CONNECT example.org:443 HTTP/1.1", "Transfer-Encoding: chunked"),
    b"\r\n" + get(),
    b" " + get(),
]
NOT_FOR_A_PROXY = [
    head(line)
    for line in (
        "GET / HTTP/1.1",
        "GET * HTTP/1.1",
        "GET example.org HTTP/1.1",
        "GET //example.org/ HTTP/1.1",
        "GET https://example.org/ HTTP/1.1",
        "GET ftp://example.org/ HTTP/1.1",
        "GET file:///etc/passwd HTTP/1.1",
        "GET http:/example.org/ HTTP/1.1",
        "GET http:///etc HTTP/1.1",
        "GET http://user@example.org/ HTTP/1.1",
        "GET http://user:secret@example.org/ HTTP/1.1",
        "GET http://example.org\\@evil.net/ HTTP/1.1",
        "GET http://example.org%2eevil.net/ HTTP/1.1",
        "GET http://example.org:/ HTTP/1.1",
        "GET http://example.org:0/ HTTP/1.1",
        "GET http://0x7f.1/ HTTP/1.1",
        "GET http://2130706433/ HTTP/1.1",
        "GET http://[fe80::1%25eth0]/ HTTP/1.1",
        "GET http://example.org/#part HTTP/1.1",
        "GET http://example.org/a b HTTP/1.1",
        "GET  http://example.org/ HTTP/1.1",
        "GET\thttp://example.org/ HTTP/1.1",
        "GET http://example.org/ HTTP/1.1 ",
        "GET http://example.org/ HTTP/1.2",
        "GET http://example.org/ HTTP/2.0",
        "GET http://example.org/ http/1.1",
        "GET http://example.org/",
        "GET http://ex\xe4mple.org/ HTTP/1.1",
        "G(T http://example.org/ HTTP/1.1",
        "connect example.org:443 HTTP/1.1",
        "CONNECT example.org HTTP/1.1",
        "CONNECT :443 HTTP/1.1",
        "CONNECT user@example.org:443 HTTP/1.1",
        "CONNECT http://example.org:443 HTTP/1.1",
        "CONNECT example.org:443/ HTTP/1.1",
        "CONNECT example.org:99999 HTTP/1.1",
        "PRI * HTTP/2.0",
        "\x16\x03\x01",
        "",
    )
]


@pytest.mark.parametrize("text", [*SMUGGLING, *NOT_FOR_A_PROXY])
def test_what_is_ambiguous_or_meant_for_others_is_refused(text) -> None:
    with pytest.raises(ProxyRefusedError, match="The request is refused") as caught:
        parse_head(text)
    assert caught.value.status is HTTPStatus.BAD_REQUEST


def test_only_so_many_headers_are_taken() -> None:
    assert parse_head(get(*["X: 1"] * 99))
    with pytest.raises(ProxyRefusedError, match="more than 100"):
        parse_head(get(*["X: 1"] * 100))


def test_a_head_full_of_blanks_is_read_in_no_time() -> None:
    # A pattern that goes back and forth over the blanks would not end before the test's limit.
    with pytest.raises(ProxyRefusedError):
        parse_head(get("X:" + " \t" * 8000 + "\x00"))


@given(st.lists(st.binary(max_size=20), max_size=6), st.sampled_from([b"\r\n", b"\n", b": "]))
def test_whatever_is_passed_on_is_one_head_for_the_host_that_was_understood(parts, glue) -> None:
    try:
        request = parse_head(get().removesuffix(b"\r\n") + glue.join(parts) + b"\r\n\r\n")
    except ProxyRefusedError:
        return
    assert request.head.count(b"\r\n\r\n") == 1
    lines = lines_of(request.head)
    assert lines[0] == "GET / HTTP/1.1"
    assert [line for line in lines if line.lower().startswith("host:")] == ["Host: example.org"]
    assert "\n" not in "".join(lines)
    assert "\r" not in "".join(lines)


@pytest.mark.parametrize(
    ("line", "size"), [(b"0", 0), (b"1f", 31), (b"00A", 10), (b"F" * 8, 2**32 - 1)]
)
def test_a_chunk_has_a_length(line, size) -> None:
    assert parse_chunk_size(line + b"\r\n") == size


@pytest.mark.parametrize(
    "line", [b"", b" 1", b"1 ", b"+1", b"-1", b"0x1", b"1_0", b"1;a=b", b"g", b"1\n", b"F" * 9]
)
def test_a_chunk_with_anything_else_is_refused(line) -> None:
    with pytest.raises(ProxyRefusedError):
        parse_chunk_size(line + b"\r\n")


@pytest.mark.parametrize(
    ("head", "interim"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n", True),
        (b"HTTP/1.1 103\r\nLink: x\r\n\r\n", True),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\n\r\n", False),
        (b"HTTP/1.1 1000 x\r\n\r\n", False),
        (b"ICY 100 OK\r\n\r\n", False),
    ],
)
def test_an_answer_may_be_announced_by_another(head, interim) -> None:
    assert is_interim(head) is interim


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
        (
            b"HTTP/1.1 200 OK\r\nconnection: x\r\nX-Connection: 1\r\nKeep-Alive: a\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nX-Connection: 1\r\n\r\n",
        ),
        (
            b"HTTP/1.1 200 OK\r\nA: b\r\nKeep-Alive :\r\n timeout=5\r\n\tmax=2\r\nC: d\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nA: b\r\nC: d\r\n\r\n",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: \xff\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
            b"Set-Cookie: \xff\r\n\r\n",
        ),
        (b"what is this\r\n\r\n", b"what is this\r\nConnection: close\r\n\r\n"),
    ],
)
def test_an_answer_says_that_the_connection_ends(head, expected) -> None:
    assert announce_close(head) == expected
