"""Which binding a name means: Python's scopes, as the compiler sees them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

__all__ = ["Binding", "Resolution", "Scope", "ScopeKind"]


class ScopeKind(Enum):
    """What a scope belongs to; the kinds differ in who can see their names."""

    MODULE = auto()
    CLASS = auto()
    FUNCTION = auto()
    """Also of a lambda."""
    COMPREHENSION = auto()
    """Also of type parameters."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One place that gives a name a value."""

    name: str
    node: ast.AST
    """The statement, parameter, pattern or name that binds."""
    origin: str = ""
    """Dotted name of what is imported, for an import; otherwise empty."""
    value: ast.expr | None = None
    """The expression assigned, where there is exactly one."""


@dataclass(frozen=True, slots=True, eq=False)
class Resolution:
    """What a name can mean at one place."""

    bindings: tuple[Binding, ...]
    maybe_builtin: bool
    """Names of modules and classes can be unbound when they are read; then the builtin is read."""


@dataclass(slots=True, eq=False)
class Scope:
    """The names bound in one module, class, function or comprehension."""

    kind: ScopeKind
    node: ast.AST
    parent: Scope | None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    global_names: set[str] = field(default_factory=set)
    nonlocal_names: set[str] = field(default_factory=set)
    pending: list[tuple[Scope, Binding]] = field(default_factory=list)
    """Bindings under `nonlocal`, of the whole module; kept on its scope until settled."""

    def outward(self) -> Iterator[Scope]:
        """Yield this scope, its parent, and so on up to the module."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    @property
    def module(self) -> Scope:
        """The scope of the whole module."""
        return next(scope for scope in self.outward() if scope.parent is None)

    @property
    def for_walrus(self) -> Scope:
        """The scope that `:=` binds in: the nearest one that is no comprehension."""
        return next(scope for scope in self.outward() if scope.kind is not ScopeKind.COMPREHENSION)

    @property
    def at_definition(self) -> bool:
        """Whether code in this scope runs while the module is being loaded."""
        return all(scope.kind is not ScopeKind.FUNCTION for scope in self.outward())

    def bind(self, binding: Binding) -> None:
        """Record a binding made in this scope, where `global` and `nonlocal` send it."""
        if binding.name in self.nonlocal_names:
            # The function meant may bind the name further down in the text: see `settle`.
            self.module.pending.append((self, binding))
            return
        owner = self.module if binding.name in self.global_names else self
        owner.bindings.setdefault(binding.name, []).append(binding)

    def settle(self) -> None:
        """Hand the bindings made under `nonlocal` to their functions, once all scopes are known."""
        for scope, binding in self.pending:
            for outer in scope.outward():
                bound_here = binding.name in outer.bindings and outer is not scope
                if bound_here and outer.kind is ScopeKind.FUNCTION:
                    outer.bindings[binding.name].append(binding)
                    break
        self.pending.clear()

    def resolve(self, name: str) -> Resolution:
        """Return every binding that a name read in this scope can mean."""
        found: list[Binding] = []
        for scope in self.outward():
            if name in scope.global_names:
                # Holds for the functions and comprehensions inside, too.
                found.extend(self.module.bindings.get(name, ()))
                return Resolution(tuple(found), maybe_builtin=True)
            own = scope.bindings.get(name, ())
            if scope.kind in (ScopeKind.FUNCTION, ScopeKind.COMPREHENSION):
                found.extend(own)
                if own:
                    return Resolution(tuple(found), maybe_builtin=False)
            elif scope is self or scope.kind is ScopeKind.MODULE:
                found.extend(own)
        return Resolution(tuple(found), maybe_builtin=True)
