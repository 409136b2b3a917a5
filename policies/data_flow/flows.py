"""Which calls of other tools a tool's text lets tell which others something."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass

from toolguild.policies.data_flow.expressions import Expressions
from toolguild.policies.data_flow.graph import FlowGraph
from toolguild.policies.data_flow.names import (
    CALL_TOOL,
    NotUnderstoodError,
    called_tool,
    names_of,
)
from toolguild.policies.data_flow.statements import Statements
from toolguild.policies.parsing import parse_module

__all__ = ["CallPlace", "DataFlow", "TextFlows", "data_flows"]

MAX_TEXT = 100_000
MAX_CALLS = 100
"""Characters of a text and places of calls in it; what has more is not followed."""


@dataclass(frozen=True, slots=True, order=True)
class CallPlace:
    """Where a text calls a tool."""

    tool: str
    line: int
    """From 1; 0 where the text does not show it."""


@dataclass(frozen=True, slots=True, order=True)
class DataFlow:
    """What one call gives can come to the arguments of another, or decide how often it is made."""

    source: CallPlace
    sink: CallPlace


@dataclass(frozen=True, slots=True)
class TextFlows:
    """The calls of a text, and the flows between them."""

    calls: tuple[CallPlace, ...]
    flows: tuple[DataFlow, ...]
    not_understood: str = ""
    """What could not be followed, for which every call counts as a source of every other."""


def data_flows(text: str, called: Collection[str] = ()) -> TextFlows:
    """Return the flows between the calls that a text makes through `call_tool`.

    A flow leads from what a call returns or raises to the arguments of a call, or to the decision
    whether and how often it is made: by variables, containers, helper functions, conditions, loops,
    exceptions that the text catches, and through calls in between, each of which may return what it
    was given. No flow between two runs that both end well is missed: where none is told of, other
    results of the one change nothing about the calls of the other. That a run ends by an exception
    that the text does not catch, or by one of its limits, and how long it takes, are no flows; nor
    is what the called tools keep and tell one another.

    Args:
        text: A module as the static gate lets it pass; whatever is not understood in it counts as
            every flow.
        called: Names of the tools that it may call: where a text is not understood, of all of these
            and no others.
    """
    try:
        tree = _parsed(text)
    except NotUnderstoodError as error:
        return _every_flow([CallPlace(name, 0) for name in called], str(error))
    try:
        return _followed(tree)
    except (NotUnderstoodError, RecursionError) as error:
        shown = _literal_calls(tree, called)
        hidden = set(called) - {place.tool for place in shown}
        return _every_flow([*shown, *(CallPlace(name, 0) for name in hidden)], str(error))


def _parsed(text: str) -> ast.Module:
    if len(text) > MAX_TEXT:
        raise NotUnderstoodError(None, f"more than {MAX_TEXT} characters")
    try:
        return parse_module(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise NotUnderstoodError(None, "not Python") from error


def _followed(tree: ast.Module) -> TextFlows:
    graph = FlowGraph()
    expressions = Expressions(graph, names_of(tree))
    Statements(expressions).module(tree)
    calls = expressions.calls
    mentioned = sum(isinstance(node, ast.Name) and node.id == CALL_TOOL for node in ast.walk(tree))
    if not len(calls) == mentioned <= MAX_CALLS:
        raise NotUnderstoodError(None, f"{CALL_TOOL} where it is not followed")
    graph.settle()
    places = [CallPlace(call.tool, call.line) for call in calls]
    flows: set[DataFlow] = set()
    for call, source in zip(calls, places, strict=True):
        reached = graph.reached_from(call.result)
        told = (sink for other, sink in zip(calls, places, strict=True) if other.given in reached)
        flows.update(DataFlow(source, sink) for sink in told)
    return TextFlows(tuple(places), tuple(sorted(flows)))


def _literal_calls(tree: ast.Module, called: Collection[str]) -> list[CallPlace]:
    found = ((called_tool(node), getattr(node, "lineno", 0)) for node in ast.walk(tree))
    return sorted({CallPlace(tool, line) for tool, line in found if tool and tool in called})


def _every_flow(places: Collection[CallPlace], why: str) -> TextFlows:
    # A place for each tool is enough: all are alike, and there may be very many.
    first = {place.tool: place for place in sorted(places, reverse=True)}
    kept = sorted(first.values())
    flows = (DataFlow(source, sink) for source in kept for sink in kept)
    return TextFlows(tuple(sorted(places)), tuple(flows), why)
