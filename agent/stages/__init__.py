"""The stage loop: an agent whose configuration is its own to rewrite."""

from toolguild.agent.stages.atif import trace_of, write_trace
from toolguild.agent.stages.blocking import resume_task, run_task
from toolguild.agent.stages.catalog import Catalog, CatalogTool
from toolguild.agent.stages.configuration import ALL, Configuration, ContextMode
from toolguild.agent.stages.events import (
    CallEnded,
    CallStarted,
    Configured,
    Ended,
    Event,
    Reconfigured,
    RefusedMeta,
    Reminded,
    Replied,
    RunStarted,
    Tokens,
)
from toolguild.agent.stages.limits import Limits
from toolguild.agent.stages.loop import Guidance, RunResult, StageLoop
from toolguild.agent.stages.meta_tools import Reconfigure, Status, Terminate
from toolguild.agent.stages.run_log import RunLog, RunLogError, open_log, read_log
from toolguild.agent.stages.state import RunState, UnsoundEventsError

__all__ = [
    "ALL",
    "CallEnded",
    "CallStarted",
    "Catalog",
    "CatalogTool",
    "Configuration",
    "Configured",
    "ContextMode",
    "Ended",
    "Event",
    "Guidance",
    "Limits",
    "Reconfigure",
    "Reconfigured",
    "RefusedMeta",
    "Reminded",
    "Replied",
    "RunLog",
    "RunLogError",
    "RunResult",
    "RunStarted",
    "RunState",
    "StageLoop",
    "Status",
    "Terminate",
    "Tokens",
    "UnsoundEventsError",
    "open_log",
    "read_log",
    "resume_task",
    "run_task",
    "trace_of",
    "write_trace",
]
