"""What a suite's file says of a task, and a line of labels of a result."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from toolguild.registry import NotJsonError
from toolguild.registry.canonical import canonical_json
from toolguild.registry.json_schema import schema_problem

__all__ = ["CaseForm", "JudgeForm", "LabelForm", "TaskForm", "first_problem"]

_MOST_QUOTED = 100
"""Characters of a field's name."""


def _said(text: str) -> str:
    if not text.strip():
        msg = "is empty"
        raise ValueError(msg)
    return text


def _printable(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        msg = "is no line of printable characters, without spaces around them"
        raise ValueError(msg)
    return text


def _accepted(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    try:
        canonical_json(schema)
    except NotJsonError as error:
        raise ValueError(str(error)) from error
    if problem := schema_problem(schema):
        msg = f"{problem}; it takes what tools' schemas may hold"
        raise ValueError(msg)
    return schema


def _in_short(value: Any) -> Any:
    """Return what is expected alone as a table with nothing else."""
    return value if isinstance(value, dict) else {"expected": value}


# A length makes pydantic refuse what no file could hold: half a character.
_Text = Annotated[str, Field(min_length=1, max_length=100_000), AfterValidator(_said)]
_Line = Annotated[str, Field(max_length=1000), AfterValidator(_printable)]
_Name = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_printable)]
_Tolerance = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Form(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ExactForm(_Form):
    """What makes an `Exact`."""

    expected: Annotated[str, Field(max_length=100_000)]
    strict: bool = False


class NumericForm(_Form):
    """What makes a `Numeric`."""

    expected: Annotated[float, Field(allow_inf_nan=False)]
    relative: _Tolerance = 1e-6
    absolute: _Tolerance = 0.0


class JudgeForm(_Form):
    """What makes a `Judge`."""

    rubric: _Text
    labels: _Name
    """Path of results that people have scored, from the folder of the suite's file."""


class CaseForm(_Form):
    """A task, however its results are judged."""

    id: _Name
    task: _Text
    category: _Line = ""
    critical: bool = False

    @model_validator(mode="after")
    def _says_what_is_critical(self) -> Self:
        if self.critical and not self.category:
            msg = "critical: is said of categories; give the task a category"
            raise ValueError(msg)
        return self


class TaskForm(CaseForm):
    """A task, with one of the four evaluators."""

    held_out: bool | None = None
    exact: Annotated[ExactForm | None, BeforeValidator(_in_short)] = None
    numeric: Annotated[NumericForm | None, BeforeValidator(_in_short)] = None
    schema_: Annotated[dict[str, JsonValue], AfterValidator(_accepted)] | None = Field(
        default=None, alias="schema"
    )
    judge: JudgeForm | None = None

    @model_validator(mode="after")
    def _has_one_evaluator(self) -> Self:
        all_four = (self.exact, self.numeric, self.schema_, self.judge)
        if (count := sum(one is not None for one in all_four)) != 1:
            msg = f"takes one evaluator of exact, numeric, schema, judge; it has {count}"
            raise ValueError(msg)
        return self


class LabelForm(_Form):
    """A result that a person has scored."""

    task: _Text
    result: Annotated[str, Field(max_length=100_000)]
    score: Annotated[float, Field(ge=0, le=1)]


def first_problem(error: ValidationError, form: type[BaseModel]) -> str:
    """Return the first field of a form that is wrong, and what is to be done about it."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(map(str, first["loc"]))[:_MOST_QUOTED]
    if first["type"] == "extra_forbidden":
        known = (info.alias or name for name, info in form.model_fields.items())
        of_all = f"; there are {', '.join(known)}" if len(first["loc"]) == 1 else ""
        return f"{field!a}: there is no such field{of_all}"
    if first["type"] == "missing":
        return f"{field}: is missing"
    told = first["msg"].removeprefix("Value error, ")
    return f"{field}: {told}" if field else told
