"""Opening whatever holds tools by the one text that users give for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from toolguild.agent.own_tools.errors import ToolSourceError
from toolguild.agent.own_tools.functions import load_functions
from toolguild.agent.own_tools.mcp_server import mcp_tools
from toolguild.registry import ExternalTool

__all__ = ["open_tools"]

_MCP = "mcp:"


@contextmanager
def open_tools(sources: Iterable[str]) -> Iterator[dict[str, ExternalTool]]:
    """Open sources of tools for a block, and give the tools of all by name.

    Args:
        sources: A file `tools.py`, a module `package.tools`, an MCP server's address, or `mcp:` and
            the command that starts one.

    Raises:
        ToolSourceError: one has no tools, or two have one of the same name.
    """
    tools: dict[str, ExternalTool] = {}
    with ExitStack() as stack:
        for source in sources:
            found = _open(source, stack)
            if twice := sorted(tools.keys() & found.keys()):
                msg = f"{source}: another source has a tool {twice[0]}, too; leave one of them out"
                raise ToolSourceError(msg)
            tools |= found
        yield tools


def _open(source: str, stack: ExitStack) -> dict[str, ExternalTool]:
    if source.startswith(("http://", "https://")):
        return stack.enter_context(mcp_tools(source))
    if source.startswith(_MCP):
        return stack.enter_context(mcp_tools(source.removeprefix(_MCP).strip()))
    return load_functions(source)
