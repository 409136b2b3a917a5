"""Which annotations describe JSON values."""

from __future__ import annotations

import ast
from enum import IntEnum

from toolguild.synth.validation.static.source import ToolSource

__all__ = ["Fit", "json_fit"]


class Fit(IntEnum):
    """How well an annotation describes a JSON value; the worst part decides for the whole."""

    JSON = 0
    VAGUE = 1
    NOT_JSON = 2


_SCALARS = frozenset({"builtins.str", "builtins.int", "builtins.float", "builtins.bool"})
_VAGUE = frozenset({"typing.Any", "builtins.object"})
_LISTS = frozenset(
    {"builtins.list", "typing.List", "typing.Sequence", "typing.Iterable"}
    | {"collections.abc.Sequence", "collections.abc.Iterable"}
)
_DICTS = frozenset({"builtins.dict", "typing.Dict", "typing.Mapping", "collections.abc.Mapping"})
_UNIONS = frozenset({"typing.Optional", "typing.Union"})
_WRAPPERS = frozenset({"typing.Annotated", "typing.Required", "typing.NotRequired", "typing.Final"})
_MAX_DEPTH = 40  # steps into an annotation, or on to what a name in it stands for


def json_fit(annotation: ast.expr, source: ToolSource) -> Fit:
    """Return how well an annotation describes a JSON value.

    Names are followed: to a `TypedDict` of the module, whose fields count, and to an alias such as
    `Mode = Literal["a", "b"]`. A bare `list` or `dict` counts as JSON, and so do containers of
    vague values.
    """
    return _Judge(source).fit(annotation)


class _Judge:
    """Judges one annotation; remembers what it has seen, since types may contain themselves."""

    def __init__(self, source: ToolSource) -> None:
        self._source = source
        self._known: dict[ast.AST, Fit] = {}
        self._depth = 0

    def fit(self, node: ast.expr) -> Fit:
        if node not in self._known:
            if self._depth == _MAX_DEPTH:
                return Fit.NOT_JSON
            self._depth += 1
            self._known[node] = Fit.JSON  # while it is being judged; the rest of it decides
            self._known[node] = self._judge(node)
            self._depth -= 1
        return self._known[node]

    def _judge(self, node: ast.expr) -> Fit:
        match node:
            case ast.Constant(value=None):
                return Fit.JSON
            case ast.Constant(value=str()):
                inner = self._source.index.quoted.get(node)
                return Fit.NOT_JSON if inner is None else self.fit(inner)
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                return self._worst([left, right])
            case ast.Subscript(value=generic, slice=argument):
                return self._subscript(self._source.certain_origin(generic), argument)
        origin = self._source.certain_origin(node)
        if origin in _VAGUE:
            return Fit.VAGUE
        if origin in _SCALARS | _LISTS | _DICTS:
            return Fit.JSON
        return self._own_name(node)

    def _subscript(self, origin: str | None, argument: ast.expr) -> Fit:
        arguments = argument.elts if isinstance(argument, ast.Tuple) else [argument]
        if origin in _LISTS and len(arguments) == 1:
            return self._contained(arguments)
        if origin in _DICTS and len(arguments) == 2:
            is_text = self._source.certain_origin(arguments[0]) == "builtins.str"
            return self._contained(arguments[1:]) if is_text else Fit.NOT_JSON
        if origin in _UNIONS:
            return self._worst(arguments)
        if origin in _WRAPPERS:
            return self._worst(arguments[:1])
        if origin == "typing.Literal":
            plain = all(
                isinstance(value, ast.Constant) and isinstance(value.value, str | int | None)
                for value in arguments
            )
            return Fit.JSON if plain else Fit.NOT_JSON
        return Fit.NOT_JSON

    def _own_name(self, node: ast.expr) -> Fit:
        """Judge a name that the module defines: a `TypedDict`, or an alias of a type."""
        own = self._source.own_class(node)
        if own is not None:
            bases = {self._source.certain_origin(base) for base in own.bases}
            fields = [item.annotation for item in own.body if isinstance(item, ast.AnnAssign)]
            return self._contained(fields) if "typing.TypedDict" in bases else Fit.NOT_JSON
        binding = self._source.only_binding(node) if isinstance(node, ast.Name) else None
        if binding is None or binding.value is None:
            return Fit.NOT_JSON
        return self.fit(binding.value)

    def _contained(self, parts: list[ast.expr]) -> Fit:
        """Judge a container: one of vague values still says that it is a container."""
        return Fit.NOT_JSON if self._worst(parts) is Fit.NOT_JSON else Fit.JSON

    def _worst(self, parts: list[ast.expr]) -> Fit:
        return max((self.fit(part) for part in parts), default=Fit.JSON)
