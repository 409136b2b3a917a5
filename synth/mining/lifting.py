"""Taking the data out of code: what is left is the same code wherever it was run on other data.

An agent that has a result before it writes it into its code, as a list, an object or a text of
JSON. Such literals become parameters, and so do texts and numbers that code compares or computes
with. Keys, arguments of methods, formats and the numbers -1, 0 and 1 say how code works, and stay.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import json
import keyword
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any, TypeGuard

from toolguild.policies.parsing import parse_expression
from toolguild.sandbox import Json
from toolguild.synth.mining.programs import BUILTINS, bound_by, single_import
from toolguild.synth.mining.texts import literal_of

__all__ = ["Lifted", "is_json", "lift"]

MAX_LITERALS = 8
"""Literals that one piece of code may be given; what holds more is a list in all but form."""

_NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")
_STEERING = frozenset({-1, 0, 1})
_NOTHING = ast.Constant(None)
"""Stands for an expression that was visited already."""
_PARSERS = frozenset({"json.loads", "ast.literal_eval"})


@dataclass(frozen=True, slots=True)
class Lifted:
    """Code without its data."""

    function: ast.FunctionDef
    """What it computes, as a function of the data."""
    imports: tuple[str, ...]
    """The imports that the function needs, as statements, sorted."""
    data: Mapping[str, Json]
    """What stood in the code for each parameter."""

    @property
    def digest(self) -> str:
        """What is equal for code that is the same up to its data and the names of variables."""
        plain = copy.deepcopy(self.function)
        variables = dict.fromkeys(name for one in plain.body for name in _names_given(one))
        numbers = {name: f"?{number}" for number, name in enumerate(variables)}
        plain.body = [_Renamed(numbers).visit(one) for one in plain.body]
        text = "\n".join([*self.imports, *self.data, *map(ast.dump, plain.body)])
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    @property
    def source(self) -> str:
        """The text of the imports and the function."""
        function = ast.unparse(ast.fix_missing_locations(self.function))
        return "\n".join([*self.imports, "", "", function] if self.imports else [function])


def lift(name: str, statements: Sequence[ast.stmt], returned: ast.expr) -> Lifted | None:
    """Make a function of code; None where there is no data in it, or too much.

    Args:
        name: What to call the function.
        statements: What the code does, with its imports at the top level.
        returned: What the function is to return.
    """
    imports = [one for one in statements if isinstance(one, ast.Import | ast.ImportFrom)]
    rest = [one for one in statements if one not in imports]
    body: list[ast.stmt] = copy.deepcopy([*rest, ast.Return(returned)])
    imported = dict(_imported(imports))
    body = [_Plain().visit(one) for one in body if not _says_nothing(one)]
    body = _with_named_literals_in_place(body)
    lifter = _Lifter(imported)
    body = [lifter.visit(one) for one in body]
    if not 0 < len(lifter.data) <= MAX_LITERALS:
        return None
    if _names_a_parameter(body, lifter.data):
        return None
    body = _with_parameters(_without_aliases(body, lifter.data), lifter.data)
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg(parameter) for parameter in lifter.data],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )
    function = ast.FunctionDef(name, arguments, body, [], lineno=1, col_offset=0)
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    needed = sorted(
        ast.unparse(single_import(one, alias))
        for one in imports
        for alias in one.names
        if bound_by(alias) in used
    )
    return Lifted(function, tuple(dict.fromkeys(needed)), lifter.data)


def _names_a_parameter(body: Sequence[ast.stmt], data: Collection[str]) -> bool:
    """Say whether a call of a function of its own may name an argument as a parameter is named.

    Such a name would have to be changed with the variable, and cannot be told from others.
    """
    nodes = [node for one in body for node in ast.walk(one)]
    named = any(isinstance(node, ast.keyword) and node.arg in data for node in nodes)
    return named and any(isinstance(node, ast.FunctionDef | ast.Lambda) for node in nodes)


def _imported(imports: Sequence[ast.Import | ast.ImportFrom]) -> Iterator[tuple[str, str]]:
    """Yield what each imported name stands for."""
    for one in imports:
        for alias in one.names:
            if isinstance(one, ast.ImportFrom):
                yield bound_by(alias), f"{one.module}.{alias.name}"
            else:
                yield bound_by(alias), alias.name if alias.asname else bound_by(alias)


def _says_nothing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Expr(value=ast.Constant()) | ast.AnnAssign(value=None):
            return True
    return False


class _Plain(ast.NodeTransformer):
    """Takes out what changes nothing: annotations, docstrings, and white space around texts."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Constant(value=str() as text), attr="strip"),
                args=[],
                keywords=[],
            ):
                # Pasted between triple quotes, a text gets line ends that it did not have.
                return ast.copy_location(ast.Constant(text.strip()), node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        self.generic_visit(node)
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign([node.target], node.value, lineno=node.lineno), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        self.generic_visit(node)
        node.returns = None
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node


def _with_named_literals_in_place(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return code in which a text or number stands where it is read, if it has a name for that."""
    named = {
        name: value
        for name, value in _named_once(body)
        if isinstance(value, ast.Constant) and _is_data(value)
    }
    reads = Counter(
        node.id
        for one in body
        for node in ast.walk(one)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )
    moved = {name: value for name, value in named.items() if reads[name] == 1}
    left = [one for one in body if _assigned(one) not in moved]
    return [_Replaced(moved).visit(one) for one in left]


def _without_aliases(body: Sequence[ast.stmt], data: Collection[str]) -> list[ast.stmt]:
    """Return code without other names for its parameters."""
    marks = {*map(_mark, data)}
    aliases = {
        name: value
        for name, value in _named_once(body)
        if isinstance(value, ast.Name) and value.id in marks
    }
    left = [one for one in body if _assigned(one) not in aliases]
    return [_Replaced(aliases).visit(one) for one in left]


def _assigned(statement: ast.stmt) -> str:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return ""


def _named_once(body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """Yield what has a name that is given to nothing else, be it in a scope of its own."""
    given = Counter(name for one in body for name in _names_given(one))
    for one in body:
        name = _assigned(one)
        if name and given[name] == 1 and isinstance(one, ast.Assign):
            yield name, one.value


def _names_given(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        match inner:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.ExceptHandler(name=str() as name):
                yield name


class _Replaced(ast.NodeTransformer):
    """Puts expressions in the place of names."""

    def __init__(self, replacements: Mapping[str, ast.expr]) -> None:
        self._replacements = replacements

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return copy.deepcopy(self._replacements.get(node.id, node))


def _is_data(node: ast.expr) -> bool:
    try:
        value = literal_of(node)
    except ValueError:
        return False
    return is_json(value) and _tells_something(value)


def _tells_something(value: object) -> bool:
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, int | float):
        return value not in _STEERING
    return value not in ("", [], {})


def is_json(value: object) -> TypeGuard[Json]:
    """Say whether a value is plain JSON, so that it is the same once it has been text."""
    match value:
        case None | bool() | int() | str():
            return True
        case float():
            return value == value and abs(value) != float("inf")
        case list():
            return all(map(is_json, value))
        case dict():
            return all(isinstance(key, str) and is_json(one) for key, one in value.items())
    return False


@dataclass(slots=True)
class _Lifter(ast.NodeTransformer):
    """Puts parameters in the place of data."""

    imported: Mapping[str, str]
    data: dict[str, Json] = field(default_factory=dict)
    _wish: str = ""
    _again: bool = False
    """Whether code is visited that may be run several times."""

    def visit(self, node: ast.AST) -> Any:
        """Return a node without its data."""
        if isinstance(node, ast.expr) and _is_data(node):
            return self._given(literal_of(node), node)
        self._wish = ""
        match node:
            case ast.For(iter=source):
                source, node.iter = self._expression(source), _NOTHING
                self._visit_again(node)
                node.iter = source
            case ast.While() | ast.FunctionDef() | ast.Lambda():
                self._visit_again(node)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                first = node.generators[0]
                source, first.iter = self._expression(first.iter), _NOTHING
                self._visit_again(node)
                first.iter = source
            case ast.Compare(left=left, comparators=others):
                wish = _spoken_of([left, *others])
                node.left = self._expression(left, wish)
                node.comparators = [self._expression(one, wish) for one in others]
            case ast.Subscript(slice=ast.Constant() | ast.UnaryOp()):
                node.value = self._expression(node.value)
            case ast.Call():
                return self._call(node)
            case ast.JoinedStr(values=parts):
                for part in parts:
                    if isinstance(part, ast.FormattedValue):
                        part.value = self._expression(part.value)
            case ast.Dict(keys=keys, values=values):
                node.values = [
                    self._expression(value, _text_of(key))
                    for key, value in zip(keys, values, strict=True)
                ]
            case _:
                self.generic_visit(node)
        return node

    def _visit_again(self, node: ast.AST) -> None:
        """Visit what may be run several times."""
        outside, self._again = self._again, True
        self.generic_visit(node)
        self._again = outside

    def _given(self, value: object, node: ast.expr) -> ast.expr:
        """Return a parameter for a value, or the code itself where that makes a new one each time.

        A list or object that is made again and again may be changed each time; one that is given
        would stay changed.
        """
        return node if self._again and isinstance(value, list | dict) else self._parameter(value)

    def _expression(self, node: ast.expr, wish: str = "") -> ast.expr:
        self._wish = wish
        found = self.visit(node)
        assert isinstance(found, ast.expr)  # noqa: S101 - an expression stays one
        return found

    def _call(self, node: ast.Call) -> ast.expr:
        parsed = self._parsed(node)
        if parsed is not None and not self._again:
            return self._parameter(parsed)
        match node.func:
            case ast.Name(id=function) if function in BUILTINS:
                node.args = [one if _is_number(one) else self._expression(one) for one in node.args]
            case ast.Attribute(value=ast.Name(id=module)) if module in self.imported:
                # A pattern of `re` says how code works, as do formats after what they are for.
                pattern = self.imported[module] == "re"
                node.args = [
                    one if (place == 0) is pattern and _is_text(one) else self._expression(one)
                    for place, one in enumerate(node.args)
                ]
            case ast.Attribute(value=receiver, attr=method):
                if not (isinstance(receiver, ast.Constant) and method in {"join", "format"}):
                    node.func.value = self._expression(receiver)
                node.args = [
                    one if isinstance(one, ast.Constant) else self._expression(one)
                    for one in node.args
                ]
            case _:
                node.args = [self._expression(one) for one in node.args]
        for given in node.keywords:
            if not isinstance(given.value, ast.Constant):
                given.value = self._expression(given.value, given.arg or "")
        return node

    def _parsed(self, node: ast.Call) -> Json:
        """Return the value that a call reads from a text that stands in it; None for others."""
        match node:
            case ast.Call(func=function, args=[ast.Constant(value=str() as text)], keywords=[]):
                if self._full_name(function) not in _PARSERS:
                    return None
            case _:
                return None
        try:
            # As Python does it, for that is what the code did.
            json_like = self._full_name(function) == "json.loads"
            value = json.loads(text) if json_like else literal_of(parse_expression(text).body)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None
        if not isinstance(value, list | dict) or not is_json(value) or not value:
            return None
        plain: Json = value
        return plain

    def _full_name(self, function: ast.expr) -> str:
        match function:
            case ast.Name(id=name):
                return self.imported.get(name, "")
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                return f"{self.imported.get(module, '')}.{name}"
        return ""

    def _parameter(self, value: object) -> ast.expr:
        assert is_json(value)  # noqa: S101 - only such is lifted
        if len(self.data) > MAX_LITERALS:
            return _NOTHING  # There are too many already, so nothing comes of it.
        wish = self._wish if self._may_be_a_name(self._wish) else _kind(value)
        numbered = (f"{wish}_{number}" for number in count(2))
        name = next(one for one in chain([wish], numbered) if one not in self.data)
        self.data[name] = value
        return ast.Name(_mark(name), ast.Load())

    def _may_be_a_name(self, wish: str) -> bool:
        taken = wish in BUILTINS or wish in self.imported or keyword.iskeyword(wish)
        return bool(_NAME.fullmatch(wish)) and not taken


def _kind(value: Json) -> str:
    if isinstance(value, str):
        return "text"
    return "number" if isinstance(value, int | float) else "data"


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _spoken_of(nodes: Sequence[ast.expr]) -> str:
    """Return the key whose value is compared: `state` of `order["state"] == "open"`."""
    for node in nodes:
        for inner in ast.walk(node):
            match inner:
                case ast.Subscript(slice=ast.Constant(value=str() as key)):
                    return key
                case ast.Call(
                    func=ast.Attribute(attr="get"), args=[ast.Constant(value=str() as key), *_]
                ):
                    return key
    return ""


def _text_of(key: ast.expr | None) -> str:
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""


class _Renamed(ast.NodeTransformer):
    """Gives variables other names."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._names.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self._names.get(node.arg, node.arg)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.name = self._names.get(node.name, node.name)
        self.generic_visit(node)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        node.name = self._names.get(node.name or "", node.name)
        self.generic_visit(node)
        return node


def _with_parameters(body: Sequence[ast.stmt], data: Collection[str]) -> list[ast.stmt]:
    """Return code with the names of its parameters, and others for variables called like them."""
    own = {name for one in body for name in _names_given(one)}
    names = {_mark(name): name for name in data}
    for name in sorted(own & {*data}):
        numbered = (f"{name}_{number}" for number in count(2))
        names[name] = next(one for one in numbered if one not in {*own, *data, *names.values()})
    return [_Renamed(names).visit(one) for one in body]


def _mark(parameter: str) -> str:
    """Return what stands for a parameter while variables may still be called like it."""
    return f"?{parameter}"
