"""Putting code tools into recorded code, as far as nobody can tell the difference."""

from toolguild.synth.rewriting.code_tool import CodeTool
from toolguild.synth.rewriting.measure import (
    CodeTally,
    MeasuredCode,
    Use,
    measure_code,
    verified_places,
)
from toolguild.synth.rewriting.places import Place, SessionCode
from toolguild.synth.rewriting.sizes import tokens_of
from toolguild.synth.rewriting.twins import Twins

__all__ = [
    "CodeTally",
    "CodeTool",
    "MeasuredCode",
    "Place",
    "SessionCode",
    "Twins",
    "Use",
    "measure_code",
    "tokens_of",
    "verified_places",
]
