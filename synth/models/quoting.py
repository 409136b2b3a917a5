"""Handing text of unknown origin to a model as data, and as nothing else."""

from __future__ import annotations

import json

from toolguild.sandbox import Json

__all__ = ["as_data"]

_ESCAPES = {"<": "\\u003c", "`": "\\u0060"}


def as_data(value: Json) -> str:
    """Return a value as a block of JSON that nothing inside it can end.

    Tags and fences are written as JSON escapes, so that what a trace says can neither close the
    block nor open another one; to a JSON parser it is the same value.
    """
    text = json.dumps(value, ensure_ascii=False, indent=1)
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    # Lone surrogates and other signs that cannot be sent or seen are escaped as well.
    shown = "".join(
        one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text
    )
    return f"<data>\n{shown}\n</data>"
