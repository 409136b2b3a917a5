"""The code that an agent ran in one trace, parsed, and what its names stand for."""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from toolguild.policies.parsing import parse_module
from toolguild.synth.traces import CodeExecution, Trace

__all__ = [
    "BUILTINS",
    "Position",
    "Session",
    "Snippet",
    "assigned_names",
    "bound_by",
    "first_bindings",
    "free_names",
    "parse_function",
    "parse_session",
    "parse_snippet",
    "single_import",
]

BUILTINS = frozenset(dir(builtins))
MAX_SNIPPET_CHARACTERS = 100_000
MAX_DEPTH = 80
"""Levels of a syntax tree; `copy` and `ast` recurse several times for each."""

MAX_BITS = 10_000
"""Size of a whole number in code; Python refuses to write larger ones in decimals."""

Position: TypeAlias = tuple[int, int, int]
"""Where in a session something stands: snippet, line and column."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """One code execution that parses."""

    step: CodeExecution
    tree: ast.Module


@dataclass(frozen=True)
class Session:
    """The code executions of one trace, which share an interpreter."""

    trace_id: str
    task_id: str
    snippets: tuple[Snippet, ...]

    @property
    def recorded(self) -> tuple[tuple[str, str | None], ...]:
        """What the log shows for each snippet: its output, and its error if any."""
        return tuple((snippet.step.result, snippet.step.error) for snippet in self.snippets)

    @cached_property
    def reads(self) -> dict[str, list[Position]]:
        """Where each name is read, in order."""
        found: dict[str, list[Position]] = {}
        for number, snippet in enumerate(self.snippets):
            for node in ast.walk(snippet.tree):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    place = number, node.lineno, node.col_offset
                    found.setdefault(node.id, []).append(place)
        return {name: sorted(places) for name, places in found.items()}

    @cached_property
    def first_stores(self) -> dict[str, Position]:
        """Where each name is first given a value, be it as a parameter."""
        found: dict[str, Position] = {}
        for number, snippet in enumerate(self.snippets):
            for node in ast.walk(snippet.tree):
                match node:
                    case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                        place = number, node.lineno, node.col_offset
                        found[name] = min(place, found.get(name, place))
        return found

    @cached_property
    def first_bindings(self) -> dict[str, tuple[int, int]]:
        """The snippet and line where each name is first bound, be it by a definition or import."""
        return first_bindings([snippet.tree for snippet in self.snippets])

    @cached_property
    def own_names(self) -> frozenset[str]:
        """Names that the code itself gives to something, be it in one place; imports do not."""
        found = set(self.first_stores)
        for snippet in self.snippets:
            for node in ast.walk(snippet.tree):
                match node:
                    case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                        found.add(node.name)
                    case ast.ExceptHandler(name=str() as name):
                        found.add(name)
                    case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
                        found.add(name)
        return frozenset(found)

    def imports_before(self, snippet: int) -> dict[str, ast.stmt]:
        """Return the import statement behind each imported name, as of the end of a snippet."""
        found: dict[str, ast.stmt] = {}
        for earlier in self.snippets[: snippet + 1]:
            for node in ast.walk(earlier.tree):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    for alias in node.names:
                        found[bound_by(alias)] = single_import(node, alias)
        return found

    def functions_before(self, snippet: int) -> dict[str, ast.FunctionDef]:
        """Return the latest top-level definition of each function, as of the end of a snippet."""
        return {
            node.name: node
            for earlier in self.snippets[: snippet + 1]
            for node in earlier.tree.body
            if isinstance(node, ast.FunctionDef)
        }


def bound_by(alias: ast.alias) -> str:
    """Return the name that a part of an import statement binds."""
    return alias.asname or alias.name.split(".")[0]


def single_import(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.stmt:
    """Return the statement that imports but one of what a statement imports."""
    if isinstance(node, ast.Import):
        return ast.Import([alias])
    return ast.ImportFrom(node.module, [alias], node.level)


def first_bindings(trees: Sequence[ast.Module], but_from: str = "") -> dict[str, tuple[int, int]]:
    """Return the snippet and line where each name is first bound.

    Args:
        trees: The snippets.
        but_from: A module whose imports do not count.
    """
    found: dict[str, tuple[int, int]] = {}
    left_out = {
        id(alias)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == but_from
        for alias in node.names
    }
    for number, tree in enumerate(trees):
        for node in ast.walk(tree):
            match node:
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                    pass
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    pass
                case ast.alias(name=module, asname=asname) if id(node) not in left_out:
                    name = asname or module.split(".")[0]
                case _:
                    continue
            place = number, node.lineno
            found[name] = min(place, found.get(name, place))
    return found


def parse_session(trace: Trace) -> Session:
    """Parse the code of a trace; what Python would refuse, or is huge, is left out."""
    snippets = []
    for step in trace.code():
        tree = parse_snippet(step.code)
        if tree is not None and tree.body:
            snippets.append(Snippet(step, tree))
    return Session(trace.id, trace.task.id, tuple(snippets))


def parse_snippet(code: str) -> ast.Module | None:
    """Return the tree of some code; None for what Python would refuse, or is huge."""
    if len(code) > MAX_SNIPPET_CHARACTERS:
        return None
    with warnings.catch_warnings():
        # Invalid escapes and such in other people's code are not our user's business.
        warnings.simplefilter("ignore")
        try:
            tree = parse_module(code)
            if _is_workable(tree):
                # Some errors, such as a `return` outside a function, show only here.
                compile(tree, "<snippet>", "exec", dont_inherit=True)
                return tree
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    return None


def _is_workable(tree: ast.Module) -> bool:
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        for node in level:
            match node:
                case ast.Constant(value=int() as value) if value.bit_length() > MAX_BITS:
                    return False
    return not level


def assigned_names(nodes: list[ast.stmt]) -> set[str]:
    """Return the names that statements bind in their own scope."""
    names = set()
    for node in _own_scope(nodes):
        match node:
            case ast.Name(ctx=ast.Store() | ast.Del()):
                names.add(node.id)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.ExceptHandler(name=str() as name):
                names.add(name)
            case ast.Import() | ast.ImportFrom():
                names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
    return names


def _own_scope(nodes: list[ast.stmt]) -> list[ast.AST]:
    """Return all nodes that belong to the scope of the statements, not to one inside it."""
    found: list[ast.AST] = []
    pending: list[ast.AST] = list(nodes)
    while pending:
        node = pending.pop()
        found.append(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            pending += [*node.decorator_list, *node.args.defaults]
        elif not isinstance(node, ast.Lambda | ast.ClassDef):
            pending += ast.iter_child_nodes(node)
    return found


def free_names(function: ast.FunctionDef) -> set[str]:
    """Return the names that a function reads from outside itself, builtins left out."""
    arguments = function.args
    bound = {
        argument.arg
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    } | {argument.arg for argument in (arguments.vararg, arguments.kwarg) if argument}
    bound |= assigned_names(function.body) | {function.name}
    inner = [node for statement in function.body for node in ast.walk(statement)]
    for node in inner:
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            bound |= {argument.arg for argument in node.args.args}
        if isinstance(node, ast.FunctionDef):
            bound |= assigned_names(node.body)
    read = {
        node.id for node in inner if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return read - bound - BUILTINS


def parse_function(text: str) -> ast.FunctionDef:
    """Return the syntax tree of a text that is one function.

    Raises:
        ValueError: the text is something else.
    """
    match parse_module(text).body:
        case [ast.FunctionDef() as function]:
            return function
    message = f"not one function: {text[:80]!r}"
    raise ValueError(message)
