"""Trials: a candidate on held-out tasks beside what is in effect."""

from toolguild.agent.improvement.trials.comparing import HeldOut, HeldOutError
from toolguild.agent.improvement.trials.comparison import CaseScores, Comparison
from toolguild.agent.improvement.trials.working import Worker

__all__ = ["CaseScores", "Comparison", "HeldOut", "HeldOutError", "Worker"]
