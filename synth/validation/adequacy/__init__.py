"""Mutation adequacy: whether the inputs of a validation would have found a fault in the tool."""

from toolguild.synth.validation.adequacy.mutant import Mutant, difference
from toolguild.synth.validation.adequacy.mutation import OPERATORS, mutants
from toolguild.synth.validation.adequacy.operators import Operator
from toolguild.synth.validation.adequacy.running import in_sandbox
from toolguild.synth.validation.adequacy.scoring import (
    Adequacy,
    AdequacySettings,
    Baseline,
    Kill,
    Run,
    Trial,
    adequacy,
    observe,
)
from toolguild.synth.validation.adequacy.together import adequacy_together

__all__ = [
    "OPERATORS",
    "Adequacy",
    "AdequacySettings",
    "Baseline",
    "Kill",
    "Mutant",
    "Operator",
    "Run",
    "Trial",
    "adequacy",
    "adequacy_together",
    "difference",
    "in_sandbox",
    "mutants",
    "observe",
]
