"""What a model is asked for, role by role."""

from __future__ import annotations

from collections.abc import Sequence

from toolguild.policies import Profile
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.authoring.adopting import adopted
from toolguild.synth.authoring.forms import GeneralTool, Groups, ToolText
from toolguild.synth.authoring.general import general_draft
from toolguild.synth.authoring.material import failures_of, recorded_of, sketch_of
from toolguild.synth.authoring.rounds import Tried
from toolguild.synth.drafting import Authorship, Draft
from toolguild.synth.models import Model, Prompt, Reply, Request
from toolguild.synth.validation import ValidationReport

__all__ = ["Author"]


class Author:
    """A model that writes, mends and unites tools.

    Of the cases held out it is shown nothing, or they would not be held out any more.
    """

    def __init__(self, model: Model, profile: Profile | None = None) -> None:
        """Take a model to ask.

        Args:
            model: The model, opened.
            profile: What tools may contain; the shipped one unless given.
        """
        self._model = model
        self._profile = profile
        self._repair = Prompt.load("repair")
        self._group = Prompt.load("group")
        self._generalise = Prompt.load("generalise")

    def repair(
        self,
        draft: Draft,
        report: ValidationReport,
        problem: str = "",
        earlier: Authorship | None = None,
    ) -> tuple[str, Authorship]:
        """Return another text for a draft that failed, and what it and the rounds before took.

        Raises:
            ModelError: there is no reply.
            CacheError: replies of earlier runs cannot be read, or this one cannot be kept.
            RedactionError: what would be sent holds more secrets than can be followed.
        """
        data: JsonObject = {
            "tool": draft.source,
            "replaces": next(iter(draft.replaced_code), None),
            "recorded": recorded_of(draft),
            "failures": failures_of(report),
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

    def group(self, drafts: Sequence[Draft]) -> list[list[Draft]]:
        """Return groups of tools that one might do the work of; nothing follows from that yet.

        Raises:
            ModelError: there is no reply.
            CacheError: replies of earlier runs cannot be read, or this one cannot be kept.
            RedactionError: what would be sent holds more secrets than can be followed.
        """
        by_id = {f"t{number}": draft for number, draft in enumerate(drafts, 1)}
        tools: list[Json] = [{"id": key, **sketch_of(draft)} for key, draft in by_id.items()]
        request = Request(self._group, {"tools": tools}, Groups, context=by_id.keys())
        reply = self._model.ask(request)
        return [[by_id[key] for key in group] for group in reply.value.groups]

    def generalise(
        self, members: Sequence[Draft], tried: Tried[GeneralTool]
    ) -> tuple[GeneralTool, Authorship]:
        """Return one tool for several, by the name of the first, and what all the rounds took.

        Args:
            members: The tools, which passed.
            tried: What came of the rounds before.

        Raises:
            ModelError: there is no reply.
            CacheError: replies of earlier runs cannot be read, or this one cannot be kept.
            RedactionError: what would be sent holds more secrets than can be followed.
        """
        data: JsonObject = {
            "name": members[0].name,
            "members": [
                {
                    "member": member.name,
                    "tool": member.source,
                    "replaces": next(iter(member.replaced_code), None),
                    "parameters": member.parameters,
                    "recorded": recorded_of(member),
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
        return general_draft(members, written, authorship, self._profile)


def _authorship(reply: Reply[ToolText] | Reply[GeneralTool]) -> Authorship:
    usage = reply.usage
    return Authorship(
        model=reply.model,
        prompts=(reply.prompt,),
        request_ids=reply.request_ids,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        usd=usage.usd,
    )
