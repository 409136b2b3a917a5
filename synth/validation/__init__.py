"""Proving a draft: static gate, generated inputs, replay."""

from toolguild.synth.validation.agreement import ProfileMismatchError
from toolguild.synth.validation.checks.recorded import misfit
from toolguild.synth.validation.dossier import Dossier, DossierError, dossier, read_dossier
from toolguild.synth.validation.live import LiveTools, Scratch
from toolguild.synth.validation.needs import inferred_needs
from toolguild.synth.validation.rehearsal import Rehearsal, rehearse_cases, rehearse_inputs
from toolguild.synth.validation.report import (
    Check,
    CheckName,
    Counterexample,
    ValidationReport,
)
from toolguild.synth.validation.settings import ValidationSettings
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
from toolguild.synth.validation.validator import validate

__all__ = [
    "SAFETY_FAMILIES",
    "Check",
    "CheckName",
    "Counterexample",
    "Dossier",
    "DossierError",
    "EffectUse",
    "Family",
    "Finding",
    "LiveTools",
    "ProfileMismatchError",
    "Rehearsal",
    "Scratch",
    "Severity",
    "ValidationReport",
    "ValidationSettings",
    "called_tools",
    "check_source",
    "dossier",
    "infer_effects",
    "inferred_needs",
    "misfit",
    "read_dossier",
    "refused",
    "rehearse_cases",
    "rehearse_inputs",
    "validate",
]
