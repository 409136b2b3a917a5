"""Does code have the form of a tool's code? And if so, with what in the place of its parameters?

Code has that form where it is the tool's code with an expression for each parameter, the same one
everywhere, and with other names for what the code binds itself. Texts only have to be put together
alike (`mining.texts`): a message may say `5` where the tool's says `{expected!r}`. And a known
function may be imported in another way.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from toolguild.synth.mining.choices import Choice
from toolguild.synth.mining.known_functions import KnownFunctions
from toolguild.synth.mining.programs import BUILTINS
from toolguild.synth.mining.texts import same_text

__all__ = ["Bindings", "Code", "unify"]


@dataclass(frozen=True, slots=True)
class Code:
    """What the names of some code stand for."""

    imports: Mapping[str, str]
    """For names that it imports, the statement that does."""
    known: KnownFunctions


@dataclass(frozen=True, slots=True)
class Bindings:
    """What stands for the names of a tool's code in other code."""

    own: Code
    """What the names of the tool's code stand for."""
    other: Code
    """The same for those of the other code."""
    parameters: frozenset[str]
    """Names for which any expression may stand."""
    choices: Mapping[str, Choice]
    """Names for which any of some functions may stand."""
    given: dict[str, ast.expr] = field(default_factory=dict)
    """The expression in the place of each parameter."""
    names: dict[str, str] = field(default_factory=dict)
    """The other code's spelling of each name that the tool's code binds."""

    def copy(self) -> Bindings:
        """Return bindings that can grow without these."""
        return replace(self, given=dict(self.given), names=dict(self.names))

    def adopt(self, other: Bindings) -> None:
        """Take over what others found."""
        self.given.update(other.given)
        self.names.update(other.names)


def unify(pattern: ast.AST, node: ast.AST, bindings: Bindings) -> bool:
    """Say whether code has the form of a pattern, noting what stands for its names."""
    if isinstance(pattern, ast.Name) and pattern.id in bindings.choices:
        return _unify_choice(bindings.choices[pattern.id], node, bindings)
    function = bindings.own.known.name_of(pattern)
    if function is not None and function == bindings.other.known.name_of(node):
        return True
    if isinstance(pattern, ast.Name):
        return _unify_name(pattern, node, bindings)
    if isinstance(pattern, ast.JoinedStr) and isinstance(node, ast.expr):
        return _unify_text(pattern, node, bindings)
    if type(pattern) is not type(node):
        return False
    if isinstance(pattern, ast.Constant) and isinstance(node, ast.Constant):
        return repr(pattern.value) == repr(node.value)
    return all(
        _unify_field(value, getattr(node, name), bindings)
        for name, value in ast.iter_fields(pattern)
        if name not in {"ctx", "kind", "type_comment"}
    )


def _unify_field(pattern: object, value: object, bindings: Bindings) -> bool:
    match pattern, value:
        case ast.AST(), ast.AST():
            return unify(pattern, value, bindings)
        case list(), list():
            return len(pattern) == len(value) and all(
                _unify_field(one, other, bindings)
                for one, other in zip(pattern, value, strict=True)
            )
    return pattern == value


def _unify_choice(choice: Choice, node: ast.AST, bindings: Bindings) -> bool:
    function = bindings.other.known.name_of(node)
    if function is None or function not in choice.functions:
        return False
    name = ast.Constant(function)
    return ast.dump(bindings.given.setdefault(choice.parameter, name)) == ast.dump(name)


def _unify_name(pattern: ast.Name, node: ast.AST, bindings: Bindings) -> bool:
    name = pattern.id
    if name in bindings.parameters:
        if not isinstance(node, ast.expr) or not _can_be_given(node):
            return False
        return ast.dump(bindings.given.setdefault(name, node)) == ast.dump(node)
    if not isinstance(node, ast.Name):
        return False
    if name in bindings.own.imports:
        return bindings.own.imports[name] == bindings.other.imports.get(node.id)
    if name in BUILTINS:
        return node.id == name
    return bindings.names.setdefault(name, node.id) == node.id


def _can_be_given(node: ast.expr) -> bool:
    if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
        return False
    return not any(
        isinstance(
            inner, ast.Starred | ast.Slice | ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom
        )
        for inner in ast.walk(node)
    )


def _unify_text(pattern: ast.JoinedStr, node: ast.expr, bindings: Bindings) -> bool:
    """Compare a text by its words where all is known that stands in it, and by its parts else."""
    named = {child.id for child in ast.walk(pattern) if isinstance(child, ast.Name)}
    if named <= bindings.given.keys() | BUILTINS:
        filled = _Filler(bindings.given).visit(copy.deepcopy(pattern))
        return same_text(filled, node)
    return isinstance(node, ast.JoinedStr) and _unify_field(pattern.values, node.values, bindings)


class _Filler(ast.NodeTransformer):
    """Puts expressions in the place of names."""

    def __init__(self, given: Mapping[str, ast.expr]) -> None:
        self._given = given

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._given.get(node.id, node)
