"""Reading agent trace logs, one reader per format."""

from toolguild.synth.traces.model import (
    CodeExecution,
    Outcome,
    Place,
    Step,
    Task,
    ToolCall,
    ToolDefinition,
    Trace,
)

__all__ = [
    "CodeExecution",
    "Outcome",
    "Place",
    "Step",
    "Task",
    "ToolCall",
    "ToolDefinition",
    "Trace",
]
