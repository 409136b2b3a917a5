"""The two tools that every stage has beside its own: to change the configuration, and to end."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from toolguild.registry import OpenAIApi, openai_function
from toolguild.sandbox import JsonObject

__all__ = [
    "META_TOOLS",
    "MetaCallError",
    "Reconfigure",
    "Status",
    "Terminate",
    "meta_functions",
    "read_meta_call",
]


class Status(StrEnum):
    """How much of a task is done."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    INCOMPLETE = "incomplete"


class _Arguments(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reconfigure(_Arguments):
    """End this stage and begin the next one with another sub-goal, strategy and tools."""

    execution_summary: str = Field(
        description="What this stage did and found, in two or three sentences."
    )
    update_reason: str = Field(description="Why the configuration has to change now.")
    new_sub_goal: str = Field(description="What the next stage is to reach.")
    toolbox_requirements: str = Field(description="What the next stage needs tools for.")
    knowledge_requirements: str = Field(
        description="What the next stage has to know of the stages before."
    )
    strategy_requirements: str = Field(description="How the next stage is to go about it.")
    context_requirements: str = Field(
        description="Whether older results may be cut short in the next stage."
    )


class Terminate(_Arguments):
    """End the task and hand over its result."""

    status: Status = Field(strict=False, description="How much of the task is done.")
    final_result: str = Field(description="The result, as the user gets it.")
    summary: str = Field(description="What was done, in two or three sentences.")


META_TOOLS: Final[Mapping[str, type[_Arguments]]] = {
    "reconfigure": Reconfigure,
    "terminate": Terminate,
}

_MayNotBeEmpty = {
    Reconfigure: ("execution_summary", "update_reason", "new_sub_goal"),
    Terminate: ("summary",),
}


class MetaCallError(ValueError):
    """A call of one of the two cannot be carried out; the message tells the model why."""


def meta_functions(api: OpenAIApi) -> list[JsonObject]:
    """Return both as members of the `tools` list of a request."""
    return [
        openai_function(name, form.__doc__ or "", _schema(form), api)
        for name, form in META_TOOLS.items()
    ]


def read_meta_call(name: str, arguments: str) -> Reconfigure | Terminate:
    """Read what a model wrote as the arguments of one of the two.

    Raises:
        MetaCallError: it is not what the tool takes, or gives no reason.
    """
    form = META_TOOLS[name]
    try:
        read = form.model_validate_json(arguments or "{}", strict=True)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)[:5]
        )
        msg = f"{name} was not carried out: {faults}"
        raise MetaCallError(msg) from error
    assert isinstance(read, Reconfigure | Terminate)  # noqa: S101 - there are no others
    for field in _MayNotBeEmpty[type(read)]:
        if not getattr(read, field).strip():
            msg = f"{name} was not carried out: {field} is empty; say it in a sentence"
            raise MetaCallError(msg)
    return read


def _schema(form: type[BaseModel]) -> JsonObject:
    """Return the schema of a form, without references: not every server follows them."""
    schema = form.model_json_schema()
    properties = {
        name: {**part, "enum": [*Status], "type": "string"} if "$ref" in part else part
        for name, part in schema["properties"].items()
    }
    plain: JsonObject = {
        "type": "object",
        "properties": {
            name: {key: value for key, value in part.items() if key not in ("$ref", "title")}
            for name, part in properties.items()
        },
        "required": schema["required"],
        "additionalProperties": False,
    }
    return plain
