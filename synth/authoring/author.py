"""What a model is asked for, role by role."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from toolguild.policies import Profile
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.authoring.adopting import adopted
from toolguild.synth.authoring.rewording import worded
from toolguild.synth.authoring.words import ToolWords, require_complete
from toolguild.synth.drafting import Authorship, Case, Draft, OriginalCode
from toolguild.synth.mining import RepeatedSequence
from toolguild.synth.models import Model, Prompt, Reply, Request
from toolguild.synth.validation import CheckName, ValidationReport

__all__ = ["Author"]

T = TypeVar("T", bound=BaseModel)

_MOST_CASES = 8
_MOST_FAILURES = 6
_LONGEST = 20_000
"""Characters of a tool."""
_MOST_EXAMPLES = 4
_LONGEST_EXAMPLE = 2_000
"""Characters of a case that shows what a tool is for, where it need not be shown whole."""
_LONGEST_TOLD = 1_000
"""Characters of what another tool says of itself."""


class ToolText(BaseModel):
    """A tool as a model writes it."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(min_length=1, max_length=_LONGEST)


class Author:
    """A model that mends tools, and describes them."""

    def __init__(self, model: Model, profile: Profile | None = None) -> None:
        """Take a model to ask.

        Args:
            model: The model, opened.
            profile: What tools may contain; the shipped one unless given.
        """
        self._model = model
        self._profile = profile
        self._repair = Prompt.load("repair")
        self._describe = Prompt.load("describe")

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

    def describe(self, draft: Draft) -> tuple[ToolWords, Authorship]:
        """Return words for a draft that passed, and what they took.

        Of the cases held out nothing is shown, as with `repair`.

        Raises:
            ModelError: there is no reply that describes all of it.
            CacheError: replies of earlier runs cannot be read, or this one cannot be kept.
            RedactionError: what would be sent holds more secrets than can be followed.
        """
        data: JsonObject = {
            "tool": draft.source,
            "parameters": draft.parameters,
            "returns": draft.returns,
            "examples": _examples(draft),
            "calls": _called(draft),
        }
        check = partial(require_complete, draft=draft)
        reply = self._model.ask(Request(self._describe, data, ToolWords, check))
        return reply.value, _authorship(reply)

    def adopted(self, draft: Draft, source: str, authorship: Authorship) -> Draft:
        """Return a draft with a text that it wrote.

        Raises:
            UnsuitableTextError: it cannot stand in the draft's place.
        """
        return adopted(draft, source, authorship, self._profile)

    def worded(self, draft: Draft, words: ToolWords, authorship: Authorship) -> Draft:
        """Return a draft in its words.

        Raises:
            UnsuitableWordsError: they may not stand in a tool.
        """
        return worded(draft, words, authorship, self._profile)


def _authorship(reply: Reply[T]) -> Authorship:
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


def _examples(draft: Draft) -> list[Json]:
    """Return the first cases that are short enough."""
    shown: list[Json] = [
        case for case in map(_case, draft.cases) if len(json.dumps(case)) <= _LONGEST_EXAMPLE
    ]
    return shown[:_MOST_EXAMPLES]


def _called(draft: Draft) -> list[Json]:
    """Return the tools that a draft calls, with what agents were told of them."""
    known = draft.opportunity.tools if isinstance(draft.opportunity, RepeatedSequence) else {}
    return [
        {"name": name, "description": known[name].description[:_LONGEST_TOLD]}
        if name in known
        else {"name": name}
        for name in draft.calls
    ]


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
