"""Drift: tools that answer the calls that composites were validated on otherwise today."""

from toolguild.synth.drift.answers import calls_of_traces
from toolguild.synth.drift.dependence import Dependence
from toolguild.synth.drift.finding import Drift, DriftReport, find_drift
from toolguild.synth.drift.live import calls_of_live_tools
from toolguild.synth.drift.reopening import reopen_dependents

__all__ = [
    "Dependence",
    "Drift",
    "DriftReport",
    "calls_of_live_tools",
    "calls_of_traces",
    "find_drift",
    "reopen_dependents",
]
