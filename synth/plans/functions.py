"""What a plan may compute: a closed catalogue, so that a plan stays data that can be read.

Each function has a meaning, which is Python's own, and a text, which is what a tool says. They must
agree in values and in exceptions: tools are held against the meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, itemgetter, le, lt
from types import MappingProxyType
from typing import Any

from toolguild.policies.parsing import parse_literal
from toolguild.sandbox import Json
from toolguild.synth.plans.comparing import COMPARABLE, comparable

__all__ = ["FUNCTIONS", "OWN_NAMES", "Function"]

OWN_NAMES = ("row", "item", "each")
"""Names that the texts of functions bind: nothing beside them may be called so."""
_MAX_REPEATED = 1_000_000


@dataclass(frozen=True, slots=True)
class Function:
    """One way to make a value of others."""

    evaluate: Callable[..., Any]
    """Takes JSON values; raises what Python raises."""
    write: Callable[..., str]
    """Takes the texts of the inputs, each of which binds as tightly as a name does, unless the
    function encloses them."""
    binds: bool = True
    """Whether the text binds as tightly as a name does: a call, a subscript, a list."""
    encloses: bool = False
    """Whether the inputs stand between brackets and commas, where any text may."""
    helper: str = ""
    """A function that the text calls."""


def _operator(sign: str, evaluate: Callable[[Any, Any], Any]) -> Function:
    return Function(evaluate, lambda left, right: f"{left} {sign} {right}", binds=False)


def _call(name: str, evaluate: Callable[..., Any]) -> Function:
    return Function(evaluate, lambda *given: f"{name}({', '.join(given)})", encloses=True)


def _method(name: str, *fixed: str) -> Function:
    arguments = ", ".join(fixed)
    return Function(
        lambda text: getattr(str, name)(_text(text), *map(_unquoted, fixed)),
        lambda text: f"{text}.{name}({arguments})",
    )


def _text(value: Json) -> str:
    """Return a value that has the methods of a text, or raise what anything else raises."""
    if isinstance(value, str):
        return value
    message = f"a {type(value).__name__} has no such method"
    raise AttributeError(message)


def _unquoted(literal: str) -> str:
    return literal[1:-1]


def _joined(separator: Any, items: Any) -> str:
    return str(separator.join(items))


def _joined_as_text(separator: Any, items: Any) -> str:
    return str(separator.join(str(item) for item in items))


def _concatenated(*parts: Json) -> str:
    return "".join(str(part) for part in parts)


def _write_concatenated(*parts: str) -> str:
    """Return a formatted string, or a join where quotes would get in each other's way."""
    expressions = [part for part in parts if _literal_text(part) is None]
    constants = [text for part in parts for text in (_literal_text(part),) if text is not None]
    quote = "'" if any('"' in part for part in expressions) else '"'
    awkward = {quote, "\\", "{", "}"}
    texts = [*expressions, *constants]
    if any(sign in text for sign in awkward for text in texts) or not "".join(texts).isprintable():
        items = [part if _literal_text(part) is not None else f"str({part})" for part in parts]
        return f'"".join([{", ".join(items)}])'
    inside = [
        f"{{{part}}}" if text is None else text for part in parts for text in (_literal_text(part),)
    ]
    return f"f{quote}{''.join(inside)}{quote}"


def _literal_text(written: str) -> str | None:
    """Return the text that an expression is a literal of; None where it is anything else."""
    if written[:1] not in {'"', "'"}:
        return None
    try:
        value = parse_literal(written)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None


def _product(left: Any, right: Any) -> Any:
    sizes = [len(value) for value in (left, right) if isinstance(value, str | list)]
    numbers = [value for value in (left, right) if isinstance(value, int)]
    if sizes and numbers and sizes[0] * numbers[0] > _MAX_REPEATED:
        # A tool in its sandbox may run out of memory; whoever looks at its plan must not.
        raise OverflowError
    return left * right


def _part(value: Any, *path: Any) -> Any:
    for key in path:
        value = value[key]
    return value


def _row_where(rows: Any, key: Any, wanted: Any) -> Any:
    for row in rows:
        if row[key] == wanted:
            return row
    raise LookupError


# Which row is wanted may be said by the caller, who should be told what was wrong.
_FIND_ROW = '''
def _find_row(rows: list[dict[str, object]], key: str, wanted: object) -> dict[str, object]:
    """Return the first row with a value under a key."""
    for row in rows:
        if row[key] == wanted:
            return row
    message = f"no item whose {key} is {wanted!r}"
    raise LookupError(message)
'''


def _rows_where(rows: Any, key: Any, wanted: Any) -> Any:
    return [row for row in rows if row[key] == wanted]


def _rows_where_not(rows: Any, key: Any, unwanted: Any) -> Any:
    return [row for row in rows if row[key] != unwanted]


def _rows_compared(sign: str, holds: Callable[[Any, Any], Any]) -> Function:
    return Function(
        lambda rows, key, bound: [row for row in rows if holds(comparable(row[key], bound), bound)],
        lambda rows, key, bound: (
            f"[row for row in {rows} if _comparable(row[{key}], {bound}) {sign} {bound}]"
        ),
        helper=COMPARABLE,
    )


def _rows_with(rows: Any, key: Any) -> Any:
    return [row for row in rows if row[key]]


def _rows_without(rows: Any, key: Any) -> Any:
    return [row for row in rows if not row[key]]


def _column(rows: Any, key: Any) -> Any:
    return [row[key] for row in rows]


def _flattened(values: Any, *path: Any) -> Any:
    return [item for value in values for item in _part(value, *path)]


def _subscripts(path: Sequence[str]) -> str:
    return "".join(f"[{key}]" for key in path)


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        # Texts
        "lower": _method("lower"),
        "upper": _method("upper"),
        "title": _method("title"),
        "strip": _method("strip"),
        "spaces_to_underscores": _method("replace", '" "', '"_"'),
        "spaces_to_hyphens": _method("replace", '" "', '"-"'),
        "without_hyphens": _method("replace", '"-"', '""'),
        "split": Function(
            lambda text, separator, index: _text(text).split(separator)[index],
            lambda text, separator, index: f"{text}.split({separator})[{index}]",
        ),
        "text": _call("str", str),
        "fixed": _call("format", format),
        "concatenated": Function(_concatenated, _write_concatenated),
        "joined": Function(_joined, lambda separator, items: f"{separator}.join({items})"),
        "joined_as_text": Function(
            _joined_as_text,
            lambda separator, items: f"{separator}.join(str(item) for item in {items})",
        ),
        # Numbers
        "integer": _call("int", int),
        "number": _call("float", float),
        "rounded": _call("round", round),
        "sum_of": _operator("+", lambda left, right: left + right),
        "difference": _operator("-", lambda left, right: left - right),
        "product": _operator("*", _product),
        "quotient": _operator("/", lambda left, right: left / right),
        # Lists
        "head": Function(lambda value, end: value[:end], lambda value, end: f"{value}[:{end}]"),
        "tail": Function(
            lambda value, start: value[start:], lambda value, start: f"{value}[{start}:]"
        ),
        "count": _call("len", len),
        "total": _call("sum", sum),
        "least": _call("min", min),
        "most": _call("max", max),
        "listed": Function(
            lambda *items: [*items], lambda *items: f"[{', '.join(items)}]", encloses=True
        ),
        "column": Function(_column, lambda rows, key: f"[row[{key}] for row in {rows}]"),
        "flattened": Function(
            _flattened,
            lambda values, *path: (
                f"[item for each in {values} for item in each{_subscripts(path)}]"
            ),
        ),
        "rows_where": Function(
            _rows_where,
            lambda rows, key, wanted: f"[row for row in {rows} if row[{key}] == {wanted}]",
        ),
        "rows_where_not": Function(
            _rows_where_not,
            lambda rows, key, unwanted: f"[row for row in {rows} if row[{key}] != {unwanted}]",
        ),
        "rows_at_most": _rows_compared("<=", le),
        "rows_at_least": _rows_compared(">=", ge),
        "rows_below": _rows_compared("<", lt),
        "rows_above": _rows_compared(">", gt),
        "rows_with": Function(
            _rows_with, lambda rows, key: f"[row for row in {rows} if row[{key}]]"
        ),
        "rows_without": Function(
            _rows_without, lambda rows, key: f"[row for row in {rows} if not row[{key}]]"
        ),
        "row_where": Function(
            _row_where,
            lambda rows, key, wanted: f"_find_row({rows}, {key}, {wanted})",
            encloses=True,
            helper=_FIND_ROW,
        ),
        "row_with_least": Function(
            lambda rows, key: min(rows, key=itemgetter(key)),
            lambda rows, key: f"min({rows}, key=lambda row: row[{key}])",
        ),
        "row_with_most": Function(
            lambda rows, key: max(rows, key=itemgetter(key)),
            lambda rows, key: f"max({rows}, key=lambda row: row[{key}])",
        ),
        "part": Function(_part, lambda value, *path: value + _subscripts(path)),
    }
)
"""By the names that plans use."""
