"""The wall's compiler: refuses what it can tell from the text, and inserts guards for the rest.

Nodes stay as they are wherever nothing can go wrong there, so that a program means the same behind
the wall as without it. The guards' names hold a space: no program can spell, bind or shadow them.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import CodeType
from typing import Any, TypeVar

from RestrictedPython.transformer import RestrictingNodeTransformer, copy_locations

from toolguild.sandbox.wall_rules import RefusedError, Rules, is_dunder

__all__ = [
    "CAPTURED",
    "FILE_NAME",
    "METHOD",
    "OWN",
    "SEEN",
    "WRITE",
    "WRITE_PRIVATE",
    "compile_behind_wall",
]

FILE_NAME = "<tool>"

SEEN = "wall seen"
"""Guard of a value that was read from an attribute or an item."""
OWN = "wall own"
"""Guard of an object whose attribute with a leading underscore is asked for."""
METHOD = "wall method"
"""Guard of a method that reaches attributes by data, told by its name."""
WRITE = "wall write"
"""Guard of an object whose attribute is set or deleted."""
WRITE_PRIVATE = "wall write private"
"""The same, for attributes with a leading underscore."""
CAPTURED = "wall captured"
"""Guard of what a class pattern has bound."""

_ONLY_PARSE: int = ast.PyCF_ONLY_AST
_MAX_ERRORS = 5
_MODULE, _CLASS, _FUNCTION = "module", "class", "function"
_PLACE = ("lineno", "end_lineno", "col_offset", "end_col_offset")
_READABLE = {"__debug__", "__doc__", "__name__"}
_GUARDED_BUILTINS = {"getattr", "hasattr", "open", "type"}
_BUILTINS = {n for n in dir(builtins) if not is_dunder(n)} - _GUARDED_BUILTINS
_LEAVES = (ast.Constant, ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
_Node = TypeVar("_Node", bound=ast.AST)


def compile_behind_wall(source: str, rules: Rules) -> CodeType:
    """Compile a program with guards in it.

    Raises:
        RefusedError: the text asks for what the rules do not allow; the message names the lines.
        SyntaxError: it is no Python.
    """
    # Not `ast.parse`, which would heed the flags of this module.
    tree: ast.Module = compile(source, FILE_NAME, "exec", _ONLY_PARSE, dont_inherit=True)
    policy = _Policy(rules, tree)
    policy.visit(tree)
    policy.settle(tree)
    if policy.errors:
        more = len(policy.errors) - _MAX_ERRORS
        shown = [*policy.errors[:_MAX_ERRORS], *([f"and {more} more"] if more > 0 else [])]
        raise RefusedError("; ".join(shown))
    return compile(tree, FILE_NAME, "exec", dont_inherit=True)


class _Policy(RestrictingNodeTransformer):
    """Admits ordinary Python; the base class refuses every kind of node that has no method."""

    def __init__(self, rules: Rules, tree: ast.Module) -> None:
        super().__init__()
        self._rules = rules
        self._scopes = [_MODULE]
        self._imported: set[str] = set()
        self._strange_names: list[ast.Name] = []
        self._methods_named: list[tuple[ast.AST, str]] = []
        self._methods = frozenset[str]().union(*rules.methods.values())
        self._lazy_annotations = any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and any(alias.name == "annotations" for alias in node.names)
            for node in tree.body
        )

    def settle(self, tree: ast.Module) -> None:
        """Refuse what could only be judged with the whole program seen."""
        if self._strange_names:
            bound = _bound_names(tree)
            for name in self._strange_names:
                if name.id not in bound:
                    advice = self._rules.instead.get(name.id, "")
                    self.error(name, f"`{name.id}` is not available. {advice}".strip(" ."))
        for node, method in self._methods_named:
            for module in self._imported:
                if method in self._rules.methods.get(module, ()):
                    self.error(node, f"`.{method}` of what `{module}` gives is out of reach")

    def error(self, node: ast.AST, info: str) -> None:
        """Note why the program is refused."""
        message = f"line {getattr(node, 'lineno', '?')}: {info}"
        if message not in self.errors:
            self.errors.append(message)

    def not_allowed(self, node: ast.AST) -> None:
        """Refuse a kind of node that nobody has looked at."""
        self.error(node, f"{type(node).__name__} is not available behind the wall")

    def visit(self, node: ast.AST) -> Any:
        """Visit a node, unless there is nothing in it."""
        return node if isinstance(node, _LEAVES) else super().visit(node)

    def _contents(self, node: _Node) -> _Node:
        return self.node_contents_visit(node)

    # What needs no guard: the base class refuses it or changes its meaning.
    visit_Assign = _contents
    visit_AsyncFor = visit_AsyncWith = visit_Await = _contents
    visit_For = visit_With = visit_comprehension = _contents
    visit_Match = visit_MatchSingleton = visit_MatchSequence = visit_MatchOr = _contents
    visit_Module = _contents
    visit_TryStar = _contents
    visit_TypeAlias = visit_TypeVar = visit_TypeVarTuple = visit_ParamSpec = _contents

    # --- names ---------------------------------------------------------------------------------

    def check_name(self, node: Any, name: str | None, allow_magic_methods: bool = False) -> None:
        """Refuse to bind or use a name that belongs to the interpreter or to a sandbox."""
        if name is None or not (name.startswith("_") and name.endswith("_")) or set(name) == {"_"}:
            return
        if name not in self._special_names():
            self.error(node, f"the name `{name}` belongs to the interpreter; choose another")

    def _special_names(self) -> frozenset[str]:
        rules = self._rules
        if self._scopes[-1] == _MODULE:
            return rules.dunder_module_data
        if self._scopes[-1] == _CLASS:
            methods = rules.dunder_methods | rules.dunder_hooks
            return methods | rules.dunder_class_data | rules.sunder_class_names
        return frozenset()

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Check a name; a builtin that there is not, nor anything else of that name, is refused."""
        reading = isinstance(node.ctx, ast.Load)
        if not (reading and node.id in _READABLE):
            self.check_name(node, node.id)
        if reading and node.id in _BUILTINS and node.id not in self._rules.builtins:
            self._strange_names.append(node)
        return node

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> ast.stmt:
        """Check the names."""
        for name in node.names:
            self.check_name(node, name)
        return node

    visit_Nonlocal = visit_Global

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        """Check the name."""
        self.check_name(node, node.name)
        return self._contents(node)

    # --- attributes and items ------------------------------------------------------------------

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Check the name; guard what is read, and what is written to."""
        return self._attribute(node, kept=True)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """Guard an item that is read.

        Writing needs no guard: whoever holds a container may change it by its methods.
        """
        node = self._subscript(node)
        if isinstance(node.ctx, ast.Load) and not isinstance(node.slice, ast.Slice):
            return _guarded(SEEN, node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Visit the parts."""
        node.func = self._not_kept(node.func)
        node.args = self._each(node.args)
        node.keywords = [self._contents(keyword) for keyword in node.keywords]
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        """Visit the operands; beside a constant, no operator of the program's own can keep one."""
        if isinstance(node.left, ast.Constant) or isinstance(node.right, ast.Constant):
            node.left, node.right = self._not_kept(node.left), self._not_kept(node.right)
            return node
        return self._contents(node)

    def _not_kept(self, node: Any) -> Any:
        """Visit an expression that is called, subscripted or calculated with at once.

        The guard of what is read keeps modules, frames and the like from being handed on, and none
        of those can be any of that: so it is left out.
        """
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            return self._attribute(node, kept=False)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            return self._subscript(node)
        return self.visit(node)

    def _subscript(self, node: ast.Subscript) -> ast.Subscript:
        node.value = self._not_kept(node.value)
        node.slice = self.visit(node.slice)
        return node

    def _attribute(self, node: ast.Attribute, *, kept: bool) -> ast.expr:
        name, rules = node.attr, self._rules
        self._check_attribute(node, name)
        receiver = node.value
        private = name.startswith("_") and not is_dunder(name) and name not in rules.private
        if not isinstance(node.ctx, ast.Load):
            if is_dunder(name):
                self.error(node, f"the attribute `{name}` cannot be set")
            # The guard lets the program's own objects pass, and so nothing that another refuses.
            guard = WRITE_PRIVATE if private else WRITE
            node.value = _guarded(guard, self._not_kept(receiver))
            return node
        if private:
            node.value = _guarded(OWN, self._not_kept(receiver), ast.Constant(name))
        else:
            node.value = self.visit(receiver)
        if name in rules.templates or name == "register":
            return _guarded(METHOD, node)
        if not kept and (not is_dunder(name) or _is_super(receiver)):
            return node
        return _guarded(SEEN, node)

    def _check_attribute(self, node: ast.Attribute, name: str) -> None:
        if name in self._rules.dunder_hooks and _is_super(node.value):
            return
        if name in self._methods:
            self._methods_named.append((node, name))
        if fault := self._rules.attribute_fault(name):
            self.error(node, fault)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AugAssign:
        """Keep it, with its target's object guarded: that is evaluated once, as ever."""
        return self._contents(node)

    # --- patterns ------------------------------------------------------------------------------

    def visit_match_case(self, node: ast.match_case) -> ast.match_case:
        """Guard what class patterns bind: they read attributes without an `Attribute`."""
        bound = _captures(node.pattern) if _has_class_pattern(node.pattern) else []
        node = self._contents(node)
        if bound:
            names: list[ast.expr] = [ast.Name(name, ast.Load()) for name in bound]
            check: ast.expr = ast.Call(ast.Name(CAPTURED, ast.Load()), names, [])
            guard = ast.BoolOp(ast.And(), [check, node.guard]) if node.guard else check
            copy_locations(guard, node.pattern)
            node.guard = guard
        return node

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.MatchValue:
        """Check the names; a pattern has no room for guards."""
        self._check_chain(node.value)
        return node

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.MatchClass:
        """Check the class and the attributes that the pattern reads."""
        self._check_chain(node.cls)
        for name in node.kwd_attrs:
            self._check_plain(node, name)
        node.patterns = [self.visit(pattern) for pattern in node.patterns]
        node.kwd_patterns = [self.visit(pattern) for pattern in node.kwd_patterns]
        return node

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.MatchMapping:
        """Check the keys and the name of the rest."""
        for key in node.keys:
            self._check_chain(key)
        self.check_name(node, node.rest)
        node.patterns = [self.visit(pattern) for pattern in node.patterns]
        return node

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> ast.pattern:
        """Check the name."""
        self.check_name(node, node.name)
        return self._contents(node)

    visit_MatchStar = visit_MatchAs

    def _check_chain(self, node: ast.expr) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute):
                self._check_plain(part, part.attr)
            elif isinstance(part, ast.Name):
                self.visit(part)

    def _check_plain(self, node: ast.AST, name: str) -> None:
        rules = self._rules
        hidden = name.startswith("_") and name not in rules.private
        if hidden or name in rules.templates or name in self._methods:
            self.error(node, f"the attribute `{name}` cannot be part of a pattern")
        elif fault := rules.attribute_fault(name):
            self.error(node, fault)

    # --- imports -------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> ast.Import:
        """Allow the modules of the profile."""
        for alias in node.names:
            self.check_name(node, alias.asname or alias.name.split(".")[0])
            self._imported.add(alias.name)
            if fault := self._rules.import_fault(alias.name):
                self.error(node, fault)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        """Allow the names that the profile lists."""
        if node.level or node.module is None:
            self.error(node, "a program is one module: there is nothing to import relatively")
            return node
        self._imported.add(node.module)
        for alias in node.names:
            self.check_name(node, alias.asname or alias.name)
            if alias.name == "*":
                self.error(node, f"import the names of `{node.module}` that are needed, not `*`")
            elif fault := self._rules.import_fault(node.module, alias.name):
                self.error(node, fault)
        return node

    # --- definitions ---------------------------------------------------------------------------

    @contextmanager
    def _scope(self, kind: str) -> Iterator[None]:
        self._scopes.append(kind)
        yield
        self._scopes.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
        """Check the name, and what is in it in a scope of its own."""
        self.check_name(node, node.name)
        node.decorator_list = self._each(node.decorator_list)
        node.returns = self._annotation(node.returns)
        self._visit_type_params(node)
        self._visit_defaults(node.args)
        with self._scope(_FUNCTION):
            self._visit_parameters(node.args)
            node.body = self._each(node.body)
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        """Visit what is in it in a scope of its own."""
        self._visit_defaults(node.args)
        with self._scope(_FUNCTION):
            self._visit_parameters(node.args)
            node.body = self.visit(node.body)
        return node

    def _visit_defaults(self, arguments: ast.arguments) -> None:
        arguments.defaults = self._each(arguments.defaults)
        arguments.kw_defaults = [value and self.visit(value) for value in arguments.kw_defaults]

    def _visit_parameters(self, arguments: ast.arguments) -> None:
        parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        for parameter in (*parameters, arguments.vararg, arguments.kwarg):
            if parameter:
                self.check_name(parameter, parameter.arg)
                parameter.annotation = self._annotation(parameter.annotation)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        """Visit the parts; the annotation in its own way."""
        node.target = self.visit(node.target)
        node.annotation = self._annotation(node.annotation)  # type: ignore[assignment] # as given
        node.value = node.value and self.visit(node.value)
        return node

    def _annotation(self, node: ast.expr | None) -> ast.expr | None:
        if node is None:
            return None
        if not self._lazy_annotations:
            visited: ast.expr = self.visit(node)
            return visited
        # It becomes text, which others read (`dataclasses` does): there must be no guards in it.
        self.visit(copy.deepcopy(node))
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """Check the name and the metaclass, and what is in it in a scope of its own."""
        self.check_name(node, node.name)
        for keyword in node.keywords:
            if keyword.arg == "metaclass" and not self._is_known_metaclass(keyword.value):
                self.error(node, "this metaclass is not available; use a decorator or a base class")
        node.decorator_list = self._each(node.decorator_list)
        node.bases = self._each(node.bases)
        node.keywords = [self._contents(keyword) for keyword in node.keywords]
        self._visit_type_params(node)
        with self._scope(_CLASS):
            node.body = self._each(node.body)
        return node

    def _is_known_metaclass(self, node: ast.expr) -> bool:
        name = ast.unparse(node).rpartition(".")[2]
        return any(name == known.rpartition(".")[2] for known in self._rules.metaclasses)

    def _visit_type_params(self, node: ast.AST) -> None:
        for parameter in getattr(node, "type_params", ()):  # from Python 3.12 on
            self.check_name(parameter, parameter.name)
            self.visit(parameter)

    def _each(self, nodes: Sequence[Any]) -> list[Any]:
        return [self.visit(node) for node in nodes]

    def _visit_comprehension(self, node: _Node) -> _Node:
        with self._scope(_FUNCTION):
            return self._contents(node)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension


def _guarded(guard: str, node: ast.expr, *more: ast.expr) -> ast.Call:
    name = ast.Name(guard, ast.Load())
    call = ast.Call(name, [node, *more], [])
    place = {field: vars(node)[field] for field in _PLACE}
    for made in (name, call, *more):
        vars(made).update(place)
    return call


def _is_super(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="super")):
            return True
    return False


def _bound_names(tree: ast.Module) -> set[str]:
    """Return every name that is bound anywhere in the program, in whatever scope."""
    bound: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                bound.add(name)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                bound.add(node.name)
            case ast.alias(name=name, asname=alias):
                bound.add(alias or name.split(".")[0])
            case ast.ExceptHandler(name=str(name)) | ast.MatchStar(name=str(name)):
                bound.add(name)
            case ast.MatchAs(name=str(name)) | ast.MatchMapping(rest=str(name)):
                bound.add(name)
    return bound


def _captures(pattern: ast.pattern) -> list[str]:
    names = []
    for node in ast.walk(pattern):
        match node:
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                names.append(name)
            case ast.MatchMapping(rest=str(name)):
                names.append(name)
    return names


def _has_class_pattern(pattern: ast.pattern) -> bool:
    return any(isinstance(node, ast.MatchClass) for node in ast.walk(pattern))
