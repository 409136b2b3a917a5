"""Passing bytes between a program and the server that it was connected to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import NamedTuple

from toolguild.sandbox.network.request import (
    CHUNKED,
    ProxyRefusedError,
    ProxyRequest,
    announce_close,
    is_interim,
    parse_chunk_size,
)

__all__ = ["Budget", "Exchange", "Stream"]

_PIECE = 1 << 16


class Stream(NamedTuple):
    """One end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Hand data to the kernel: none of it stays in this process."""
        self.writer.transport.set_write_buffer_limits(high=0)
        self.writer.write(data)
        await self.writer.drain()

    def cut(self) -> None:
        """End it at once."""
        # A forked copy of this process may hold the socket too: closing it here would not do.
        with contextlib.suppress(OSError):
            self.writer.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self.writer.transport.abort()


class _CutError(Exception):
    """The connection is to end without another word."""


class Budget:
    """How many bytes the connections of a run may still move."""

    def __init__(self, total: int) -> None:
        self.left = total

    def spend(self, count: int) -> None:
        """Count bytes that are moved."""
        self.left -= count
        if self.left < 0:
            raise _CutError


class Exchange:
    """What passes between a program and a server, until both are done or one is gone."""

    def __init__(self, client: Stream, server: Stream, budget: Budget, idle_s: float) -> None:
        """Take both ends, which stay the caller's to cut.

        Args:
            client: The connection to the program.
            server: The connection to the server.
            budget: Ends the exchange when it is spent.
            idle_s: Seconds without a byte in either direction after which the exchange ends.
        """
        self._client, self._server = client, server
        self._budget, self._idle_s = budget, idle_s
        self._idle = asyncio.timeout(idle_s)

    async def run(self, request: ProxyRequest) -> None:
        """Carry a request out."""
        try:
            async with self._idle:
                await (self._tunnel() if request.is_tunnel else self._forward(request))
        except* (OSError, EOFError, asyncio.LimitOverrunError, ProxyRefusedError, _CutError):
            pass  # there is nobody left to tell: the program sees its connection end

    async def _tunnel(self) -> None:
        await self._client.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        async with asyncio.TaskGroup() as directions:
            directions.create_task(self._pass_all(self._client, self._server))
            directions.create_task(self._pass_all(self._server, self._client))

    async def _forward(self, request: ProxyRequest) -> None:
        await self._server.send(request.head)
        async with asyncio.TaskGroup() as directions:
            sending = directions.create_task(self._send_body(request.body_bytes))
            await self._pass_answer_head()
            # The rest needs no reading: the server was told to close the connection behind it.
            await self._pass_all(self._server, self._client)
            sending.cancel()

    async def _pass_answer_head(self) -> None:
        head = b""
        try:
            while not head or is_interim(head):
                head = await self._server.reader.readuntil(b"\r\n\r\n")
                await self._pass(self._client, head if is_interim(head) else announce_close(head))
        except asyncio.LimitOverrunError:
            pass  # too long to change: let the client see what it makes of it
        except asyncio.IncompleteReadError as error:
            await self._pass(self._client, error.partial)

    async def _send_body(self, length: int) -> None:
        if length == CHUNKED:
            await self._pass_chunks()
        else:
            await self._pass_exactly(length)
        # A second request would go to this server unchecked, so there is none.
        if await self._client.reader.read(1):
            raise _CutError

    async def _pass_chunks(self) -> None:
        """Pass the pieces of a body on, each framed anew; what may follow the last is refused."""
        reader, server = self._client.reader, self._server
        while size := parse_chunk_size(await reader.readuntil(b"\r\n")):
            await self._pass(server, b"%x\r\n" % size)
            await self._pass_exactly(size)
            if await reader.readexactly(2) != b"\r\n":
                raise _CutError
            await self._pass(server, b"\r\n")
        if await reader.readexactly(2) != b"\r\n":
            raise _CutError
        await self._pass(server, b"0\r\n\r\n")

    async def _pass_exactly(self, length: int) -> None:
        while length:
            data = await self._client.reader.read(min(length, _PIECE))
            if not data:
                raise _CutError
            await self._pass(self._server, data)
            length -= len(data)

    async def _pass_all(self, source: Stream, target: Stream) -> None:
        while data := await source.reader.read(_PIECE):
            await self._pass(target, data)
        # The other direction may go on: whoever has said all may still be answered.
        target.writer.write_eof()

    async def _pass(self, target: Stream, data: bytes) -> None:
        self._budget.spend(len(data))
        await target.send(data)
        if not self._idle.expired():
            self._idle.reschedule(asyncio.get_running_loop().time() + self._idle_s)
