"""Strings that match the `pattern` of a schema, made by hypothesis."""

from __future__ import annotations

import re
from functools import lru_cache

from hypothesis import strategies
from hypothesis.errors import InvalidArgument

from toolguild.synth.validation.inputs.generation import generated
from toolguild.synth.validation.static.backtracking import backtracks_exponentially

__all__ = ["is_harmless", "matching"]

_COUNT = 40
_MAX_CHARACTERS = 1_000


@lru_cache(maxsize=128)
def matching(pattern: str) -> tuple[str, ...]:
    """Return strings in ASCII in which the pattern is found, always the same.

    Half of them are nothing but the match, as most patterns are meant; in the others it may stand
    among more, as JSON Schema has it. There are none for a pattern that Python does not know, or
    that takes too long to match.
    """
    if not is_harmless(pattern):
        return ()
    return tuple(dict.fromkeys((*_drawn(pattern, True), *_drawn(pattern, False))))


@lru_cache(maxsize=256)
def is_harmless(pattern: str) -> bool:
    """Whether a pattern can be compiled, and matching it takes no exponential time."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return not backtracks_exponentially(pattern)


def _drawn(pattern: str, whole: bool) -> list[str]:
    # All of Unicode costs 350 MB of tables on a machine that does not have them yet.
    ascii_only = strategies.characters(codec="ascii")
    strategy = strategies.from_regex(pattern, fullmatch=whole, alphabet=ascii_only)
    try:
        drawn = generated(strategy, _COUNT // 2, 0)
    except InvalidArgument:  # nothing in ASCII matches
        return []
    return [text for text in drawn if len(text) <= _MAX_CHARACTERS]
