"""Giving tools of a bundle other names where theirs mean something else here.

A name stands in a tool's own text, and in the texts of the tools that call it. It is rewritten only
where it surely is the name; a text that could mean something else by it is refused.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import libcst as cst

from toolguild.policies.parsing import parse_module
from toolguild.registry.bundles.arrivals import Local, chosen_of
from toolguild.registry.bundles.errors import ImportRefusedError
from toolguild.registry.bundles.statement import BundledTool
from toolguild.registry.errors import InvalidSpecError
from toolguild.registry.model import ToolSpec
from toolguild.registry.specs import check_spec

__all__ = ["rename_known"]

_CALL = "call_tool"


def rename_known(tools: Sequence[BundledTool], local: Local, prefix: str) -> list[ToolSpec]:
    """Return the specifications of tools, with new names for those that mean something else here.

    Args:
        tools: The tools of a bundle.
        local: What the registry holds.
        prefix: What to put before a name.

    Raises:
        ImportRefusedError: a name cannot be changed; the message says why.
    """
    names = {tool.spec.name for tool in tools}
    renamed: dict[str, str] = {}
    # Those that are called come first: a tool whose text changes for them may be known as such.
    for name in _called_first(tools):
        if name not in local.meanings:
            continue
        own = [tool for tool in tools if tool.spec.name == name]
        specs = [_rewritten(tool.spec, renamed) for tool in own]
        if chosen_of(own, specs)[name] != local.meanings[name]:
            renamed[name] = f"{prefix}{name}"
    for name in names.intersection(renamed.values()):
        msg = f"--rename {prefix}: the bundle has a tool {name} of its own; give another prefix"
        raise ImportRefusedError(msg)
    return [_rewritten(tool.spec, renamed) for tool in tools]


def _called_first(tools: Sequence[BundledTool]) -> list[str]:
    calls: dict[str, set[str]] = {}
    for tool in tools:
        calls.setdefault(tool.spec.name, set()).update(tool.spec.calls)
    order: dict[str, None] = {}
    for name in sorted(calls):
        path = [(name, iter(sorted(calls[name])))]
        seen = {name}
        while path:
            current, called = path[-1]
            following = next((one for one in called if one in calls and one not in seen), None)
            if following is None:
                order.setdefault(current)
                path.pop()
            else:
                seen.add(following)
                path.append((following, iter(sorted(calls[following]))))
    return [*order]


def _rewritten(spec: ToolSpec, renamed: Mapping[str, str]) -> ToolSpec:
    called = {name: renamed[name] for name in spec.calls if name in renamed}
    if spec.name not in renamed and not called:
        return spec
    own = {spec.name: renamed[spec.name]} if spec.name in renamed else {}
    try:
        tree = parse_module(spec.source)
        obstacle = next(_obstacles(tree, own, called), "")
        source = cst.parse_module(spec.source).visit(_Renamer(own, called)).code
    except (SyntaxError, ValueError, RecursionError, MemoryError, cst.ParserSyntaxError) as error:
        obstacle = f"its text cannot be parsed ({type(error).__name__})"
        source = ""
    if obstacle:
        msg = f"{spec.name} cannot be renamed: {obstacle}; import it with --replace, or leave it"
        raise ImportRefusedError(msg)
    calls = tuple(called.get(name, name) for name in spec.calls)
    name = own.get(spec.name, spec.name)
    made = replace(spec, name=name, source=source, calls=calls)
    try:
        check_spec(made)
    except InvalidSpecError as error:
        msg = f"--rename: {error}"
        raise ImportRefusedError(msg) from error
    return made


def _obstacles(
    tree: ast.Module, own: Mapping[str, str], called: Mapping[str, str]
) -> Iterator[str]:
    """Yield why the names in a text cannot be changed for sure."""
    for name in own:
        functions = [
            node
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
        ]
        if len(functions) != 1:
            yield f"its text has {len(functions)} functions {name}"
        bound = sum(name in _names_bound_by(node) for node in ast.walk(tree))
        if bound > 1:
            yield f"{name} stands for something else in its text, too"
        new = own[name]
        for node in ast.walk(tree):
            if new in _names_bound_by(node) or (isinstance(node, ast.Name) and node.id == new):
                yield f"{new} stands for something in its text"
    if called:
        literal = {id(_callee_by_literal(node)) for node in ast.walk(tree)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id == _CALL and id(node) not in literal:
                yield f"line {node.lineno} does not say which tool it calls"


def _names_bound_by(node: ast.AST) -> Sequence[str | None]:
    """Return the names that a part of a text gives a meaning to, or uses as a keyword."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [node.name]
        case ast.Name(ctx=ast.Store() | ast.Del()):
            return [node.id]
        case ast.arg():
            return [node.arg]
        case ast.alias():
            return [*node.name.split("."), node.asname]
        case ast.Global() | ast.Nonlocal():
            return node.names
        case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
            return [node.name]
        case ast.MatchMapping():
            return [node.rest]
        case ast.MatchClass():
            return node.kwd_attrs
    return (
        [getattr(node, "name", None)]
        if type(node).__name__.startswith(("TypeVar", "ParamSpec"))
        else []
    )


def _callee_by_literal(node: ast.AST) -> ast.Name | None:
    """Return the `call_tool` of a call that names its tool in so many letters."""
    match node:
        case ast.Call(func=ast.Name() as callee, args=[ast.Constant(value=str()), *_]):
            return callee
    return None


class _Renamer(cst.CSTTransformer):
    """Puts other names into a text without touching the rest of it."""

    def __init__(self, own: Mapping[str, str], called: Mapping[str, str]) -> None:
        super().__init__()
        self._own = own
        self._called = called

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        """Rename the function, and what refers to it."""
        new = self._own.get(original_node.value)
        return updated_node if new is None else updated_node.with_changes(value=new)

    def leave_Attribute(
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.Attribute:
        """Leave the names of attributes, which are others' names."""
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        """Leave the names of keywords."""
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        """Rename the tools that are called."""
        function, arguments = original_node.func, updated_node.args
        if not (isinstance(function, cst.Name) and function.value == _CALL and arguments):
            return updated_node
        name = arguments[0].value
        if not isinstance(name, cst.SimpleString | cst.ConcatenatedString):
            return updated_node
        new = self._called.get(str(name.evaluated_value))
        if new is None:
            return updated_node
        literal = arguments[0].with_changes(value=cst.SimpleString(json.dumps(new)))
        return updated_node.with_changes(args=[literal, *arguments[1:]])
