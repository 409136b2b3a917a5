"""Taking a model's text as one tool for several: never one that may do more than they may."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from toolguild.policies import Profile
from toolguild.sandbox import JsonObject
from toolguild.synth.authoring.adopting import UnsuitableTextError, properties_of
from toolguild.synth.authoring.forms import GeneralTool, Use
from toolguild.synth.drafting import Authorship, Case, Draft, DraftOrigin, Member, OriginalTools
from toolguild.synth.mining import canonical
from toolguild.synth.tool_text import ToolTextError, draft_from_text
from toolguild.synth.validation import inferred_needs

__all__ = ["explains_more", "general_draft"]


def general_draft(
    members: Sequence[Draft], written: GeneralTool, authorship: Authorship, profile: Profile | None
) -> Draft:
    """Return a draft that stands for several tools, to be judged by the recordings of all of them.

    Only what the members do is proven, so only that is let in: a parameter that is never given
    anything but constants takes these and nothing else.

    Args:
        members: The tools; it gets the name of the first.
        written: A text and what it is given for each member, both of unknown worth.
        authorship: Who wrote it.
        profile: What tools may contain; the shipped one unless given.

    Raises:
        UnsuitableTextError: it is no tool, has another name, leaves a member or a parameter out, or
            may do what no member may.
    """
    try:
        tool = draft_from_text(written.source, profile=profile)
    except ToolTextError as error:
        raise UnsuitableTextError(str(error)) from error
    if tool.name != members[0].name:
        message = f"the function is called {tool.name}, not {members[0].name}"
        raise UnsuitableTextError(message)
    if tool.calls:
        message = f"it calls {', '.join(tool.calls)}, which none of the tools did"
        raise UnsuitableTextError(message)
    allowed = {need for member in members for need in inferred_needs(member.source, profile)}
    if more := sorted(inferred_needs(written.source, profile) - allowed):
        message = f"it needs {', '.join(map(str, more))}, which none of the tools did"
        raise UnsuitableTextError(message)
    used = _members(members, written.uses, tool)
    seen = _distinct((one, case) for one in used for case in one.draft.cases)
    held_out = _distinct((one, case) for one in used for case in one.draft.held_out)
    return replace(
        tool,
        parameters=_parameters(tool, used),
        origin=DraftOrigin.MODEL,
        authorship=authorship,
        cases=tuple(seen.values()),
        # A case that one member shows is not held out, whichever other one holds it out.
        held_out=tuple(case for key, case in held_out.items() if key not in seen),
        original=OriginalTools(used),
    )


def explains_more(general: Draft, members: Iterable[Draft]) -> bool:
    """Say whether a tool that passed explains more held-out occurrences than any member alone."""
    return len(general.held_out) > max(len(member.held_out) for member in members)


def _members(members: Sequence[Draft], uses: Sequence[Use], tool: Draft) -> tuple[Member, ...]:
    by_name = {use.member: use for use in uses}
    names = [member.name for member in members]
    if sorted(names) != sorted(use.member for use in uses):
        message = f"uses has to name each of {', '.join(names)} once"
        raise UnsuitableTextError(message)
    return tuple(_member(member, by_name[member.name], tool) for member in members)


def _member(draft: Draft, use: Use, tool: Draft) -> Member:
    parameters = [*properties_of(tool.parameters)]
    if sorted(parameters) != sorted(one.parameter for one in use.arguments):
        message = (
            f"the call for {draft.name} has to give each of {', '.join(parameters) or 'nothing'}"
            " once"
        )
        raise UnsuitableTextError(message)
    takes = {one.parameter: one.takes for one in use.arguments if one.takes is not None}
    if unknown := sorted({*takes.values()} - properties_of(draft.parameters).keys()):
        message = f"{draft.name} has no parameter {unknown[0]}"
        raise UnsuitableTextError(message)
    constants = {one.parameter: one.value for one in use.arguments if one.takes is None}
    return Member(draft, takes, constants)


def _distinct(cases: Iterable[tuple[Member, Case]]) -> dict[str, Case]:
    """Return cases of members as cases of the general tool, by what they say."""
    given = (replace(case, arguments=one.given(case.arguments)) for one, case in cases)
    return {canonical([case.arguments, case.value, case.error]): case for case in given}


def _parameters(tool: Draft, members: Sequence[Member]) -> JsonObject:
    properties: JsonObject = {
        name: {**schema, **_narrowed(name, members), **_described(name, members)}
        for name, schema in properties_of(tool.parameters).items()
        if isinstance(schema, dict)
    }
    return {**tool.parameters, "properties": properties}


def _narrowed(name: str, members: Sequence[Member]) -> JsonObject:
    """Return what keeps out the values of a parameter that no member gives."""
    if any(name in member.takes for member in members):
        return {}
    values = {canonical(one.constants[name]): one.constants[name] for one in members}
    if len(values) == 1:
        message = f"{name} is the same for all tools, so it is no parameter"
        raise UnsuitableTextError(message)
    return {"enum": [*values.values()]}


def _described(name: str, members: Sequence[Member]) -> JsonObject:
    """Return what is known of a parameter that is called as in a member which it is taken from."""
    for member in members:
        schema = properties_of(member.draft.parameters).get(name)
        if member.takes.get(name) == name and isinstance(schema, dict) and "description" in schema:
            return {"description": schema["description"]}
    return {}
