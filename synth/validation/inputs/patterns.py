"""Strings that match the `pattern` of a schema, made by hypothesis."""

from __future__ import annotations

import re
import tempfile
from functools import lru_cache

import hypothesis
from hypothesis import HealthCheck, Phase, strategies
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import HypothesisException

from toolguild.synth.validation.static.backtracking import backtracks_exponentially

__all__ = ["is_harmless", "matching"]

# Hypothesis caches tables in a folder of the working directory, which is the user's, not ours.
set_hypothesis_home_dir(tempfile.gettempdir() + "/toolguild-hypothesis")

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
    drawn: list[str] = []

    @hypothesis.seed(0)
    @hypothesis.settings(
        max_examples=_COUNT // 2,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(
        # All of Unicode costs 350 MB of tables on a machine that does not have them yet.
        strategies.from_regex(
            pattern, fullmatch=whole, alphabet=strategies.characters(codec="ascii")
        )
    )
    def collect(text: str) -> None:
        if len(text) <= _MAX_CHARACTERS:
            drawn.append(text)

    try:
        collect()
    except HypothesisException:  # nothing in ASCII matches, or it is too rare
        return drawn
    return drawn
