"""What a model is asked for, role by role."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from pydantic import BaseModel

from toolguild.policies import Profile
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.authoring.commission import Commission
from toolguild.synth.authoring.forms import GeneralTool, Groups, ToolText, require_apart
from toolguild.synth.authoring.general import general_draft
from toolguild.synth.authoring.material import (
    called_by,
    definition_of,
    examples_of,
    failures_of,
    may_call,
    recorded_of,
    sketch_of,
)
from toolguild.synth.authoring.rewording import worded
from toolguild.synth.authoring.rounds import Tried
from toolguild.synth.authoring.words import ToolWords, require_complete
from toolguild.synth.drafting import Authorship, Draft
from toolguild.synth.models import Model, Prompt, Reply, Request
from toolguild.synth.validation import ValidationReport

__all__ = ["Author"]

T = TypeVar("T", bound=BaseModel)


class Author:
    """A model that writes, mends, unites and describes tools.

    Of the cases held out it is shown nothing, or they would not be held out any more. Each of its
    roles raises:

        ModelError: there is no reply that fits.
        CacheError: replies of earlier runs cannot be read, or this one cannot be kept.
        RedactionError: what would be sent holds more secrets than can be followed.
    """

    def __init__(self, model: Model, profile: Profile | None = None) -> None:
        """Take a model to ask.

        Args:
            model: The model, opened.
            profile: What tools may contain; the shipped one unless given.
        """
        self._model = model
        self.profile = profile
        self._compose = Prompt.load("compose")
        self._write = Prompt.load("write")
        self._repair = Prompt.load("repair")
        self._group = Prompt.load("group")
        self._generalise = Prompt.load("generalise")
        self._describe = Prompt.load("describe")

    def write(self, commission: Commission, tried: Tried[str]) -> tuple[str, Authorship]:
        """Return the text of a tool that is wanted, and what it and the rounds before took.

        Args:
            commission: What is wanted.
            tried: What came of the rounds before: no text that could be judged.
        """
        opportunity = commission.opportunity
        why: JsonObject = {"kind": str(opportunity.kind), "about": opportunity.about}
        data: JsonObject = {
            "name": commission.name,
            "why": why,
            "parameters": commission.parameters,
            "examples": recorded_of(commission.cases),
            "problem": tried.problem or None,
        }
        if commission.calls:
            data["tools"] = [definition_of(*one) for one in sorted(opportunity.tools.items())]
        return self._text(self._compose if commission.calls else self._write, data, tried)

    def repair(
        self, draft: Draft, report: ValidationReport, tried: Tried[str]
    ) -> tuple[str, Authorship]:
        """Return another text for a draft that failed, and what it and the rounds before took.

        Args:
            draft: The draft.
            report: Why it failed.
            tried: What came of the rounds before.
        """
        data: JsonObject = {
            "tool": draft.source,
            "replaces": next(iter(draft.replaced_code), None),
            "recorded": recorded_of(draft.cases),
            "failures": failures_of(report),
            "may_call": [*sorted(may_call(draft))],
            "problem": tried.problem or None,
        }
        return self._text(self._repair, data, tried)

    def _text(self, prompt: Prompt, data: JsonObject, tried: Tried[str]) -> tuple[str, Authorship]:
        reply = self._model.ask(Request(prompt, data, ToolText))
        return reply.value.source, _authorship(reply).after(tried.authorship)

    def group(self, drafts: Sequence[Draft]) -> list[list[Draft]]:
        """Return groups of tools that one might do the work of; nothing follows from that yet."""
        by_id = {f"t{number}": draft for number, draft in enumerate(drafts, 1)}
        tools: list[Json] = [{"id": key, **sketch_of(draft)} for key, draft in by_id.items()]
        check = partial(require_apart, known=by_id.keys())
        reply = self._model.ask(Request(self._group, {"tools": tools}, Groups, check))
        return [[by_id[key] for key in group] for group in reply.value.groups]

    def generalise(
        self, members: Sequence[Draft], tried: Tried[GeneralTool]
    ) -> tuple[GeneralTool, Authorship]:
        """Return one tool for several, by the name of the first, and what all the rounds took.

        Args:
            members: The tools, which passed.
            tried: What came of the rounds before.
        """
        data: JsonObject = {
            "name": members[0].name,
            "members": [
                {
                    "member": member.name,
                    "tool": member.source,
                    "replaces": next(iter(member.replaced_code), None),
                    "parameters": member.parameters,
                    "recorded": recorded_of(member.cases),
                }
                for member in members
            ],
            "last": tried.answer.model_dump(mode="json") if tried.answer else None,
            # Of an answer that could not be judged there is nothing to tell but why.
            "failures": failures_of(tried.report) if tried.report and not tried.problem else [],
            "problem": tried.problem or None,
        }
        reply = self._model.ask(Request(self._generalise, data, GeneralTool))
        return reply.value, _authorship(reply).after(tried.authorship)

    def general(
        self, members: Sequence[Draft], written: GeneralTool, authorship: Authorship
    ) -> Draft:
        """Return what it wrote for several tools as a draft.

        Raises:
            UnsuitableTextError: it cannot stand for them.
        """
        return general_draft(members, written, authorship, self.profile)

    def describe(self, draft: Draft) -> tuple[ToolWords, Authorship]:
        """Return words for a draft that passed, and what they took."""
        data: JsonObject = {
            "tool": draft.source,
            "parameters": draft.parameters,
            "returns": draft.returns,
            "examples": examples_of(draft),
            "calls": called_by(draft),
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
