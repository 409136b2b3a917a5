"""An agent's own tools: Python functions, and those of MCP servers."""

from toolguild.agent.own_tools.errors import ToolSourceError
from toolguild.agent.own_tools.functions import function_tool, load_functions, tool
from toolguild.agent.own_tools.mcp_server import mcp_tools
from toolguild.agent.own_tools.sources import open_tools

__all__ = ["ToolSourceError", "function_tool", "load_functions", "mcp_tools", "open_tools", "tool"]
