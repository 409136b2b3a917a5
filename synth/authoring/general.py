"""Taking a model's text as one tool for several: never one that may do more than they may."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import prod

from toolguild.policies import Profile
from toolguild.registry.json_schema import accepts
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.authoring.adopting import UnsuitableTextError, properties_of, read_tool
from toolguild.synth.authoring.forms import GeneralTool, Use
from toolguild.synth.drafting import (
    Authorship,
    Case,
    Draft,
    DraftOrigin,
    Member,
    OriginalTools,
    object_schema,
)
from toolguild.synth.mining import canonical
from toolguild.synth.validation import inferred_needs

__all__ = ["explains_more", "general_draft"]


def general_draft(
    members: Sequence[Draft], written: GeneralTool, authorship: Authorship, profile: Profile | None
) -> Draft:
    """Return a draft that stands for several tools, to be judged by the recordings of all of them.

    It can be called only as its members are: its schemas are made of theirs and of the constants
    that they give, whatever the text says, and each combination of constants is one member's.

    Args:
        members: The tools; it gets the name of the first.
        written: A text and what it is given for each member, both of unknown worth.
        authorship: Who wrote it.
        profile: What tools may contain; the shipped one unless given.

    Raises:
        UnsuitableTextError: it is no tool, has another name, leaves a member or a parameter out,
            could be called as no member is, or may do what no member may.
    """
    tool = _read(members, written.source, profile)
    used = _members(members, written.uses, tool)
    seen = _cases((one, case) for one in used for case in one.draft.cases)
    held_out = _cases((one, case) for one in used for case in one.draft.held_out)
    return replace(
        tool,
        parameters=_parameters(tool, used),
        returns=_any_of(member.returns for member in members),
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


def _read(members: Sequence[Draft], source: str, profile: Profile | None) -> Draft:
    """Return a text as a tool that does nothing which no member does."""
    needs = {need for member in members for need in inferred_needs(member.source, profile)}
    return read_tool(source, members[0].name, (), needs, profile)


def _members(members: Sequence[Draft], uses: Sequence[Use], tool: Draft) -> tuple[Member, ...]:
    names = [member.name for member in members]
    if sorted(names) != sorted(use.member for use in uses):
        message = f"uses has to name each of {', '.join(names)} once"
        raise UnsuitableTextError(message)
    by_name = {use.member: use for use in uses}
    return tuple(_member(member, by_name[member.name], tool) for member in members)


def _member(draft: Draft, use: Use, tool: Draft) -> Member:
    parameters = sorted(properties_of(tool.parameters))
    if parameters != sorted(one.parameter for one in use.arguments):
        message = f"the call for {draft.name} has to give each of {', '.join(parameters)} once"
        raise UnsuitableTextError(message)
    takes = {one.parameter: one.takes for one in use.arguments if one.takes is not None}
    if unknown := sorted({*takes.values()} - properties_of(draft.parameters).keys()):
        message = f"{draft.name} has no parameter {unknown[0]}"
        raise UnsuitableTextError(message)
    constants = {one.parameter: one.value for one in use.arguments if one.takes is None}
    return Member(draft, takes, constants)


def _cases(cases: Iterable[tuple[Member, Case]]) -> dict[str, Case]:
    """Return cases of members as cases of the general tool, by what they say."""
    given = (replace(case, arguments=one.given(case.arguments)) for one, case in cases)
    return {canonical([case.arguments, case.value, case.error]): case for case in given}


def _parameters(tool: Draft, members: Sequence[Member]) -> JsonObject:
    """Return the schema of the arguments of which members say what must come of them."""
    names = [*properties_of(tool.parameters)]
    choices = {
        name: _distinct(one.constants[name] for one in members)
        for name in names
        if not any(name in one.takes for one in members)
    }
    _require_known(choices, members)
    properties: JsonObject = {
        name: {"enum": choices[name]} if name in choices else _taken(name, members)
        for name in names
    }
    return object_schema(properties, closed=True)


def _require_known(choices: Mapping[str, list[Json]], members: Sequence[Member]) -> None:
    """Refuse a tool that can be called as no member is.

    Args:
        choices: The parameters that only constants are given, each with these.
        members: Of each combination of these constants, one must have it and take all other
            arguments from its own.

    Raises:
        UnsuitableTextError: for some combination there is none.
    """
    if alike := [name for name, values in choices.items() if len(values) == 1]:
        message = f"{alike[0]} is the same for all members, so it is no parameter"
        raise UnsuitableTextError(message)
    known = _distinct(one.constants for one in members if one.constants.keys() == choices.keys())
    if len(known) < prod(map(len, choices.values())):
        message = (
            "it can be called as no member is: each combination of the constants has to be that of"
            " a member whose other arguments are all taken from its own"
        )
        raise UnsuitableTextError(message)


def _taken(name: str, members: Sequence[Member]) -> JsonObject:
    """Return the schema of a parameter that takes the values of members' own."""
    own = [
        (one.takes[name], properties_of(one.draft.parameters)[one.takes[name]])
        for one in members
        if name in one.takes
    ]
    schema = _any_of(_undescribed(one) for _, one in own)
    for one in members:
        if name in one.constants and not accepts(schema, one.constants[name]):
            message = f"{name} is given a constant for {one.draft.name} that no other member takes"
            raise UnsuitableTextError(message)
    # What is said of a parameter holds for one of the same name.
    named = (one for own_name, one in own if own_name == name and isinstance(one, dict))
    described = (one["description"] for one in named if "description" in one)
    return next(({**schema, "description": text} for text in described), schema)


def _undescribed(schema: Json) -> JsonObject:
    members = schema.items() if isinstance(schema, dict) else ()
    return {keyword: value for keyword, value in members if keyword != "description"}


def _any_of(schemas: Iterable[JsonObject]) -> JsonObject:
    """Return the schema of what any of some schemas allows."""
    distinct = _distinct(schemas)
    only = distinct[0]
    return only if len(distinct) == 1 and isinstance(only, dict) else {"anyOf": distinct}


def _distinct(values: Iterable[Json]) -> list[Json]:
    return [*{canonical(value): value for value in values}.values()]
