"""What English texts say that are written to steer the model that reads them.

A description of a tool speaks of the tool. These phrases are for sentences that speak to the reader
instead, or of other tools, the user, or the conversation.
"""

from __future__ import annotations

from typing import Final

from toolguild.policies.wording.confidences import CONFIDENCES
from toolguild.policies.wording.orders import ORDERS
from toolguild.policies.wording.phrases import Phrase
from toolguild.policies.wording.tool_use import TOOL_USE

__all__ = ["ENGLISH"]

ENGLISH: Final[tuple[Phrase, ...]] = (*ORDERS, *CONFIDENCES, *TOOL_USE)
