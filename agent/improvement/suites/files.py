"""Reading the tasks of a suite, and labels of a judge, from TOML and JSON Lines."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from toolguild.agent.evaluation import Labelled
from toolguild.agent.improvement.suites.forms import LabelForm, TaskForm, first_problem
from toolguild.policies import ToolguildError
from toolguild.registry import NotJsonError
from toolguild.registry.canonical import decode_strict_json

__all__ = ["JSON_LINES", "TOML", "Entry", "SuiteError", "checked", "read_entries", "read_labels"]

JSON_LINES: Final = frozenset({".jsonl", ".ndjson"})
TOML: Final = frozenset({".toml"})
_MOST_BYTES = 16 * 1024 * 1024
_MAX_DEPTH = 64
_HEADER: Final = re.compile(r"[ \t]*\[\[[ \t]*tasks[ \t]*\]\]")

T = TypeVar("T", bound=BaseModel)


class SuiteError(ToolguildError, ValueError):
    """A suite is not as suites are; the message names file, line and field."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A task as a file has it."""

    place: str
    """File and line, for messages."""
    form: TaskForm


def read_entries(path: Path) -> list[Entry]:
    """Return the tasks of a file, by its suffix.

    Raises:
        SuiteError: it cannot be read, or a task in it is none.
    """
    text = _text(path)
    tasks = _toml_tasks(text, path) if path.suffix.lower() in TOML else _json_lines(text, path)
    return [Entry(place, checked(task, TaskForm, place)) for place, task in tasks]


def read_labels(path: Path) -> list[Labelled]:
    """Return the results in a file of JSON Lines that people have scored.

    Raises:
        SuiteError: it cannot be read, or a line in it is no such result.
    """
    forms = (checked(one, LabelForm, place) for place, one in _json_lines(_text(path), path))
    return [Labelled(form.task, form.result, form.score) for form in forms]


def checked(value: Any, form: type[T], place: str) -> T:
    """Return a value as a form.

    Raises:
        SuiteError: it is none; the message names place and field.
    """
    if not isinstance(value, dict):
        msg = f"{place}: is no object with fields such as {', '.join([*form.model_fields][:2])}"
        raise SuiteError(msg)
    try:
        return form.model_validate(value)
    except ValidationError as error:
        msg = f"{place}: {first_problem(error, form)}"
        raise SuiteError(msg) from error


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            held = file.read(_MOST_BYTES + 1)
    # A ValueError where the path is none that a system could have.
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or error
        msg = f"{path}: cannot be read ({told}); check the path"
        raise SuiteError(msg) from error
    if len(held) > _MOST_BYTES:
        msg = f"{path}: is larger than {_MOST_BYTES:,} bytes; make it smaller"
        raise SuiteError(msg)
    try:
        return held.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{path}: is no UTF-8 text (byte {error.start}); save it as UTF-8"
        raise SuiteError(msg) from error


def _json_lines(text: str, path: Path) -> Iterator[tuple[str, Any]]:
    # Lines of a file: `splitlines` knows other ends of lines, which texts in JSON may hold.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            yield place, decode_strict_json(line, max_depth=_MAX_DEPTH)
        except NotJsonError as error:
            msg = f"{place}: {error}; each line is one JSON object"
            raise SuiteError(msg) from error


def _toml_tasks(text: str, path: Path) -> Iterator[tuple[str, Any]]:
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"{path}: is not TOML: {error}"
        raise SuiteError(msg) from error
    tasks = document.pop("tasks", None)
    if not isinstance(tasks, list) or document:
        found = f"; {next(iter(document))[:100]!a} has no place in it" if document else ""
        msg = f"{path}: tasks: a suite is made of tables [[tasks]]{found}"
        raise SuiteError(msg)
    return zip(_toml_places(text, path, len(tasks)), tasks, strict=True)


def _toml_places(text: str, path: Path, count: int) -> Sequence[str]:
    """Return where tasks stand: at the lines of their headers, if each has one to be seen."""
    lines = [n for n, line in enumerate(text.split("\n"), start=1) if _HEADER.match(line)]
    if len(lines) == count:
        return [f"{path}:{number}" for number in lines]
    return [f"{path}: task {number}" for number in range(1, count + 1)]
