"""Loading a suite: its tasks with their evaluators, for practice and held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolguild.agent.evaluation import Evaluator, Exact, FitsSchema, Numeric
from toolguild.agent.improvement.attempts import TaskCase
from toolguild.agent.improvement.suites.files import (
    JSON_LINES,
    TOML,
    Entry,
    SuiteError,
    checked,
    read_entries,
)
from toolguild.agent.improvement.suites.forms import CaseForm
from toolguild.agent.improvement.suites.judging import Judges, ModelFactory
from toolguild.agent.improvement.suites.splitting import Listed, held_out
from toolguild.agent.own_tools.errors import ToolSourceError
from toolguild.agent.own_tools.modules import imported_module

__all__ = ["Suite", "load_suite"]


@dataclass(frozen=True, slots=True)
class Suite:
    """Tasks of two kinds, of which none is of both."""

    practice: tuple[TaskCase, ...]
    """What an agent may learn from."""
    held_out: tuple[TaskCase, ...]
    """What changes are judged by; nothing is learned from them."""


async def load_suite(source: str | Path, model: ModelFactory | None = None) -> Suite:
    """Load the tasks of a suite, and have its judges calibrated.

    Args:
        source: A file `.toml` or `.jsonl`; or a file `tasks.py` or a module `package.tasks` with a
            function `suite()`, which returns a `Suite`, or `TaskCase`s to be split. A module is
            run, as by an `import`.
        model: Gives the model of the judges, within whose event loop the suite is used. Called
            once at most, where there is a judge; who gives the model closes it.

    Raises:
        SuiteError: the suite is not as suites are, a judge has no model, or people and a judge
            do not agree.
        ModelError: the judges' model gives no mark.
    """
    where = str(source)
    if Path(where).suffix.lower() in TOML | JSON_LINES:
        return await _from_file(Path(where), model)
    if where.endswith(".py") or _is_dotted_name(where):
        return _from_module(where)
    msg = f"{where}: a suite is a file .toml, .jsonl or .py, or the name of a module"
    raise SuiteError(msg)


def _is_dotted_name(where: str) -> bool:
    return all(part.isidentifier() for part in where.split(".")) and not Path(where).exists()


async def _from_file(path: Path, model: ModelFactory | None) -> Suite:
    entries = read_entries(path)
    if not entries:
        msg = f"{path}: has no tasks; a suite has one at least"
        raise SuiteError(msg)
    held = held_out([Listed(one.place, one.form, one.form.held_out) for one in entries])
    judges = Judges(path.parent, model)
    judges.require_labels(entries)
    return _suite([await _case(entry, judges) for entry in entries], held)


async def _case(entry: Entry, judges: Judges) -> TaskCase:
    form, evaluator = entry.form, await _evaluator(entry, judges)
    return TaskCase(form.id, form.task, evaluator, form.category, form.critical)


async def _evaluator(entry: Entry, judges: Judges) -> Evaluator:
    form = entry.form
    if form.exact is not None:
        return Exact(form.exact.expected, form.exact.strict)
    if form.numeric is not None:
        return Numeric(form.numeric.expected, form.numeric.relative, form.numeric.absolute)
    if form.schema_ is not None:
        return FitsSchema(form.schema_)
    assert form.judge is not None  # noqa: S101 - the form has one of the four
    return await judges.judge(form.judge, entry.place)


def _from_module(where: str) -> Suite:
    given = _given(where)
    if not given:
        msg = f"{where}: suite() returned no tasks; a suite has one at least"
        raise SuiteError(msg)
    listed = [
        _listed(case, held, f"{where}: suite(): case {number}")
        for number, (case, held) in enumerate(given, start=1)
    ]
    return _suite([case for case, _ in given], held_out(listed))


def _given(where: str) -> list[tuple[TaskCase, bool | None]]:
    """Return what a module's suite is made of, and whether it says that it is held out."""
    try:
        make = getattr(imported_module(where), "suite", None)
    except ToolSourceError as error:
        raise SuiteError(str(error)) from error
    if not callable(make):
        msg = f"{where}: has no function suite() that returns TaskCases"
        raise SuiteError(msg)
    try:
        made = make()
        if isinstance(made, Suite):
            sides = ((made.practice, False), (made.held_out, True))
            return [(case, is_held) for cases, is_held in sides for case in cases]
        return [(case, None) for case in made]
    # Whatever a user's function fails with.
    except (Exception, SystemExit) as error:
        msg = f"{where}: suite() failed: {type(error).__name__}: {error}"
        raise SuiteError(msg) from error


def _listed(case: TaskCase, is_held: bool | None, place: str) -> Listed:
    if not isinstance(case, TaskCase):
        msg = f"{place}: is a {type(case).__name__}, not a TaskCase"
        raise SuiteError(msg)
    if not isinstance(case.evaluator, Evaluator):
        msg = f"{place}: evaluator: is a {type(case.evaluator).__name__}, not an Evaluator"
        raise SuiteError(msg)
    said = {name: getattr(case, name) for name in CaseForm.model_fields}
    return Listed(place, checked(said, CaseForm, place), is_held)


def _suite(cases: Sequence[TaskCase], held: Sequence[bool]) -> Suite:
    both = list(zip(cases, held, strict=True))
    return Suite(
        practice=tuple(case for case, is_held in both if not is_held),
        held_out=tuple(case for case, is_held in both if is_held),
    )
