"""Lives of tools whose true success rate is known, each under one rule."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.governance.rules import RULES, Life
from toolguild.policies import Tier

__all__ = ["SETTINGS", "Setting", "live", "measure"]


@dataclass(frozen=True, slots=True)
class Setting:
    """A question that many lives answer."""

    name: str
    phases: tuple[tuple[float, int], ...]
    """True success rate, and for how many uses."""
    ask: Callable[[Sequence[Life]], float]
    unit: str
    limits: Mapping[str, float] = field(default_factory=dict)
    """What the answer may be at most, or at least where `at_least`, by the rule."""
    at_least: bool = False


def live(rule: str, phases: Sequence[tuple[float, int]], chance: random.Random) -> Life:
    """Live through all phases.

    Uses come as runs of successes, each but the last with a failure behind it: a run is as long as
    one of single draws would be.
    """
    life = RULES[rule]()
    for rate, uses in phases:
        while uses:
            run = min(uses, _run_of_successes(rate, chance))
            life.see_successes(run)
            uses -= run
            if uses:
                life.see(success=False)
                uses -= 1
    return life


def measure(rule: str, setting: Setting, lives: int, seed: int) -> float:
    """Return what so many lives answer."""
    chance = random.Random(f"{rule} {setting.name} {seed}")  # noqa: S311 - to be repeated
    return setting.ask([live(rule, setting.phases, chance) for _ in range(lives)])


def _run_of_successes(rate: float, chance: random.Random) -> int:
    """Draw how many uses go well before one that does not."""
    if rate >= 1:
        return 1 << 60
    if rate <= 0:
        return 0
    return int(math.log(1 - chance.random()) / math.log(rate))


def _share_reaching(tier: Tier, within: int) -> Callable[[Sequence[Life]], float]:
    def ask(lives: Sequence[Life]) -> float:
        reached = [
            any(to is not None and to >= tier and uses <= within for uses, to in life.changes)
            for life in lives
        ]
        return sum(reached) / len(reached)

    return ask


def _uses_until_demoted(good: int) -> Callable[[Sequence[Life]], float]:
    """Ask how many uses after the good ones it takes to lose a tier, of lives that had one.

    The median; infinite where most never lose it, and where no life had one.
    """

    def ask(lives: Sequence[Life]) -> float:
        taken = [one for life in lives for one in [_until_demoted(life, good)] if one is not None]
        return median(taken) if taken else math.inf

    return ask


def _slowest_demotion(good: int) -> Callable[[Sequence[Life]], float]:
    def ask(lives: Sequence[Life]) -> float:
        taken = (_until_demoted(life, good) for life in lives)
        return max((one for one in taken if one is not None), default=math.inf)

    return ask


def _until_demoted(life: Life, good: int) -> float | None:
    """Return the uses from the first bad one to the loss of a tier; None where there was none."""
    held = Tier.SANDBOX
    for uses, tier in life.changes:
        if uses > good and held > Tier.SANDBOX and (tier is None or tier < held):
            return uses - good
        held = tier or Tier.SANDBOX
    return math.inf if held > Tier.SANDBOX else None


def _share_demoted(lives: Sequence[Life]) -> float:
    return sum(any(map(_is_fall, *_steps(life))) for life in lives) / len(lives)


def _steps(life: Life) -> tuple[list[Tier | None], list[Tier | None]]:
    """Return where each change led from, and where it led to."""
    after = [tier for _, tier in life.changes]
    return [Tier.SANDBOX, *after[:-1]], after


def _is_fall(before: Tier | None, after: Tier | None) -> bool:
    return after is None or (before is not None and after < before)


_GOOD = 200

SETTINGS = (
    Setting(
        "right 95 %: reaches restricted in 2,000 uses",
        ((0.95, 2000),),
        _share_reaching(Tier.RESTRICTED, 2000),
        "%",
        {"strict": 0.05},
    ),
    Setting(
        "right 99 %: reaches full in 2,000 uses",
        ((0.99, 2000),),
        _share_reaching(Tier.FULL, 2000),
        "%",
        {"strict": 0.05},
    ),
    Setting(
        "right 85 %: reaches full in 1,000 uses",
        ((0.85, 1000),),
        _share_reaching(Tier.FULL, 1000),
        "%",
        {"balanced": 0.005},
    ),
    Setting(
        "right 93 %: reaches full in 500 uses",
        ((0.93, 500),),
        _share_reaching(Tier.FULL, 500),
        "%",
    ),
    Setting(
        "right 99.5 %: reaches restricted in 40 uses",
        ((0.995, 40),),
        _share_reaching(Tier.RESTRICTED, 40),
        "%",
        {"balanced": 0.95},
        at_least=True,
    ),
    Setting(
        "right 99.5 %, never after 200 uses: uses until demoted, the slowest life",
        ((0.995, _GOOD), (0.0, 400)),
        _slowest_demotion(_GOOD),
        "uses",
        dict.fromkeys(("simple", "balanced", "strict"), 5),
    ),
    Setting(
        "right 99.5 %, half the time after 200 uses: uses until demoted, median",
        ((0.995, _GOOD), (0.5, 400)),
        _uses_until_demoted(_GOOD),
        "uses",
        dict.fromkeys(("simple", "balanced", "strict"), 15),
    ),
    Setting(
        "right 99.5 %: demoted at some time in 1,000 uses",
        ((0.995, 1000),),
        _share_demoted,
        "%",
        dict.fromkeys(("simple", "balanced", "strict"), 0.01),
    ),
)
