"""Functions of a session that a tool can take the place of because they do the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from toolguild.sandbox import Sandbox
from toolguild.synth.behaviour import Behaviour, Positional, observe
from toolguild.synth.rewriting.code_tool import CodeTool
from toolguild.synth.rewriting.places import Place, SessionCode

__all__ = ["Twins"]

_PROBES = 4
"""Inputs of each tool that a function is run on first."""


class Twins:
    """Finds functions that end like a tool on all inputs that are known of the tool.

    A function is run once on a few inputs of all tools with as many parameters, and on all of
    them for the tools that it may be the twin of. What came out is kept by the function's text.
    """

    def __init__(self, tools: Sequence[CodeTool], sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._tools: dict[int, list[CodeTool]] = {}
        for tool in tools:
            if tool.inputs:
                self._tools.setdefault(len(tool.parameters), []).append(tool)
        self._behaviours: dict[tuple[str, str], Behaviour | None] = {}
        self._found: dict[str, tuple[CodeTool, ...]] = {}

    def places(self, code: SessionCode) -> Iterator[Place]:
        """Yield the places of functions of a session that some tool does the work of.

        Raises:
            SandboxUnavailableError: nothing can be run.
        """
        for number, function, source in code.functions:
            for tool in self._twins_of(function, source):
                place = code.definition(tool, number, function)
                if place.saved > 0:
                    yield place

    def _twins_of(self, function: ast.FunctionDef, source: str) -> tuple[CodeTool, ...]:
        if source not in self._found:
            tools = self._tools.get(len(function.args.args), [])
            likely = self._likely(tools, function.name, source)
            self._found[source] = tuple(
                tool for tool in likely if self._does_the_same(tool, function.name, source)
            )
        return self._found[source]

    def _likely(self, tools: Sequence[CodeTool], name: str, source: str) -> list[CodeTool]:
        probes = [(tool, probe) for tool in tools for probe in tool.inputs[:_PROBES]]
        if not probes:
            return []
        behaviour = observe(source, name, [probe for _, probe in probes], self._sandbox)
        if behaviour is None:
            return []
        endings = iter(behaviour.endings)
        likely = []
        for tool in tools:
            first = tool.inputs[:_PROBES]
            mine = Behaviour(tuple(next(endings) for _ in first))
            expected = self._of(tool)
            if expected and Behaviour(expected.endings[: len(first)]).contradicts(mine) is None:
                likely.append(tool)
        return likely

    def _does_the_same(self, tool: CodeTool, name: str, source: str) -> bool:
        expected = self._of(tool)
        observed = self._observed(name, source, tool.inputs)
        return expected is not None and observed is not None and expected.agrees(observed)

    def _of(self, tool: CodeTool) -> Behaviour | None:
        return self._observed(tool.function.name, tool.original, tool.inputs)

    def _observed(self, name: str, source: str, inputs: Sequence[Positional]) -> Behaviour | None:
        key = source, repr(inputs)
        if key not in self._behaviours:
            self._behaviours[key] = observe(source, name, inputs, self._sandbox)
        return self._behaviours[key]
