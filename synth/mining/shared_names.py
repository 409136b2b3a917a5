"""Names that pass from one piece of code to another, for a session has one interpreter."""

from __future__ import annotations

import ast
import re
import symtable
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from toolguild.synth.mining.programs import bound_by, parse_snippet
from toolguild.synth.traces import CodeExecution

__all__ = ["NameUse", "is_read_later"]

_WILD = frozenset(
    """
    In Out _ __ ___ dir eval exec exit get_ipython globals locals quit vars
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_HISTORY = re.compile(r"_i*\d*")
"""How IPython calls earlier inputs and outputs."""
MAX_WORK = 500_000
"""Names times nodes of code beyond which it is not looked at more closely."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class NameUse:
    """What the code of one step has to do with the names that the session shares."""

    bound: frozenset[str]
    """Names that it may give a value, imports and functions included."""
    needed: frozenset[str]
    """Names that it reads and has not surely given a value before."""
    settled: frozenset[str]
    """Names that have a value of its own once it has run."""
    deferred: frozenset[str]
    """Names that functions of it read, perhaps only when later code calls them."""
    is_wild: bool
    """Whether it may read or bind names that do not stand in it."""

    @classmethod
    def of(cls, step: CodeExecution) -> NameUse:
        """Read a step; what cannot be read for sure may have to do with any name."""
        tree = parse_snippet(step.code)
        if tree is None:
            words = frozenset(_WORD.findall(step.code))
            # What Python refuses did not run at all; what it does not, an interpreter's own
            # command, may have done anything.
            return cls(words, words, frozenset(), words, is_wild=step.error is None)
        none: frozenset[str] = frozenset()
        try:
            table = symtable.symtable(step.code, "<snippet>", "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return cls(none, none, none, none, is_wild=True)
        read = {*_read(table)}
        if len(read) * sum(1 for _ in ast.walk(tree)) > MAX_WORK:
            return cls(none, none, none, none, is_wild=True)
        by_name = _statements_by_name(tree)
        bound = frozenset(_bound(table, tree))
        needed = frozenset(name for name in read if not _has_own_value(by_name.get(name, []), name))
        settled = frozenset(
            name for name in bound if any(_binds(one, name) for one in by_name.get(name, []))
        )
        wild = any(name in _WILD or _HISTORY.fullmatch(name) for name in needed)
        stars = any(isinstance(node, ast.alias) and node.name == "*" for node in ast.walk(tree))
        deferred = frozenset(name for inner in table.get_children() for name in _deferred(inner))
        # What failed may have ended before it came to them.
        settled = settled if step.error is None else frozenset()
        return cls(bound, needed, settled, deferred, wild or stars)


def is_read_later(names: frozenset[str], later: Sequence[NameUse]) -> bool:
    """Say whether code that ran later may have read one of some names as it was then.

    Args:
        names: What one step gave a value.
        later: What the steps after it do with names, in order.
    """
    for use in later:
        if use.is_wild or not names.isdisjoint(use.needed):
            return True
        names -= use.settled
    return False


def _read(table: symtable.SymbolTable) -> Iterator[str]:
    """Yield the names of the session that code reads, be it inside a function."""
    at_top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (at_top or symbol.is_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _read(inner)


def _deferred(table: symtable.SymbolTable) -> Iterator[str]:
    if table.get_name() not in _AT_ONCE:
        yield from _read(table)
    for inner in table.get_children():
        yield from _deferred(inner)


_AT_ONCE = frozenset({"listcomp", "setcomp", "dictcomp"})
"""Scopes that are left before the next statement begins."""


def _bound(table: symtable.SymbolTable, tree: ast.Module) -> Iterator[str]:
    at_top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if (at_top or symbol.is_declared_global()) and (
            symbol.is_assigned() or symbol.is_imported()
        ):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _bound(inner, ast.Module([], []))
    for node in ast.walk(tree):
        if isinstance(node, ast.NamedExpr):
            yield node.target.id


def _statements_by_name(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    """Return the statements of the top level in which each name stands, in order."""
    found: defaultdict[str, list[ast.stmt]] = defaultdict(list)
    for statement in tree.body:
        for name in _names_in(statement):
            found[name].append(statement)
    return found


def _has_own_value(block: Sequence[ast.stmt], name: str) -> bool:
    """Say whether a name has been given a value wherever a block of code reads it."""
    for statement in block:
        if _mentions(statement, name):
            if _binds(statement, name):
                return True
            if not _keeps_to_itself(statement, name):
                return False
    return True


def _keeps_to_itself(statement: ast.stmt, name: str) -> bool:
    """Say whether a statement reads a name only where it has given it a value itself."""
    match statement:
        case ast.For(target=target, iter=source, body=body, orelse=[]):
            own = _stores(target, name) or _has_own_value(body, name)
            return own and not _mentions(source, name)
        case ast.While(test=test, body=body, orelse=[]):
            return _has_own_value(body, name) and not _mentions(test, name)
        case ast.If(test=test, body=body, orelse=orelse):
            own = _has_own_value(body, name) and _has_own_value(orelse, name)
            return own and not _mentions(test, name)
    return False


def _binds(statement: ast.stmt, name: str) -> bool:
    """Say whether a statement gives a name a value for sure, and before it reads it."""
    match statement:
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return name in map(bound_by, names)
        case ast.FunctionDef(name=defined, args=arguments, decorator_list=[]):
            return defined == name and not _mentions(arguments, name)
        case ast.Assign(targets=targets, value=value):
            return any(_stores(one, name) for one in targets) and not _mentions(value, name)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            return _stores(target, name) and not _mentions(value, name)
        case ast.If(test=test, body=body, orelse=orelse):
            return not _mentions(test, name) and all(
                any(_binds(one, name) for one in block) and _has_own_value(block, name)
                for block in (body, orelse)
            )
    return False


def _stores(target: ast.expr, name: str) -> bool:
    parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    return any(isinstance(part, ast.Name) and part.id == name for part in parts)


def _mentions(node: ast.AST, name: str) -> bool:
    return name in _names_in(node)


def _names_in(node: ast.AST) -> set[str]:
    """Return the names in code, without those of comprehensions and lambdas that end with them."""
    match node:
        case ast.Lambda(args=arguments, body=body):
            own = {inner.arg for inner in ast.walk(arguments) if isinstance(inner, ast.arg)}
            return _names_of_all([*arguments.defaults, *arguments.kw_defaults]) | (
                _names_in(body) - own
            )
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            own = _names_of_all([one.target for one in node.generators])
            # The first list is looked up before there is anything of its own.
            return _names_in(node.generators[0].iter) | (
                _names_of_all(ast.iter_child_nodes(node)) - own
            )
        case ast.Name(id=name) | ast.arg(arg=name):
            found = {name}
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            found = {name}
        case ast.ClassDef(name=name) | ast.ExceptHandler(name=str() as name):
            found = {name}
        case ast.alias():
            found = {bound_by(node)}
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            found = {*names}
        case _:
            found = set()
    return found | _names_of_all(ast.iter_child_nodes(node))


def _names_of_all(nodes: Iterable[ast.AST | None]) -> set[str]:
    return {name for node in nodes if node is not None for name in _names_in(node)}
