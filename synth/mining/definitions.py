"""Functions that agents defined again and again, up to names, annotations and docstrings."""

from __future__ import annotations

import ast
import copy
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from toolguild.synth.mining.extent import Saving
from toolguild.synth.mining.instrument import watch_function
from toolguild.synth.mining.opportunity import CodeOccurrence, RepeatedCode
from toolguild.synth.mining.programs import BUILTINS, Session, assigned_names, free_names
from toolguild.synth.mining.settings import MiningSettings

__all__ = ["bare", "canonical_text", "mine_definitions", "self_contained"]

MIN_NODES = 12
"""Syntax nodes below which a function is too small to be worth a place in a toolbox."""


@dataclass(frozen=True)
class _Definition:
    session: Session
    snippet: int
    block: list[ast.stmt]
    """The block of the snippet's tree that holds the definition."""
    node: ast.FunctionDef
    needs: tuple[ast.stmt, ...]
    """Imports and helper functions that it reads, in the order in which they must stand."""

    @cached_property
    def function(self) -> ast.FunctionDef:
        """The definition without annotations and docstring."""
        return bare(self.node)

    @property
    def size(self) -> int:
        return sum(1 for node in ast.walk(self.function) if not isinstance(node, ast.expr_context))


def mine_definitions(sessions: Sequence[Session], settings: MiningSettings) -> list[RepeatedCode]:
    """Return all functions that agents wrote, once or more, those with one text together."""
    groups: defaultdict[str, list[_Definition]] = defaultdict(list)
    for session in sessions:
        for definition in _definitions(session):
            groups[canonical_text(definition.needs, definition.function)].append(definition)
    return [
        _opportunity(group)
        for _, group in sorted(groups.items())
        if len(group[0].function.args.args) <= settings.max_parameters
    ]


def _definitions(session: Session) -> list[_Definition]:
    found = []
    for number, snippet in enumerate(session.snippets):
        for block in _blocks_of_functions(snippet.tree):
            for node in block:
                if isinstance(node, ast.FunctionDef) and _is_plain(node):
                    needs = _needs(session, number, node)
                    if needs is not None:
                        definition = _Definition(session, number, block, node, tuple(needs))
                        if definition.size >= MIN_NODES:
                            found.append(definition)
    return found


def _blocks_of_functions(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    """Yield the blocks whose functions are no methods: those of the module and of functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef):
            yield node.body


def _is_plain(node: ast.FunctionDef) -> bool:
    """Say whether a function has named parameters only and gives its result by `return`."""
    arguments = node.args
    fancy = arguments.posonlyargs or arguments.kwonlyargs or arguments.vararg or arguments.kwarg
    inner = list(ast.walk(node))
    return (
        not fancy
        and not node.decorator_list
        and bool(arguments.args)
        and any(isinstance(child, ast.Return) and child.value is not None for child in inner)
        and not any(
            isinstance(child, ast.Yield | ast.YieldFrom | ast.Await | ast.Global | ast.Nonlocal)
            for child in inner
        )
        and not any(_is_print(child) for child in inner)
    )


def _is_print(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in {"print", "input"}


def bare(node: ast.FunctionDef) -> ast.FunctionDef:
    """Return a copy without annotations and docstrings, those of inner functions included."""
    function = copy.deepcopy(node)
    for child in ast.walk(function):
        if isinstance(child, ast.arg):
            child.annotation = None
        elif isinstance(child, ast.FunctionDef):
            child.returns = None
            if ast.get_docstring(child) is not None:
                child.body = child.body[1:] or [ast.Pass()]
    return function


def _needs(session: Session, snippet: int, node: ast.FunctionDef) -> list[ast.stmt] | None:
    """Return the imports and helpers that a function needs, or None where one is not known."""
    imports = session.imports_before(snippet)
    functions = session.functions_before(snippet)
    statements: dict[str, ast.stmt] = {}
    pending = [bare(node)]
    while pending:
        for name in sorted(free_names(pending.pop())):
            if name in statements or name == node.name:
                continue
            if name in imports:
                statements[name] = imports[name]
            elif name in functions and _is_plain(functions[name]):
                helper = bare(functions[name])
                statements[name] = helper
                pending.append(helper)
            else:
                return None
    return sorted(statements.values(), key=lambda statement: isinstance(statement, ast.FunctionDef))


def self_contained(session: Session, snippet: int, node: ast.FunctionDef) -> list[ast.stmt] | None:
    """Return a function of a session after what it needs, or None where it cannot be a tool."""
    needs = _needs(session, snippet, node) if _is_plain(node) else None
    return None if needs is None else [*needs, bare(node)]


def canonical_text(needs: Sequence[ast.stmt], definition: ast.FunctionDef) -> str:
    """Return a text that functions share which differ in local names only.

    Args:
        needs: Imports and helpers of the function.
        definition: The function, without annotations and docstring.
    """
    function = copy.deepcopy(definition)
    local = _local_names(function)
    numbers: dict[str, str] = {}

    def renamed(name: str) -> str:
        # No name in code has a `$`, so what is renamed never meets what is not.
        return numbers.setdefault(name, f"${len(numbers)}") if name in local else name

    for node in ast.walk(function):
        match node:
            case ast.FunctionDef(name=str() as name) | ast.ExceptHandler(name=str() as name):
                node.name = renamed(name)
            case ast.arg(arg=name):
                node.arg = renamed(name)
            case ast.Name(id=name):
                node.id = renamed(name)
            case ast.keyword(arg=str() as name) if name in local:
                # It may name a parameter of an inner function, or of one that is not ours.
                node.arg = f"{name}{renamed(name)}"
    return "\n".join(ast.unparse(node) for node in [*needs, function])


def _local_names(function: ast.FunctionDef) -> set[str]:
    """Return the names that a function or one inside it binds, and that can be renamed.

    Builtins that only an inner function binds are left out: outside it they are still builtins.
    """
    bound: set[str] = set()
    fixed: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.FunctionDef(name=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.ExceptHandler(name=str() as name):
                bound.add(name)
            case ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
                fixed.add(name)
            case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
                fixed.add(name)
            case ast.MatchMapping(rest=str() as name):
                fixed.add(name)
            case ast.alias():
                fixed.add(node.asname or node.name.split(".")[0])
    own = {argument.arg for argument in function.args.args} | assigned_names(function.body)
    return bound - fixed - (BUILTINS - own - {function.name})


def _opportunity(group: Sequence[_Definition]) -> RepeatedCode:
    """Describe a group by the spelling that most of its members share."""
    texts = Counter(ast.unparse(definition.function) for definition in group)
    spelling = max(texts, key=lambda text: (texts[text], text))
    best = next(member for member in group if ast.unparse(member.function) == spelling)
    documents = Counter(filter(None, (ast.get_docstring(member.node) for member in group)))
    parameters = tuple(argument.arg for argument in best.function.args.args)
    source = "\n\n".join(ast.unparse(node) for node in [*best.needs, best.function])
    occurrences = tuple(_occurrence(definition, parameters) for definition in group)
    return RepeatedCode(
        name=best.function.name,
        parameters=parameters,
        source=source,
        kind="definition",
        occurrences=occurrences,
        # What most agents say, not what one of them says at length.
        documentation=max(
            documents, key=lambda text: (documents[text], len(text), text), default=""
        ),
    )


def _occurrence(definition: _Definition, parameters: tuple[str, ...]) -> CodeOccurrence:
    session, node = definition.session, definition.node
    text = ast.unparse(definition.function)
    return CodeOccurrence(
        trace_id=session.trace_id,
        task_id=session.task_id,
        place=session.snippets[definition.snippet].step.place,
        lines=(node.lineno, node.end_lineno or node.lineno),
        text=text,
        saving=Saving(characters=len(text)),
        write_program=partial(
            watch_function,
            session,
            definition.block,
            definition.block.index(node),
            node.name,
            parameters,
        ),
        recorded=session.recorded,
        parameters=parameters,
    )
