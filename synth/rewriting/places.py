"""Where in a session a tool could stand: statements, expressions, and functions of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from toolguild.synth.mining.definitions import bare, canonical_text, self_contained
from toolguild.synth.mining.known_functions import KnownFunctions
from toolguild.synth.mining.liveness import changed_names
from toolguild.synth.mining.programs import Session
from toolguild.synth.mining.purity import must_follow
from toolguild.synth.mining.statements import blocks_of, is_movable, is_shown
from toolguild.synth.mining.texts import written_alike
from toolguild.synth.rewriting.code_tool import CodeTool
from toolguild.synth.rewriting.passing import passing_name
from toolguild.synth.rewriting.unify import Bindings, Code, unify

__all__ = ["TOOLS", "Place", "SessionCode"]


TOOLS = "tools"
"""The module that a session can import tools from whose names it has taken."""


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a session, and what to put there."""

    tool: CodeTool
    snippet: int
    lines: tuple[int, int]
    """First and last line of what is replaced."""
    replaced: tuple[ast.AST, ...]
    """The statements, or the expression."""
    put: ast.stmt | ast.expr | None
    """What takes the place of the first of them; None where nothing has to."""
    saved: int
    """Characters, without imports and functions that nothing needs any more."""

    @property
    def with_nothing_put(self) -> Place:
        """The same place where nothing has to take the place of what goes."""
        return replace(self, put=None, saved=self.saved + len(self.text))

    @property
    def text(self) -> str:
        """What is put in."""
        return "" if self.put is None else ast.unparse(self.put)

    @property
    def claimed(self) -> frozenset[int]:
        """Identities of the syntax nodes that no other place may claim.

        Statements and expressions only: Python's parser shares operators between trees.
        """
        return frozenset(
            id(node)
            for part in self.replaced
            for node in ast.walk(part)
            if isinstance(node, ast.stmt | ast.expr)
        )


class SessionCode:
    """The code of a session, prepared for finding places in it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._alike: dict[int, ast.stmt] = {}

    def places(self, tool: CodeTool) -> list[Place]:
        """Return all places where a tool could stand and would save something."""
        found = [*self._definitions(tool), *self._windows(tool), *self._expressions(tool)]
        return [place for place in found if place.saved > 0]

    @cached_property
    def _imports(self) -> list[dict[str, str]]:
        """For each snippet, the statements behind the names that are imported by its end."""
        return [
            {name: ast.unparse(node) for name, node in self.session.imports_before(number).items()}
            for number in range(len(self.session.snippets))
        ]

    @cached_property
    def _known(self) -> list[KnownFunctions]:
        """For each snippet, the known functions that names stand for by its end."""
        return [
            KnownFunctions.of(self.session.imports_before(number), self.session.own_names)
            for number in range(len(self.session.snippets))
        ]

    @cached_property
    def _blocks(self) -> list[tuple[int, list[ast.stmt], bool]]:
        return [
            (number, block, block is snippet.tree.body)
            for number, snippet in enumerate(self.session.snippets)
            for block, _ in blocks_of(snippet.tree)
        ]

    def _definitions(self, tool: CodeTool) -> Iterator[Place]:
        for number, function, text in self._texts:
            if text == tool.text_as_definition:
                yield self.definition(tool, number, function)

    @cached_property
    def _texts(self) -> list[tuple[int, ast.FunctionDef, str]]:
        return [
            (number, function, canonical_text(parts[:-1], bare(function)))
            for number, function, parts in self._functions
        ]

    @property
    def functions(self) -> list[tuple[int, ast.FunctionDef, str]]:
        """The functions that a tool could take the place of.

        Each with the number of its snippet, and its text after what it needs.
        """
        return [
            (number, function, "\n\n".join(map(ast.unparse, parts)))
            for number, function, parts in self._functions
        ]

    @cached_property
    def _functions(self) -> list[tuple[int, ast.FunctionDef, list[ast.stmt]]]:
        return [
            (number, function, parts)
            for number, block, _ in self._blocks
            for function in block
            if isinstance(function, ast.FunctionDef)
            and (parts := self_contained(self.session, number, function)) is not None
        ]

    def definition(self, tool: CodeTool, number: int, function: ast.FunctionDef) -> Place:
        """Return the place of a function that a tool does the work of; its calls go to the tool.

        Nothing has to stand there where the function has the tool's name. Where the session has
        given that name to something else before, the tool is imported again.
        """
        put: ast.stmt | None = None
        if function.name != tool.name:
            put = ast.Assign(
                [ast.Name(function.name, ast.Store())], ast.Name(tool.name, ast.Load())
            )
        elif self.session.first_bindings.get(tool.name, ()) < (number, function.lineno):
            put = ast.ImportFrom(TOOLS, [ast.alias(tool.name)], 0)
        if put is not None:
            put = ast.fix_missing_locations(ast.copy_location(put, function))
        saved = len(ast.unparse(function)) - (0 if put is None else len(ast.unparse(put)))
        return Place(tool, number, _lines([function]), (function,), put, saved)

    def _windows(self, tool: CodeTool) -> Iterator[Place]:
        count = len(tool.statements)
        if not count:
            return
        kinds = sorted(type(statement).__name__ for statement in tool.statements)
        for number, block, is_top in self._blocks:
            counted = [one for one in block if not is_shown(one)]
            for start in range(len(counted) - count + 1):
                window = counted[start : start + count]
                if sorted(type(statement).__name__ for statement in window) != kinds:
                    continue
                is_last = is_top and window[-1] is block[-1]
                place = self._window(tool, number, block, window, is_last=is_last)
                if place is not None:
                    yield place

    def _window(
        self,
        tool: CodeTool,
        number: int,
        block: Sequence[ast.stmt],
        window: Sequence[ast.stmt],
        *,
        is_last: bool,
    ) -> Place | None:
        if not all(map(is_movable, window)):
            return None
        alike = [self._written_alike(statement) for statement in window]
        bindings = self._bindings(tool, number)
        if not _unify_in_any_order(tool.statements, alike, bindings):
            return None
        if not all(
            isinstance(bindings.given.get(name), ast.Name) for name in tool.updated
        ) or not self._loses_nothing(tool, number, window, bindings):
            return None
        given = _Original(window).of(bindings.given)
        passing = passing_name(self.session, number, block, window, given)
        if passing is not None:
            window = [passing.statement, *window]
            given = {**given, passing.parameter: passing.value}
        put = _statement(tool, given, bindings, is_last=is_last)
        if put is None:
            return None
        replaced = sum(len(ast.unparse(statement)) for statement in window)
        saved = replaced + len(window) - 1 - len(ast.unparse(put))
        return Place(tool, number, _lines(window), tuple(window), put, saved)

    def _loses_nothing(
        self, tool: CodeTool, number: int, window: Sequence[ast.stmt], bindings: Bindings
    ) -> bool:
        """Say whether no later code reads what the window binds and the tool does not give."""
        given = {_spelled(output, bindings) for output in tool.outputs}
        last = window[-1]
        end = number, last.end_lineno or last.lineno, last.end_col_offset or 0
        lost = changed_names(window) - given
        return not any(self.session.reads.get(name, [(-1, 0, 0)])[-1] >= end for name in lost)

    def _expressions(self, tool: CodeTool) -> Iterator[Place]:
        pattern = tool.expression
        if pattern is None:
            return
        for number, nodes in enumerate(self._nodes_by_type):
            for node in nodes.get(type(pattern), ()):
                bindings = self._bindings(tool, number)
                if not unify(pattern, node, bindings):
                    continue
                if bindings.given.keys() != set(tool.parameters):
                    continue
                put = _call(tool, bindings.given)
                saved = len(ast.unparse(node)) - len(ast.unparse(put))
                yield Place(tool, number, _lines([node]), (node,), put, saved)

    @cached_property
    def _nodes_by_type(self) -> list[dict[type[ast.AST], list[ast.expr]]]:
        found: list[dict[type[ast.AST], list[ast.expr]]] = []
        for snippet in self.session.snippets:
            nodes: dict[type[ast.AST], list[ast.expr]] = {}
            for node in ast.walk(snippet.tree):
                if isinstance(node, ast.expr) and hasattr(node, "lineno"):
                    nodes.setdefault(type(node), []).append(node)
            found.append(nodes)
        return found

    def _bindings(self, tool: CodeTool, number: int) -> Bindings:
        return Bindings(
            Code(tool.imports, tool.known),
            Code(self._imports[number], self._known[number]),
            frozenset(tool.parameters),
            {choice.chosen: choice for choice in tool.choices},
        )

    def _written_alike(self, statement: ast.stmt) -> ast.stmt:
        if id(statement) not in self._alike:
            self._alike[id(statement)] = written_alike(statement)
        return self._alike[id(statement)]


def _unify_in_any_order(
    pattern: Sequence[ast.stmt], window: Sequence[ast.stmt], bindings: Bindings
) -> bool:
    """Match statements in an order in which the window could stand as well."""
    if not pattern:
        return True
    for number, statement in enumerate(window):
        if any(must_follow(statement, earlier) for earlier in window[:number]):
            continue
        attempt = bindings.copy()
        rest = [*window[:number], *window[number + 1 :]]
        if unify(pattern[0], statement, attempt) and _unify_in_any_order(
            pattern[1:], rest, attempt
        ):
            bindings.adopt(attempt)
            return True
    return False


class _Original:
    """Leads from code as it is compared back to the code as the agent wrote it."""

    def __init__(self, statements: Sequence[ast.stmt]) -> None:
        self._written = {
            _span(node): node
            for statement in statements
            for node in ast.walk(statement)
            if isinstance(node, ast.expr) and hasattr(node, "lineno")
        }

    def of(self, given: Mapping[str, ast.expr]) -> dict[str, ast.expr]:
        """Return the expressions as they were written, as far as they can be told."""
        return {name: self._find(node) for name, node in given.items()}

    def _find(self, node: ast.expr) -> ast.expr:
        written = self._written.get(_span(node)) if hasattr(node, "lineno") else None
        if written is None or type(written) is not type(node):
            return node
        alike = written_alike(ast.Expr(written))
        same = isinstance(alike, ast.Expr) and ast.dump(alike.value) == ast.dump(node)
        return written if same else node


def _span(node: ast.expr) -> tuple[int, int, int | None, int | None]:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def _statement(
    tool: CodeTool, given: Mapping[str, ast.expr], bindings: Bindings, *, is_last: bool
) -> ast.stmt | None:
    """Return the statement that calls a tool, or None where something is not known."""
    if given.keys() != set(tool.parameters):
        return None
    call: ast.expr = _call(tool, given)
    names = [_spelled(output, bindings) for output in tool.outputs]
    if not names:
        # The value of a snippet's last expression would be shown.
        unshown = ast.Assign([ast.Name("_", ast.Store())], call, lineno=0)
        return unshown if is_last else ast.Expr(call)
    if len(names) == 1:
        return ast.Assign([ast.Name(names[0], ast.Store())], call, lineno=0)
    values = ast.Call(ast.Attribute(call, "values", ast.Load()), [], [])
    target = ast.Tuple([ast.Name(name, ast.Store()) for name in names], ast.Store())
    return ast.Assign([target], values, lineno=0)


def _spelled(output: str, bindings: Bindings) -> str:
    given = bindings.given.get(output)
    return given.id if isinstance(given, ast.Name) else bindings.names.get(output, output)


def _call(tool: CodeTool, given: Mapping[str, ast.expr]) -> ast.Call:
    arguments = [given[parameter] for parameter in tool.parameters]
    return ast.Call(ast.Name(tool.name, ast.Load()), arguments, [])


def _lines(nodes: Sequence[ast.expr | ast.stmt]) -> tuple[int, int]:
    first, last = nodes[0], nodes[-1]
    return first.lineno, last.end_lineno or last.lineno
