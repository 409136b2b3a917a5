"""A model that judges results, as far as people's labels bear it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from toolguild.agent.evaluation.calibration import Calibration, calibrated
from toolguild.agent.evaluation.evaluator import Evaluator, Score
from toolguild.sandbox import JsonObject
from toolguild.synth.models import AsyncModel, Prompt, Request

__all__ = ["Judge", "Labelled"]

_PROMPT = Prompt.load("judge", "toolguild.agent.evaluation")
_MOST_RESULT = 20_000
"""Characters of a result that are judged."""


class _Verdict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=2000)
    """What speaks for the mark; asked for first, so that the mark follows from it."""
    mark: float = Field(ge=0, le=1)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A result that a person has scored."""

    task: str
    result: str
    score: float
    """From 0 to 1."""


class Judge(Evaluator):
    """A model that was held against people; nobody else makes one."""

    def __init__(self, model: AsyncModel, rubric: str, calibration: Calibration) -> None:
        """Take a judge that is calibrated; `Judge.calibrate` is the way to one."""
        self._model, self._rubric = model, rubric
        self.calibration = calibration

    @classmethod
    async def calibrate(cls, model: AsyncModel, rubric: str, labelled: Sequence[Labelled]) -> Judge:
        """Let a model judge what people have scored, and see what its marks mean.

        Args:
            model: What judges.
            rubric: What counts, in the user's words.
            labelled: Results that people have scored.

        Raises:
            NotCalibratedError: there are too few of them, or the model hardly agrees with people.
            ModelError: the model gives no mark.
        """
        pairs = []
        for one in labelled:
            verdict = await _judged(model, rubric, one.task, one.result)
            pairs.append((verdict.mark, one.score))
        return cls(model, rubric, calibrated(pairs))

    async def score(self, task: str, result: str) -> Score:
        """Return what people would give, as far as the judge's mark tells.

        Raises:
            ModelError: the model gives no mark.
        """
        verdict = await _judged(self._model, self._rubric, task, result)
        return Score(self.calibration.score(verdict.mark), verdict.reason)


async def _judged(model: AsyncModel, rubric: str, task: str, result: str) -> _Verdict:
    data: JsonObject = {"rubric": rubric, "task": task, "result": result[:_MOST_RESULT]}
    reply = await model.ask(Request(_PROMPT, data, _Verdict))
    return reply.value
