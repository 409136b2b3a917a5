"""Texts to time the gate on: an ordinary tool of 40 lines, and what an attacker would send."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["MEGABYTE", "TOOL", "hostile_texts"]

TOOL = '''"""What a text of rows adds up to."""

import re
from collections import Counter
from datetime import date

_NUMBER = re.compile(r"\\d+")


def _split(text: str) -> list[str]:
    """Split a text into its words."""
    return [word.strip(".,;:") for word in text.split() if word]


def _row(line: str, width: int = 3) -> dict[str, object]:
    """Read one line."""
    fields = [field.strip() for field in line.split(",")]
    if len(fields) < width:
        raise ValueError(f"line has {len(fields)} fields: {line!r}")
    return {"name": fields[0], "day": date.fromisoformat(fields[1]), "sum": float(fields[2])}


def report(text: str, top: int = 5) -> dict[str, object]:
    """Count words and add up the rows of a text.

    Args:
        text: Lines of `name, day, sum`.
        top: How many names to list.

    Returns:
        The sums under `total`, `days`, `names`, `words` and `numbers`.
    """
    rows = [_row(line) for line in text.splitlines() if line.strip()]
    names = Counter(row["name"] for row in rows)
    days = sorted({row["day"].isoformat() for row in rows})
    words = {word.lower() for line in text.splitlines() for word in _split(line)}
    best = {name: count for name, count in names.most_common(top) if count > 1}
    total = sum(row["sum"] for row in rows)
    return {"total": total, "days": days, "names": best, "words": len(words), "numbers": len(rows)}
'''
"""Forty lines, with nothing in them that the gate objects to."""

MEGABYTE = 1_000_000


def hostile_texts(size: int) -> dict[str, str]:
    """Return texts of at most `size` bytes, each bad for some part of a parser or of the gate."""

    def filled(unit: str, before: str = "", after: str = "") -> str:
        return before + unit * ((size - len(before) - len(after)) // len(unit)) + after

    def counted(line: Callable[[int], str], before: str = "") -> str:
        text, number = before, 0
        while len(text) + len(line(number)) <= size:
            text += line(number)
            number += 1
        return text

    depth = 95
    return {
        "short lines": filled("x=1\n"),
        "one long line": filled("a,", "x="),
        "open brackets": "(" * size,
        "mixed brackets": filled("({["),
        "minus signs": filled("-", "x=", "1"),
        "a chain of attributes": filled(".b", "x=a"),
        "a chain of calls": filled("()", "x=a"),
        "a chain of additions": filled("+a", "x=a"),
        "a chain of comparisons": filled("<a", "x=a"),
        "lambdas": filled("lambda:", "x=", "1"),
        "keywords of one call": counted(lambda n: f"a{n}=1,", "f(") + ")",
        "parameters of one function": counted(lambda n: f"a{n},", "def f(") + "):0",
        "classes": filled("class A:0\n"),
        "functions": counted(lambda n: f"def f{n}():f{n + 1}()\n"),
        "elif": filled("elif a:0\n", "if a:0\n"),
        "alternatives of a pattern": filled("|1", "match a:\n case 1", ":0"),
        "fields of an f-string": filled("{a!r:{b}}", "x=f'", "'"),
        "escapes": filled("\\N{DIGIT ONE}", "x='", "'"),
        "a text without an end": filled("a", "x='''"),
        "digits": filled("9", "x="),
        "null characters": "\x00" * size,
        "marks of direction": filled("\u202e")[: size // 3],
        "names of wide letters": filled("é;", "x='ﬁ';")[: size // 2],
        "quoted annotations": filled("x:'a|b|c'\n"),
        "nested loops": "".join(" " * n + "for a in range(9):\n" for n in range(depth))
        + filled(" " * depth + "a\n")[: size - 4_000],
        "imports": filled("import json as a\n"),
        "uses of imports": filled("a.x\n", "import json as a\n" * 500),
        "aliases": counted(lambda n: f"a{n + 1}=a{n}\n"),
        "constants that double": counted(lambda n: f"n{n + 1}=n{n}+n{n}\n", "n0='a'\n"),
        "templates": filled(" T.format(1)\n", f"T='{'{0.a}' * 2_000}'\ndef f():\n"),
        "names of attributes": filled(" getattr(x,N)\n", f"N='{'.a' * 5_000}'\ndef f(x):\n"),
        "regular expressions": counted(lambda n: f"re.compile('(a|b{n})*(c?)*d')\n", "import re\n"),
        "types": counted(lambda n: f"A{n + 1}=Union[A{n},A{n}]\n", "from typing import Union\n"),
    }
