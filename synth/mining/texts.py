"""One spelling for texts that code puts together, and the values that such texts repeat.

Agents write one text in many ways: `'got {}'.format(x)`, `'got %s' % (x,)`, `'got ' + str(x)` and
`f'got {x}'`. And they repeat in it what stands beside it as a value: in `assert total == 5,
'expected 5'` the text depends on the value. Code is compared with all texts written as f-strings
and with such repeated values shown as placeholders, `f'expected {5}'`, so that what differs is the
value alone.
"""

from __future__ import annotations

import ast
import copy
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["literal_of", "same_text", "with_plain_texts", "written_alike"]

_MAX_VALUE = 500
"""Characters of a value that is looked for in a text."""
_MOST = 100
"""Values of a statement that are looked for in its texts."""
_MAX_TEXT = 2_000
"""Characters of a text that values are looked for in."""
_REPR = ord("r")
_NO_CONVERSION = -1


def written_alike(statement: ast.stmt) -> ast.stmt:
    """Return a copy with all texts as f-strings, in which repeated values are placeholders."""
    alike: ast.stmt = _TextWriter().visit(copy.deepcopy(statement))
    if any(isinstance(node, ast.JoinedStr | ast.Assert) for node in ast.walk(alike)):
        _Revealer(_values(alike)).visit(alike)
    return alike


def with_plain_texts(statement: ast.stmt) -> ast.stmt:
    """Return a statement with constants in f-strings written as words of the text."""
    plain: ast.stmt = _Folder().visit(statement)
    return plain


def literal_of(node: ast.expr) -> object:
    """Return the value of an expression made of literals.

    Raises:
        ValueError: it holds something else.
    """
    try:
        value: object = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        msg = "not made of literals"
        raise ValueError(msg) from error
    return value


def same_text(one: ast.expr, other: ast.expr) -> bool:
    """Say whether two texts are put together alike, up to white space and quotes in values."""
    return [*_folded(one)] == [*_folded(other)]


class _TextWriter(ast.NodeTransformer):
    """Writes `format`, `%` and sums of texts as f-strings."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Constant(value=str() as text), attr="format"),
                args=arguments,
                keywords=[],
            ) if not any(isinstance(argument, ast.Starred) for argument in arguments):
                return _joined(_formatted(text, arguments), node)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        # A sum is read as a whole: its first part need not be a text.
        if isinstance(node.op, ast.Add) and (parts := _text_parts(node)) is not None:
            return _joined([self.visit(part) for part in parts], node)
        self.generic_visit(node)
        match node:
            case ast.BinOp(
                left=ast.Constant(value=str() as text), op=ast.Mod(), right=ast.Tuple(elts=values)
            ) if re.sub(r"%%|%s", "", text).count("%") == 0:
                return _joined(_interpolated(text, values), node)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        self.generic_visit(node)
        return _joined(node.values, node)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.FormattedValue:
        node.value = self.visit(node.value)  # The format is no text of its own.
        return node


class _Folder(ast.NodeTransformer):
    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        return _joined([_words_of(part) for part in node.values], node)


def _words_of(part: ast.expr) -> ast.expr:
    match part:
        case ast.FormattedValue(value=value, conversion=conversion, format_spec=None):
            try:
                shown = literal_of(value)
            except ValueError:
                return part
            return ast.Constant(repr(shown) if conversion == _REPR else str(shown))
    return part


def _joined(parts: Sequence[ast.expr] | None, node: ast.expr) -> ast.expr:
    """Return an f-string with neighbouring texts as one, or the node where there are no parts."""
    if parts is None:
        return node
    flat: list[ast.expr] = []
    for part in parts:
        for piece in part.values if isinstance(part, ast.JoinedStr) else [part]:
            match flat, piece:
                case [*_, ast.Constant(value=str() as before)], ast.Constant(value=str() as text):
                    flat[-1] = ast.copy_location(ast.Constant(before + text), flat[-1])
                case _, ast.Constant(value=""):
                    pass
                case _:
                    flat.append(piece)
    match flat:
        case []:
            return ast.copy_location(ast.Constant(""), node)
        case [ast.Constant() as only]:
            return ast.copy_location(only, node)
    return ast.copy_location(ast.JoinedStr(flat), node)


def _formatted(text: str, arguments: Sequence[ast.expr]) -> list[ast.expr] | None:
    """Return the parts of `text.format(*arguments)`, or None where its fields are not plain."""
    parts: list[ast.expr] = []
    try:
        fields = [*string.Formatter().parse(text)]
    except ValueError:
        return None
    automatic = iter(range(len(fields)))
    for before, field, spec, conversion in fields:
        if before:
            parts.append(ast.Constant(before))
        if field is None:
            continue
        number = int(field) if field.isdecimal() and len(field) < 4 else None
        number = next(automatic) if field == "" else number
        if number is None or number >= len(arguments) or "{" in (spec or ""):
            return None
        parts.append(
            ast.FormattedValue(
                copy.deepcopy(arguments[number]),
                ord(conversion) if conversion else _NO_CONVERSION,
                ast.JoinedStr([ast.Constant(spec)]) if spec else None,
            )
        )
    return parts


def _interpolated(text: str, values: Sequence[ast.expr]) -> list[ast.expr] | None:
    pieces = re.split(r"(%%|%s)", text)
    if pieces.count("%s") != len(values):
        return None
    given = iter(values)
    return [
        ast.FormattedValue(next(given), _NO_CONVERSION)
        if piece == "%s"
        else ast.Constant("%" if piece == "%%" else piece)
        for piece in pieces
    ]


def _text_parts(node: ast.expr) -> list[ast.expr] | None:
    """Return the parts of a sum of texts and `str(...)`, or None where it is another sum."""
    parts = [*_summands(node)]
    shown: list[ast.expr] = []
    for part in parts:
        match part:
            case ast.Constant(value=str()) | ast.JoinedStr():
                shown.append(part)
            case ast.Call(func=ast.Name(id="str"), args=[value], keywords=[]):
                shown.append(ast.FormattedValue(value, _NO_CONVERSION))
            case _:
                return None
    return shown


def _summands(node: ast.expr) -> Iterator[ast.expr]:
    pending = [node]
    while pending:
        match pending.pop():
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                pending += [right, left]
            case other:
                yield other


@dataclass(frozen=True, slots=True)
class _Value:
    """A value that stands in code, and how texts show it."""

    node: ast.expr
    conversion: int
    pattern: str


def _values(statement: ast.stmt) -> list[_Value]:
    """Return the longest values outside texts, the longest first."""
    found: dict[tuple[str, int], _Value] = {}
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.JoinedStr) or _is_message(node, statement):
            continue
        shown = [*_shown(node)] if isinstance(node, ast.expr) else []
        for value in shown:
            found.setdefault((value.pattern, value.conversion), value)
        if not shown:
            pending += ast.iter_child_nodes(node)
    return sorted(found.values(), key=lambda value: (-len(value.pattern), value.pattern))[:_MOST]


def _is_message(node: ast.AST, statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assert) and node is statement.msg


def _shown(node: ast.expr) -> Iterator[_Value]:
    """Yield how texts may show a node's value; nothing where it is made of more than literals."""
    try:
        value = literal_of(node)
    except ValueError:
        return
    text = repr(value)
    if len(text) > _MAX_VALUE:
        return
    if isinstance(value, str):
        if value.strip():
            yield _Value(node, _NO_CONVERSION, re.escape(value))
        yield _Value(node, _REPR, _loose(text))
    else:
        # `str` gives the same, but what also stands for texts in quotes must be `repr`.
        yield _Value(node, _REPR, _loose(text))


def _loose(text: str) -> str:
    """Return a pattern for a value's `repr`, whatever its spacing and quotes."""
    parts = re.findall(r"\w+|[^\w\s]", text)
    return r"\s*".join("['\"]" if part in "'\"" else re.escape(part) for part in parts)


class _Revealer(ast.NodeTransformer):
    """Shows in texts the values that they repeat."""

    def __init__(self, values: Sequence[_Value]) -> None:
        self._values = values
        alternatives = "|".join(f"({value.pattern})" for value in values)
        self._pattern = re.compile(rf"(?<![\w.])(?:{alternatives})(?![\w])") if values else None

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        match node.msg:
            case ast.Constant(value=str()) as message:
                node.msg = _joined(self._revealed(message), message)
            case ast.expr() as message:
                node.msg = self.visit(message)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        parts = [piece for part in node.values for piece in self._revealed(part)]
        return _joined(parts, node)

    def _revealed(self, part: ast.expr) -> list[ast.expr]:
        match part:
            case ast.Constant(value=str() as text) if self._pattern and len(text) <= _MAX_TEXT:
                return [*self._parts(text, self._pattern)]
        return [part]

    def _parts(self, text: str, pattern: re.Pattern[str]) -> Iterator[ast.expr]:
        end = 0
        for found in pattern.finditer(text):
            value = self._values[(found.lastindex or 1) - 1]
            yield ast.Constant(text[end : found.start()])
            yield ast.FormattedValue(copy.deepcopy(value.node), value.conversion)
            end = found.end()
        yield ast.Constant(text[end:])


def _folded(node: ast.expr) -> Iterator[str]:
    """Yield the parts of a text, values of literals among its words; expressions as their code."""
    words = ""
    for part in map(_words_of, node.values if isinstance(node, ast.JoinedStr) else [node]):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            words += part.value
            continue
        yield _plain(words)
        words = ""
        yield ast.unparse(part)
    yield _plain(words)


def _plain(words: str) -> str:
    return "".join(words.split()).replace('"', "'")
