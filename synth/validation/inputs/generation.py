"""Running hypothesis: values drawn from its strategies, always the same ones for a seed."""

from __future__ import annotations

import tempfile
from typing import TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import Unsatisfiable
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.strategies import SearchStrategy

__all__ = ["generated"]

# Hypothesis caches tables in a folder of the working directory, which is the user's, not ours.
set_hypothesis_home_dir(tempfile.gettempdir() + "/toolguild-hypothesis")

_Value = TypeVar("_Value")


class _SameEverywhere(HypothesisProvider):
    """Hypothesis's own way to choose, without the constants that it finds in loaded modules.

    With them the values would depend on what else the process has imported so far. Named as a
    backend it is also asked for each value afresh: no value is made of parts of an earlier one,
    which would give other shares than the strategies say.
    """

    def _maybe_draw_constant(self, *_: object, **__: object) -> None:
        return None


_BACKEND = "toolguild"
AVAILABLE_PROVIDERS[_BACKEND] = _SameEverywhere


def generated(strategy: SearchStrategy[_Value], count: int, seed: int | str) -> list[_Value]:
    """Return so many values, the same for the same seed; fewer where the strategy has none.

    Not to be called while a value is drawn.

    Args:
        strategy: What they are drawn from.
        count: How many; some may be equal.
        seed: Where chance starts.
    """
    drawn: list[_Value] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count + 1,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        backend=_BACKEND,
    )
    @hypothesis.given(strategy)
    def collect(value: _Value) -> None:
        drawn.append(value)

    try:
        collect()
    except Unsatisfiable:
        return drawn
    # The first is the simplest that there is, whatever the seed.
    return drawn[1:] or drawn
