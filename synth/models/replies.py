"""Reading what a model wrote as what it was asked for; servers take schemas and ignore them."""

from __future__ import annotations

import re
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from toolguild.synth.models.answers import Answer

__all__ = ["UnfitReplyError", "read_reply"]

T = TypeVar("T", bound=BaseModel)
_FENCED = re.compile(r"^```[A-Za-z]*[ \t]*\n(.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE)
_MOST_FAULTS = 5


class UnfitReplyError(ValueError):
    """A reply is not what was asked for; the message tells the model what to mend."""


def read_reply(answer: Answer, form: type[T]) -> T:
    """Return a reply as what was asked for.

    It may be JSON, or have one fenced block of JSON with other words around it.

    Args:
        answer: The reply.
        form: What was asked for.

    Raises:
        UnfitReplyError: it is neither, or does not fit.
    """
    if answer.ended == "cut off":
        message = "The reply was cut off, as it grew too long. Say the same in fewer words."
        raise UnfitReplyError(message)
    if not answer.text.strip():
        message = "The reply was empty."
        raise UnfitReplyError(message)
    blocks = _FENCED.findall(answer.text)
    if len(blocks) > 1 and not answer.text.lstrip().startswith("{"):
        message = f"The reply has {len(blocks)} fenced blocks. Give one."
        raise UnfitReplyError(message)
    text = answer.text if answer.text.lstrip().startswith("{") else "".join(blocks[:1])
    if not text:
        message = "The reply holds no JSON object."
        raise UnfitReplyError(message)
    try:
        return form.model_validate_json(text, strict=True)
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, one['loc'])) or 'the whole'}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)[:_MOST_FAULTS]
        ]
        raise UnfitReplyError("The reply does not fit. " + "; ".join(faults)) from error
