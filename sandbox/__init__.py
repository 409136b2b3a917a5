"""Running one program under one tier's capabilities."""

from toolguild.sandbox.access import Access, FileChange, Mount
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
from toolguild.sandbox.diagnosis import Check, Choice, choose, diagnose
from toolguild.sandbox.errors import SandboxUnavailableError, ToolCallError
from toolguild.sandbox.factory import SandboxKind, SandboxOptions, open_sandbox
from toolguild.sandbox.images.requirements import RequirementsError, read_requirements
from toolguild.sandbox.scripted import ScriptedRun, ScriptedSandbox

__all__ = [
    "Access",
    "Check",
    "Choice",
    "FileChange",
    "Json",
    "JsonObject",
    "Limits",
    "Mount",
    "Outcome",
    "Program",
    "RequirementsError",
    "Sandbox",
    "SandboxKind",
    "SandboxOptions",
    "SandboxUnavailableError",
    "ScriptedRun",
    "ScriptedSandbox",
    "Status",
    "ToolCallError",
    "ToolGateway",
    "choose",
    "diagnose",
    "open_sandbox",
    "read_requirements",
]
