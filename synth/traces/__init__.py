"""Reading agent trace logs, one reader per format."""

from toolguild.synth.traces.errors import (
    AmbiguousFormatError,
    OversizedRecord,
    Problem,
    TraceFileError,
    UnknownFormatError,
)
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
from toolguild.synth.traces.reader import Reader, ReadOptions
from toolguild.synth.traces.reading import LogSource, find_logs, read_log, read_traces, refusal
from toolguild.synth.traces.records import Record
from toolguild.synth.traces.redaction import redact, redact_text
from toolguild.synth.traces.values import RAW_ARGUMENTS

__all__ = [
    "RAW_ARGUMENTS",
    "AmbiguousFormatError",
    "CodeExecution",
    "LogSource",
    "Outcome",
    "OversizedRecord",
    "Place",
    "Problem",
    "ReadOptions",
    "Reader",
    "Record",
    "Step",
    "Task",
    "ToolCall",
    "ToolDefinition",
    "Trace",
    "TraceFileError",
    "UnknownFormatError",
    "find_logs",
    "read_log",
    "read_traces",
    "redact",
    "redact_text",
    "refusal",
]
