"""Operators that change what is called, and with what."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Final

from toolguild.synth.validation.adequacy.operators import Operator
from toolguild.synth.validation.adequacy.tree import Change, Site, constant, same, with_fields

__all__ = ["CALLS"]

_COMMUTATIVE = frozenset({"min", "max", "gcd", "lcm", "hypot", "isclose"})
_TYPE_CHECKS = frozenset({"isinstance", "issubclass", "getattr", "hasattr"})

_OPPOSITES: Final = {
    name: other
    for pair in (
        "min max", "all any", "floor ceil", "upper lower", "startswith endswith", "lstrip rstrip",
        "find rfind", "index rindex", "partition rpartition", "removeprefix removesuffix",
        "intersection union", "nlargest nsmallest", "bisect_left bisect_right",
    )
    for name, other in (pair.split(), pair.split()[::-1])
}  # fmt: skip

_WRAPPERS = frozenset({"abs", "round", "sorted", "set", "int", "reversed", "fabs"})
"""Functions of which the argument often does as well, but not always."""

_TIDYING = frozenset(
    {
        "strip", "lstrip", "rstrip", "lower", "upper", "casefold", "capitalize", "title", "replace",
        "removeprefix", "removesuffix", "zfill", "rjust", "ljust",
    }
)  # fmt: skip
"""Methods of a text that give a text."""


def _called(node: ast.AST) -> str:
    """Return the last part of the name of what a node calls."""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name
    return ""


def _arguments(site: Site) -> Iterator[Change]:
    node, name = site.node, _called(site.node)
    if not isinstance(node, ast.Call) or name in _COMMUTATIVE | _TYPE_CHECKS | {"call_tool"}:
        return
    for index, pair in enumerate(pairwise(node.args)):
        if not same(pair) and not any(isinstance(one, ast.Starred) for one in pair):
            swapped = [*node.args[:index], pair[1], pair[0], *node.args[index + 2 :]]
            yield site.becomes(with_fields(node, args=swapped))


def _orders_keys_only(site: Site) -> bool:
    """Whether something sorted becomes an object, whose keys have no order as JSON."""
    match list(islice(site.outward(), 2)):
        case [ast.Call(func=ast.Name(id="dict")), *_]:
            return True
        case [ast.comprehension(), ast.DictComp(generators=[_])]:
            return site.field == "iter"
    return False


def _order(site: Site) -> Iterator[Change]:
    node = site.node
    if not isinstance(node, ast.Call) or _called(node) not in {"sorted", "sort", "min", "max"}:
        return
    if _orders_keys_only(site):
        return
    given = {keyword.arg: keyword for keyword in node.keywords}
    if "key" in given:
        others = [keyword for keyword in node.keywords if keyword.arg != "key"]
        yield site.becomes(with_fields(node, keywords=others))
    if _called(node) in {"sorted", "sort"} and "reverse" not in given:
        turned = ast.keyword("reverse", ast.Constant(True))
        yield site.becomes(with_fields(node, keywords=[*node.keywords, turned]))


def _function(site: Site) -> Iterator[Change]:
    node = site.node
    if not isinstance(node, ast.Call):
        return
    other = _OPPOSITES.get(_called(node))
    match node.func:
        case ast.Name() as function if other:
            yield site.becomes(with_fields(node, func=with_fields(function, id=other)))
        case ast.Attribute() as function if other:
            yield site.becomes(with_fields(node, func=with_fields(function, attr=other)))


def _call(site: Site) -> Iterator[Change]:
    match site.node:
        case ast.Call(func=ast.Name(id=name), args=[argument, *_]) if name in _WRAPPERS:
            only_orders = name in {"sorted", "reversed"} and _orders_keys_only(site)
            if not isinstance(argument, ast.Starred) and not only_orders:
                yield site.becomes(argument)
        case ast.Call(func=ast.Attribute(value=receiver, attr=name), args=arguments):
            undone = not arguments and name.endswith("strip") and _strips_by_itself(site)
            if name in _TIDYING and not undone:
                yield site.becomes(receiver)


def _strips_by_itself(site: Site) -> bool:
    """Whether a text goes straight to something that ignores the spaces around it."""
    match site.owner:
        case ast.Call(func=ast.Name(id="int" | "float"), args=[node]) if node is site.node:
            return True
        case ast.Attribute(attr="split"):
            return True
    return False


def _key(site: Site) -> Iterator[Change]:
    match site.node:
        case ast.Subscript(value=value, slice=ast.Constant(value=str(key))) as node:
            for other in _beside(key, site.tree.keys):
                yield site.becomes(with_fields(node, slice=constant(other)))
            if isinstance(node.ctx, ast.Load):
                yield site.becomes(value)
        case (
            ast.Call(
                func=ast.Attribute(attr="get" | "pop"), args=[ast.Constant(value=str(key)), *rest]
            ) as call
        ):
            for other in _beside(key, site.tree.keys):
                yield site.becomes(with_fields(call, args=[constant(other), *rest]))
        case ast.Dict(keys=keys):
            for index, held in enumerate(keys):
                if isinstance(held, ast.Constant) and isinstance(held.value, str):
                    renamed = [*keys[:index], constant(f"{held.value}_"), *keys[index + 1 :]]
                    yield site.becomes(with_fields(site.node, keys=renamed))


def _beside(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the name that follows in a list of names that are in use, if there is another."""
    position = names.index(name)
    other = names[(position + 1) % len(names)]
    return () if other == name else (other,)


def _tool_call(site: Site) -> Iterator[Change]:
    match site.node:
        case (
            ast.Call(
                func=ast.Name(id="call_tool"), args=[ast.Constant(value=str(tool)), *rest]
            ) as node
        ):
            for other in _beside(tool, site.tree.tools):
                yield site.becomes(with_fields(node, args=[constant(other), *rest]))
            if not isinstance(site.owner, ast.Expr):
                yield site.becomes(constant(None))
            for argument in rest:
                if isinstance(argument, ast.Dict):
                    for changed in _argument_objects(argument):
                        yield site.becomes(with_fields(node, args=[node.args[0], changed]))


def _argument_objects(given: ast.Dict) -> Iterator[ast.Dict]:
    """Yield an object of arguments with one left out, then with two values swapped."""
    for index in range(len(given.values)):
        keys = [*given.keys[:index], *given.keys[index + 1 :]]
        values = [*given.values[:index], *given.values[index + 1 :]]
        yield with_fields(given, keys=keys, values=values)
    for index, pair in enumerate(pairwise(given.values)):
        if not same(pair):
            values = [*given.values[:index], pair[1], pair[0], *given.values[index + 2 :]]
            yield with_fields(given, values=values)


CALLS: Final = (
    Operator(
        "arguments",
        "Two neighbouring arguments swapped, unless the function takes them in any order.",
        _arguments,
        makes=(("x = f(a, b)", "x = f(b, a)"), ("x = f(a, b, c)", "x = f(a, c, b)")),
        spares=("x = f(a, a)", "x = max(a, b)", "x = isinstance(a, b)", "x = f(a, *b)"),
    ),
    Operator(
        "order",
        "Sorting turned round, or without its key. Not where the result only orders the keys of an"
        " object.",
        _order,
        makes=(
            ("x = sorted(a)", "x = sorted(a, reverse=True)"),
            ("x = sorted(a, key=b)", "x = sorted(a)"),
            ("x = max(a, key=b)", "x = max(a)"),
        ),
        spares=("x = max(a)", "x = dict(sorted(a))", "x = {b: c for b in sorted(a)}"),
    ),
    Operator(
        "function",
        "A function for its opposite: `min` for `max`, `all` for `any`, `floor` for `ceil`.",
        _function,
        makes=(("x = min(a)", "x = max(a)"), ("x = a.lstrip()", "x = a.rstrip()")),
        spares=("x = len(a)",),
    ),
    Operator(
        "call",
        "A call left out of which the argument or the text may do as well, as in `abs(a)` and"
        " `a.strip()`. Not `strip` before `int`, `float` or `split`, which strip by themselves.",
        _call,
        makes=(("x = abs(a)", "x = a"), ("x = a.strip().lower()", "x = a.strip()")),
        spares=("x = float(a.strip())", "x = a.strip().split()"),
    ),
    Operator(
        "key",
        "A key for another that the tool uses, a renamed key of an object, a step of a path left"
        " out.",
        _key,
        makes=(
            ("x = a['b']['c']", "x = a['c']['c']"),
            ("x = a['b']['c']", "x = a['b']"),
            ("x = {'b': a}", "x = {'b_': a}"),
        ),
        spares=("x = a[0]",),
    ),
    Operator(
        "tool call",
        "Another tool called, a call or one of its arguments left out, two arguments swapped.",
        _tool_call,
        makes=(
            ("x = call_tool('t', {'a': b, 'c': d})", "x = call_tool('t', {'c': d})"),
            ("x = call_tool('t', {'a': b, 'c': d})", "x = call_tool('t', {'a': d, 'c': b})"),
            ("x = call_tool('t', {'a': b})", "x = None"),
            ("x = call_tool('t', call_tool('u', {}))", "x = call_tool('u', call_tool('u', {}))"),
        ),
    ),
)
