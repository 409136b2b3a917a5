"""Names that code gives to a value only to use it in the next statement.

Where a tool takes the place of `assert total == 5` in

    total = add(2, 3)
    assert total == 5

the name has done its work: the tool can be given the value itself.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from toolguild.synth.mining.programs import Session, assigned_names
from toolguild.synth.mining.purity import is_calm

__all__ = ["PassingName", "passing_name"]


@dataclass(frozen=True, slots=True)
class PassingName:
    """A statement that nothing needs once its value is an argument."""

    statement: ast.stmt
    parameter: str
    value: ast.expr


def passing_name(
    session: Session,
    snippet: int,
    block: Sequence[ast.stmt],
    window: Sequence[ast.stmt],
    given: Mapping[str, ast.expr],
) -> PassingName | None:
    """Return the assignment before some statements that a tool's argument can take the place of.

    Args:
        session: The recorded code.
        snippet: Number of the snippet that holds the block.
        block: The statements around.
        window: Those among them that the tool takes the place of.
        given: What the tool is given for each parameter.
    """
    start, end = block.index(window[0]), block.index(window[-1]) + 1
    before = block[start - 1] if start else None
    match before:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            pass
        case _:
            return None
    parameters = [
        key for key, node in given.items() if isinstance(node, ast.Name) and node.id == name
    ]
    others = [node for key, node in given.items() if key not in parameters]
    if (
        len(parameters) != 1
        or any(name in _names(node) for node in others)
        # The value is not computed after what used to come after it.
        or not (is_calm(value) or all(map(is_calm, others)))
        or _is_read_elsewhere(session, snippet, block, (start, end), name)
    ):
        return None
    return PassingName(before, parameters[0], value)


def _is_read_elsewhere(
    session: Session, snippet: int, block: Sequence[ast.stmt], span: tuple[int, int], name: str
) -> bool:
    """Say whether a name may be read after some statements of a block, before it is set again."""
    start, end = span
    following = [*block[end:]]
    is_top = block is session.snippets[snippet].tree.body
    if is_top:
        following += [one for later in session.snippets[snippet + 1 :] for one in later.tree.body]
    for statement in following:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                return name in _names(value)
            case ast.FunctionDef(args=arguments, body=body) if name in (
                {one.arg for one in arguments.args} | assigned_names(body)
            ):
                continue  # Its own variable.
        if name in _names(statement):
            return True
    if is_top:
        return False
    # The block may be run again: what stands above it counts, too.
    last = block[end - 1]
    own = range(block[start].lineno, (last.end_lineno or last.lineno) + 1)
    return any(
        number > snippet or (number == snippet and line not in own)
        for number, line, _ in session.reads.get(name, [])
    )


def _names(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
