"""What a model is asked for, role by role."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from toolguild.policies import Profile
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.authoring.adopting import adopted
from toolguild.synth.drafting import Authorship, Case, Draft, OriginalCode
from toolguild.synth.models import Model, Prompt, Reply, Request
from toolguild.synth.validation import CheckName, ValidationReport

__all__ = ["Author"]

_MOST_CASES = 8
_MOST_FAILURES = 6
_LONGEST = 20_000
"""Characters of a tool."""


class ToolText(BaseModel):
    """A tool as a model writes it."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(min_length=1, max_length=_LONGEST)


class Author:
    """A model that writes and mends tools."""

    def __init__(self, model: Model, profile: Profile | None = None) -> None:
        """Take a model to ask.

        Args:
            model: The model, opened.
            profile: What tools may contain; the shipped one unless given.
        """
        self._model = model
        self._profile = profile
        self._repair = Prompt.load("repair")

    def repair(
        self,
        draft: Draft,
        report: ValidationReport,
        problem: str = "",
        earlier: Authorship | None = None,
    ) -> tuple[str, Authorship]:
        """Return another text for a draft that failed, and what it and the rounds before took.

        Of the cases held out nothing is shown, or they would not be held out any more.

        Raises:
            ModelError: there is no reply.
            CacheError: replies of earlier runs cannot be read, or this one cannot be kept.
            RedactionError: what would be sent holds more secrets than can be followed.
        """
        data: JsonObject = {
            "tool": draft.source,
            "replaces": draft.original.source if isinstance(draft.original, OriginalCode) else None,
            "recorded": [_case(case) for case in draft.cases[:_MOST_CASES]],
            "failures": _failures(report),
            "problem": problem or None,
        }
        reply = self._model.ask(Request(self._repair, data, ToolText))
        return reply.value.source, _authorship(reply).after(earlier)

    def adopted(self, draft: Draft, source: str, authorship: Authorship) -> Draft:
        """Return a draft with a text that it wrote.

        Raises:
            UnsuitableTextError: it cannot stand in the draft's place.
        """
        return adopted(draft, source, authorship, self._profile)


def _authorship(reply: Reply[ToolText]) -> Authorship:
    usage = reply.usage
    return Authorship(
        model=reply.model,
        prompts=(reply.prompt,),
        request_ids=reply.request_ids,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        usd=usage.usd,
    )


def _case(case: Case) -> JsonObject:
    if case.error is not None:
        return {"arguments": case.arguments, "raises": case.error}
    return {"arguments": case.arguments, "returns": case.value}


def _failures(report: ValidationReport) -> list[Json]:
    failed = [check for check in report.checks if check.passed is False]
    told: list[Json] = []
    for check in failed:
        if check.name is CheckName.HELD_OUT:
            told.append({"check": str(check.name), "detail": "other recorded results differ"})
            continue
        shown: Sequence[Json] = [
            {"arguments": one.arguments, "expected": one.expected, "observed": one.observed}
            for one in check.counterexamples[:_MOST_FAILURES]
        ]
        told.append({"check": str(check.name), "detail": check.detail, "examples": [*shown]})
    return told
