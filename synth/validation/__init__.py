"""Proving a draft: static gate, generated inputs, replay."""

from toolguild.synth.validation.report import (
    Check,
    CheckName,
    Counterexample,
    ValidationReport,
)
from toolguild.synth.validation.validator import ValidationSettings, validate

__all__ = [
    "Check",
    "CheckName",
    "Counterexample",
    "ValidationReport",
    "ValidationSettings",
    "validate",
]
