"""Taking a model's text as a draft in the place of another: never one that may do more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from toolguild.policies import Capability, Profile, ToolguildError
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting import Authorship, Draft, DraftOrigin
from toolguild.synth.tool_text import ToolTextError, draft_from_text
from toolguild.synth.validation import inferred_needs

__all__ = ["UnsuitableTextError", "adopted", "narrowed", "properties_of", "read_tool"]


class UnsuitableTextError(ToolguildError, ValueError):
    """A text cannot stand in the place of a draft; the message tells its author why."""


def adopted(draft: Draft, source: str, authorship: Authorship, profile: Profile | None) -> Draft:
    """Return a draft with another text, to be judged by the same recordings.

    Args:
        draft: The draft whose place it takes.
        source: The text, of unknown worth.
        authorship: Who wrote it.
        profile: What tools may contain; the shipped one unless given.

    Raises:
        UnsuitableTextError: it is no tool, has another name or other parameters, or may do what
            the draft may not.
    """
    needs = inferred_needs(draft.source, profile)
    written = read_tool(source, draft.name, draft.calls, needs, profile)
    old, new = properties_of(draft.parameters), properties_of(written.parameters)
    if [*old] != [*new] or written.parameters["required"] != draft.parameters["required"]:
        message = f"the parameters are {', '.join(new)}; they have to be {', '.join(old)}, as given"
        raise UnsuitableTextError(message)
    properties: JsonObject = {name: narrowed(old[name], new[name]) for name in old}
    return replace(
        draft,
        description=written.description,
        source=source,
        parameters={**draft.parameters, "properties": properties},
        returns=narrowed(draft.returns, written.returns),
        calls=written.calls,
        origin=DraftOrigin.MODEL,
        authorship=authorship,
    )


def read_tool(
    source: str,
    name: str,
    calls: Iterable[str],
    needs: Iterable[Capability],
    profile: Profile | None,
) -> Draft:
    """Return a text as a tool of a name, which does nothing that it may not.

    Args:
        source: The text, of unknown worth.
        name: What it has to be called.
        calls: The tools that it may call.
        needs: What of the machine it may use.
        profile: What tools may contain; the shipped one unless given.

    Raises:
        UnsuitableTextError: it is no tool, has another name, or may do more.
    """
    try:
        written = draft_from_text(source, profile=profile)
    except ToolTextError as error:
        raise UnsuitableTextError(str(error)) from error
    if written.name != name:
        message = f"the function is called {written.name}, not {name}"
        raise UnsuitableTextError(message)
    _require_within("call", written.calls, calls)
    _require_within("need", inferred_needs(source, profile), needs)
    return written


def _require_within(verb: str, done: Iterable[str], allowed: Iterable[str]) -> None:
    may = sorted(map(str, allowed))
    if more := sorted({*map(str, done)} - {*may}):
        message = (
            f"it {verb}s {', '.join(more)}; what it may {verb} is {', '.join(may) or 'nothing'}"
        )
        raise UnsuitableTextError(message)


def properties_of(schema: JsonObject) -> JsonObject:
    """Return the schemas of the properties of an object, by name."""
    properties = schema["properties"]
    return properties if isinstance(properties, dict) else {}


def narrowed(old: Json, new: Json) -> JsonObject:
    """Return the schema that recordings gave where an annotation says no more than that."""
    assert isinstance(old, dict)  # noqa: S101 - schemas are objects
    assert isinstance(new, dict)  # noqa: S101
    if all(old.get(key) == value for key, value in new.items()):
        return old
    described = {key: old[key] for key in ("description",) if key in old}
    return {**new, **described}
