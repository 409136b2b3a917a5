"""The flows in one expression."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from toolguild.policies.data_flow.graph import FlowGraph
from toolguild.policies.data_flow.names import (
    CALL_TOOL,
    READING_METHODS,
    Names,
    NotUnderstoodError,
    called_tool,
)

__all__ = ["Expressions", "ToolCall"]

_Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

_COMPOUND = (
    ast.Attribute, ast.BinOp, ast.Dict, ast.List, ast.Set, ast.Slice, ast.Subscript, ast.Tuple,
)  # fmt: skip
"""What may hold the values of its parts."""
_COMPUTED = (ast.FormattedValue, ast.JoinedStr, ast.UnaryOp)
"""What is made of its parts anew."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One place at which a text calls another tool."""

    tool: str
    line: int
    given: int
    """Node of its arguments, and of all that decides whether and how often it is made."""
    result: int
    """Node of what it returns, or raises."""


class Expressions:
    """Follows values through expressions; each has the node of what decides whether it is reached.

    Variables are told apart by their names alone, wherever they stand.
    """

    def __init__(self, graph: FlowGraph, names: Names) -> None:
        """Draw into a graph what a text with these names does."""
        self.graph = graph
        self.names = names
        self.calls: list[ToolCall] = []
        self._variables = {name: graph.node() for name in sorted(names.variables)}
        self.inputs = {name: graph.node() for name in sorted(names.functions)}
        """What the text's own functions are given, and what decides whether they are called."""
        self.outputs = {name: graph.node() for name in sorted(names.functions)}
        """What they return, and all that happens in them."""

    def value(self, node: ast.expr, control: int) -> int:
        """Return the node of what an expression gives.

        Raises:
            NotUnderstoodError: its flows cannot be followed.
        """
        match node:
            case ast.Name():
                return self._name(node)
            case ast.IfExp():
                return self._choice(node, control)
            case ast.BoolOp():
                return self._made_of(self._in_turn(node.values, control))
            case ast.Compare():
                return self._comparison(node, control)
            case ast.Starred():
                return self._starred(node, control)
            case ast.NamedExpr():
                return self._named(node, control)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                return self._comprehension(node, control)
            case ast.Lambda():
                return self._lambda(node, control)
            case ast.Call():
                return self._call(node, control)
        return self._parts(node, control)

    def assign(self, target: ast.expr, value: int, control: int) -> int:
        """Give a value to what stands on the left of an assignment.

        Returns:
            The node of all that may make it fail.

        Raises:
            NotUnderstoodError: the flows cannot be followed.
        """
        if isinstance(target, ast.Name):
            self.bind(target.id, value, control)
        elif isinstance(target, ast.Tuple | ast.List):
            self.changed([value], control)  # an iterator is advanced
            return self.graph.node(*(self.assign(one, value, control) for one in target.elts))
        elif isinstance(target, ast.Starred):
            return self.assign(target.value, value, control)
        elif isinstance(target, ast.Subscript):
            holder = self.value(target.value, control)
            index = self.value(target.slice, control)
            self.changed([holder, value], control, index)
            self.graph.hold(holder, value)
            return self.graph.node(holder, index, value)
        else:
            raise NotUnderstoodError(target, "an assignment to an attribute")
        return value

    def changed(self, values: Sequence[int], *by: int) -> None:
        """Let values be changed by one another and by what else is given.

        By themselves, too: which of several objects is changed says how it was chosen.
        """
        together = self.graph.node(*values, *by)
        for value in values:
            self.graph.change(value, together)

    def bind(self, name: str, value: int, control: int) -> None:
        """Let a variable stand for a value."""
        variable = self._variables[name]
        self.graph.hold(variable, value)
        self.graph.flow(control, variable)

    def bind_parameters(self, parameters: ast.arguments, given: int) -> None:
        """Let the parameters of a function stand for what it is given."""
        every = [*parameters.posonlyargs, *parameters.args, *parameters.kwonlyargs]
        every += [one for one in (parameters.vararg, parameters.kwarg) if one]
        for parameter in every:
            self.bind(parameter.arg, given, given)

    def defaults(self, parameters: ast.arguments, given: int, control: int) -> None:
        """Let a function be given the defaults of its parameters."""
        for default in (*parameters.defaults, *parameters.kw_defaults):
            if default is not None:
                self.graph.hold(given, self.value(default, control))

    # -- one kind of expression each

    def _parts(self, node: ast.expr, control: int) -> int:
        if not isinstance(node, (*_COMPOUND, *_COMPUTED, ast.Constant)):
            raise NotUnderstoodError(node, type(node).__name__)
        parts = (one for one in ast.iter_child_nodes(node) if isinstance(one, ast.expr))
        values = [self.value(part, control) for part in parts]
        return self._made_of(values, holds=isinstance(node, _COMPOUND))

    def _name(self, node: ast.Name) -> int:
        name = node.id
        if name == CALL_TOOL:
            raise NotUnderstoodError(node, f"{CALL_TOOL} as something else than a call")
        if name in self.names.functions:
            return self._made_of([self.inputs[name], self.outputs[name]])
        return self._variables[name] if name in self._variables else self.graph.node()

    def _choice(self, node: ast.IfExp, control: int) -> int:
        test = self.value(node.test, control)
        decided = self.graph.node(control, test)
        chosen = [self.value(one, decided) for one in (node.body, node.orelse)]
        return self.graph.node(self._made_of(chosen), test)

    def _in_turn(self, nodes: Iterable[ast.expr], control: int) -> list[int]:
        """Read expressions each of which is reached only where those before it say so."""
        values: list[int] = []
        for node in nodes:
            values.append(self.value(node, self.graph.node(control, *values)))
        return values

    def _comparison(self, node: ast.Compare, control: int) -> int:
        values = self._in_turn([node.left, *node.comparators], control)
        if any(isinstance(one, ast.In | ast.NotIn) for one in node.ops):
            self.changed(values, control)  # an iterator is advanced
        return self.graph.node(*values)

    def _starred(self, node: ast.Starred, control: int) -> int:
        value = self.value(node.value, control)
        self.changed([value], control)  # an iterator is advanced
        return value

    def _named(self, node: ast.NamedExpr, control: int) -> int:
        value = self.value(node.value, control)
        self.assign(node.target, value, control)
        return value

    def _comprehension(self, node: _Comprehension, control: int) -> int:
        graph, inside, result = self.graph, self.graph.node(control), self.graph.node()
        reached = control
        for generator in node.generators:
            iterated = self.value(generator.iter, reached)
            graph.flow(iterated, inside)
            graph.change(iterated, inside)
            graph.flow(self.assign(generator.target, iterated, inside), inside)
            for test in generator.ifs:
                graph.flow(self.value(test, inside), inside)
            reached = inside
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for part in parts:
            graph.hold(result, self.value(part, inside))
        graph.flow(inside, result)
        if isinstance(node, ast.GeneratorExp):
            self._run_later(result, inside)
        return result

    def _lambda(self, node: ast.Lambda, control: int) -> int:
        given = self.graph.node()
        self.defaults(node.args, given, control)
        self.bind_parameters(node.args, given)
        inside, result = self.graph.node(), self.graph.node()
        self.graph.hold(result, given)
        self.graph.hold(result, self.value(node.body, inside))
        self._run_later(result, inside)
        return result

    def _run_later(self, value: int, inside: int) -> None:
        """Let who has a value decide about what runs in it, by what it gave before, too."""
        self.graph.hold(inside, value)

    def _call(self, node: ast.Call, control: int) -> int:
        if isinstance(node.func, ast.Name) and node.func.id == CALL_TOOL:
            return self._tool_call(node, control)
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        if isinstance(node.func, ast.Name) and node.func.id in self.names.functions:
            return self._own_call(node.func.id, arguments, control)
        if self.names.is_scalar(node.func):
            return self._made_of([self.value(one, control) for one in arguments], holds=False)
        called = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        told = [one for one in (called, *arguments) if not self.names.is_empty(one)]
        values = [self.value(one, control) for one in told]
        if not (isinstance(node.func, ast.Attribute) and node.func.attr in READING_METHODS):
            # It may change all that it is given, and call what it is given.
            self.changed(values, control)
        return self._made_of(values)

    def _own_call(self, name: str, arguments: Iterable[ast.expr], control: int) -> int:
        self.graph.flow(control, self.inputs[name])
        result = self._made_of([self.outputs[name]])
        for argument in arguments:
            value = self.value(argument, control)
            self.graph.hold(self.inputs[name], value)
            self.graph.flow(value, result)
        return result

    def _tool_call(self, node: ast.Call, control: int) -> int:
        tool = called_tool(node)
        if tool is None:
            raise NotUnderstoodError(node, "the name of the called tool is not a literal")
        every = (*node.args, *(keyword.value for keyword in node.keywords))
        given = self.graph.node(control, *(self.value(one, control) for one in every))
        # Whichever tool it is, it may return what it was given.
        result = self.graph.node(given)
        self.calls.append(ToolCall(tool, node.lineno, given, result))
        return result

    def _made_of(self, values: Iterable[int], *, holds: bool = True) -> int:
        made = self.graph.node()
        for value in values:
            if holds:
                self.graph.hold(made, value)
            else:
                self.graph.flow(value, made)
        return made
