"""Python functions as an agent's own tools: their annotations and docstrings say what they take."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import PydanticUserError, TypeAdapter, ValidationError, validate_call
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic_core import to_jsonable_python

from toolguild.agent.own_tools.errors import ToolSourceError
from toolguild.agent.own_tools.modules import imported_module
from toolguild.registry.effects import Effect, ExternalTool
from toolguild.sandbox import Json, ToolCallError

__all__ = ["function_tool", "load_functions", "tool"]

F = TypeVar("F", bound=Callable[..., Any])
_MARK: Final = "__toolguild_tool__"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class _Marked:
    effect: Effect
    categories: tuple[str, ...]


def tool(effect: Effect = "unknown", *categories: str) -> Callable[[F], F]:
    """Say of a function what it does to the world, and what it is for.

    Args:
        effect: `read`, `write` or `network`; unknown counts as write.
        categories: A word each, for those who choose among many tools.
    """

    def mark(function: F) -> F:
        setattr(function, _MARK, _Marked(effect, categories))
        return function

    return mark


def function_tool(function: Callable[..., Any]) -> ExternalTool:
    """Return a function as a tool. Arguments are checked and converted as its annotations say.

    Raises:
        ToolSourceError: its parameters cannot be told in JSON.
    """
    name = getattr(function, "__name__", repr(function))
    if inspect.iscoroutinefunction(function):
        msg = f"{name} is a coroutine function; give a plain one, which runs in a thread of its own"
        raise ToolSourceError(msg)
    try:
        checked: Any = validate_call(function)
        schema = TypeAdapter(checked).json_schema()
    except (PydanticUserError, PydanticInvalidForJsonSchema, TypeError, NameError) as error:
        told = str(error).partition("\n")[0]
        msg = f"the parameters of {name} cannot be told in JSON: {told}"
        raise ToolSourceError(msg) from error
    if schema.get("type") != "object":
        msg = f"{name} takes arguments by their places; let it take them by name"
        raise ToolSourceError(msg)

    def call(**arguments: Json) -> Json:
        try:
            value: Json = to_jsonable_python(checked(**arguments))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            msg = f"{place}: {first['msg']}"
            raise ToolCallError(msg) from error
        return value

    marked = getattr(function, _MARK, _Marked("unknown", ()))
    return ExternalTool(
        call,
        effect=marked.effect,
        description=inspect.getdoc(function) or "",
        parameters=schema,
        categories=marked.categories,
    )


def load_functions(where: str) -> dict[str, ExternalTool]:
    """Return the tools of a module: what its `TOOLS` names, or else its own public functions.

    The module is run, as by an `import`.

    Args:
        where: A file that ends with `.py`, or the name of a module.

    Raises:
        ToolSourceError: there is no such module, it fails, or it has no tools.
    """
    module = imported_module(where)
    listed = getattr(module, "TOOLS", None)
    if listed is None:
        listed = {
            name: value
            for name, value in vars(module).items()
            if inspect.isfunction(value)
            and value.__module__ == module.__name__
            and not name.startswith("_")
        }
    elif not isinstance(listed, Mapping):
        listed = {getattr(one, "__name__", ""): one for one in listed}
    tools = {str(name): _as_tool(one, f"{where}: {name}") for name, one in listed.items()}
    if not tools:
        msg = f"{where}: it has no tools; give it public functions, or a dict TOOLS of them"
        raise ToolSourceError(msg)
    for name in tools:
        if not _NAME.fullmatch(name):
            msg = f"{where}: {name[:100]!r} is no name that models can call a tool by"
            raise ToolSourceError(msg)
    return tools


def _as_tool(value: object, where: str) -> ExternalTool:
    if isinstance(value, ExternalTool):
        return value
    if not callable(value):
        msg = f"{where} is neither a function nor an ExternalTool"
        raise ToolSourceError(msg)
    try:
        return function_tool(value)
    except ToolSourceError as error:
        msg = f"{where}: {error}"
        raise ToolSourceError(msg) from error
