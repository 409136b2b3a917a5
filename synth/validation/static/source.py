"""A tool's text, parsed and indexed, with the questions that rules ask about it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from functools import cached_property

from toolguild.policies.code_rules import CodeProfile, MethodRules
from toolguild.synth.validation.static.constants import KnownText, fold_text
from toolguild.synth.validation.static.index import FunctionNode, build_index
from toolguild.synth.validation.static.loops import Loop, loops_left, loops_that_may_raise
from toolguild.synth.validation.static.reading import parse
from toolguild.synth.validation.static.scopes import Binding, Resolution, Scope, ScopeKind

__all__ = ["BUILTIN_NAMES", "ToolSource", "is_dunder", "is_sunder", "spelled"]

BUILTIN_NAMES = frozenset(dir(builtins)) | {"copyright", "credits", "exit", "license", "quit"}
"""Names that exist without being defined; the last ones come from `site`, where it is loaded."""


_PLACED = (
    ast.expr, ast.stmt, ast.alias, ast.arg, ast.keyword, ast.excepthandler, ast.pattern,
)  # fmt: skip
"""Nodes that have a place in the text."""

_MAX_ALIASES = 10

_KEEP_CLASS = frozenset(
    {"dataclasses.dataclass", "enum.unique", "enum.verify", "functools.total_ordering"}
    | {"typing.final", "typing.no_type_check", "typing.runtime_checkable"}
)
"""Decorators that give the class back that they get, or one just like it."""
_KEEP_BODY = frozenset(
    {"contextlib.asynccontextmanager", "contextlib.contextmanager", "functools.cache"}
    | {"functools.lru_cache", "functools.wraps", "typing.final", "typing.no_type_check"}
    | {"typing.override"}
)
"""Decorators whose result runs the function that they get, and nothing else."""


class ToolSource:
    """One module's tree and what its names mean under a profile.

    Attributes:
        text: the text itself.
        tree: its syntax tree.
        index: parents, scopes and bindings of the tree's nodes.

    Raises:
        SourceError: the text is no Python, or too big.
    """

    def __init__(self, text: str, profile: CodeProfile) -> None:
        self.text = text
        self.profile = profile
        self.tree = parse(text, profile.limits)
        self.index = build_index(self.tree, profile.limits)
        self._lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._encoded: dict[int, bytes] = {}
        self._origins: dict[ast.AST, frozenset[str]] = {}
        # Kept, because hostile text can bind and read one name thousands of times.
        self._resolutions: dict[tuple[Scope, str], Resolution] = {}
        self._tops: dict[Resolution, frozenset[str]] = {}

    # --- places

    def parent(self, node: ast.AST) -> ast.AST:
        """Return the node that holds a node."""
        return self.index.parents[node]

    def scope(self, node: ast.AST) -> Scope:
        """Return the scope in which a node is evaluated."""
        return self.index.scopes[node]

    def place(self, node: ast.AST) -> tuple[int, int, int]:
        """Return line, column in characters (both from 1) and last line of a node."""
        node = self.index.shown_at.get(node, node)
        while not hasattr(node, "lineno") and node is not self.tree:
            node = self.parent(node)
        line = getattr(node, "lineno", 1)
        column = getattr(node, "col_offset", 0)
        if not self._lines[line - 1].isascii():
            # `ast` counts columns in UTF-8 bytes.
            column = len(self._line(line)[:column].decode("utf-8", "replace"))
        column += 1
        return line, column, getattr(node, "end_lineno", None) or line

    def _line(self, number: int) -> bytes:
        # Kept, because hostile text can have all its names in one long line.
        if number not in self._encoded:
            self._encoded[number] = self._lines[number - 1].encode("utf-8")
        return self._encoded[number]

    def spelling(self, node: ast.AST) -> str:
        """Return how a node is written, without its body and without what an attribute is of."""
        node = self.index.shown_at.get(node, node)
        if not isinstance(node, _PLACED):
            return ""
        start = (node.lineno, node.col_offset)
        end = (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
        if isinstance(node, ast.Attribute):
            value = node.value
            start = (value.end_lineno or value.lineno, value.end_col_offset or value.col_offset)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            end = (node.body[0].lineno, node.body[0].col_offset)
        if start[0] == end[0]:
            return self._line(start[0])[start[1] : end[1]].decode("utf-8", "replace")
        lines = [self._line(number) for number in range(start[0], end[0] + 1)]
        lines[-1] = lines[-1][: end[1]]
        lines[0] = lines[0][start[1] :]
        return b"\n".join(lines).decode("utf-8", "replace")

    def called_as(self, node: ast.AST) -> ast.Call | None:
        """Return the call of which a node is the function, or None where it is something else."""
        parent = self.parent(node)
        return parent if isinstance(parent, ast.Call) and parent.func is node else None

    def is_read(self, node: ast.Name | ast.Attribute) -> bool:
        """Whether the value of a name or attribute is used: `x += y` hands it to `y`, too."""
        parent = self.parent(node)
        augmented = isinstance(parent, ast.AugAssign) and parent.target is node
        return isinstance(node.ctx, ast.Load) or augmented

    def in_annotation(self, node: ast.AST) -> bool:
        """Whether a node stands in an annotation, quoted or not."""
        return node in self.index.annotations

    # --- names

    def resolve(self, name: ast.Name) -> Resolution:
        """Return what a name can mean where it stands."""
        asked = self.scope(name), name.id
        known = self._resolutions.get(asked)
        if known is None:
            known = self._resolutions[asked] = asked[0].resolve(name.id)
        return known

    def origins(self, node: ast.AST) -> frozenset[str]:
        """Return the dotted names that an expression can stand for.

        `json.dumps` for both `json.dumps` and, after `from json import dumps as d`, for `d`;
        `builtins.open` for `open`. Empty for all values of which this is not known.
        """
        known = self._origins.get(node)
        if known is None:
            known = self._origins[node] = self._find_origins(node)
        return known

    def _find_origins(self, node: ast.AST) -> frozenset[str]:
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return frozenset()
        resolution = self.resolve(node)
        tops = self._tops.get(resolution)
        if tops is None:
            named = {binding.origin for binding in resolution.bindings if binding.origin}
            if resolution.maybe_builtin and node.id in BUILTIN_NAMES:
                named.add(f"builtins.{node.id}")
            tops = self._tops[resolution] = frozenset(named)
        return frozenset(".".join([top, *reversed(attributes)]) for top in tops)

    def certain_origin(self, node: ast.AST) -> str | None:
        """Return what an expression stands for if it can stand for nothing else.

        `origins` is for refusing what might be meant, this is for allowing.
        """
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name) or len(self.resolve(root).bindings) > 1:
            return None
        binding = self.only_binding(root)
        if binding is not None and not binding.origin:
            return None
        found = self.origins(node)
        named = f"builtins.{root.id}"
        imported = [name for name in found if binding is None or not name.startswith(named)]
        return imported[0] if len(imported) == 1 else None

    def modules(self, node: ast.AST) -> frozenset[str]:
        """Return the modules that an expression can stand for."""
        return frozenset(name for name in self.origins(node) if self._is_module(name))

    def _is_module(self, dotted: str) -> bool:
        return dotted in self.imported_modules or self.profile.is_module(dotted)

    @cached_property
    def method_rules(self) -> tuple[MethodRules, ...]:
        """Rules about methods of what the text imports or uses."""
        used = self.imported_modules | self.used_origins
        return tuple(rules for giver, rules in self.profile.methods.items() if giver in used)

    @cached_property
    def forbidden_attributes(self) -> frozenset[str]:
        """Attributes that lead to frames, code or modules."""
        return self.profile.attributes.forbidden.union(
            *(rules.forbidden for rules in self.method_rules)
        )

    @cached_property
    def used_origins(self) -> frozenset[str]:
        """Every origin that some name or attribute of the text can stand for."""
        named = (n for n in self.index.nodes if isinstance(n, ast.Name | ast.Attribute))
        return frozenset().union(*(self.origins(node) for node in named))

    @cached_property
    def imported_modules(self) -> frozenset[str]:
        """Every module that an import statement names, and the packages that hold it."""
        found: set[str] = set()
        for node in self.index.nodes:
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
                members = (f"{node.module}.{alias.name}" for alias in node.names)
                names += [member for member in members if self.profile.is_module(member)]
            for name in names:
                parts = name.split(".")
                found.update(".".join(parts[:end]) for end in range(1, len(parts) + 1))
        return frozenset(found)

    def only_binding(self, name: ast.Name) -> Binding | None:
        """Return what a name is bound to where it is bound in one place only."""
        bindings = self.resolve(name).bindings
        return bindings[0] if len(bindings) == 1 else None

    def own_class(self, node: ast.AST) -> ast.ClassDef | None:
        """Return the class statement that an expression names, if it can name nothing else."""
        binding = self.only_binding(node) if isinstance(node, ast.Name) else None
        if binding is None or not isinstance(binding.node, ast.ClassDef):
            return None
        return binding.node if self._keep_what_they_decorate(binding.node, _KEEP_CLASS) else None

    def own_function(self, node: ast.AST) -> FunctionNode | None:
        """Return the `def` that an expression names, if it can name nothing else."""
        binding = self.only_binding(node) if isinstance(node, ast.Name) else None
        if binding is None or not isinstance(binding.node, FunctionNode):
            return None
        return binding.node if self._keep_what_they_decorate(binding.node, _KEEP_BODY) else None

    def _keep_what_they_decorate(
        self, node: ast.ClassDef | FunctionNode, keeping: frozenset[str]
    ) -> bool:
        """Whether the decorators of a definition leave its name to what is written there."""
        functions = (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
        return all(self.certain_origin(function) in keeping for function in functions)

    # --- constants

    def known_text(self, node: ast.AST) -> KnownText:
        """Return what is known of the string that an expression gives."""
        return fold_text(node, self._value_of)

    def constant_text(self, node: ast.AST) -> str | None:
        """Return the string that an expression always is, or None."""
        known = self.known_text(node)
        return known.start if known.complete else None

    def aliased(self, node: ast.AST) -> ast.AST:
        """Return the expression that a name stands for, or the expression itself.

        Follows names that are bound in one place (`C = Counter`), a few steps at most.
        """
        for _ in range(_MAX_ALIASES):
            binding = self.only_binding(node) if isinstance(node, ast.Name) else None
            if binding is None or binding.value is None:
                break
            node = binding.value
        return node

    def _value_of(self, name: ast.Name) -> ast.expr | None:
        binding = self.only_binding(name)
        return None if binding is None else binding.value

    # --- the module's own definitions

    def functions(self) -> Iterator[FunctionNode]:
        """Yield the functions at the top of the module."""
        return (node for node in self.tree.body if isinstance(node, FunctionNode))

    def can_be_left(self, loop: Loop) -> bool:
        """Whether something in a loop's body leaves the loop, or hands a value out of it."""
        return loop in self._loops_left

    def may_raise(self, loop: Loop) -> bool:
        """Whether something in a loop's body may raise an exception, as far as that can be seen."""
        return loop in self._loops_that_may_raise

    @cached_property
    def _loops_that_may_raise(self) -> frozenset[ast.AST]:
        return loops_that_may_raise(self.index)

    @cached_property
    def _loops_left(self) -> frozenset[ast.AST]:
        return loops_left(self.index)

    def function_around(self, node: ast.AST) -> ast.AST | None:
        """Return the `def` or `lambda` in whose body a node runs, or None."""
        scopes = self.scope(node).outward()
        return next((scope.node for scope in scopes if scope.kind is ScopeKind.FUNCTION), None)

    @cached_property
    def own_attributes(self) -> frozenset[str]:
        """Attributes that the module's own classes define: in a body, slots or through `self`."""
        found: set[str] = set()
        for scope, binding in self.index.bindings:
            if scope.kind is ScopeKind.CLASS:
                found.add(binding.name)
                if binding.name == "__slots__" and binding.value is not None:
                    strings = (n for n in ast.walk(binding.value) if isinstance(n, ast.Constant))
                    found.update(s.value for s in strings if isinstance(s.value, str))
        for node in self.index.nodes:
            match node:
                case ast.Attribute(value=value, attr=name, ctx=ast.Store()):
                    if self._is_own_instance(value):
                        found.add(name)
        return frozenset(found)

    def _is_own_instance(self, node: ast.AST) -> bool:
        """Whether an expression is the first parameter of a method, such as `self`."""
        if not isinstance(node, ast.Name):
            return False
        function = self.scope(node).node
        if not isinstance(function, FunctionNode):
            return False
        first = [*function.args.posonlyargs, *function.args.args][:1]
        in_class = isinstance(self.parent(function), ast.ClassDef)
        return in_class and bool(first) and first[0].arg == node.id


def spelled(node: ast.AST) -> str:
    """Return a dotted name as it is written, for messages; `an expression` for all else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return f"an expression{''.join(f'.{part}' for part in reversed(parts))}"
    return ".".join([node.id, *reversed(parts)])


def is_dunder(name: str) -> bool:
    """Whether a name has two underscores on both sides of something."""
    return len(name) > 4 and name.startswith("__") and name.endswith("__")


def is_sunder(name: str) -> bool:
    """Whether a name has an underscore on both sides of something, but is no dunder."""
    bare = name.strip("_")
    return bool(bare) and name.startswith("_") and name.endswith("_") and not is_dunder(name)
