"""What a model is asked for, role by role."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from toolguild.policies import Profile
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.authoring.adopting import may_call
from toolguild.synth.authoring.commission import Commission
from toolguild.synth.authoring.rewording import worded
from toolguild.synth.authoring.words import ToolWords, require_complete
from toolguild.synth.drafting import Authorship, Case, Draft, OriginalCode
from toolguild.synth.mining import RepeatedSequence, canonical
from toolguild.synth.models import Model, Prompt, Reply, Request
from toolguild.synth.traces import ToolCall, ToolDefinition
from toolguild.synth.validation import CheckName, ValidationReport

__all__ = ["Author"]

T = TypeVar("T", bound=BaseModel)

_MOST_CASES = 8
_MOST_CHARACTERS = 40_000
"""Characters of the cases that are shown, unless a single one is longer."""
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
        self.profile = profile
        self._repair = Prompt.load("repair")
        self._compose = Prompt.load("compose")
        self._write = Prompt.load("write")
        self._describe = Prompt.load("describe")

    def write(
        self, commission: Commission, problem: str = "", earlier: Authorship | None = None
    ) -> tuple[str, Authorship]:
        """Return the text of a tool that is wanted, and what it and the rounds before took.

        Args:
            commission: What is wanted; of the cases held out nothing is shown.
            problem: Why the last text could not be tried, if it could not.
            earlier: What the rounds before took.

        Raises:
            ModelError: there is no reply.
            CacheError: replies of earlier runs cannot be read, or this one cannot be kept.
            RedactionError: what would be sent holds more secrets than can be followed.
        """
        opportunity = commission.opportunity
        why: JsonObject = {"kind": str(opportunity.kind), "about": opportunity.about}
        data: JsonObject = {
            "name": commission.name,
            "why": why,
            "parameters": commission.parameters,
            "examples": _shown(commission.cases),
            "problem": problem or None,
        }
        if commission.calls:
            data["tools"] = [_tool(*one) for one in sorted(opportunity.tools.items())]
        return self._asked(self._compose if commission.calls else self._write, data, earlier)

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
            "recorded": _shown(draft.cases),
            "failures": _failures(report),
            "may_call": [*sorted(may_call(draft))],
            "problem": problem or None,
        }
        return self._asked(self._repair, data, earlier)

    def _asked(
        self, prompt: Prompt, data: JsonObject, earlier: Authorship | None
    ) -> tuple[str, Authorship]:
        reply = self._model.ask(Request(prompt, data, ToolText))
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

    def worded(self, draft: Draft, words: ToolWords, authorship: Authorship) -> Draft:
        """Return a draft in its words.

        Raises:
            UnsuitableWordsError: they may not stand in a tool.
        """
        return worded(draft, words, authorship, self.profile)


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


def _shown(cases: Sequence[Case]) -> list[Json]:
    """Return some cases, the shortest, for a model to see; at least one."""
    shown: list[Json] = []
    room = _MOST_CHARACTERS
    for case in sorted(map(_case, cases), key=lambda one: len(canonical(one)))[:_MOST_CASES]:
        room -= len(canonical(case))
        if room < 0 and shown:
            break
        shown.append(case)
    return shown


def _case(case: Case) -> JsonObject:
    told: JsonObject = {"arguments": case.arguments}
    if case.calls:
        told["calls"] = [*map(_call, case.calls)]
    if case.error is not None:
        return {**told, "raises": case.error}
    return {**told, "returns": case.value}


def _call(call: ToolCall) -> JsonObject:
    told: JsonObject = {"tool": call.tool, "arguments": call.arguments}
    if call.error is not None:
        return {**told, "error": call.error}
    return {**told, "result": call.result}


def _tool(name: str, tool: ToolDefinition | None) -> JsonObject:
    if tool is None:
        return {"name": name}
    return {"name": name, "description": tool.description, "parameters": tool.parameters}


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
