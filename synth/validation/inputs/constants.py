"""The constants in a tool's text: what it treats in a way of its own is often one of them."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from toolguild.policies.code_rules import TextLimits
from toolguild.sandbox import Json
from toolguild.synth.validation.inputs.values import is_plain
from toolguild.synth.validation.static.constants import fold_number
from toolguild.synth.validation.static.reading import SourceError, parse

__all__ = ["NO_CONSTANTS", "Constants", "mined_constants"]

_MAX_COMPARED = 100_000
"""A number that something is compared with may be given; a larger one may cost the tool minutes."""
_MAX_OTHER = 1_000
"""Other numbers may be moduli or scales, which are no inputs if they are large."""
_MAX_LENGTH = 400
_MAX_TEXT = 80  # characters
_MAX_OF_A_KIND = 30


@dataclass(frozen=True, slots=True)
class Constants:
    """What stands in the texts of a tool, each kind in the order of its worth."""

    numbers: tuple[int | float, ...] = ()
    texts: tuple[str, ...] = ()
    lengths: tuple[int, ...] = ()
    """Numbers that a length is compared with or cut to, and their upper neighbours."""
    displays: tuple[Json, ...] = ()
    """Lists and objects that something is compared with."""


NO_CONSTANTS = Constants()


def mined_constants(sources: Iterable[str], limits: TextLimits) -> Constants:
    """Return the constants in some texts; one that is no program, or too big, has none.

    What stands in documentation, annotations and messages of exceptions does not count.
    """
    found = _Found([], [], [], [], [], [])
    for source in sources:
        try:
            _collect(parse(source, limits), found)
        except SourceError:
            continue
    numbers = [number for number in found.compared if abs(number) <= _MAX_COMPARED]
    numbers += [number for number in found.others if abs(number) <= _MAX_OTHER]
    lengths = [int(length) for length in found.lengths if 0 <= length < _MAX_LENGTH]
    return Constants(
        tuple(dict.fromkeys(numbers))[:_MAX_OF_A_KIND],
        tuple(dict.fromkeys(filter(_is_usable, [*found.compared_texts, *found.texts])))[
            :_MAX_OF_A_KIND
        ],
        tuple(dict.fromkeys(one for length in lengths for one in (length, length + 1)))[
            :_MAX_OF_A_KIND
        ],
        tuple(found.displays[:_MAX_OF_A_KIND]),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    compared: list[int | float]
    others: list[int | float]
    compared_texts: list[str]
    texts: list[str]
    lengths: list[int | float]
    displays: list[Json]


def _collect(tree: ast.Module, found: _Found) -> None:
    bound = _bound_once(tree)
    for node in _code(tree):
        match node:
            case ast.Compare(left=left, comparators=comparators):
                sides = _named(_elements([left, *comparators]), bound)
                numbers = _numbers(sides)
                found.compared.extend(numbers)
                found.compared_texts.extend(_texts(sides))
                found.displays.extend(_displays([left, *comparators]))
                if any(map(_is_length, sides)):
                    found.lengths.extend(numbers)
            case ast.MatchValue(value=value) | ast.Subscript(slice=value):
                found.compared.extend(_numbers([value]))
            case ast.Call(func=ast.Attribute(attr="startswith" | "endswith"), args=asked):
                found.compared_texts.extend(_texts(_named(_elements(asked), bound)))
            case ast.Dict(keys=keys):
                found.compared.extend(_numbers(key for key in keys if key is not None))
            case ast.Slice(lower=lower, upper=upper):
                ends = _named(filter(None, (lower, upper)), bound)
                found.lengths.extend(map(abs, _numbers(ends)))
            case ast.BinOp() | ast.UnaryOp() | ast.Constant(value=int() | float()):
                found.others.extend(_numbers([node]))
            case ast.Constant(value=str(text)):
                found.texts.append(text)


def _code(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the nodes of what is computed, outer ones before inner ones."""
    level: list[ast.AST] = [tree]
    while level:
        yield from level
        level = [child for node in level for child in _computed(node)]


def _computed(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Raise() | ast.Expr(value=ast.Constant()):
            return
        case ast.arg():
            return
        case ast.FunctionDef(args=args, body=body):
            yield from (*args.defaults, *filter(None, args.kw_defaults), *body)
        case ast.AnnAssign(value=value):
            yield from [] if value is None else [value]
        case _:
            yield from ast.iter_child_nodes(node)


def _bound_once(tree: ast.Module) -> dict[str, ast.expr]:
    """Return what the names stand for that are assigned to in one place."""
    pairs: list[tuple[str, ast.expr]] = []
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pairs.append((name, value))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pairs.append((name, value))
    times = Counter(name for name, _ in pairs)
    return {name: value for name, value in pairs if times[name] == 1}


def _elements(nodes: Iterable[ast.expr]) -> Iterator[ast.expr]:
    """Yield the nodes, and in place of a display what stands in it."""
    for node in nodes:
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            yield from node.elts
        else:
            yield node


def _is_length(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len"


def _numbers(nodes: Iterable[ast.expr]) -> list[int | float]:
    numbers = map(fold_number, nodes)
    # A root of a negative number is complex.
    return [number for number in numbers if isinstance(number, int | float)]


def _texts(nodes: Iterable[ast.expr]) -> list[str]:
    return [
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def _displays(nodes: Iterable[ast.expr]) -> Iterator[Json]:
    """Yield the lists and objects that stand written out, nothing but constants in them."""
    for node in nodes:
        if isinstance(node, ast.List | ast.Dict):
            try:
                value = ast.literal_eval(node)
            except (ValueError, TypeError, RecursionError):
                continue
            if is_plain(value):
                yield value


def _named(nodes: Iterable[ast.expr], bound: Mapping[str, ast.expr]) -> list[ast.expr]:
    """Return the nodes, and in place of a name what it stands for."""
    return [bound.get(node.id, node) if isinstance(node, ast.Name) else node for node in nodes]


def _is_usable(text: str) -> bool:
    return 0 < len(text) <= _MAX_TEXT and not any("\ud800" <= c <= "\udfff" for c in text)
