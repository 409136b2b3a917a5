"""Whether a text from outside may become part of what an agent is told, just as it stands."""

from __future__ import annotations

from typing import Final

from toolguild.policies.wording import Reason, reasons_against_advice
from toolguild.policies.wording.characters import visible
from toolguild.policies.wording.markup import without_markup
from toolguild.synth.traces import redact_text
from toolguild.synth.traces.errors import RedactionError

__all__ = [
    "MOST_INSTRUCTIONS",
    "MOST_TEXT",
    "objection_to_advice",
    "objection_to_data",
    "objection_to_form",
]

MOST_INSTRUCTIONS: Final = 20_000
MOST_TEXT: Final = 2_000
"""Characters of any other text."""


def objection_to_form(text: str, most: int) -> str:
    """Return why nobody may tell an agent a text as it stands; empty where a person may.

    Args:
        text: Whatever it says.
        most: Characters at most.
    """
    if len(text) > most:
        return f"{len(text):,} characters, more than {most:,}"
    if visible(text)[1]:
        return f"holds {Reason.HIDDEN}"
    try:
        holds_secret = redact_text(text) != text
    except RedactionError:
        holds_secret = True
    return "holds what looks like a secret" if holds_secret else ""


def objection_to_data(text: str, most: int = MOST_TEXT) -> str:
    """Return why a text may not even be quoted to an agent as it stands; empty where it may.

    Args:
        text: Part of a demonstration.
        most: Characters at most.
    """
    if objection := objection_to_form(text, most):
        return objection
    found = {one.reason for one in without_markup(visible(text)[0])[1]}
    return f"holds {Reason.TEMPLATE}" if Reason.TEMPLATE in found else ""


def objection_to_advice(text: str, most: int = MOST_TEXT) -> str:
    """Return why a stranger's text may not advise an agent as it stands; empty where it may.

    Args:
        text: A lesson, or instructions.
        most: Characters at most.
    """
    if objection := objection_to_data(text, most):
        return objection
    reasons = reasons_against_advice(text)
    return f"may not be told to an agent ({reasons[0]})" if reasons else ""
