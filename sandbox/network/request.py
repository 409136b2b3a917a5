"""Heads of HTTP: what a program asks of the proxy, and what a server answers.

A request is read strictly, and what could mean two things is refused. Nothing of its head is passed
on as it came: what goes to the server is written anew from what was understood, so that proxy and
server cannot disagree about where it ends or whom it is for (RFC 9112). An answer concerns nobody
but the program that asked, and is passed on as it is, but for what concerns the connection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import NoReturn

from toolguild.sandbox.network.hosts import Target

__all__ = [
    "CHUNKED",
    "MAX_HEAD",
    "ProxyRefusedError",
    "ProxyRequest",
    "announce_close",
    "is_interim",
    "parse_chunk_size",
    "parse_head",
]

MAX_HEAD = 1 << 14
"""Bytes that a head may have."""
CHUNKED = -1
"""The length of a body that says itself where it ends."""

_MAX_HEADERS = 100
_MAX_LENGTH_DIGITS = 15

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rf"({_NAME}) ([!-~]+) HTTP/(1\.[01])")
# No control character but the tabulator; bytes above ASCII mean nothing here and are kept.
_HEADER = re.compile(rf"({_NAME}):([\t -~\x80-\xff]*)")
_LENGTH = re.compile(r"[0-9]+")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}")
_INTERIM = re.compile(rb"HTTP/1\.1 1(?!01)[0-9]{2}(?= |\r)")
_OF_CONNECTION = re.compile(
    rb"\r\n(?:connection|keep-alive|proxy-connection)[ \t]*:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*",
    re.IGNORECASE,
)

# Those that concern this connection only (RFC 9110, section 7.6.1), and those that are written
# anew from what was understood.
_NOT_PASSED_ON = frozenset(
    {
        "connection", "content-length", "host", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip


class ProxyRefusedError(Exception):
    """A request that the proxy answers itself: with a status and a sentence for the program."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class ProxyRequest:
    """What a program asks for."""

    target: Target
    head: bytes = b""
    """What to send to the server first; empty where a tunnel is asked for."""
    body_bytes: int = 0
    """Length of the body that follows, or `CHUNKED`."""

    @property
    def is_tunnel(self) -> bool:
        """Whether bytes are to be passed in both directions unread."""
        return not self.head


def parse_head(head: bytes) -> ProxyRequest:
    """Read the head of a request, with the empty line that ends it.

    Raises:
        ProxyRefusedError: it is malformed, ambiguous, or not for a proxy.
    """
    line, *fields = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    match = _REQUEST_LINE.fullmatch(line)
    if not match:
        _refuse("the first line is no request of HTTP/1.1")
    method, url, version = match.groups()
    headers = _Headers(fields, version)
    if method == "CONNECT":
        if headers.body_bytes:
            _refuse("CONNECT has no body")
        return ProxyRequest(_target(url, None))
    authority, path = _split_url(url, method)
    target = _target(authority, 80)
    host = target.host if target.port == 80 else str(target)
    lines = [f"{method} {path} HTTP/{version}", f"Host: {host}", *headers.passed_on()]
    return ProxyRequest(target, "\r\n".join([*lines, "", ""]).encode("latin-1"), headers.body_bytes)


def parse_chunk_size(line: bytes) -> int:
    """Read the line before a chunk; extensions are refused.

    Raises:
        ProxyRefusedError: it is none.
    """
    if not _CHUNK_SIZE.fullmatch(line.removesuffix(b"\r\n")):
        _refuse("a chunk of the body has no proper length")
    return int(line, 16)


def is_interim(head: bytes) -> bool:
    """Whether the head of an answer is followed by another, as `100 Continue` is."""
    return bool(_INTERIM.match(head))


def announce_close(head: bytes) -> bytes:
    """Return the head of an answer so that the client does not use the connection again.

    Some servers close it without a word, and a client that is fast asks for more just then.
    """
    line, *rest = _OF_CONNECTION.sub(b"", head).split(b"\r\n")
    return b"\r\n".join([line, b"Connection: close", *rest])


class _Headers:
    """The header fields of one request."""

    def __init__(self, lines: list[str], version: str) -> None:
        if len(lines) > _MAX_HEADERS:
            _refuse(f"it has more than {_MAX_HEADERS} headers")
        self._fields = [_field(line) for line in lines]
        if version == "1.1" and self._only("host") is None:
            _refuse("it lacks the header Host")
        self.body_bytes = self._body_bytes(version)

    def _only(self, name: str) -> str | None:
        values = [value for key, value in self._fields if key.lower() == name]
        if len(values) > 1:
            _refuse(f"it has the header {name} more than once")
        return values[0] if values else None

    def _body_bytes(self, version: str) -> int:
        length, encoding = self._only("content-length"), self._only("transfer-encoding")
        if encoding is not None:
            if length is not None or encoding.lower() != "chunked" or version == "1.0":
                _refuse("its body may be chunked or have a length, and nothing else or both")
            return CHUNKED
        if length is None:
            return 0
        if not _LENGTH.fullmatch(length) or len(length) > _MAX_LENGTH_DIGITS:
            _refuse("its Content-Length is no number")
        return int(length)

    def passed_on(self) -> list[str]:
        """Return the lines for the server, without the first two."""
        dropped = {
            name.strip().lower()
            for key, value in self._fields
            if key.lower() == "connection"
            for name in value.split(",")
        } | _NOT_PASSED_ON
        lines = [f"{key}: {value}" for key, value in self._fields if key.lower() not in dropped]
        if self.body_bytes == CHUNKED:
            lines.append("Transfer-Encoding: chunked")
        elif self._only("content-length") is not None:
            lines.append(f"Content-Length: {self.body_bytes}")
        return [*lines, "Connection: close"]


def _field(line: str) -> tuple[str, str]:
    # This also turns away what continues the line before it, and blanks before the colon.
    match = _HEADER.fullmatch(line)
    if not match:
        _refuse("it has a malformed header")
    return match[1], match[2].strip(" \t")


def _split_url(url: str, method: str) -> tuple[str, str]:
    """Return the authority and what to ask the server for."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        _refuse("this is a proxy: it takes CONNECT host:port, or a whole http:// address")
    if scheme.lower() != "http":
        _refuse("other schemes than http go through CONNECT")
    if "#" in rest:
        _refuse("a fragment is not for servers")
    cut = min((rest.index(mark) for mark in "/?" if mark in rest), default=len(rest))
    authority, path = rest[:cut], rest[cut:]
    if not path and method == "OPTIONS":
        path = "*"
    return authority, path if path.startswith(("/", "*")) else f"/{path}"


def _target(authority: str, default_port: int | None) -> Target:
    if "@" in authority:
        _refuse("an address with a user is not passed on")
    try:
        return Target.parse(authority, default_port)
    except ValueError as error:
        _refuse(f"it names no host: {error}")


def _refuse(what: str) -> NoReturn:
    raise ProxyRefusedError(HTTPStatus.BAD_REQUEST, f"The request is refused: {what}.")
