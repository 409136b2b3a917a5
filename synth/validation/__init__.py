"""Proving a draft: static gate, generated inputs, replay."""

from toolguild.synth.validation.agreement import ProfileMismatchError
from toolguild.synth.validation.needs import inferred_needs
from toolguild.synth.validation.report import (
    Check,
    CheckName,
    Counterexample,
    ValidationReport,
)
from toolguild.synth.validation.static import (
    SAFETY_FAMILIES,
    EffectUse,
    Family,
    Finding,
    Severity,
    called_tools,
    check_source,
    infer_effects,
    refused,
)
from toolguild.synth.validation.validator import ValidationSettings, validate

__all__ = [
    "SAFETY_FAMILIES",
    "Check",
    "CheckName",
    "Counterexample",
    "EffectUse",
    "Family",
    "Finding",
    "ProfileMismatchError",
    "Severity",
    "ValidationReport",
    "ValidationSettings",
    "called_tools",
    "check_source",
    "infer_effects",
    "inferred_needs",
    "refused",
    "validate",
]
