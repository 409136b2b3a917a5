"""Agents over the toolbox, and adapters to agent frameworks."""

from toolguild.agent.chat import answer_tool_calls

__all__ = ["answer_tool_calls"]
