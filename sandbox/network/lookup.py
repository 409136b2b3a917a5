"""Finding the addresses of a name, without waiting for a resolver longer than need be."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import ip_address
from typing import TypeAlias

from toolguild.sandbox.network.addresses import IPAddress

__all__ = ["Lookups", "Resolve", "resolve"]

Resolve: TypeAlias = Callable[[str], Sequence[IPAddress]]
"""Returns the addresses of a name, the best first; raises OSError where it has none."""


def resolve(name: str) -> Sequence[IPAddress]:
    """Ask this machine's resolver.

    Raises:
        OSError: it knows no address of that name.
    """
    # As bytes: text would go through the IDNA codec, which has its own idea of what a name is.
    found = socket.getaddrinfo(name.encode("ascii"), None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(entry[4][0])) for entry in found))


class Lookups:
    """Looks names up for an event loop, each in a thread of its own.

    No lookup can be interrupted. The threads are daemons and not an executor's, for which the
    interpreter would wait at its end, and there are only so many of them.
    """

    def __init__(self, resolve: Resolve, at_once: int) -> None:
        """Take what looks up one name, and how many of them may be on their way."""
        self._resolve = resolve
        self._places = threading.BoundedSemaphore(at_once)

    async def find(self, name: str) -> Sequence[IPAddress]:
        """Return the addresses of a name.

        Raises:
            OSError: it has none, or too many lookups are on their way.
        """
        if not self._places.acquire(blocking=False):
            msg = "too many names are being looked up"
            raise OSError(msg)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[IPAddress]] = loop.create_future()
        work = partial(self._work, name, loop, answer)
        try:
            threading.Thread(target=work, name="toolguild-lookup", daemon=True).start()
        except RuntimeError as error:  # this process has no thread to spare
            self._places.release()
            raise OSError(str(error)) from error
        return await answer

    def _work(
        self,
        name: str,
        loop: asyncio.AbstractEventLoop,
        answer: asyncio.Future[Sequence[IPAddress]],
    ) -> None:
        try:
            found: Sequence[IPAddress] | OSError = self._resolve(name)
        except (OSError, ValueError) as error:
            found = OSError(str(error))
        finally:
            self._places.release()
        with contextlib.suppress(RuntimeError):  # the loop has ended in the meantime
            loop.call_soon_threadsafe(_settle, answer, found)


def _settle(
    answer: asyncio.Future[Sequence[IPAddress]], found: Sequence[IPAddress] | OSError
) -> None:
    if answer.done():  # whoever waited was cancelled
        return
    if isinstance(found, OSError):
        answer.set_exception(found)
    else:
        answer.set_result(found)
