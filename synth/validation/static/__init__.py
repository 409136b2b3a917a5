"""The static gate: what a tool's text says, judged before any of it runs."""

from toolguild.synth.validation.static.checker import (
    ALL_FAMILIES,
    SAFETY_FAMILIES,
    Examination,
    check_source,
    examine,
)
from toolguild.synth.validation.static.effects import (
    EffectUse,
    ToolUse,
    called_tools,
    infer_effects,
)
from toolguild.synth.validation.static.findings import Finding, Severity, refused
from toolguild.synth.validation.static.reading import SourceError, SourceTooBigError
from toolguild.synth.validation.static.rules import RULES, Family, Rule

__all__ = [
    "ALL_FAMILIES",
    "RULES",
    "SAFETY_FAMILIES",
    "EffectUse",
    "Examination",
    "Family",
    "Finding",
    "Rule",
    "Severity",
    "SourceError",
    "SourceTooBigError",
    "ToolUse",
    "called_tools",
    "check_source",
    "examine",
    "infer_effects",
    "refused",
]
