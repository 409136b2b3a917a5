"""Plain words: texts from logs, models and tool servers, freed of what steers whoever reads them.

Names, descriptions and docstrings of tools end up in the prompts of agents, so that whoever writes
them can try to give orders there. This package is pure: text in, text and a list of findings out.
"""

from toolguild.policies.wording.advice import (
    advice_harms,
    names_place,
    plain_instruction,
    reasons_against_advice,
)
from toolguild.policies.wording.cleaning import plain_description, plain_identifier, plain_line
from toolguild.policies.wording.findings import Cleaned, Reason, Removed
from toolguild.policies.wording.schemas import texts_of

__all__ = [
    "Cleaned",
    "Reason",
    "Removed",
    "advice_harms",
    "names_place",
    "plain_description",
    "plain_identifier",
    "plain_instruction",
    "plain_line",
    "reasons_against_advice",
    "texts_of",
]
