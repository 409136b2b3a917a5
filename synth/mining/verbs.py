"""Which tools only read, by their names."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["believed_read_only"]

_READING_VERBS = frozenset(
    """
    calculate check compute count describe display fetch find get grep head inspect list lookup
    ls peek query read retrieve search show sum tail validate verify view
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_WRITING_VERBS = frozenset(
    """
    add append apply book buy cancel clear close create delete drop edit insert make modify move
    open order pay place post put remove rename replace reset save send set submit transfer update
    upload write
    """.split()  # noqa: SIM905 - a list of words reads better as words
)


@lru_cache(maxsize=4096)
def believed_read_only(tool: str) -> bool:
    """Guess from the verb in its name whether a tool only reads.

    The verb may come second, after what it is about (`user_search`), but not after another verb
    (`delete_list`). Used to decide which recorded sequences may be taken as one, never to permit
    anything.
    """
    first, *rest = re.split(r"[_.-]|(?<=[a-z0-9])(?=[A-Z])", tool)
    words = [first.lower(), *(word.lower() for word in rest[:1])]
    return words[0] not in _WRITING_VERBS and any(word in _READING_VERBS for word in words)
