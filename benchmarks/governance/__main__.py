"""Simulated lives of tools under several rules of trust: `python -m benchmarks.governance --help`.

Ends with 1 where a bound is broken, naming it.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.governance.lives import SETTINGS, Setting, measure
from benchmarks.governance.rules import RULES
from benchmarks.sandbox.machine import about
from benchmarks.sandbox.tables import about_table, replace_part, table

_LIVES = 10_000
_SEED = 20261122

Answers = dict[tuple[str, str], float]
"""By the name of the setting and the rule."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate, show, and say whether every bound is kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.governance", description=__doc__)
    parser.add_argument("--lives", type=int, default=_LIVES, help="of each setting and rule")
    parser.add_argument("--seed", type=int, default=_SEED)
    parser.add_argument("--markdown", type=Path, help="page that has a part for the table")
    asked = parser.parse_args(arguments)
    answers = _simulate(asked.lives, asked.seed)
    shown = _shown(answers, asked.lives)
    print(shown)
    if asked.markdown:
        replace_part(asked.markdown, "governance", shown)
    broken = [told for setting in SETTINGS for told in _broken(setting, answers)]
    for told in broken:
        print(f"BROKEN: {told}", file=sys.stderr)
    return 1 if broken else 0


def _simulate(lives: int, seed: int) -> Answers:
    with ProcessPoolExecutor() as pool:
        begun = {
            (setting.name, rule): pool.submit(_answer, number, rule, lives, seed)
            for number, setting in enumerate(SETTINGS)
            for rule in RULES
        }
        answers = {}
        for done, (key, answer) in enumerate(begun.items(), 1):
            answers[key] = answer.result()
            print(f"{done} of {len(begun)}: {key[1]}, {key[0]}", file=sys.stderr)
    return answers


def _answer(number: int, rule: str, lives: int, seed: int) -> float:
    return measure(rule, SETTINGS[number], lives, seed)


def _shown(answers: Answers, lives: int) -> str:
    rows = [
        (
            setting.name,
            _limit(setting),
            *(_marked(setting, rule, answers[setting.name, rule]) for rule in RULES),
        )
        for setting in SETTINGS
    ]
    facts = {**about(), "lives of each setting and rule": f"{lives:,}"}
    return (
        f"{about_table(facts)}\n\n{table(('a tool that is', 'bound', *RULES), rows, numbers=False)}"
    )


def _limit(setting: Setting) -> str:
    sign = ">=" if setting.at_least else "<="
    by_limit: dict[float, list[str]] = {}
    for rule, limit in setting.limits.items():
        by_limit.setdefault(limit, []).append(rule)
    return "; ".join(
        f"{', '.join(rules)} {sign} {_figure(limit, setting.unit)}"
        for limit, rules in by_limit.items()
    )


def _marked(setting: Setting, rule: str, answer: float) -> str:
    told = _figure(answer, setting.unit)
    return (
        told if rule not in setting.limits or _is_kept(setting, rule, answer) else f"{told} BROKEN"
    )


def _figure(value: float, unit: str) -> str:
    if math.isinf(value):
        return "never"
    return f"{100 * value:.4g} %" if unit == "%" else f"{value:g}"


def _is_kept(setting: Setting, rule: str, answer: float) -> bool:
    limit = setting.limits[rule]
    return answer >= limit if setting.at_least else answer <= limit


def _broken(setting: Setting, answers: Answers) -> list[str]:
    return [
        f"{rule}: {setting.name}: {_figure(answers[setting.name, rule], setting.unit)}"
        for rule in setting.limits
        if not _is_kept(setting, rule, answers[setting.name, rule])
    ]


if __name__ == "__main__":
    sys.exit(main())
