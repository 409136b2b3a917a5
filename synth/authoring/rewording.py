"""Putting a draft in other words, and showing that nothing else of it changes.

The docstring is laid out here, from single lines; a model's reply never is one.
"""

from __future__ import annotations

from dataclasses import replace

from toolguild.policies import Profile, ToolguildError
from toolguild.policies.wording import plain_description
from toolguild.registry import InvalidSpecError
from toolguild.registry.specs import check_spec
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.authoring.words import LONGEST, ToolWords
from toolguild.synth.drafting import Authorship, Draft
from toolguild.synth.drafting.documenting import code_of, with_docstring
from toolguild.synth.drafting.text import docstring, sentence
from toolguild.synth.tool_spec import spec_of

__all__ = ["UnsuitableWordsError", "worded"]


class UnsuitableWordsError(ToolguildError, ValueError):
    """Words may not stand in a tool; the message says why."""


def worded(
    draft: Draft, words: ToolWords, authorship: Authorship, profile: Profile | None
) -> Draft:
    """Return a draft with other words; its code, its names and its schemas stay.

    Args:
        draft: The draft.
        words: What to say of it, for each of its parameters.
        authorship: Who says so.
        profile: What tools may contain; the shipped one unless given.

    Raises:
        UnsuitableWordsError: they hold more than plain words, or speak to the models that would
            read them; or the text around them would not stay as it is.
    """
    for text in words.texts():
        _require_plain(text)
    said = {one.name: one.description for one in words.parameters}
    properties = draft.parameters["properties"]
    assert isinstance(properties, dict)  # noqa: S101 - drafts have the schema of an object
    arguments = {name: said[name] for name in properties}
    source = _redocumented(draft, docstring(words.summary, arguments, words.returns))
    new = replace(
        draft,
        description=sentence(words.summary),
        source=source,
        parameters={
            **draft.parameters,
            "properties": {
                name: _with_description(schema, said[name]) for name, schema in properties.items()
            },
        },
        returns=_with_description(draft.returns, words.returns),
        authorship=authorship,
    )
    try:
        check_spec(spec_of(new, profile))
    except InvalidSpecError as error:
        raise UnsuitableWordsError(str(error)) from error
    return new


def _require_plain(text: str) -> None:
    """Refuse what the filter of words would change; a registry lets pass more, as from a person."""
    cleaned = plain_description(text, fallback="", limit=LONGEST)
    if cleaned.text != text:
        reasons = [str(found.reason) for found in cleaned.removed] or ["markup"]
        message = ", ".join(dict.fromkeys(reasons))
        raise UnsuitableWordsError(message)


def _redocumented(draft: Draft, docs: str) -> str:
    """Return the text with another docstring, if that is shown to be all that changed."""
    message = "the code would not stay the same"
    try:
        source = with_docstring(draft.source, draft.name, docs)
        if code_of(source, draft.name) == code_of(draft.source, draft.name):
            return source
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnsuitableWordsError(message) from error
    raise UnsuitableWordsError(message)


def _with_description(schema: Json, description: str) -> JsonObject:
    assert isinstance(schema, dict)  # noqa: S101 - drafts have an object for each schema
    return {**schema, "description": description}
