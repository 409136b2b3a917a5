"""The way out of the sandbox for programs that have the network: bytes passed on unread.

Programs find a proxy at `ADDRESS`, in a network namespace that has nothing but its loopback
interface. What they send there goes to a socket file, behind which the host's proxy decides (see
`egress`). Runs inside the isolation, in the supervisor's own thread, so nothing in here waits, and
it needs the standard library only.
"""

from __future__ import annotations

import contextlib
import select
import socket

__all__ = ["ADDRESS", "CERTIFICATES", "ENVIRONMENT", "FOLDER", "SOCKET", "Relay"]

ADDRESS = ("127.0.0.1", 3128)
"""Where programs find the proxy; the port is the usual one of proxies."""
FOLDER = "/run/egress"
"""Where the directory of the host's `Egress` is shown inside, to read only."""
SOCKET = "egress.sock"
"""Name of the socket in it."""
CERTIFICATES = "certificates.pem"
"""Name of the file in it with the authorities that the host trusts."""

_PROXY = f"http://{ADDRESS[0]}:{ADDRESS[1]}"

ENVIRONMENT = {
    "HTTP_PROXY": _PROXY,
    "http_proxy": _PROXY,
    "HTTPS_PROXY": _PROXY,
    "https_proxy": _PROXY,
    "NO_PROXY": "",
    "no_proxy": "",
    "SSL_CERT_FILE": f"{FOLDER}/{CERTIFICATES}",
    "REQUESTS_CA_BUNDLE": f"{FOLDER}/{CERTIFICATES}",
}
"""Variables that lead programs through the relay, besides those that every program sees."""

_PIECE = 1 << 16
_CONNECTIONS = 32  # each takes two descriptors, of which a worker has 128


class Relay:
    """Listens for programs, and connects each to the host's socket.

    `fileno` is what to wait on for reading: then `serve` does all that can be done without waiting.
    A program that does not read what comes for it is sent no more: of each connection at most two
    pieces of 64 KiB are held here.
    """

    def __init__(
        self, path: str = f"{FOLDER}/{SOCKET}", address: tuple[str, int] = ADDRESS
    ) -> None:
        """Begin to listen.

        Args:
            path: The host's socket.
            address: Where to listen; port 0 for any free one.

        Raises:
            OSError: the address cannot be had.
        """
        self.failure = ""
        """Why the host's socket was out of reach: the sandbox's failure, and no program's."""
        self._path = path
        self._listener = socket.create_server(address, backlog=_CONNECTIONS)
        self._listener.setblocking(False)
        self._ready = select.epoll()
        self._links: dict[int, _Link] = {}
        self._listen()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._listener.getsockname()
        return str(host), int(port)

    def check(self) -> None:
        """Make sure that the host's socket can be reached from here.

        Raises:
            OSError: it cannot.
        """
        _connect(self._path).close()

    def fileno(self) -> int:
        """Return what is readable while there is something to do."""
        return self._ready.fileno()

    def serve(self) -> None:
        """Do what can be done now, at most one piece for each connection and direction."""
        for descriptor, _ in self._ready.poll(0):
            link = self._links.get(descriptor)
            if link:
                self._work(link)
            elif descriptor == self._listener.fileno():
                self._accept()
            # Else it was dropped a moment ago, for what its other socket had to say.

    def cut(self) -> None:
        """End every connection, also those that nobody has taken up yet."""
        for link in set(self._links.values()):
            self._drop(link)
        with contextlib.suppress(OSError):
            while True:
                self._listener.accept()[0].close()

    def close(self) -> None:
        """End everything; closing twice is harmless."""
        for link in set(self._links.values()):
            self._drop(link)
        self._listener.close()
        self._ready.close()

    def _listen(self) -> None:
        self._ready.register(self._listener, select.EPOLLIN)

    def _accept(self) -> None:
        try:
            program = self._listener.accept()[0]
        except OSError:  # it has gone again
            return
        try:
            host = _connect(self._path)
        except BlockingIOError:  # too many at once: the program's own doing
            program.close()
            return
        except OSError as error:
            self.failure = str(error)
            program.close()
            return
        link = _Link(program, host, self._ready)
        self._links.update(dict.fromkeys(link.descriptors, link))
        if self._is_full():
            self._ready.unregister(self._listener)  # the next ones wait

    def _is_full(self) -> bool:
        return len(self._links) == 2 * _CONNECTIONS

    def _work(self, link: _Link) -> None:
        link.work()
        if link.ended:
            self._drop(link)

    def _drop(self, link: _Link) -> None:
        if self._is_full():
            self._listen()
        for descriptor in link.descriptors:
            del self._links[descriptor]
        link.close()


def _connect(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        connection.connect(path)  # of a local socket, this is done at once or not at all
    except BaseException:
        connection.close()
        raise
    return connection


class _Direction:
    """What passes from one socket to another: a piece is read once the last one is written."""

    def __init__(self, source: socket.socket, target: socket.socket) -> None:
        self.source, self.target = source, target
        self.ended = False
        """Whether the source has said all, and the target has been told."""
        self._piece = b""
        self._source_ended = False

    @property
    def wants_read(self) -> bool:
        return not self._piece and not self._source_ended

    @property
    def wants_write(self) -> bool:
        return bool(self._piece)

    def work(self) -> None:
        with contextlib.suppress(BlockingIOError):
            if self.wants_read:
                self._piece = self.source.recv(_PIECE)
                self._source_ended = not self._piece
            if self._piece:
                self._piece = self._piece[self.target.send(self._piece) :]
        if self._source_ended and not self._piece and not self.ended:
            self.ended = True
            self.target.shutdown(socket.SHUT_WR)


class _Link:
    """A program's connection and the one to the host that belongs to it."""

    def __init__(self, program: socket.socket, host: socket.socket, ready: select.epoll) -> None:
        program.setblocking(False)
        self.ended = False
        self.descriptors = (program.fileno(), host.fileno())
        self._sockets = (program, host)
        self._directions = (_Direction(program, host), _Direction(host, program))
        self._ready = ready
        self._watched = dict.fromkeys(self._sockets, 0)
        self._watch()

    def work(self) -> None:
        try:
            for direction in self._directions:
                direction.work()
        except OSError:
            self.ended = True
        else:
            self.ended = all(direction.ended for direction in self._directions)
        if not self.ended:
            self._watch()

    def close(self) -> None:
        for end in self._sockets:
            self._set_events(end, 0)
            end.close()

    def _watch(self) -> None:
        for end in self._sockets:
            events = 0
            for direction in self._directions:
                if direction.source is end and direction.wants_read:
                    events |= select.EPOLLIN
                if direction.target is end and direction.wants_write:
                    events |= select.EPOLLOUT
            self._set_events(end, events)

    def _set_events(self, end: socket.socket, events: int) -> None:
        before, self._watched[end] = self._watched[end], events
        if not before and events:
            self._ready.register(end, events)
        elif before and not events:
            # Taken out, and not only asked for nothing: a socket whose other end is closed is
            # reported whatever one asks for, over and over.
            self._ready.unregister(end)
        elif before != events:
            self._ready.modify(end, events)
