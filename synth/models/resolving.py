"""Looking up a host's name in a time of one's own choosing.

asyncio looks names up in threads that it and the interpreter wait for at their end, and a resolver
that does not answer keeps such a thread for as long as the system likes.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from threading import Thread
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

__all__ = ["looked_up"]


async def looked_up(url: str) -> None:
    """Return when a resolver has answered for the host that a URL leads to first.

    Whoever waits may give up at any time. What the answer is shows when somebody connects.
    """
    loop = asyncio.get_running_loop()
    answered = asyncio.Event()
    host = _first_host(url)

    def look_up() -> None:
        with suppress(OSError, UnicodeError):
            socket.getaddrinfo(host, None)
        with suppress(RuntimeError):  # The loop was closed; nobody waits any more.
            loop.call_soon_threadsafe(answered.set)

    Thread(target=look_up, daemon=True).start()
    await answered.wait()


def _first_host(url: str) -> str | None:
    """Return the host of a URL, or of the proxy on the way to it."""
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme, proxies.get("all"))
    if proxy is None or proxy_bypass(parts.hostname or ""):
        return parts.hostname
    return urlsplit(proxy if "://" in proxy else f"//{proxy}").hostname
