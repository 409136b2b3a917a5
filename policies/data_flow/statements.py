"""The flows in the statements of a text."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

from toolguild.policies.data_flow.expressions import Expressions
from toolguild.policies.data_flow.names import NotUnderstoodError

__all__ = ["Statements"]

_NO_FLOW = (ast.Global, ast.Nonlocal, ast.Pass)


@dataclass(frozen=True, slots=True)
class _Place:
    """What surrounds a statement, as nodes."""

    control: int
    """What decides whether it is reached."""
    happening: int
    """What is told by everything around that may end by an exception."""
    function: int
    """What decides whether the function goes on."""
    output: int
    """What the function returns."""
    loop: int
    """What decides whether the loop goes on, if there is one."""


class Statements:
    """Follows values through statements, in no order: whatever is assigned may be read anywhere.

    How a run ends that nobody catches is no flow; what an exception decides that is caught is one.
    """

    def __init__(self, expressions: Expressions) -> None:
        """Follow what stands in statements by these expressions."""
        self._expressions = expressions
        self._graph = expressions.graph
        self._raised = self._graph.node()

    def module(self, tree: ast.Module) -> None:
        """Follow a whole text.

        Raises:
            NotUnderstoodError: its flows cannot be followed.
        """
        control, output = self._graph.node(), self._graph.node()
        # Elsewhere, a condition could decide whether a name is known.
        body = [one for one in tree.body if not isinstance(one, ast.Import | ast.ImportFrom)]
        self._block(body, _Place(control, output, control, output, control))

    def _block(self, statements: Sequence[ast.stmt], place: _Place) -> None:
        for statement in statements:
            self._statement(statement, place)

    def _statement(self, node: ast.stmt, place: _Place) -> None:
        match node:
            case ast.FunctionDef():
                self._define(node, place)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                self._assign(node, place)
            case ast.Delete():
                self._delete(node, place)
            case ast.Expr():
                self._evaluate(node.value, place)
            case ast.If():
                decided = self._decided(node.test, place)
                self._block(node.body, decided)
                self._block(node.orelse, decided)
            case ast.For() | ast.While():
                self._loop(node, place)
            case ast.Try() | ast.TryStar():
                self._try(node, place)
            case ast.Return() | ast.Break() | ast.Continue() | ast.Raise() | ast.Assert():
                self._leave(node, place)
            case _ if not isinstance(node, _NO_FLOW):
                raise NotUnderstoodError(node, type(node).__name__)

    def _evaluate(self, node: ast.expr, place: _Place) -> int:
        value = self._expressions.value(node, place.control)
        self._graph.flow(value, place.happening)
        self._graph.flow(place.control, place.happening)
        return value

    def _decided(self, test: ast.expr, place: _Place) -> _Place:
        value = self._evaluate(test, place)
        return replace(place, control=self._graph.node(place.control, value))

    def _define(self, node: ast.FunctionDef, place: _Place) -> None:
        if node.decorator_list:
            raise NotUnderstoodError(node, "a decorator")
        given, output = self._expressions.inputs[node.name], self._expressions.outputs[node.name]
        self._expressions.defaults(node.args, given, place.control)
        self._graph.flow(given, place.happening)
        self._graph.flow(place.control, output)
        self._expressions.bind_parameters(node.args, given)
        control = self._graph.node(place.control, given)
        if node.name in self._expressions.names.loaded:
            # Who calls it may catch what it raises, or call it again for what it gave.
            self._graph.flow(output, control)
        self._block(node.body, _Place(control, output, control, output, control))

    def _assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, place: _Place) -> None:
        if node.value is None:
            return
        value = self._evaluate(node.value, place)
        if isinstance(node, ast.AugAssign):
            holder = self._evaluate(_as_read(node.target), place)
            self._expressions.changed([holder, value], place.control)
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            self._give(target, value, place)

    def _give(self, target: ast.expr, value: int, place: _Place) -> None:
        told = self._expressions.assign(target, value, place.control)
        self._graph.flow(told, place.happening)

    def _delete(self, node: ast.Delete, place: _Place) -> None:
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                index = self._evaluate(target.slice, place)
                holder = self._evaluate(target.value, place)
                self._expressions.changed([holder], place.control, index)
            elif isinstance(target, ast.Name):
                self._expressions.bind(target.id, place.control, place.control)
            else:
                raise NotUnderstoodError(target, "a deletion")

    def _loop(self, node: ast.For | ast.While, place: _Place) -> None:
        control = self._graph.node(place.control)
        inside = replace(place, control=control, loop=control)
        if isinstance(node, ast.For):
            iterated = self._evaluate(node.iter, place)
            self._graph.flow(iterated, control)
            self._expressions.changed([iterated], control)  # an iterator is advanced
            self._give(node.target, iterated, inside)
        else:
            self._graph.flow(self._evaluate(node.test, inside), control)
        self._block(node.body, inside)
        self._block(node.orelse, replace(inside, loop=place.loop))

    def _try(self, node: ast.Try | ast.TryStar, place: _Place) -> None:
        caught = self._graph.node(place.control)
        self._graph.flow(caught, place.happening)
        inside = replace(place, control=caught, happening=caught)
        self._block(node.body, inside)
        for handler in node.handlers:
            if handler.type:
                self._evaluate(handler.type, inside)
            if handler.name:
                self._expressions.bind(handler.name, self._raised, caught)
            self._block(handler.body, inside)
        self._block(node.orelse, inside)
        self._block(node.finalbody, inside)

    def _leave(
        self, node: ast.Return | ast.Break | ast.Continue | ast.Raise | ast.Assert, place: _Place
    ) -> None:
        """What decides whether control goes elsewhere decides about what stands behind."""
        parts = [one for one in ast.iter_child_nodes(node) if isinstance(one, ast.expr)]
        values = [self._evaluate(one, place) for one in parts]
        self._graph.flow(place.control, place.happening)
        if isinstance(node, ast.Return):
            self._graph.flow(place.control, place.function)
            self._graph.flow(place.control, place.output)
            for value in values:
                self._graph.hold(place.output, value)
        elif isinstance(node, ast.Raise):
            for value in values:
                self._graph.hold(self._raised, value)
        elif isinstance(node, ast.Break | ast.Continue):
            self._graph.flow(place.control, place.loop)


def _as_read(target: ast.Name | ast.Attribute | ast.Subscript) -> ast.expr:
    """Return what an augmented assignment reads before it writes."""
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    return target.value
