"""The proxy that programs reach the network through: whom it connects them to, and whom not.

It runs in a process of the host, and one `Proxy` serves the connections of one run. Nothing that a
program sends is believed: names are looked up here, and a connection goes to the very address that
was checked.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address

from toolguild.sandbox.network.addresses import IPAddress, is_metadata, is_public
from toolguild.sandbox.network.exchange import Budget, Exchange, Stream
from toolguild.sandbox.network.hosts import WEB_PORTS, Admission, HostRules, Target
from toolguild.sandbox.network.lookup import Lookups
from toolguild.sandbox.network.request import (
    MAX_HEAD,
    ProxyRefusedError,
    ProxyRequest,
    parse_head,
)

__all__ = ["Proxy", "ProxyLimits"]

_MAX_ASKED = 100
"""Targets of one run that are kept."""
_MAX_ADDRESSES = 4
"""Addresses of one name that are tried."""
_LINGER_S = 1.0
_LINGER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ProxyLimits:
    """What the connections of one run may use."""

    connections: int = 32
    """Connections at once."""
    head_s: float = 10.0
    """Seconds for a request's head to come in."""
    connect_s: float = 5.0
    """Seconds for a server to accept, at each of its addresses."""
    idle_s: float = 60.0
    """Seconds without a byte in either direction, after which a connection is cut."""
    total_bytes: int = 256 << 20
    """Bytes in both directions, over all connections."""


class Proxy:
    """Serves the connections of one run."""

    def __init__(self, rules: HostRules, lookups: Lookups, limits: ProxyLimits) -> None:
        """Take what is allowed, and what finds the addresses of names."""
        self._rules, self._lookups, self._limits = rules, lookups, limits
        self._budget = Budget(limits.total_bytes)
        self._asked: dict[str, None] = {}
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def asked(self) -> tuple[str, ...]:
        """Whom connections were asked for, as `name:port`, in the order of the first time."""
        return tuple(self._asked)

    def accept(self, connection: socket.socket) -> None:
        """Begin to serve a connection; to be called in the event loop."""
        if len(self._serving) >= self._limits.connections:
            connection.close()
            return
        serving = asyncio.create_task(self._serve(connection))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)
        # Also for a task that is cancelled before it begins.
        serving.add_done_callback(lambda task: connection.close())

    async def cut(self) -> None:
        """End every connection."""
        serving = list(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _serve(self, connection: socket.socket) -> None:
        client = Stream(*await asyncio.open_unix_connection(sock=connection, limit=MAX_HEAD))
        try:
            await self._carry_out(client)
        except ProxyRefusedError as refusal:
            with contextlib.suppress(OSError):
                await _say_no(client, refusal)
        except (OSError, EOFError):
            pass  # the program is gone
        finally:
            client.cut()

    async def _carry_out(self, client: Stream) -> None:
        request = await self._read_request(client.reader)
        if len(self._asked) < _MAX_ASKED:
            self._asked[str(request.target)] = None
        server = await self._connect(request.target, await self._addresses(request.target))
        try:
            await Exchange(client, server, self._budget, self._limits.idle_s).run(request)
        finally:
            server.cut()

    async def _read_request(self, reader: asyncio.StreamReader) -> ProxyRequest:
        try:
            async with asyncio.timeout(self._limits.head_s):
                return parse_head(await reader.readuntil(b"\r\n\r\n"))
        except asyncio.LimitOverrunError:
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise ProxyRefusedError(status, "The request's head is too large.") from None
        except TimeoutError:
            status = HTTPStatus.REQUEST_TIMEOUT
            raise ProxyRefusedError(status, "The request's head did not come in time.") from None

    async def _addresses(self, target: Target) -> Sequence[IPAddress]:
        """Return where the target may be reached.

        Raises:
            ProxyRefusedError: nowhere.
        """
        admission = self._rules.admits(target)
        if admission is Admission.NO:
            raise _forbidden(target, *_why_not(self._rules, target))
        if self._budget.left <= 0:
            limit = self._limits.total_bytes
            raise _forbidden(target, f"this run has moved the {limit} bytes that it may")
        addresses = [target.address] if target.address else await self._look_up(target)
        for address in addresses:
            if reason := _why_not_there(target, address, admission):
                raise _forbidden(target, *reason)
        return addresses[:_MAX_ADDRESSES]

    async def _look_up(self, target: Target) -> Sequence[IPAddress]:
        try:
            return await self._lookups.find(target.host)
        except OSError as error:
            raise _out_of_reach(target, error.strerror or str(error)) from error

    async def _connect(self, target: Target, addresses: Sequence[IPAddress]) -> Stream:
        """Connect to one of the addresses that were checked: no name is looked up again."""
        reason = "its name has no address"
        for address in addresses:
            try:
                async with asyncio.timeout(self._limits.connect_s):
                    return await _open(address, target.port)
            except TimeoutError:
                reason = f"no answer within {self._limits.connect_s:g} s"
            except OSError as error:
                reason = error.strerror or str(error)
        raise _out_of_reach(target, reason)


async def _open(address: IPAddress, port: int) -> Stream:
    return Stream(*await asyncio.open_connection(str(address), port))


def _why_not(rules: HostRules, target: Target) -> tuple[str, str]:
    """Return why the rules do not admit a target, and the entry that would."""
    if rules.rules is None:
        reason = "of all public hosts only the ports 80 and 443 are allowed"
    else:
        reason = "it is not among the hosts that this run may connect to"
    return reason, target.host if target.port in WEB_PORTS else str(target)


def _why_not_there(
    target: Target, address: IPAddress, admission: Admission
) -> tuple[str, str] | None:
    """Return why a target is not admitted at an address, and the entry that would admit it."""
    own_port = "" if target.port in WEB_PORTS else f":{target.port}"
    if is_metadata(address) and admission is not Admission.LITERAL:
        literal = f"[{address}]" if address.version == 6 else str(address)
        return f"at its address {address} a cloud keeps metadata", literal + own_port
    if admission is Admission.PUBLIC:
        if not is_public(address):
            return f"its address {address} is not public", target.host + own_port
        if _is_own(address):
            return f"its address {address} is this machine's own", target.host + own_port
    return None


def _is_own(address: IPAddress) -> bool:
    """Return whether an address is one of this machine's, where services trust whoever connects."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    # Connecting a datagram socket sends nothing, but settles which address it would send from.
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((str(address), 9))
        return ip_address(probe.getsockname()[0]) == address
    return False


def _forbidden(target: Target, reason: str, entry: str = "") -> ProxyRefusedError:
    sentence = f"Connecting to {target} is refused: {reason}."
    if entry:
        sentence += f" Whoever runs this tool can allow it with Access(hosts={{{entry!r}}})."
    return ProxyRefusedError(HTTPStatus.FORBIDDEN, sentence)


def _out_of_reach(target: Target, reason: str) -> ProxyRefusedError:
    return ProxyRefusedError(HTTPStatus.BAD_GATEWAY, f"{target} cannot be reached: {reason}.")


async def _say_no(client: Stream, refusal: ProxyRefusedError) -> None:
    # Also in the first line: of an answer to CONNECT, most clients show no more than that.
    sentence = "".join(letter if " " <= letter <= "~" else "?" for letter in str(refusal))
    head = (
        f"HTTP/1.1 {refusal.status.value} {sentence}\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\n"
        f"Content-Length: {len(sentence) + 1}\r\n"
        "Connection: close\r\n\r\n"
    )
    async with asyncio.timeout(_LINGER_S):
        await client.send(f"{head}{sentence}\n".encode("ascii"))
        client.writer.write_eof()
        # To close while more is coming in would take the answer back.
        left = _LINGER_BYTES
        while left > 0 and (data := await client.reader.read(left)):
            left -= len(data)
