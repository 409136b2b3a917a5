"""Servers to reach, an egress to reach them through, and what a program does at its other end."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import pytest

from toolguild.sandbox.network import relay
from toolguild.sandbox.network.egress import Egress
from toolguild.sandbox.network.proxy import ProxyLimits

PATIENCE_S = 20.0


class Seen(NamedTuple):
    method: str
    path: str
    host: str
    body: bytes


class Web(NamedTuple):
    port: int
    seen: list[Seen]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[Seen]

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        self.seen.append(Seen(self.command, self.path, self.headers["Host"], body))
        answer = b"you said: " + body
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # connections are cut here on purpose


@contextlib.contextmanager
def serving(address: str = "127.0.0.1", port: int = 0, certificate: Path | None = None):
    handler = type("Handler", (_Handler,), {"seen": []})
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server_class = type("Server", (_Server,), {"address_family": family})
    with server_class((address, port), handler) as server:
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield Web(server.server_port, handler.seen)
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def web_servers() -> Callable[..., contextlib.AbstractContextManager[Web]]:
    """Return what starts another server."""
    return serving


@pytest.fixture(scope="session")
def _web() -> Iterator[Web]:
    with serving() as web:
        yield web


@pytest.fixture
def web(_web) -> Web:
    """Return a server on 127.0.0.1, which resolves as `web.test`, and what it has seen."""
    _web.seen.clear()
    return _web


class Names:
    """A resolver that knows what a test tells it.

    To each name belong the answers to one question after the other, of which the last stays; or
    what to do instead, before it turns out to have no address.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]] | Callable[[], object]] = {}
        self.asked: list[str] = []

    def __setitem__(self, name: str, addresses: list[str]) -> None:
        self.answers[name] = [addresses]

    def __call__(self, name: str):
        self.asked.append(name)
        if name not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = self.answers[name]
        if callable(answers):
            answers()
            return []
        return [ip_address(each) for each in (answers.pop(0) if len(answers) > 1 else answers[0])]


@pytest.fixture
def names() -> Names:
    names = Names()
    names["web.test"] = ["127.0.0.1"]
    return names


class SilentServer:
    """Takes connections, and does nothing by itself."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.port = int(listener.getsockname()[1])

    def accept(self) -> socket.socket:
        connection = self.listener.accept()[0]
        connection.settimeout(PATIENCE_S)
        return connection


@pytest.fixture
def silent() -> Iterator[SilentServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)
        yield SilentServer(listener)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a connection that is there already."""

    def __init__(self, open_socket: Callable[[], socket.socket]) -> None:
        super().__init__("proxy", timeout=PATIENCE_S)
        self._open_socket = open_socket

    def connect(self) -> None:
        self.sock = self._open_socket()
        if self._tunnel_host:  # type: ignore[attr-defined]  # not in typeshed
            self._tunnel()  # type: ignore[attr-defined]  # as above


class Answer(NamedTuple):
    status: int
    reason: str
    body: bytes


class ReachedEgress(Egress):
    """An egress, with what a program does at the other end of a relay."""

    @property
    def socket_path(self) -> Path:
        return self.directory / relay.SOCKET

    def dial(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE_S)
        try:
            connection.connect(str(self.socket_path))
        except BaseException:
            connection.close()
            raise
        return connection

    def http(self) -> contextlib.closing[UnixConnection]:
        return contextlib.closing(UnixConnection(self.dial))

    def request(self, url: str, method: str = "GET", body=None, **headers: str) -> Answer:
        with self.http() as connection:
            connection.request(method, url, body, headers)
            with connection.getresponse() as response:
                return Answer(response.status, response.reason, response.read())

    def raw(self, *pieces: bytes) -> bytes:
        """Send bytes, and return everything that comes back."""
        with self.dial() as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for piece in pieces:
                    connection.sendall(piece)
            return self.drain(connection)

    def tunnel(self, target: str) -> socket.socket:
        connection = self.dial()
        connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            piece = connection.recv(1)
            assert piece, answer
            answer += piece
        assert answer.startswith(b"HTTP/1.1 200 ")
        return connection

    @staticmethod
    def drain(connection: socket.socket) -> bytes:
        """Return all that comes until the other side ends."""
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while data := connection.recv(1 << 16):
                received += data
        return received


@pytest.fixture
def open_egress(names) -> Iterator[Callable[..., ReachedEgress]]:
    """Return what opens an egress with the test's resolver; arguments are those of the limits."""
    with contextlib.ExitStack() as stack:

        def open_one(**limits) -> ReachedEgress:
            return stack.enter_context(ReachedEgress(limits=ProxyLimits(**limits), resolve=names))

        yield open_one


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Path:
    """A key and its certificate for `web.test`, in one file."""
    folder = tmp_path_factory.mktemp("certificate")
    both = folder / "both.pem"
    subprocess.run(
        [
            "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=web.test",
            "-addext", "subjectAltName=DNS:web.test", "-keyout", both, "-out", folder / "c.pem",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    both.write_text(both.read_text() + (folder / "c.pem").read_text())
    return both
