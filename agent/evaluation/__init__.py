"""Judging how well a run did its task, as a score from 0 to 1."""

from toolguild.agent.evaluation.calibration import Calibration, NotCalibratedError, calibrated
from toolguild.agent.evaluation.checks import Exact, FitsSchema, Numeric, WorldState
from toolguild.agent.evaluation.evaluator import Evaluator, Score, Weighted
from toolguild.agent.evaluation.judge import Judge, Labelled

__all__ = [
    "Calibration",
    "Evaluator",
    "Exact",
    "FitsSchema",
    "Judge",
    "Labelled",
    "NotCalibratedError",
    "Numeric",
    "Score",
    "Weighted",
    "WorldState",
    "calibrated",
]
