"""The host's end of a sandbox's network: a proxy behind a socket file, out of programs' reach.

A program with network is in a network namespace without any interface but loopback, and so cannot
send a packet anywhere. What it wants to reach it asks this proxy for, through the relay inside (see
`relay`). Between runs there is no socket: nothing that is left of one can get into the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from toolguild.sandbox.errors import SandboxUnavailableError
from toolguild.sandbox.network import relay
from toolguild.sandbox.network.certificates import authorities
from toolguild.sandbox.network.hosts import parse_hosts
from toolguild.sandbox.network.lookup import Lookups, Resolve, resolve
from toolguild.sandbox.network.proxy import Proxy, ProxyLimits
from toolguild.sandbox.shown import ShownDirectory

__all__ = ["Egress"]

_PREFIX = "toolguild-egress-"
_PATIENCE_S = 10.0  # for the loop, which itself waits for nothing
_BACKLOG = 64


class Egress:
    """Gives the runs of one worker, one after the other, the hosts that each may connect to.

    `directory` is to be shown inside, to read only, as `relay.FOLDER`. Used by one thread at a
    time, except for `close`. Use as a context manager.
    """

    def __init__(
        self,
        *,
        limits: ProxyLimits = ProxyLimits(),  # noqa: B008 - immutable
        resolve: Resolve = resolve,
        certificates: Path | None = None,
    ) -> None:
        """Make the directory, and start the thread that serves.

        Args:
            limits: What the connections of each run may use.
            resolve: What looks names up.
            certificates: File of the authorities that programs are to trust, by default those of
                this machine.

        Raises:
            SandboxUnavailableError: this system has no such sockets, or no room for a directory.
        """
        if not hasattr(socket, "AF_UNIX"):
            msg = f"Sandboxes with network need a system with unix sockets, and not {sys.platform}."
            raise SandboxUnavailableError(msg)
        self._limits = limits
        self._process = os.getpid()
        self._closing = threading.Lock()
        self._closed = False
        self._shown = _make_directory(certificates or authorities())
        self.directory = self._shown.path
        """What to show inside: the socket of the run under way, and the certificates."""
        self._lookups = Lookups(resolve, limits.connections)
        self._run: _Run | None = None
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._serve, name="toolguild-egress", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def begin_run(self, hosts: frozenset[str] | None) -> None:
        """Let the programs of one run connect, until `end_run`.

        Args:
            hosts: To whom, as `Access.hosts` says it.

        Raises:
            ValueError: an entry of the hosts is none.
            SandboxUnavailableError: the socket cannot be made.
        """
        proxy = Proxy(parse_hosts(hosts), self._lookups, self._limits)
        if self._closed:
            msg = "The sandbox's network proxy is closed."
            raise SandboxUnavailableError(msg)
        run = _Run(proxy, _listen(self.directory / relay.SOCKET))
        try:
            self._loop.call_soon_threadsafe(self._loop.add_reader, run.listener, self._accept, run)
        except RuntimeError as error:
            run.listener.close()
            raise _gone(error) from error
        self._run = run

    def end_run(self) -> tuple[str, ...]:
        """Cut every connection, and let no more in.

        Returns:
            What the run asked to be connected to, as `name:port`, refused or not: the first
            hundred, each once.

        Raises:
            SandboxUnavailableError: that cannot be done; no other run may follow here.
        """
        run, self._run = self._run, None
        if not run:
            return ()
        if not self._closed:  # else it is cut already
            self._cut(run)
        return run.proxy.asked

    def close(self) -> None:
        """End everything and remove the directory; closing twice is harmless."""
        with self._closing:
            # In a forked copy of the process, thread and directory are the original's.
            if self._closed or os.getpid() != self._process:
                return
            self._closed = True
        if run := self._run:
            with contextlib.suppress(SandboxUnavailableError):
                self._cut(run)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_S)
        self._shown.remove()

    def _cut(self, run: _Run) -> None:
        ending = self._end(run)
        try:
            asyncio.run_coroutine_threadsafe(ending, self._loop).result(_PATIENCE_S)
        except TimeoutError as error:
            raise _gone(error) from error
        except RuntimeError as error:
            ending.close()
            raise _gone(error) from error

    def _serve(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def _accept(self, run: _Run) -> None:
        try:
            connection = run.listener.accept()[0]
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:
            # This process has no descriptor to spare: a relay that is turned away says so.
            self._stop_listening(run)
            return
        run.proxy.accept(connection)

    async def _end(self, run: _Run) -> None:
        self._stop_listening(run)
        await run.proxy.cut()
        await asyncio.sleep(0)  # the connections are closed in the loop's next round

    def _stop_listening(self, run: _Run) -> None:
        if run.listener.fileno() < 0:
            return
        self._loop.remove_reader(run.listener)
        # A forked copy of this process may hold it too: closing it here would not do.
        with contextlib.suppress(OSError):
            run.listener.shutdown(socket.SHUT_RDWR)
        run.listener.close()


class _Run(NamedTuple):
    proxy: Proxy
    listener: socket.socket


def _gone(error: Exception) -> SandboxUnavailableError:
    return SandboxUnavailableError(f"The sandbox's network proxy does not answer: {error!r}.")


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        # For whatever identity the sandbox has; others do not get into the directory above.
        path.chmod(0o666)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _no_room(error) from error
    return listener


def _make_directory(certificates: Path | None) -> ShownDirectory:
    """Return a directory that may be shown inside, with the certificates in it."""
    try:
        directory = ShownDirectory(_PREFIX)
        if certificates:
            copy = directory.path / relay.CERTIFICATES
            shutil.copyfile(certificates, copy)
            copy.chmod(0o644)
    except OSError as error:
        raise _no_room(error) from error
    return directory


def _no_room(error: OSError) -> SandboxUnavailableError:
    msg = (
        f"The sandbox's network proxy cannot use {tempfile.gettempdir()}: {error}. Point TMPDIR to "
        "a directory with a short path and room in it."
    )
    return SandboxUnavailableError(msg)
