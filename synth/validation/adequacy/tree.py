"""The syntax tree of a tool, and the places in it where a fault can be put.

Places are left out where a change could not be seen from outside, whatever the inputs: docstrings,
annotations, imports, decorators, the texts of exceptions and of `assert`, what is printed, checks
that no valid input fails (`mining.choices`), and functions that the tool's entry does not reach.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, TypeVar

from toolguild.synth.mining.choices import refusals

__all__ = ["Change", "New", "Site", "ToolTree", "constant", "same", "with_fields"]

New: TypeAlias = ast.AST | list[ast.stmt]
FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
NodeT = TypeVar("NodeT", bound=ast.AST)

_UNSEEN_FIELDS = frozenset(
    {"annotation", "returns", "decorator_list", "type_params", "msg", "format_spec"}
)
_UNSEEN_NODES = (
    ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Pass, ast.expr_context,
    ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """What to put in the place of one node, or of some neighbouring statements."""

    owner: ast.AST
    field: str
    where: int | slice | None
    """Position in the field where that is a list; statements are always a slice of one."""
    new: New

    @property
    def old(self) -> list[ast.AST]:
        """What stands there, in order."""
        held = getattr(self.owner, self.field)
        found = held if self.where is None else held[self.where]
        return found if isinstance(found, list) else [found]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Change the tree while the block runs, and change it back."""
        held = getattr(self.owner, self.field)
        changed = self.new
        if self.where is not None:
            changed = list(held)
            changed[self.where] = self.new  # type: ignore[index,assignment]  # fits `where`
        setattr(self.owner, self.field, changed)
        try:
            yield
        finally:
            setattr(self.owner, self.field, held)


@dataclass(frozen=True, slots=True)
class Site:
    """One node that may be changed, and where it stands."""

    node: ast.AST
    field: str
    index: int | None
    """Position in the owner's field, where that is a list."""
    around: Site | None
    """The owner's own site; None at the top of the module."""
    tree: ToolTree

    @property
    def owner(self) -> ast.AST:
        """The node that holds this one."""
        return self.around.node if self.around else self.tree.module

    def outward(self) -> Iterator[ast.AST]:
        """Yield the nodes around this one, the nearest first."""
        site = self.around
        while site is not None:
            yield site.node
            site = site.around

    @property
    def function(self) -> FunctionNode | None:
        """The function around the node; None at the top of the module."""
        return next((node for node in self.outward() if isinstance(node, FunctionNode)), None)

    @property
    def quoted_in(self) -> ast.JoinedStr | None:
        """The outermost f-string around the node."""
        found = [node for node in self.outward() if isinstance(node, ast.JoinedStr)]
        return found[-1] if found else None

    def becomes(self, new: ast.AST) -> Change:
        """Return the change of this node into another."""
        if isinstance(self.node, ast.stmt) and self.index is not None:
            return self.statements(1, [new] if isinstance(new, ast.stmt) else [])
        return Change(self.owner, self.field, self.index, new)

    def statements(self, count: int, new: list[ast.stmt]) -> Change:
        """Return the change of so many statements from this one on into others."""
        start = self.index or 0
        return Change(self.owner, self.field, slice(start, start + count), new)

    @property
    def is_condition(self) -> bool:
        """Whether the node decides which way the program goes."""
        return self.field == "test" or (
            isinstance(self.owner, ast.comprehension) and self.field == "ifs"
        )


class ToolTree:
    """A module's tree, with what operators ask about the module as a whole.

    Attributes:
        module: the tree itself.
    """

    def __init__(self, module: ast.Module, entry: str) -> None:
        """Take a tree that compiles and is of bounded depth.

        Args:
            module: The tool's tree; it is changed and changed back while mutants are made.
            entry: Name of the tool's function.
        """
        self.module = module
        self._entry = entry
        self._first_bindings: dict[ast.AST, set[ast.Name]] = {}
        functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
        self._unmet = {id(one) for function in functions for one in refusals(function)}
        """Statements in which no valid input meets a fault."""

    def sites(self) -> Iterator[Site]:
        """Yield the places of everything that the entry reaches, in the order of the text."""
        reached = self._reached()
        for index, statement in enumerate(self.module.body):
            is_unseen = _is_unseen(statement, self.module, index) or _is_bookkeeping(statement)
            if _defined(statement) <= reached and not is_unseen:
                yield from self._below(Site(statement, "body", index, None, self))

    def _below(self, site: Site) -> Iterator[Site]:
        pending = [site]
        while pending:
            site = pending.pop()
            yield site
            pending += reversed(list(self._children(site)))

    def _children(self, site: Site) -> Iterator[Site]:
        node = site.node
        for field, value in ast.iter_fields(node):
            if field in _UNSEEN_FIELDS or (isinstance(node, ast.Raise) and field == "exc"):
                continue
            for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if not isinstance(child, ast.AST) or id(child) in self._unmet:
                    continue
                if not _is_unseen(child, node, index):
                    yield Site(child, field, index, site, self)

    def _reached(self) -> set[str]:
        """Return the names defined at the top of the module that the entry leads to."""
        uses: dict[str, set[str]] = {}
        for statement in self.module.body:
            names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
            for name in _defined(statement):
                uses.setdefault(name, set()).update(names)
        reached, pending = {self._entry}, [self._entry]
        while pending:
            new = (uses.get(pending.pop(), set()) & uses.keys()) - reached
            reached |= new
            pending += new
        return reached

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Texts that the module uses as keys: in subscripts, and in `get` and `pop`."""
        found = set()
        for node in ast.walk(self.module):
            match node:
                case ast.Subscript(slice=ast.Constant(value=str(key))):
                    found.add(key)
                case ast.Call(
                    func=ast.Attribute(attr="get" | "pop"), args=[ast.Constant(value=str(key)), *_]
                ):
                    found.add(key)
        return tuple(sorted(found))

    @cached_property
    def tools(self) -> tuple[str, ...]:
        """Names of the tools that the module calls by name."""
        found = set()
        for node in ast.walk(self.module):
            match node:
                case ast.Call(
                    func=ast.Name(id="call_tool"), args=[ast.Constant(value=str(name)), *_]
                ):
                    found.add(name)
        return tuple(sorted(found))

    def is_first_binding(self, statement: ast.stmt, function: FunctionNode | None) -> bool:
        """Whether a statement gives some name its first value in its function.

        Without it, whatever uses the name raises `NameError` at once, which proves nothing.
        """
        scope = function or self.module
        if scope not in self._first_bindings:
            self._first_bindings[scope] = _first_bindings(scope)
        return any(name in self._first_bindings[scope] for name in _bindings(statement))


def _first_bindings(scope: ast.AST) -> set[ast.Name]:
    """Return where the names of a function that are no parameters get their first values."""
    parameters = {node.arg for node in ast.walk(scope) if isinstance(node, ast.arg)}
    in_order = sorted(_bindings(scope), key=lambda node: (node.lineno, node.col_offset))
    first = {node.id: node for node in reversed(in_order)}
    return {node for name, node in first.items() if name not in parameters}


def _bindings(node: ast.AST) -> list[ast.Name]:
    names = [one for one in ast.walk(node) if isinstance(one, ast.Name)]
    return [name for name in names if isinstance(name.ctx, ast.Store)]


def _defined(statement: ast.stmt) -> set[str]:
    """Return the names that a statement at the top of a module gives a value to."""
    if isinstance(statement, FunctionNode | ast.ClassDef):
        return {statement.name}
    return {name.id for name in _bindings(statement)}


def _is_bookkeeping(statement: ast.stmt) -> bool:
    """Whether a statement only says something about the module, such as `__all__ = [...]`."""
    names = _defined(statement)
    return bool(names) and all(name.startswith("__") for name in names)


def _is_unseen(node: ast.AST, owner: ast.AST, index: int | None) -> bool:
    match node:
        case ast.Expr(value=ast.Constant(value=str())):
            holds_docstring = isinstance(owner, FunctionNode | ast.ClassDef | ast.Module)
            return holds_docstring and index == 0
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"))):
            return True
        case ast.Subscript(value=ast.Name(id="Literal" | "Union" | "Optional")):
            return True  # a type that has a name, to be used in annotations
    return isinstance(node, _UNSEEN_NODES)


def with_fields(node: NodeT, **fields: object) -> NodeT:
    """Return a node like another but for some fields; the children are shared."""
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def constant(value: complex | str | bool | None) -> ast.expr:
    """Return the expression of a value; a negative number takes a minus, as in any text."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def same(nodes: Iterable[ast.AST]) -> bool:
    """Whether nodes are all written the same."""
    return len({ast.dump(node) for node in nodes}) <= 1
