"""Composite tools as plans: what they are, what they are worth, and how they are written."""

from toolguild.synth.plans.evaluation import EVALUATION_ERRORS, Scope, evaluate, value_at
from toolguild.synth.plans.functions import FUNCTIONS, OWN_NAMES
from toolguild.synth.plans.plan import (
    MAX_BATCH,
    CallStep,
    Computed,
    Constant,
    FromItem,
    FromResult,
    JsonPath,
    Leaf,
    LoopStep,
    Origin,
    Parameter,
    Plan,
    PlanStep,
    leaves,
    origins_of,
    render_path,
)
from toolguild.synth.plans.plan_json import plan_from_json, plan_to_json
from toolguild.synth.plans.writing import helpers, literal, spoken, subscripts, written

__all__ = [
    "EVALUATION_ERRORS",
    "FUNCTIONS",
    "MAX_BATCH",
    "OWN_NAMES",
    "CallStep",
    "Computed",
    "Constant",
    "FromItem",
    "FromResult",
    "JsonPath",
    "Leaf",
    "LoopStep",
    "Origin",
    "Parameter",
    "Plan",
    "PlanStep",
    "Scope",
    "evaluate",
    "helpers",
    "leaves",
    "literal",
    "origins_of",
    "plan_from_json",
    "plan_to_json",
    "render_path",
    "spoken",
    "subscripts",
    "value_at",
    "written",
]
