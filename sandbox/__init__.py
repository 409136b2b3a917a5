"""Running one program under one tier's capabilities."""

from toolguild.sandbox.base import (
    Json,
    JsonObject,
    Limits,
    Outcome,
    Program,
    Sandbox,
    Status,
    ToolGateway,
)
from toolguild.sandbox.errors import SandboxUnavailableError, ToolCallError

__all__ = [
    "Json",
    "JsonObject",
    "Limits",
    "Outcome",
    "Program",
    "Sandbox",
    "SandboxUnavailableError",
    "Status",
    "ToolCallError",
    "ToolGateway",
]
