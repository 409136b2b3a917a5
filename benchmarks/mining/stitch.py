"""The library learner `stitch-core` on the same programs: its ratio, and what is Python of it.

Stitch (Bowers et al., "Top-Down Synthesis for Library Learning", POPL 2023) finds abstractions in
terms of a lambda calculus. A syntax tree is written as such a term: each kind of node is a
primitive applied to its fields, statements in a row are a list of pairs, and each name and
constant is a primitive of its own. What it reports is the cost of the terms before and after, 100
for a primitive or variable and 1 for an application, without the library.

An abstraction is a legal Python function where its body is an expression, or one statement whose
value can be returned or that only checks or calls something, and its holes stand where an
expression can stand. Names that its body reads from around become parameters, and the imports that
it needs are put before it.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

from toolguild.synth.mining.programs import BUILTINS, Session, free_names, parse_function
from toolguild.synth.rewriting import CodeTool

__all__ = ["Learned", "learn", "legal_tools", "require_stitch"]

_Term: TypeAlias = "str | list[_Term]"
_SKIPPED = {"ctx", "kind", "type_comment", "type_ignores"}
_ARITY = 2
_ITERATIONS = (20, 15, 10, 5)
"""Abstractions that are asked for, at most."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What Stitch makes of programs."""

    cost_before: int
    cost_after: int
    bodies: tuple[str, ...]
    """The abstractions as terms, with `#0` and so on for their parameters."""
    names: tuple[str, ...]
    leaves: tuple[object, ...]
    """Names and constants, by the numbers of their primitives."""

    @property
    def ratio(self) -> float:
        """Its own figure: cost of the terms before over after, the library not counted."""
        return self.cost_before / self.cost_after


def require_stitch() -> Any:
    """Return the package.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    try:
        # By name: it has no types, and is needed here only, so it is no dependency.
        return import_module("stitch_core")
    except ModuleNotFoundError as error:
        msg = f"Stitch needs another package ({error}): pip install stitch-core"
        raise ModuleNotFoundError(msg, name=error.name) from error


def learn(sessions: Sequence[Session]) -> Learned:
    """Run Stitch on the snippets of sessions.

    Raises:
        ModuleNotFoundError: the package `stitch-core` is not installed.
    """
    stitch = require_stitch()
    leaves: dict[tuple[str, object], int] = {}
    terms = [
        _written(_term(snippet.tree, leaves))
        for session in sessions
        for snippet in session.snippets
    ]
    found = _compressed(stitch, terms)
    return Learned(
        found.json["original_cost"],
        found.json["final_cost"],
        tuple(str(one.body) for one in found.abstractions),
        tuple(str(one.name) for one in found.abstractions),
        tuple(value for _, value in leaves),
    )


def _compressed(stitch: Any, terms: Sequence[str]) -> Any:
    """Learn as many abstractions as Stitch gets to without failing.

    0.1.29 ends with an assertion of its own where an abstraction occurs inside itself, as lists of
    lists do; it never gets there with fewer abstractions.
    """
    for iterations in _ITERATIONS:
        try:
            return stitch.compress(
                terms,
                iterations=iterations,
                max_arity=_ARITY,
                # A hole for what is applied to others would be no Python.
                no_curried_metavars=True,
                silent=True,
            )
        except stitch.StitchException:
            continue
    msg = "stitch-core fails on these programs"
    raise RuntimeError(msg)


def _term(node: object, leaves: dict[tuple[str, object], int]) -> _Term:
    match node:
        case ast.AST():
            fields = [
                _term(value, leaves)
                for name, value in ast.iter_fields(node)
                if name not in _SKIPPED
            ]
            return [type(node).__name__, *fields] if fields else type(node).__name__
        case [ast.stmt(), *rest]:
            return ["then", _term(node[0], leaves), _term(rest, leaves) if rest else "end"]
        case list():
            return ["list", *(_term(item, leaves) for item in node)] if node else "list"
        case None:
            return "none"
    # The type is part of the key: True is no 1.
    return f"leaf{leaves.setdefault((type(node).__name__ + repr(node), node), len(leaves))}"


def _written(term: _Term) -> str:
    return term if isinstance(term, str) else f"({' '.join(map(_written, term))})"


def legal_tools(learned: Learned, sessions: Sequence[Session]) -> list[CodeTool]:
    """Return the abstractions that are legal Python functions, as tools."""
    bodies = dict(zip(learned.names, map(_parsed, learned.bodies), strict=True))
    imports = _imports(sessions)
    tools = []
    for name in learned.names:
        try:
            node = _node(_unfolded(bodies[name], bodies), learned.leaves)
            source = _function(name, node, imports)
        except (_IllegalError, ValueError, TypeError, SyntaxError, AttributeError):
            continue
        tools.append(CodeTool(name, name, source, {"type": "object"}, source))
    return tools


class _IllegalError(Exception):
    """A term that is no Python."""


def _parsed(text: str) -> _Term:
    stack: list[list[_Term]] = [[]]
    for word in re.findall(r"[()]|[^()\s]+", text):
        match word:
            case "(":
                stack.append([])
            case ")":
                done = stack.pop()
                stack[-1].append(done)
            case _:
                stack[-1].append(word)
    return stack[0][0]


def _unfolded(term: _Term, bodies: dict[str, _Term]) -> _Term:
    """Put in the bodies of other abstractions that a term uses.

    Raises:
        _IllegalError: it does not give one of them all its arguments.
    """
    if isinstance(term, str):
        return _unfolded([term], bodies) if term in bodies else term
    head, *rest = term
    arguments = [_unfolded(one, bodies) for one in rest]
    if isinstance(head, str) and head in bodies:
        body = _unfolded(bodies[head], bodies)
        arity = max(_parameters(body), default=-1) + 1
        if len(arguments) < arity:
            raise _IllegalError  # A function that is given on, not called.
        return _applied(_filled(body, arguments[:arity]), arguments[arity:])
    return _applied(_unfolded(head, bodies), arguments)


def _applied(head: _Term, arguments: Sequence[_Term]) -> _Term:
    if not arguments:
        return head
    return [*(head if isinstance(head, list) else [head]), *arguments]


def _filled(term: _Term, arguments: Sequence[_Term]) -> _Term:
    if isinstance(term, str):
        return arguments[int(term[1:])] if term.startswith("#") else term
    head, *rest = (_filled(one, arguments) for one in term)
    return _applied(head, rest)


def _parameters(term: _Term) -> set[int]:
    if isinstance(term, str):
        return {int(term[1:])} if term.startswith("#") else set()
    return set().union(*map(_parameters, term))


def _node(term: _Term, leaves: Sequence[object]) -> Any:
    """Return a term as a syntax tree; a hole is a name, as long as an expression can stand there.

    Raises:
        _IllegalError: it is not the whole of a node, or a hole stands where no expression can.
    """
    head, arguments = (term, []) if isinstance(term, str) else (term[0], term[1:])
    if not isinstance(head, str):
        raise _IllegalError
    match head:
        case "none":
            return None
        case "list":
            return [_node(one, leaves) for one in arguments]
        case "then" if arguments:
            # Where the rest is left out, other statements follow: a call can stand before them.
            rest = _node(arguments[1], leaves) if len(arguments) > 1 else []
            return [_node(arguments[0], leaves), *rest]
        case "Name" | "Constant" if _is_hole(arguments[0]):
            # Any name or constant can be given as an expression.
            return _node(arguments[0], leaves)
        case "end":
            return []
    if head.startswith("#"):
        if arguments:
            raise _IllegalError
        return ast.Name(f"p{head[1:]}", ast.Load())
    if head.startswith("leaf"):
        return leaves[int(head[4:])]
    kind = getattr(ast, head)
    names = [name for name in kind._fields if name not in _SKIPPED]
    if len(names) != len(arguments):
        raise _IllegalError
    fields = dict(zip(names, (_node(one, leaves) for one in arguments), strict=True))
    if not all(_fits(name, value) for name, value in fields.items()):
        raise _IllegalError
    if "ctx" in kind._fields:
        fields["ctx"] = ast.Load()
    return kind(**fields)


def _is_hole(term: _Term) -> bool:
    return isinstance(term, str) and term.startswith("#")


_NO_EXPRESSION = {"id", "attr", "arg", "name", "names", "op", "ops", "target", "targets", "func"}
"""Fields in which no expression that is given as an argument can stand."""


def _fits(name: str, value: object) -> bool:
    values = value if isinstance(value, list) else [value]
    if name in _NO_EXPRESSION:
        return not any(
            isinstance(one, ast.Name) and re.fullmatch(r"p\d+", one.id) for one in values
        )
    return True


def _function(name: str, node: object, imports: dict[str, str]) -> str:
    body = _body(node)
    holes = {
        child.id
        for statement in body
        for child in ast.walk(statement)
        if isinstance(child, ast.Name) and child.id not in BUILTINS
    }
    parameters = sorted(holes - imports.keys())
    if not parameters:
        raise _IllegalError
    head = parse_function(f"def {name}({', '.join(parameters)}): pass")
    head.body = body
    needed = sorted(holes & imports.keys())
    text = "\n".join(
        [*(imports[one] for one in needed), ast.unparse(ast.fix_missing_locations(head))]
    )
    compile(text, "<abstraction>", "exec")
    if free_names(head) - imports.keys():
        raise _IllegalError
    return text


def _body(node: object) -> list[ast.stmt]:
    match node:
        case [ast.stmt() as only]:
            return _body(only)
        case ast.Assign(targets=[ast.Name()], value=ast.expr() as value):
            return [ast.Return(value)]
        case ast.Expr(value=ast.expr() as value) | ast.Return(value=ast.expr() as value):
            return [ast.Return(value)]
        case ast.Assert():
            return [node, ast.Return(ast.Constant(True))]
        case ast.expr():
            return [ast.Return(node)]
    raise _IllegalError


def _imports(sessions: Sequence[Session]) -> dict[str, str]:
    """Return the most common import behind each name."""
    found: Counter[tuple[str, str]] = Counter(_imported(sessions))
    return {name: text for (name, text), _ in reversed(found.most_common())}


def _imported(sessions: Sequence[Session]) -> Iterator[tuple[str, str]]:
    for session in sessions:
        for name, statement in session.imports_before(len(session.snippets)).items():
            yield name, ast.unparse(statement)
