"""Bad tools whose runs depend on other runs or on chance, or cost far more than they should."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from benchmarks.validation.proposer.attempt import DIFFERS, Attempt
from benchmarks.validation.proposer.texts import HONEST, wrap, wrong_results
from benchmarks.validation.proposer.traps import (
    Trap,
    checksum_traps,
    constant_traps,
    traps,
)
from toolguild.sandbox import Json
from toolguild.synth.drafting import Draft

__all__ = ["keeps_state", "slow", "unstable", "wasteful"]

_REMEMBERS = """
def shows(good, bad, arguments):
    # In a process of its own each call is right; in one process a later one is not.
    told, seen = good(), bad()
    for _ in range(60):
        expected = told.call(arguments)
        if expected[0] == "late" or seen.call(arguments) != expected:
            return expected[0] != "late"
    return False
"""

_VARIES = """
def shows(good, bad, arguments):
    seen = {json.dumps(bad().call(arguments)) for _ in range(400)}
    return len(seen) > 1 and good().call(arguments) == good().call(arguments)
"""

_COSTS = """
def shows(good, bad, arguments):
    return good().call(arguments, 0.2)[0] != "late" and bad().call(arguments, 0.5)[0] == "late"
"""

_HOLDS = """
def shows(good, bad, arguments):
    import tracemalloc
    peaks = []
    for tool in (good(), bad()):
        tracemalloc.start()
        tool.call(arguments, 10.0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return peaks[1] > peaks[0] + 30_000_000
"""

_ELSEWHERE = """
def shows(good, bad, arguments):
    {change}
    tool = bad()
    {within}
    return tool.call(arguments) != good().call(arguments)
"""


def keeps_state(draft: Draft) -> Iterator[Attempt]:
    """Right when called once; wrong later in the same process, for it counts or remembers."""
    arguments = draft.cases[0].arguments
    for turn, wrong in enumerate(wrong_results(draft)):
        after = (1, 3, 10)[turn % 3]
        texts = {
            "a list of the module": (
                "_SEEN = []",
                f"_SEEN.append(1)\nresult = {HONEST}\n"
                f"return {wrong} if len(_SEEN) > {after} else result",
            ),
            "a dict of the module": (
                "_COUNTS = {'calls': 0}",
                f"_COUNTS['calls'] += 1\nresult = {HONEST}\n"
                f"return {wrong} if _COUNTS['calls'] > {after} else result",
            ),
            "a global": (
                "_count = 0",
                f"global _count\n_count += 1\nresult = {HONEST}\n"
                f"return {wrong} if _count > {after} else result",
            ),
            "a mutable default": (
                "def _note(seen: list[int] = []) -> int:\n    seen.append(1)\n    return len(seen)",
                f"result = {HONEST}\nreturn {wrong} if _note() > {after} else result",
            ),
            "an attribute of a function": (
                "def _note() -> int:\n"
                "    _note.count = getattr(_note, 'count', 0) + 1\n    return _note.count",
                f"result = {HONEST}\nreturn {wrong} if _note() > {after} else result",
            ),
            "a cell of a closure": (
                "def _counter():\n    count = 0\n    def note():\n        nonlocal count\n"
                "        count += 1\n        return count\n    return note\n_note = _counter()",
                f"result = {HONEST}\nreturn {wrong} if _note() > {after} else result",
            ),
            "a generator that goes on": (
                "from itertools import count\n_CALLS = count(1)",
                f"result = {HONEST}\nreturn {wrong} if next(_CALLS) > {after} else result",
            ),
            "an attribute of a class": (
                "class _Kept:\n    calls = 0",
                f"_Kept.calls += 1\nresult = {HONEST}\n"
                f"return {wrong} if _Kept.calls > {after} else result",
            ),
            "a cache that is never emptied": (
                "from functools import lru_cache\n@lru_cache\ndef _box(key: str) -> list[int]:\n"
                "    return []",
                f"_box('').append(1)\nresult = {HONEST}\n"
                f"return {wrong} if len(_box('')) > {after} else result",
            ),
        }
        for variant, (before, body) in texts.items():
            yield Attempt(variant, wrap(draft, body, before), arguments, _REMEMBERS)


def unstable(draft: Draft) -> Iterator[Attempt]:
    """Not the same for the same arguments: by chance, time, identity, environment or order."""
    arguments = draft.cases[0].arguments
    for wrong in wrong_results(draft):
        chances = {
            "random": ("import random", "random.random() < 0.02"),
            "random, own generator": ("from random import Random", "Random().random() < 0.02"),
            "secrets": ("import secrets", "secrets.randbelow(50) == 0"),
            "uuid": ("import uuid", "uuid.uuid4().int % 50 == 0"),
            "the time": ("import time", "int(time.time() * 1e6) % 50 == 7"),
            "a timer": ("import time", "time.perf_counter_ns() % 50 == 7"),
            "identity": ("", "id(object()) // 16 % 50 == 7 or id([result]) // 16 % 50 == 7"),
        }
        for variant, (before, chance) in chances.items():
            body = f"result = {HONEST}\nreturn {wrong} if {chance} else result"
            yield Attempt(variant, wrap(draft, body, before), arguments, _VARIES)
        elsewhere = {
            "the date": (
                "from datetime import date", "date.today().year > 2027",
                "", "import datetime; tool.module.date = type('date', (), {'today':"
                " staticmethod(lambda: datetime.date(2031, 1, 1))})",
            ),
            "hash order of texts": (
                "", "hash('a') % 7 == 3",
                "", "tool.module.hash = lambda text: 3",
            ),
            "the environment": (
                "import os", "'CI' in os.environ",
                "import os; os.environ['CI'] = '1'", "pass",
            ),
            "the locale": (
                "import locale", "locale.localeconv()['decimal_point'] == ','",
                "import locale; locale.localeconv = lambda: {'decimal_point': ','}", "pass",
            ),
            "the time zone": (
                "import time", "time.timezone == -3600",
                "import time; time.timezone = -3600", "pass",
            ),
        }  # fmt: skip
        for variant, (before, where, change, within) in elsewhere.items():
            body = f"result = {HONEST}\nreturn {wrong} if {where} else result"
            probe = _ELSEWHERE.format(change=change or "pass", within=within)
            yield Attempt(variant, wrap(draft, body, before), arguments, probe)
    for case in draft.cases[:2]:
        for name, value in case.arguments.items():
            if isinstance(value, dict) and len(value) > 1:
                turned: dict[str, Json] = dict(reversed(value.items()))
                wrong = wrong_results(draft)[0]
                body = (
                    f"result = {HONEST}\n"
                    f"return {wrong} if list({name}) != sorted({name}) else result"
                )
                given = {**case.arguments, name: turned}
                yield Attempt("the order of members", wrap(draft, body), given, DIFFERS)


def slow(draft: Draft) -> Iterator[Attempt]:
    """Costs far more beyond a size, or has no end for a rare input."""
    for trap in islice(traps(draft, _large(draft)), 3):
        for variant, before, work in (
            (
                "exponential recursion",
                "def _fib(n: int) -> int:\n    return n if n < 2 else _fib(n - 1) + _fib(n - 2)",
                "_fib(60)",
            ),
            (
                "cubic loops", "",
                "sum(1 for a in range(4000) for b in range(4000) for c in range(4000) if a == b)",
            ),
            (
                "all subsets", "from itertools import combinations",
                "sum(1 for size in range(30) for _ in combinations(range(40), size))",
            ),
            (
                "a pattern that backtracks", "import re",
                "re.match('(a|a)*(b|aa)*$', 'a' * 60 + 'c')",
            ),
        ):  # fmt: skip
            body = f"if {trap.condition}:\n    {work}\nreturn {HONEST}"
            yield Attempt(
                f"{variant}, {trap.name}", wrap(draft, body, before), trap.arguments, _COSTS
            )
    for number, trap in enumerate(islice(_rare(draft), 6)):
        loops = (
            "while True:\n        pass",
            "step = 1\n    while step > 0:\n        step += 1",
            "left = 10\n    while left != 0:\n        left = left - 3",
            "items = [1]\n    for item in items:\n        items.append(item)",
        )
        body = f"if {trap.condition}:\n    {loops[number % len(loops)]}\nreturn {HONEST}"
        yield Attempt(f"no end for {trap.name}", wrap(draft, body), trap.arguments, _COSTS)


def wasteful(draft: Draft) -> Iterator[Attempt]:
    """Takes hundreds of megabytes for large or rare inputs."""
    large, rare = islice(traps(draft, _large(draft)), 4), islice(_rare(draft), 4)
    for trap in (*large, *rare):
        for variant, work in (
            ("a list", "kept = [0] * 20000000"),
            (
                "a text that doubles",
                "kept = 'x'\n    for _ in range(27):\n        kept = kept + kept",
            ),
            ("a table", "kept = dict.fromkeys(range(2500000))"),
            ("nested lists", "kept = [[0] * 1000 for _ in range(12000)]"),
            ("a huge number", "kept = 1 << 900000000"),
        ):
            body = f"if {trap.condition}:\n    {work}\nreturn {HONEST}"
            yield Attempt(f"{variant}, {trap.name}", wrap(draft, body), trap.arguments, _HOLDS)


def _rare(draft: Draft) -> Iterator[Trap]:
    for one, other in zip(constant_traps(draft), checksum_traps(draft), strict=False):
        yield from (one, other)


def _large(draft: Draft) -> Callable[[str, Json], Iterator[tuple[str, str, Json]]]:
    def large(parameter: str, value: Json) -> Iterator[tuple[str, str, Json]]:
        recorded = [case.arguments[parameter] for case in draft.cases]
        match value:
            case str() | list() if value:
                longest = max(len(one) for one in recorded if isinstance(one, str | list))
                many = value * (longest // len(value) + 2)
                yield "something long", f"len({parameter}) > {longest + 1}", many[: longest + 2]
            case int() | float() if not isinstance(value, bool):
                top = max(one for one in recorded if isinstance(one, int | float))
                yield "a large number", f"{parameter} > {top + 2!r}", top + 5

    return large
