"""The questions that validation asks of a draft, each answered by one function."""

from toolguild.synth.validation.checks.behaviour import check_original, check_twice
from toolguild.synth.validation.checks.crowd import check_crowd
from toolguild.synth.validation.checks.endings import check_endings, check_limits
from toolguild.synth.validation.checks.reached import check_reached, is_unreferenced
from toolguild.synth.validation.checks.recorded import check_held_out, check_recorded
from toolguild.synth.validation.checks.rehearsed import check_live
from toolguild.synth.validation.checks.results import check_not_none, check_schema
from toolguild.synth.validation.checks.state import check_state_and_arguments
from toolguild.synth.validation.checks.trials import Trials

__all__ = [
    "Trials",
    "check_crowd",
    "check_endings",
    "check_held_out",
    "check_limits",
    "check_live",
    "check_not_none",
    "check_original",
    "check_reached",
    "check_recorded",
    "check_schema",
    "check_state_and_arguments",
    "check_twice",
    "is_unreferenced",
]
