"""Whether a specification may become a version: its form, not what its source does."""

from __future__ import annotations

import ast
import contextlib
import keyword
import re
from collections.abc import Iterator

from toolguild.policies.parsing import parse_module
from toolguild.policies.wording import Reason, plain_description, plain_identifier, texts_of
from toolguild.registry.canonical import canonical_json
from toolguild.registry.errors import InvalidSpecError, NotJsonError
from toolguild.registry.json_schema import schema_problem
from toolguild.registry.model import ToolSpec

__all__ = ["MAX_CALLED", "MAX_SPEC_BYTES", "check_spec"]

MAX_SPEC_BYTES = 1_000_000
MAX_CALLED = 100
"""Tools that a tool may say that it calls: each is looked up before every call of it."""

# A Python function name that every vendor's API takes as a tool name as well.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_INJECTED = "call_tool"

_TOLERATED = frozenset({Reason.LINK, Reason.MARKUP})
"""What a person may well have written: nothing in it speaks to a model."""
_MAX_TEXT = 20_000
"""Characters; what stands behind them, nobody would have looked at."""
_DOCUMENTED = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def check_spec(spec: ToolSpec) -> None:
    """Refuse a specification that no toolbox could offer or check.

    Raises:
        InvalidSpecError: the message names the field.
    """
    problem = next(_problems(spec), None)
    if problem is not None:
        msg = f"tool {spec.name[:64]!r} cannot be registered: {problem}; correct it and try again"
        raise InvalidSpecError(msg)


def _problems(spec: ToolSpec) -> Iterator[str]:
    if not _NAME.fullmatch(spec.name) or keyword.iskeyword(spec.name):
        yield "name: not a public Python name of at most 64 ASCII characters"
    if spec.name == _INJECTED:
        yield f"name: {_INJECTED} is what tools call other tools with"
    if not spec.source.strip():
        yield "source: empty"
    if len(spec.calls) > MAX_CALLED:
        yield f"calls: {len(spec.calls)} tools, more than {MAX_CALLED}"
    try:
        size = len(canonical_json(spec.content()).encode())
    except NotJsonError as error:
        yield str(error)
        return
    if size > MAX_SPEC_BYTES:
        yield f"{size} bytes, more than {MAX_SPEC_BYTES}"
    if spec.parameters.get("type") != "object":
        yield 'parameters: not the schema of an object ("type": "object")'
    for field, schema in (("parameters", spec.parameters), ("returns", spec.returns)):
        problem = schema_problem(schema)
        if problem:
            yield f"{field}: {problem}"
    yield from _steering(spec)


def _steering(spec: ToolSpec) -> Iterator[str]:
    """Yield what would speak to the models that are offered the tool."""
    if plain_identifier(spec.name, fallback="tool").removed:
        yield "name: reads as an order to its reader"
    for field, text in _read_by_models(spec):
        # A name is read as the words in it.
        for reading in dict.fromkeys((text, text if " " in text else text.replace("_", " "))):
            for found in plain_description(reading, fallback="", limit=_MAX_TEXT).removed:
                if found.reason not in _TOLERATED:
                    yield f"{field}: {found.reason}: {found.excerpt!r}, which models would read"


def _read_by_models(spec: ToolSpec) -> Iterator[tuple[str, str]]:
    yield "description", spec.description
    for field, schema in (("parameters", spec.parameters), ("returns", spec.returns)):
        yield from texts_of(schema, field)
    with contextlib.suppress(SyntaxError, ValueError, MemoryError, RecursionError):
        # What is no Python, or too much for its parser, the static gate says in detail.
        for node in ast.walk(parse_module(spec.source)):
            if isinstance(node, _DOCUMENTED) and (text := ast.get_docstring(node)):
                yield f"source: docstring in line {getattr(node, 'lineno', 1)}", text
