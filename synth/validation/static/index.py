"""One walk over a syntax tree that notes parents, scopes, bindings and annotations.

The walk keeps its own stack: depth costs no recursion. Nothing here judges.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar, cast

from toolguild.policies.code_rules import TextLimits
from toolguild.synth.validation.static.reading import parse_expression
from toolguild.synth.validation.static.scopes import Binding, Scope, ScopeKind

__all__ = ["FunctionNode", "Index", "build_index"]

NodeT = TypeVar("NodeT", bound=ast.AST)
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(slots=True)
class Index:
    """What the walk noted; nodes are keys by identity."""

    module: Scope
    nodes: list[ast.AST] = field(default_factory=list)
    """Every node, outer before inner, in the order of the text."""
    by_kind: dict[type[ast.AST], list[ast.AST]] = field(default_factory=dict)
    """The same, by their exact type."""
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    scopes: dict[ast.AST, Scope] = field(default_factory=dict)
    """The scope in which each node is evaluated."""
    bindings: list[tuple[Scope, Binding]] = field(default_factory=list)
    """Every binding, with the scope in which it is written."""
    shown_at: dict[ast.AST, ast.AST] = field(default_factory=dict)
    """Nodes inside an f-string or a quoted annotation, and the literal that shows where they are:
    before Python 3.12 the places inside of these literals are not reliable."""
    annotations: set[ast.AST] = field(default_factory=set)
    """Nodes that stand in an annotation."""
    quoted: dict[ast.AST, ast.expr] = field(default_factory=dict)
    """Annotations in quotes, and the expressions in them."""
    unreadable_quotes: list[ast.Constant] = field(default_factory=list)
    """Annotations in quotes that hold no expression."""

    def of_kind(self, kind: type[NodeT]) -> list[NodeT]:
        """Return every node of exactly this type, in the order of the text."""
        # Filled by the nodes' own types only, which the checker of types cannot see.
        return cast(list[NodeT], self.by_kind.get(kind, []))


@dataclass(frozen=True, slots=True)
class _Visit:
    """A node to walk into, and what holds for it."""

    node: ast.AST
    parent: ast.AST
    scope: Scope
    annotation: bool = False
    shown_at: ast.AST | None = None


def build_index(tree: ast.Module, limits: TextLimits) -> Index:
    """Walk over a module's tree."""
    index = Index(Scope(ScopeKind.MODULE, tree, None))
    walker = _Walker(index, limits)
    stack = [_Visit(tree, tree, index.module)]
    while stack:
        visit = stack.pop()
        walker.note(visit)
        stack.extend(reversed(list(walker.children(visit))))
    index.module.settle()
    return index


class _Walker:
    """Notes single nodes in an index and says in which scope their children stand."""

    def __init__(self, index: Index, limits: TextLimits) -> None:
        self._index = index
        self._limits = limits
        self._values: dict[ast.AST, ast.expr] = {}
        """Names that are the whole target of an assignment, and what they are assigned."""

    def note(self, visit: _Visit) -> None:
        """Record a node and what it binds."""
        node, index = visit.node, self._index
        index.nodes.append(node)
        index.by_kind.setdefault(type(node), []).append(node)
        index.parents[node] = visit.parent
        index.scopes[node] = visit.scope
        if visit.shown_at is not None:
            index.shown_at[node] = visit.shown_at
        if visit.annotation:
            index.annotations.add(node)
        for binding in self._bound_by(node, visit.scope):
            index.bindings.append((visit.scope, binding))
            target = visit.scope.for_walrus if _is_walrus(node, visit.parent) else visit.scope
            target.bind(binding)

    def _bound_by(self, node: ast.AST, scope: Scope) -> Iterator[Binding]:
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield Binding(name, node, value=self._values.get(node))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield Binding(name, node)
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                yield Binding(name, node)
            case ast.Import() | ast.ImportFrom():
                yield from _imported(node)
            case ast.Global(names=names):
                scope.global_names.update(names)
            case ast.Nonlocal(names=names):
                scope.nonlocal_names.update(names)
            case ast.ExceptHandler(name=str(name)):
                yield Binding(name, node)
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield Binding(name, node)
            case ast.MatchMapping(rest=str(name)):
                yield Binding(name, node)
            case _ if type(node).__name__ in ("TypeVar", "ParamSpec", "TypeVarTuple"):
                # Type parameters, from Python 3.12 on.
                yield Binding(str(node.name), node)  # type: ignore[attr-defined]  # 3.12 nodes
            case _:
                self._note_values(node)

    def _note_values(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                self._values.update((t, value) for t in targets if isinstance(t, ast.Name))
            case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
                self._values[target] = value
            case ast.NamedExpr(target=target, value=value):
                self._values[target] = value

    def children(self, visit: _Visit) -> Iterator[_Visit]:
        """Yield the children of a node in the order of the text."""
        node, scope = visit.node, visit.scope
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from self._function(node, scope)
            case ast.Lambda():
                inner = Scope(ScopeKind.FUNCTION, node, scope)
                yield from self._arguments(node, node.args, scope, scope, inner)
                yield _Visit(node.body, node, inner, shown_at=visit.shown_at)
            case ast.ClassDef():
                yield from self._class(node, scope)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                yield from self._comprehension(node, visit)
            case ast.AnnAssign():
                yield _Visit(node.target, node, scope)
                yield _Visit(node.annotation, node, scope, annotation=True)
                yield from _plain(node, [node.value], scope)
            case ast.Constant(value=str(text)) if visit.annotation:
                yield from self._quoted(node, text, visit)
            case _:
                shown_at = visit.shown_at or (node if isinstance(node, ast.JoinedStr) else None)
                for child in ast.iter_child_nodes(node):
                    annotation = visit.annotation and not _holds_values(node, child)
                    yield _Visit(child, node, scope, annotation, shown_at)

    def _function(self, node: FunctionNode, scope: Scope) -> Iterator[_Visit]:
        yield from _plain(node, node.decorator_list, scope)
        outer = self._with_type_parameters(node, scope)
        yield from _type_parameters(node, outer)
        inner = Scope(ScopeKind.FUNCTION, node, outer)
        yield from self._arguments(node, node.args, scope, outer, inner)
        if node.returns is not None:
            yield _Visit(node.returns, node, outer, annotation=True)
        yield from _plain(node, node.body, inner)

    def _arguments(
        self, owner: ast.AST, args: ast.arguments, outside: Scope, outer: Scope, inner: Scope
    ) -> Iterator[_Visit]:
        """Yield parameters (bound inside), their annotations and defaults (evaluated outside)."""
        self.note(_Visit(args, owner, outside))
        every = [*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg]
        for arg in every:
            if arg is None:
                continue
            self.note(_Visit(arg, args, inner))
            if arg.annotation is not None:
                yield _Visit(arg.annotation, arg, outer, annotation=True)
        yield from _plain(args, [*args.defaults, *args.kw_defaults], outside)

    def _class(self, node: ast.ClassDef, scope: Scope) -> Iterator[_Visit]:
        yield from _plain(node, node.decorator_list, scope)
        outer = self._with_type_parameters(node, scope)
        yield from _type_parameters(node, outer)
        yield from _plain(node, [*node.bases, *node.keywords], outer)
        yield from _plain(node, node.body, Scope(ScopeKind.CLASS, node, outer))

    def _with_type_parameters(self, node: ast.AST, scope: Scope) -> Scope:
        # Type parameters (Python 3.12) live in a scope between the outside and the function. Like
        # a comprehension, and unlike a function, it is evaluated where it stands.
        if not getattr(node, "type_params", None):
            return scope
        return Scope(ScopeKind.COMPREHENSION, node, scope)

    def _comprehension(self, node: _Comprehension, visit: _Visit) -> Iterator[_Visit]:
        inner = Scope(ScopeKind.COMPREHENSION, node, visit.scope)
        for position, generator in enumerate(node.generators):
            self.note(_Visit(generator, node, inner))
            first = visit.scope if position == 0 else inner
            yield _Visit(generator.iter, generator, first, shown_at=visit.shown_at)
            for part in (generator.target, *generator.ifs):
                yield _Visit(part, generator, inner, shown_at=visit.shown_at)
        made = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for part in made:
            yield _Visit(part, node, inner, shown_at=visit.shown_at)

    def _quoted(self, node: ast.Constant, text: str, visit: _Visit) -> Iterator[_Visit]:
        # Some functions of the standard library evaluate what stands in the quotes, so it is code.
        inner = parse_expression(text, self._limits)
        if inner is None:
            self._index.unreadable_quotes.append(node)
        else:
            self._index.quoted[node] = inner
            shown_at = visit.shown_at or node
            yield _Visit(inner, node, visit.scope, annotation=True, shown_at=shown_at)


def _plain(parent: ast.AST, nodes: Iterable[ast.AST | None], scope: Scope) -> Iterator[_Visit]:
    return (_Visit(node, parent, scope) for node in nodes if node is not None)


def _type_parameters(node: ast.AST, scope: Scope) -> Iterator[_Visit]:
    return _plain(node, getattr(node, "type_params", ()), scope)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[Binding]:
    """Yield what an import binds; a star binds nothing that could be known."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            origin = f"{node.module or ''}.{alias.name}"
            if alias.name != "*":
                yield Binding(alias.asname or alias.name, alias, origin)
        elif alias.asname:
            yield Binding(alias.asname, alias, alias.name)
        else:
            top = alias.name.partition(".")[0]
            yield Binding(top, alias, top)


def _is_walrus(node: ast.AST, parent: ast.AST) -> bool:
    return isinstance(parent, ast.NamedExpr) and parent.target is node


def _holds_values(node: ast.AST, child: ast.AST) -> bool:
    """Whether a child of an annotation is data: `Literal["r"]`, the rest of `Annotated[T, ...]`."""
    match node:
        case ast.Subscript(value=ast.Name(id="Literal") | ast.Attribute(attr="Literal")):
            return child is node.slice
        case ast.Subscript(
            value=ast.Name(id="Annotated") | ast.Attribute(attr="Annotated"),
            slice=ast.Tuple() as parts,
        ):
            return child is parts
    return False
