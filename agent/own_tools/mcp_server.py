"""The tools of an MCP server as an agent's own; needs the extra `mcp`.

What a server says of its tools' effects are hints. They are taken as the user's word, who names
the server as he would name a module: only `readOnlyHint` makes a tool one that reads, and one that
says nothing counts as writing.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from toolguild.agent.own_tools.errors import ToolSourceError
from toolguild.registry import ExternalTool
from toolguild.registry.effects import Effect
from toolguild.sandbox import Json, ToolCallError

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal
    from mcp import Client
    from mcp.types import CallToolResult, Tool

__all__ = ["mcp_tools"]

_MOST_PAGES = 100
_CONNECT_S = 30.0


@contextmanager
def mcp_tools(where: str) -> Iterator[dict[str, ExternalTool]]:
    """Connect to a server for a block, and give its tools.

    Args:
        where: The address of a server, or the command that starts one which speaks over stdio.

    Raises:
        ToolSourceError: there is no server, or it has no tools; or `mcp` is not installed.
    """
    try:
        from anyio.from_thread import start_blocking_portal
        from mcp import Client
    except ImportError as error:
        msg = f'{where}: MCP needs a package; run: python -m pip install "toolguild[mcp]"'
        raise ToolSourceError(msg) from error
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal("asyncio"))
        try:
            client = stack.enter_context(
                portal.wrap_async_context_manager(
                    Client(_server(where), read_timeout_seconds=_CONNECT_S)
                )
            )
            listed = portal.call(_all_tools, client)
        # Whatever breaks on the way comes in groups, of the libraries below.
        except (Exception, BaseExceptionGroup) as error:
            msg = f"{where}: no MCP server answers: {_first(error)}"
            raise ToolSourceError(msg) from error
        if not listed:
            msg = f"{where}: the server has no tools"
            raise ToolSourceError(msg)
        yield {one.name: _external(portal, client, one) for one in listed}


def _server(where: str) -> Any:
    from mcp import StdioServerParameters

    if where.startswith(("http://", "https://")):
        return where
    command, *arguments = shlex.split(where)
    return StdioServerParameters(command=command, args=arguments)


async def _all_tools(client: Client) -> list[Tool]:
    tools: list[Tool] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if not cursor:
            break
    return tools


def _external(portal: BlockingPortal, client: Client, listed: Tool) -> ExternalTool:
    return ExternalTool(
        _caller(portal, client, listed.name),
        effect=_effect(listed),
        description=listed.description or listed.title or "",
        parameters=listed.input_schema,
    )


def _caller(portal: BlockingPortal, client: Client, name: str) -> Callable[..., Json]:
    async def ask(arguments: dict[str, Any]) -> CallToolResult:
        return await client.call_tool(name, arguments)

    def call(**arguments: Json) -> Json:
        result = portal.call(ask, arguments)
        texts = [part.text for part in result.content if part.type == "text"]
        if result.is_error:
            raise ToolCallError("\n".join(texts) or "the server says that it failed")
        if result.structured_content is not None:
            return _unwrapped(result.structured_content)
        return "\n".join(texts)

    return call


def _unwrapped(content: Any) -> Json:
    """Return what a tool returned; a value that is no object comes as the `result` of one."""
    alone = isinstance(content, dict) and content.keys() == {"result"}
    value: Json = content["result"] if alone else content
    return value


def _effect(listed: Tool) -> Effect:
    hints = listed.annotations
    if hints is None:
        return "unknown"
    if hints.open_world_hint:
        return "network"
    return "read" if hints.read_only_hint else "unknown"


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
