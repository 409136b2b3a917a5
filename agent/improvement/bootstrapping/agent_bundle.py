"""What a bundle of an agent says: an in-toto Statement of what it is told, and of its tools.

Its tools stand in it as the Statement that a bundle of tools has, and are read by the same rules.
Everything else is read as strictly: a bundle is hostile until it has proven to be just what some
`agent_payload` would have written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from toolguild.agent.improvement.artefacts import Example, Instructions, Lesson
from toolguild.agent.improvement.bootstrapping.plainness import (
    MOST_INSTRUCTIONS,
    objection_to_advice,
    objection_to_data,
)
from toolguild.registry.bundles.statement import (
    STATEMENT_TYPE,
    Bundle,
    IsoTime,
    decoded_payload,
    payload_of,
    read_payload,
    refuse,
    validated,
)
from toolguild.registry.canonical import canonical_json, decode_json
from toolguild.registry.improvement import Artefact, ArtefactKind
from toolguild.sandbox import Json, JsonObject

__all__ = [
    "FORMS",
    "PREDICATE_TYPE",
    "AgentBundle",
    "Told",
    "agent_payload",
    "objection_to",
    "read_agent_payload",
]

PREDICATE_TYPE = "urn:x-toolguild:agent:v1"

_MOST_ARTEFACTS = 500
_MOST_CHARACTERS = 300_000
"""Of all that the agent is told."""
_MOST_STEPS = 50

Told = Instructions | Lesson | Example
FORMS: dict[ArtefactKind, type[Told]] = {
    ArtefactKind.INSTRUCTIONS: Instructions,
    ArtefactKind.LESSON: Lesson,
    ArtefactKind.EXAMPLE: Example,
}


@dataclass(frozen=True, slots=True)
class AgentBundle:
    """What one agent was told and which tools it made, for another one."""

    agent: str
    told: tuple[Told, ...]
    """Each once; instructions at most once."""
    tools: Bundle | None
    exported_at: str
    """ISO 8601."""
    toolguild: str
    """Version of the toolguild that wrote it."""


def agent_payload(bundle: AgentBundle) -> bytes:
    """Return the Statement of a bundle, as it is signed.

    Raises:
        BundleError: no import would take it.
    """
    _check(bundle)
    tools = decode_json(payload_of(bundle.tools).decode()) if bundle.tools else None
    statement: JsonObject = {
        "_type": STATEMENT_TYPE,
        "subject": _subjects(bundle, tools),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "agent": bundle.agent,
            "exported_at": bundle.exported_at,
            "toolguild": bundle.toolguild,
            "told": [
                {"kind": one.artefact.kind.value, "content": one.artefact.content}
                for one in bundle.told
            ],
            "tools": tools,
        },
    }
    return canonical_json(statement).encode()


def read_agent_payload(payload: bytes) -> AgentBundle:
    """Return the bundle of a payload.

    Raises:
        BundleError: it is not one that `agent_payload` would have written; the message says where.
    """
    statement = validated(_Statement, decoded_payload(payload))
    predicate = statement.predicate
    told = tuple(_told(number, one) for number, one in enumerate(predicate.told))
    tools = None
    if predicate.tools is not None:
        tools = read_payload(canonical_json(predicate.tools).encode())
    bundle = AgentBundle(predicate.agent, told, tools, predicate.exported_at, predicate.toolguild)
    _check(bundle)
    if statement.subject != _subjects(bundle, predicate.tools):
        refuse("subject: names something else than the predicate holds")
    return bundle


def objection_to(told: Told) -> str:
    """Return why no bundle may hold something that an agent is told; empty where it may."""
    for field, objection in _objections(told):
        if objection:
            return f"{field}: {objection}"
    return ""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Told(_Form):
    kind: Annotated[ArtefactKind, Field(strict=False)]
    content: dict[str, JsonValue]


class _Predicate(_Form):
    agent: str = Field(min_length=1, max_length=100)
    exported_at: IsoTime
    toolguild: str = Field(max_length=100)
    told: list[_Told] = Field(max_length=_MOST_ARTEFACTS)
    tools: dict[str, JsonValue] | None


class _Statement(_Form):
    type: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    subject: list[JsonValue]
    predicate_type: Literal["urn:x-toolguild:agent:v1"] = Field(alias="predicateType")
    predicate: _Predicate


def _told(number: int, read: _Told) -> Told:
    place = f"predicate.told.{number}."
    told = validated(FORMS[read.kind], read.content, f"{place}content.")
    if told.artefact.digest != Artefact(read.kind, read.content).digest:
        refuse(f"{place}content: not as toolguild writes it")
    return told


def _check(bundle: AgentBundle) -> None:
    if not bundle.told and bundle.tools is None:
        refuse("it holds nothing")
    if objection := objection_to_data(bundle.agent):
        refuse(f"predicate.agent: {objection}")
    digests = [one.artefact.digest for one in bundle.told]
    if len(set(digests)) < len(digests) or len(digests) > _MOST_ARTEFACTS:
        refuse(f"predicate.told: the same twice, or more than {_MOST_ARTEFACTS}")
    if sum(isinstance(one, Instructions) for one in bundle.told) > 1:
        refuse("predicate.told: instructions twice")
    if sum(len(text) for one in bundle.told for text in _texts(one)) > _MOST_CHARACTERS:
        refuse(f"predicate.told: more than {_MOST_CHARACTERS:,} characters")
    for number, one in enumerate(bundle.told):
        if objection := objection_to(one):
            refuse(f"predicate.told.{number}.content.{objection}")


def _objections(told: Told) -> Iterator[tuple[str, str]]:
    """Yield what speaks against each field of what an agent is told."""
    match told:
        case Instructions():
            yield "text", objection_to_advice(told.text, MOST_INSTRUCTIONS)
        case Lesson():
            yield "lesson", objection_to_advice(told.lesson)
            # The lessons that it was made of do not come along.
            yield "merges", "names lessons of another registry" if told.merges else ""
            yield "task", objection_to_data(told.task)
            yield "error", objection_to_data(told.error)
        case Example():
            # What no person here has given becomes stale.
            yield "is_seed", "is given by no person here" if told.is_seed else ""
            yield "task", objection_to_data(told.task)
            yield "result", objection_to_data(told.result)
    if not isinstance(told, Instructions):
        too_many = f"{len(told.steps)} steps, more than {_MOST_STEPS}"
        yield "steps", too_many if len(told.steps) > _MOST_STEPS else ""
        for number, step in enumerate(told.steps):
            yield f"steps.{number}", objection_to_data(step)


def _texts(told: Told) -> Iterable[str]:
    match told:
        case Instructions():
            return (told.text,)
        case Lesson():
            return (told.lesson, told.task, told.error, *told.steps)
        case Example():
            return (told.task, told.result, *told.steps)


def _subjects(bundle: AgentBundle, tools: Json) -> list[Json]:
    artefacts = [one.artefact for one in bundle.told]
    subjects: list[Json] = [
        {"name": one.kind.value, "digest": {"sha256": one.digest.removeprefix("sha256:")}}
        for one in artefacts
    ]
    match tools:
        case {"subject": [*of_tools]}:
            return [*subjects, *of_tools]
    return subjects
