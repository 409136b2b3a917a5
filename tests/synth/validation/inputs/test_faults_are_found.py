"""Generated inputs tell small functions, each wrong on one kind of input, from the right ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs import arguments_strategy, draw

INT: JsonObject = {"type": "integer"}
NUMBER: JsonObject = {"type": "number"}
TEXT: JsonObject = {"type": "string"}
BOOL: JsonObject = {"type": "boolean"}
INTS: JsonObject = {"type": "array", "items": INT}
TEXTS: JsonObject = {"type": "array", "items": TEXT}
MONTH = "re.fullmatch(r'[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}', day)"
COUNTS: JsonObject = {"type": "object", "additionalProperties": INT}


@dataclass(frozen=True)
class Fault:
    """A wrong function, the right one, and recorded arguments on which they agree."""

    kind: str
    properties: dict[str, Json]
    recorded: list[JsonObject]
    right: str
    """The lines of the function's body, `; ` between statements or a line each."""
    wrong: str
    optional: tuple[str, ...] = ()
    """Parameters that may be left out; they are None then."""
    original: bool = False
    """Whether the text of the right function is known."""

    @property
    def schema(self) -> JsonObject:
        """Schema of the arguments."""
        required: list[Json] = [name for name in self.properties if name not in self.optional]
        return {
            "type": "object",
            "properties": self.properties,
            "required": required,
            "additionalProperties": False,
        }

    def text(self, body: str) -> str:
        """Return the text of the function with this body."""
        names = [f"{name}=None" if name in self.optional else name for name in self.properties]
        lines = "\n    ".join(body.strip().splitlines())
        return f"import math\nimport re\n\ndef f({', '.join(names)}):\n    {lines}\n"


def _of(name: str, *values: Json) -> list[JsonObject]:
    return [{name: value} for value in values]


def _columns(names: str, *rows: tuple[Json, ...]) -> list[JsonObject]:
    return [dict(zip(names.split(), row, strict=True)) for row in rows]


FAULTS = [
    Fault(
        "a rare number",
        {"n": INT},
        _of("n", 3, 10, 25),
        "return n * 2",
        "return 0 if n == 1729 else n * 2",
    ),
    Fault(
        "a rare number that only the original knows",
        {"n": INT},
        _of("n", 3, 10, 25),
        "return 0 if n == 1729 else n * 2",
        "return n * 2",
        original=True,
    ),
    Fault(
        "a rare text",
        {"s": TEXT},
        _of("s", "anna", "bert"),
        "return s[::-1]",
        'return "" if s == "__root__" else s[::-1]',
    ),
    Fault(
        "a rare text inside",
        {"s": TEXT},
        _of("s", "anna", "bert"),
        "return len(s)",
        'return 0 if "://" in s else len(s)',
    ),
    Fault(
        "a rare item",
        {"xs": INTS},
        _of("xs", [1, 2], [5, 8, 9]),
        "return sum(xs)",
        "return sum(x for x in xs if x != 404)",
    ),
    Fault(
        "a threshold",
        {"n": INT},
        _of("n", 5, 40, 900),
        "return n if n > 100 else 0",
        "return n if n >= 100 else 0",
    ),
    Fault(
        "a threshold of a fraction",
        {"share": NUMBER},
        _of("share", 0.5, 0.75, 0.1),
        "return share < 0.35",
        "return share <= 0.35",
    ),
    Fault(
        "a threshold of a length",
        {"s": TEXT},
        _of("s", "abc", "abcdefghijklmnop"),
        'return s[:10] + "..." if len(s) > 10 else s',
        'return s[:10] + "..." if len(s) >= 10 else s',
    ),
    Fault(
        "a number of items",
        {"xs": INTS},
        _of("xs", [1, 2], [3]),
        "return sum(xs)",
        "return sum(xs) if len(xs) != 17 else 0",
    ),
    Fault(
        "the first of several largest",
        {"xs": INTS},
        _of("xs", [1, 7, 2], [4, 3]),
        "return max(range(len(xs)), key=lambda i: xs[i], default=-1)",
        "return max(reversed(range(len(xs))), key=lambda i: xs[i], default=-1)",
    ),
    Fault(
        "a tie of two numbers",
        {"home": INT, "away": INT},
        _columns("home away", (3, 1), (0, 2), (55, 42)),
        "return (home > away) - (home < away)",
        "return 1 if home >= away else -1",
    ),
    Fault(
        "a tie of two texts",
        {"a": TEXT, "b": TEXT},
        _columns("a b", ("anna", "bert"), ("carl", "dora")),
        "return 0 if a == b else 1",
        "return 1",
    ),
    Fault(
        "a tie of two lists",
        {"a": INTS, "b": INTS},
        _columns("a b", ([1, 2], [3]), ([4], [5, 6])),
        "return len(set(a) ^ set(b)) + (a == b)",
        "return len(set(a) ^ set(b))",
    ),
    Fault(
        "no items",
        {"xs": INTS},
        _of("xs", [3, 1], [5]),
        "return max(xs, default=0)",
        "return max(xs)",
    ),
    Fault(
        "no characters",
        {"s": TEXT},
        _of("s", "anna", "b"),
        "return s[:1].upper() + s[1:]",
        "return s[0].upper() + s[1:]",
    ),
    Fault(
        "no members",
        {"d": COUNTS},
        _of("d", {"a": 1}, {"b": 2, "c": 3}),
        "return sum(d.values()) / len(d) if d else 0.0",
        "return sum(d.values()) / len(d)",
    ),
    Fault(
        "an empty row",
        {"rows": {"type": "array", "items": INTS}},
        _of("rows", [[1, 2], [3]], [[5]]),
        "return [row[0] for row in rows if row]",
        "return [row[0] for row in rows]",
    ),
    Fault(
        "digits that are no numbers",
        {"s": TEXT},
        _of("s", "123", "abc"),
        "return s.isdecimal()",
        "return s.isdigit()",
    ),
    Fault(
        "letters beyond ASCII",
        {"s": TEXT},
        _of("s", "Anna", "BERT"),
        "return s.casefold()",
        "return s.lower()",
    ),
    Fault(
        "only white space",
        {"s": TEXT},
        _of("s", "a b", "c"),
        "return len(s.split())",
        'return len(s.split(" "))',
    ),
    Fault(
        "line ends of other systems",
        {"s": TEXT},
        _of("s", "a\nb", "c"),
        "return len(s.splitlines())",
        'return len(s.split("\\n")) if s else 0',
    ),
    Fault(
        "mixed case",
        {"s": TEXT},
        _of("s", "banana", "kiwi"),
        'return s.lower().count("a")',
        'return s.count("a")',
    ),
    Fault(
        "an even palindrome",
        {"s": TEXT},
        _of("s", "abcba", "abc", "xyz"),
        "return s == s[::-1]",
        "return s[: len(s) // 2] == s[len(s) // 2 + 1 :][::-1]",
    ),
    Fault(
        "leading zeros",
        {"s": TEXT},
        _of("s", "120", "7", "45"),
        "return s.isdecimal() and s == s.lstrip('0')",
        "return s.isdecimal()",
    ),
    Fault(
        "the last index",
        {"xs": INTS, "i": INT},
        _columns("xs i", ([4, 5, 6], 1), ([7, 8], 0), ([1, 2, 3, 4], 2)),
        "return xs[i] if 0 <= i < len(xs) else None",
        "return xs[i] if 0 <= i < len(xs) - 1 else None",
    ),
    Fault(
        "long lists of one length",
        {"a": INTS, "b": INTS},
        _columns("a b", ([1, 2], [3, 4]), ([5, 6, 7], [8, 9, 1]), ([2], [4])),
        "return sum(x * y for x, y in zip(a, b)) if len(a) == len(b) else None",
        "return sum(x * y for x, y in zip(a[:5], b)) if len(a) == len(b) else None",
    ),
    Fault(
        "an item that comes twice",
        {"xs": INTS, "x": INT},
        _columns("xs x", ([4, 5, 6], 5), ([7, 8], 7), ([1, 2, 3], 3)),
        "return xs.index(x) if x in xs else -1",
        "return len(xs) - 1 - xs[::-1].index(x) if x in xs else -1",
    ),
    Fault(
        "a key whose value is zero",
        {"stock": COUNTS, "name": TEXT},
        _columns(
            "stock name", ({"nut": 4, "fig": 2}, "fig"), ({"oat": 1}, "oat"), ({"rye": 9}, "rye")
        ),
        "return stock.get(name, -1)",
        "return stock.get(name) or -1",
    ),
    Fault(
        "what is there more than once",
        {"text": TEXT, "old": TEXT},
        _columns("text old", ("a cat sat", "cat"), ("the dog", "dog"), ("one owl", "owl")),
        'return text.replace(old, "") if old else text',
        'return text.replace(old, "", 1) if old else text',
    ),
    Fault(
        "a prefix whose characters go on",
        {"text": TEXT, "prefix": TEXT},
        _columns("text prefix", ("id-42", "id-"), ("no:x", "no:"), ("a/b", "a/")),
        "return text[len(prefix) :] if text.startswith(prefix) else text",
        "return text.lstrip(prefix) if text.startswith(prefix) else text",
    ),
    Fault(
        "many parts of a sum",
        {"parts": INTS, "total": INT},
        _columns("parts total", ([1, 2], 3), ([4, 5, 6], 15), ([7], 7)),
        "return sum(parts) == total",
        "return sum(parts[:4]) == total",
    ),
    Fault(
        "a subset in another order",
        {"wanted": INTS, "there": INTS},
        _columns("wanted there", ([1, 2], [1, 2, 3]), ([4], [4, 5]), ([7, 8], [7, 8, 9, 6])),
        "return all(one in there for one in wanted)",
        "return wanted == there[: len(wanted)]",
    ),
    Fault(
        "a length and the list it is of",
        {"xs": INTS, "n": INT},
        _columns("xs n", ([4, 5], 2), ([1], 1), ([7, 8, 9], 3)),
        "return sum(xs) // n if n == len(xs) and n else None",
        "return sum(xs) // n if n == len(xs) and 0 < n < 6 else None",
    ),
    Fault(
        "the upper end of a range",
        {"low": INT, "x": INT, "high": INT},
        _columns("low x high", (1, 4, 9), (0, 30, 20), (5, 2, 8)),
        "return low <= x < high",
        "return low <= x <= high",
    ),
    Fault(
        "ends in the wrong order",
        {"low": INT, "high": INT},
        _columns("low high", (1, 4), (0, 9), (5, 7)),
        "return abs(high - low)",
        "return high - low",
    ),
    Fault(
        "more than a hundred items",
        {"xs": INTS},
        _of("xs", [1, 2], [5, 8, 9]),
        "return sum(xs)",
        "return sum(xs[:120])",
    ),
    Fault(
        "a long text",
        {"s": TEXT},
        _of("s", "anna", "bert"),
        "return len(s)",
        "return min(len(s), 2**7)",
    ),
    Fault(
        "a parameter that is left out",
        {"words": TEXTS, "separator": TEXT},
        _columns("words separator", (["a", "b"], "-"), (["c"], "+")),
        'return ("," if separator is None else separator).join(words)',
        'return (" " if separator is None else separator).join(words)',
        optional=("separator",),
    ),
    Fault(
        "a member that is left out",
        {
            "user": {
                "type": "object",
                "properties": {"name": TEXT, "age": INT},
                "required": ["name"],
                "additionalProperties": False,
            }
        },
        _of("user", {"name": "anna", "age": 30}, {"name": "bert", "age": 44}),
        'return user.get("age", -1)',
        'return user["age"]',
    ),
    Fault(
        "a negative number",
        {"n": INT},
        _of("n", 12, 345, 6),
        "return sum(int(c) for c in str(abs(n)))",
        "return sum(int(c) for c in str(n).lstrip('-')) * (1 if n > 0 else -1)",
    ),
    Fault(
        "zero",
        {"n": INT, "default": INT},
        _columns("n default", (3, 10), (4, 20)),
        "return n",
        "return n or default",
    ),
    Fault(
        "zero as a divisor",
        {"a": INT, "b": INT},
        _columns("a b", (12, 4), (9, 6)),
        "return a // b if b else 0",
        "return a // b",
    ),
    Fault(
        "a fraction below zero",
        {"x": NUMBER},
        _of("x", 1.5, 2.25, 7.0),
        "return math.floor(x)",
        "return int(x)",
    ),
    Fault(
        "halves",
        {"x": NUMBER},
        _of("x", 1.2, 3.7, 7.1),
        "return round(x)",
        "return math.floor(x + 0.5)",
    ),
    Fault(
        "a combination of flags",
        {"admin": BOOL, "owner": BOOL, "open_": BOOL},
        _columns("admin owner open_", (True, True, True), (False, False, False)),
        "return admin or (owner and open_)",
        "return admin or owner",
    ),
    Fault(
        "a list that needs several passes",
        {"xs": INTS},
        _of("xs", [2, 1, 3], [1, 5, 4]),
        "return sorted(xs)",
        "xs = list(xs)\n"
        "for i in range(len(xs) - 1):\n"
        "    if xs[i] > xs[i + 1]:\n"
        "        xs[i], xs[i + 1] = xs[i + 1], xs[i]\n"
        "return xs",
    ),
    Fault(
        "the order of what is distinct",
        {"xs": TEXTS},
        _of("xs", ["a", "b", "b"], ["c", "d"]),
        "return list(dict.fromkeys(xs))",
        "return sorted(set(xs))",
    ),
    Fault(
        "items that are all equal",
        {"xs": INTS},
        _of("xs", [1, 2], [5, 8, 9]),
        "return [(x - min(xs)) / ((max(xs) - min(xs)) or 1) for x in xs]",
        "return [(x - min(xs)) / (max(xs) - min(xs)) for x in xs]",
    ),
    Fault(
        "a digit of an identifier",
        {"code": TEXT},
        _of("code", "AB0123", "CD0456", "EF0007"),
        "return int(code[2:]) if re.fullmatch('[A-Z]{2}[0-9]{4}', code) else -1",
        "return int(code[3:]) if re.fullmatch('[A-Z]{2}[0-9]{4}', code) else -1",
    ),
    Fault(
        "the last month",
        {"day": TEXT},
        _of("day", "2024-05-01", "2023-11-30", "2024-01-15"),
        f"return int(day[5:7]) % 12 + 1 if {MONTH} else 0",
        f"return int(day[5:7]) + 1 if {MONTH} else 0",
    ),
    Fault(
        "centuries",
        {"year": INT},
        _of("year", 2020, 2023, 2000),
        "return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)",
        "return year % 4 == 0",
        original=True,
    ),
    Fault(
        "a choice that was never recorded",
        {"unit": {"enum": ["mm", "cm", "m", "km", "ly"]}},
        _of("unit", "m", "cm"),
        'return {"mm": -3, "cm": -2, "m": 0, "km": 3, "ly": 15}[unit]',
        'return {"mm": -3, "cm": -2, "m": 0, "km": 3}[unit]',
    ),
    Fault(
        "null",
        {"n": {"type": ["integer", "null"]}},
        _of("n", 4, 9),
        "return 0 if n is None else n + 1",
        "return n + 1",
    ),
    Fault(
        "the other type",
        {"x": {"anyOf": [TEXT, TEXTS]}},
        _of("x", "a", "b"),
        "return [x] if isinstance(x, str) else x",
        "return [x]",
    ),
    Fault(
        "the largest that is allowed",
        {"month": {"type": "integer", "minimum": 1, "maximum": 12}},
        _of("month", 3, 7),
        "return month % 12 + 1",
        "return month + 1",
    ),
    Fault(
        "a pattern's odd text",
        {"code": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{2}$"}},
        _of("code", "ABC-12", "XYZ-77"),
        "return code[4:] + code[:3]",
        "return code[4:].lstrip('0') + code[:3]",
    ),
]


def behaviour(source: str, arguments: JsonObject) -> tuple[str, str]:
    """Return what one of our own functions does: its result, or the type of its exception."""
    space: dict[str, Any] = {}
    exec(source, space)  # noqa: S102 - the texts are those above
    try:
        return "result", canonical(space["f"](**json.loads(canonical(arguments))))
    except Exception as error:
        return "exception", type(error).__name__


def tells(fault: Fault, inputs: Sequence[JsonObject]) -> bool:
    right, wrong = fault.text(fault.right), fault.text(fault.wrong)
    return any(behaviour(right, one) != behaviour(wrong, one) for one in inputs)


def inputs_for(fault: Fault, seed: int) -> list[JsonObject]:
    sources = [fault.text(fault.wrong), *([fault.text(fault.right)] if fault.original else [])]
    return draw(arguments_strategy(fault.schema, fault.recorded, sources), 100, seed)


every_fault = pytest.mark.parametrize("fault", FAULTS, ids=[fault.kind for fault in FAULTS])


@every_fault
def test_the_recorded_arguments_do_not_show_the_fault(fault: Fault) -> None:
    validator = Draft202012Validator(fault.schema)
    assert all(validator.is_valid(arguments) for arguments in fault.recorded)
    assert not tells(fault, fault.recorded)


@every_fault
@pytest.mark.parametrize("seed", [0, 1])
def test_a_hundred_generated_inputs_show_the_fault(fault: Fault, seed: int) -> None:
    assert tells(fault, inputs_for(fault, seed))
