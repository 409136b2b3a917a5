"""What a person gives an agent to begin with: instructions, and demonstrations of good work."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from toolguild.agent.improvement.artefacts import Example, Instructions
from toolguild.agent.improvement.bootstrapping.plainness import (
    MOST_INSTRUCTIONS,
    MOST_TEXT,
    objection_to_data,
    objection_to_form,
)
from toolguild.policies import ToolguildError
from toolguild.policies.improvement import ImprovementRules
from toolguild.registry import NotJsonError
from toolguild.registry.canonical import decode_strict_json, text_digest
from toolguild.registry.improvement import ChangeKind, NewChange, Standing

__all__ = ["SeedFileError", "first_instructions", "seed_demonstrations"]

_MOST_BYTES = 5_000_000
_MOST_DEPTH = 10
_TABLE = "demonstrations"
_HEADER = re.compile(rf"\s*\[\[\s*{_TABLE}\s*\]\]")

_Text = Annotated[str, Field(min_length=1, max_length=MOST_TEXT)]


class SeedFileError(ToolguildError, ValueError):
    """A file of seeds cannot be used; the message names the file, the line and the field."""


class _Demonstration(BaseModel):
    """A record of the file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    task: _Text
    steps: list[_Text] = Field(min_length=1, max_length=50)
    result: _Text


def seed_demonstrations(
    path: Path, agent: str, standing: Standing, rules: ImprovementRules
) -> NewChange | None:
    """Return the change that gives an agent a person's demonstrations; None where it has them all.

    Args:
        path: A file `*.toml` with a table `[[demonstrations]]` for each, or one of JSON lines; each
            has `task`, `steps` and `result`.
        agent: Who gets them.
        standing: What it is told at present.
        rules: How many examples are kept.

    Raises:
        SeedFileError: the file cannot be used, or holds more than are kept.
    """
    text = _read(path)
    records = _of_toml(path, text) if path.suffix.lower() == ".toml" else _of_lines(path, text)
    artefacts = {}
    for line, record in records:
        example = _example(path, line, record).artefact
        if example.digest not in standing.artefacts:
            artefacts[example.digest] = example
    room = max(0, rules.examples - len(standing.examples))
    if len(artefacts) > room:
        told = f"{len(artefacts)} demonstrations, and there is room for {room}"
        _refuse(path, 1, f"{told}: `examples` of the profile, less those that there are")
    if not artefacts:
        return None
    return NewChange(
        agent=agent,
        kind=ChangeKind.EXAMPLES,
        why=f"{len(artefacts)} demonstrations of {path.name}",
        adds=tuple(artefacts.values()),
        evidence={"file": path.name, "digest": text_digest(text)},
    )


def first_instructions(path: Path, agent: str, standing: Standing) -> NewChange:
    """Return the change that gives an agent its first instructions, in whatever words.

    Args:
        path: A file of plain text, of the house's own.
        agent: Who gets them.
        standing: What it is told at present.

    Raises:
        SeedFileError: the file cannot be used, or the agent has instructions already.
    """
    text = _read(path)
    if standing.instructions is not None:
        _refuse(path, 1, f"{agent} has instructions already, which only refinement changes")
    if not text.strip():
        _refuse(path, 1, "it is empty")
    for number, line in enumerate(text.split("\n"), start=1):
        if objection := objection_to_form(line, MOST_INSTRUCTIONS):
            _refuse(path, number, objection)
    if objection := objection_to_form(text, MOST_INSTRUCTIONS):
        _refuse(path, 1, objection)
    return NewChange(
        agent=agent,
        kind=ChangeKind.INSTRUCTIONS,
        why=f"the first instructions, of {path.name}",
        adds=(Instructions(text=text.strip()).artefact,),
        evidence={"file": path.name, "digest": text_digest(text)},
    )


def _example(path: Path, line: int, record: object) -> Example:
    try:
        given = _Demonstration.model_validate(record)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        field = ".".join(map(str, first["loc"])) or "the record"
        _refuse(path, line, f"{field}: {first['msg']}")
    texts = {"task": given.task, "result": given.result}
    texts |= {f"steps.{number}": step for number, step in enumerate(given.steps)}
    for field, text in texts.items():
        if objection := objection_to_data(text):
            _refuse(path, line, f"{field}: {objection}")
    return Example(
        task=given.task, steps=tuple(given.steps), result=given.result, score=1.0, is_seed=True
    )


def _of_lines(path: Path, text: str) -> Iterator[tuple[int, object]]:
    # Not by `splitlines`: JSON texts may hold what that takes for the end of a line.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, decode_strict_json(line, max_depth=_MOST_DEPTH)
        except NotJsonError as error:
            _refuse(path, number, str(error))


def _of_toml(path: Path, text: str) -> Iterator[tuple[int, object]]:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        msg = f"{path}: {error}"
        raise SeedFileError(msg) from error
    tables = document.pop(_TABLE, None)
    if document or not isinstance(tables, list):
        _refuse(path, 1, f"holds something else than tables [[{_TABLE}]]")
    lines = [number for number, line in enumerate(text.split("\n"), start=1) if _HEADER.match(line)]
    if len(lines) != len(tables):
        # Written as an array of inline tables, or a header stands in a text.
        lines = [1] * len(tables)
    yield from zip(lines, tables, strict=True)


def _read(path: Path) -> str:
    try:
        if not path.is_file():
            _refuse(path, 1, "there is no such file")
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            _refuse(path, 1, f"larger than {_MOST_BYTES:,} bytes")
        return data.decode("utf-8").replace("\r\n", "\n")
    except OSError as error:
        msg = f"{path}: {error.strerror or error}"
        raise SeedFileError(msg) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        msg = f"{path}:{line}: not UTF-8"
        raise SeedFileError(msg) from error


def _refuse(path: Path, line: int, what: str) -> NoReturn:
    msg = f"{path}:{line}: {what}"
    raise SeedFileError(msg)
