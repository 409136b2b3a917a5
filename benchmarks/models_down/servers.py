"""Servers on the loopback interface that are down, each in its own way."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Event, Thread

__all__ = ["WAYS"]

_BETWEEN_BYTES_S = 1.0


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, handler: type[BaseRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.ended = Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away."""


@contextmanager
def _served(handler: type[BaseRequestHandler]) -> Iterator[str]:
    with _Server(handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield _url(server.socket)
        finally:
            server.ended.set()
            server.shutdown()
            thread.join()


def _url(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _take(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def _nobody() -> Iterator[str]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield _url(bound)


@contextmanager
def _black_hole() -> Iterator[str]:
    """Drop what comes: nobody takes connections, and no more of them fit into the queue."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield _url(listening)


class _Silent(BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.ended.wait()


class _HangsUp(BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(1)


class _SilentToPosts(_Handler):
    """Gives errors at once to whatever is no request to the model."""

    def do_POST(self) -> None:
        self.server.ended.wait()


class _Drips(_Handler):
    def do_POST(self) -> None:
        self._take()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "500")
        self.end_headers()
        while not self.server.ended.wait(_BETWEEN_BYTES_S):
            self.wfile.write(b" ")

    do_GET = do_POST


def _failing(
    status: int, after_s: float = 0.0, **headers: str
) -> Callable[[], AbstractContextManager[str]]:
    """Return a server that answers everything with an error."""

    class Failing(_Handler):
        def do_POST(self) -> None:
            self._take()
            self.server.ended.wait(after_s)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST

    return lambda: _served(Failing)


WAYS: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "nobody listens": _nobody,
    "connections hang": _black_hole,
    "accepts, and says nothing": lambda: _served(_Silent),
    "hangs up": lambda: _served(_HangsUp),
    "says nothing to requests with a body": lambda: _served(_SilentToPosts),
    "a byte a second": lambda: _served(_Drips),
    **{f"status {status}": _failing(status) for status in (401, 429, 500, 502, 503)},
    "status 502 after 2 s": _failing(502, after_s=2.0),
    "status 429, retry after 1 s": _failing(429, retry_after="1"),
    "status 429, retry after 100 s": _failing(429, retry_after="100"),
    "status 503, retry after 600 s": _failing(503, retry_after="600"),
    "status 500, wants to be asked again": _failing(500, x_should_retry="true"),
}
"""Each opens a server that is down in this way, and gives its address."""
