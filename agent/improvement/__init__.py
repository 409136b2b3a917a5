"""An agent that learns from its runs: behind gates, within bounds, and undone in one step.

`Improver` runs a cycle: proposers suggest changes, held-out tasks decide on them, and the registry
keeps what was made, with what it rests on.
"""

from toolguild.agent.improvement.attempts import Attempt, TaskCase, scored_run, versions_called
from toolguild.agent.improvement.guidance import Guides
from toolguild.agent.improvement.loop import CycleReport, Improver, Outcome, Verdict
from toolguild.agent.improvement.proposers import (
    Demonstrations,
    Instructing,
    Lessons,
    Proposals,
    Proposer,
    Tools,
)
from toolguild.agent.improvement.suites import Suite, load_suite
from toolguild.agent.improvement.trials import Comparison, HeldOut, Worker
from toolguild.agent.improvement.view import View

__all__ = [
    "Attempt",
    "Comparison",
    "CycleReport",
    "Demonstrations",
    "Guides",
    "HeldOut",
    "Improver",
    "Instructing",
    "Lessons",
    "Outcome",
    "Proposals",
    "Proposer",
    "Suite",
    "TaskCase",
    "Tools",
    "Verdict",
    "View",
    "Worker",
    "load_suite",
    "scored_run",
    "versions_called",
]
