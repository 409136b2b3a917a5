"""Judges of a suite: models that are held against people's labels before they count."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from toolguild.agent.evaluation import Judge, Labelled, NotCalibratedError
from toolguild.agent.evaluation.calibration import FEWEST_LABELS
from toolguild.agent.improvement.suites.files import Entry, SuiteError, read_labels
from toolguild.agent.improvement.suites.forms import JudgeForm
from toolguild.synth.models import AsyncModel

__all__ = ["Judges", "ModelFactory"]

ModelFactory = Callable[[], AsyncModel]


class Judges:
    """One judge for each rubric and labels."""

    def __init__(self, folder: Path, factory: ModelFactory | None) -> None:
        """Take the folder that paths of labels start from, and what gives the model."""
        self._folder, self._factory = folder, factory
        self._model: AsyncModel | None = None
        self._labels: dict[Path, list[Labelled]] = {}
        self._judges: dict[JudgeForm, Judge] = {}

    def require_labels(self, entries: Iterable[Entry]) -> None:
        """Read all labels, so that no model is asked where some are missing.

        Raises:
            SuiteError: there is no model, a file is none of labels, or has too few.
        """
        for entry in entries:
            if entry.form.judge is None:
                continue
            if self._factory is None:
                msg = f"{entry.place}: judge: takes a model; name one, or give another evaluator"
                raise SuiteError(msg)
            path = self._folder / entry.form.judge.labels
            if path not in self._labels:
                self._labels[path] = read_labels(path)
            if (count := len(self._labels[path])) < FEWEST_LABELS:
                msg = (
                    f"{entry.place}: judge.labels: {path} has {count}; {FEWEST_LABELS} at least"
                    " tell whether a judge agrees with people"
                )
                raise SuiteError(msg)

    async def judge(self, form: JudgeForm, place: str) -> Judge:
        """Return a judge, calibrated when it is asked for first.

        Raises:
            SuiteError: it does not agree with people.
            ModelError: the model gives no mark.
        """
        if form not in self._judges:
            assert self._factory is not None  # noqa: S101 - `require_labels` asked for one
            self._model = self._model or self._factory()
            labels = self._labels[self._folder / form.labels]
            try:
                self._judges[form] = await Judge.calibrate(self._model, form.rubric, labels)
            except NotCalibratedError as error:
                msg = f"{place}: judge: {error}"
                raise SuiteError(msg) from error
        return self._judges[form]
