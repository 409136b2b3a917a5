"""All that a validation went by and found, as one document that can be validated again.

A dossier holds the tool, the recorded cases, what the tool replaces, the settings and the seed, the
surroundings, and every check. It names no time and no duration, so that the same validation gives
the same document, and the document its own digest.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from toolguild.policies import Profile, ToolguildError
from toolguild.sandbox import Json, JsonObject, Limits
from toolguild.synth.drafting import (
    Case,
    Draft,
    DraftOrigin,
    Member,
    OriginalCalls,
    OriginalCode,
    OriginalEpisode,
    OriginalTools,
)
from toolguild.synth.plans import plan_from_json, plan_to_json
from toolguild.synth.traces import Place, ToolCall
from toolguild.synth.validation.report import ValidationReport
from toolguild.synth.validation.settings import ValidationSettings

__all__ = ["Dossier", "DossierError", "dossier", "read_dossier"]

FORMAT = "toolguild-validation/1"
_PACKAGES = ("toolguild", "hypothesis", "jsonschema", "RestrictedPython")


class DossierError(ToolguildError, ValueError):
    """A document is no dossier; the message names the field."""


@dataclass(frozen=True, slots=True)
class Dossier:
    """What a validation went by, read back."""

    draft: Draft
    settings: ValidationSettings
    profile_digest: str
    """Digest of the profile that was in force."""


def dossier(draft: Draft, report: ValidationReport, settings: ValidationSettings) -> JsonObject:
    """Return everything about one validation as plain data."""
    return {
        "format": FORMAT,
        **_tried(draft),
        "settings": {**settings.to_json(), "seed": report.seed},
        "surroundings": {
            "sandbox": report.sandbox,
            "profile": {"name": settings.profile.name, "digest": settings.profile.digest},
            "python": platform.python_version(),
            "packages": {name: _version(name) for name in _PACKAGES},
        },
        "passed": report.passed,
        "findings": report.evidence(),
    }


def read_dossier(document: JsonObject, profile: Profile) -> Dossier:
    """Return what a validation went by, so that it can be done again.

    Args:
        document: What `dossier` made.
        profile: What tools may contain now; a dossier holds the digest of its own only.

    Raises:
        DossierError: the document is none.
    """
    try:
        read = _Document.model_validate(document)
        return Dossier(
            draft=read.draft(),
            settings=read.settings.settings(profile),
            profile_digest=read.surroundings.profile.digest,
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        message = f"no report of a validation: {where}: {first['msg']}"
        raise DossierError(message) from error
    except ValueError as error:
        message = f"no report of a validation: {error}"
        raise DossierError(message) from error


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "unknown"


def _tried(draft: Draft) -> JsonObject:
    """Return a tool with what it is tried by."""
    return {
        "tool": {
            "name": draft.name,
            "description": draft.description,
            "source": draft.source,
            "parameters": draft.parameters,
            "returns": draft.returns,
            "calls": [*draft.calls],
            "origin": str(draft.origin),
        },
        "cases": [_case(case) for case in draft.cases],
        "held_out": [_case(case) for case in draft.held_out],
        "original": _original(draft),
    }


def _case(case: Case) -> JsonObject:
    calls: list[Json] = [
        {"tool": call.tool, "arguments": call.arguments, "result": call.result, "error": call.error}
        for call in case.calls
    ]
    return {
        "arguments": case.arguments,
        "value": case.value,
        "error": case.error,
        "calls": calls,
        "task": case.task_id,
        "trace": case.trace_id,
        "place": str(case.place),
    }


def _original(draft: Draft) -> JsonObject | None:
    match draft.original:
        case OriginalCode(source, entry):
            return {"source": source, "entry": entry}
        case OriginalCalls(plan, overfitted):
            return {"plan": plan_to_json(plan), "overfitted": overfitted}
        case OriginalEpisode(called_at, takes):
            return {"called_at": called_at, "takes": {name: [*at] for name, at in takes.items()}}
        case OriginalTools(members):
            return {"members": [_member(one) for one in members]}
    return None


def _member(member: Member) -> JsonObject:
    return {
        **_tried(member.draft),
        "takes": {**member.takes},
        "constants": member.constants,
    }


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Tool(_Strict):
    name: str
    description: str
    source: str
    parameters: dict[str, JsonValue]
    returns: dict[str, JsonValue]
    calls: list[str]
    origin: DraftOrigin


class _Call(_Strict):
    tool: str
    arguments: dict[str, JsonValue]
    result: JsonValue
    error: str | None

    def call(self, place: Place) -> ToolCall:
        return ToolCall(self.tool, dict(self.arguments), self.result, self.error, place)


class _Case(_Strict):
    arguments: dict[str, JsonValue]
    value: JsonValue
    error: str | None
    calls: list[_Call]
    task: str
    trace: str
    place: str

    def case(self) -> Case:
        place = _place(self.place)
        calls = tuple(call.call(place) for call in self.calls)
        return Case(
            arguments=dict(self.arguments),
            value=self.value,
            error=self.error,
            calls=calls,
            task_id=self.task,
            place=place,
            trace_id=self.trace,
        )


class _CodeOriginal(_Strict):
    source: str
    entry: str

    def original(self) -> OriginalCode:
        return OriginalCode(self.source, self.entry)


class _CallsOriginal(_Strict):
    plan: list[JsonValue]
    overfitted: str

    def original(self) -> OriginalCalls:
        return OriginalCalls(plan_from_json([*self.plan]), self.overfitted)


class _EpisodeOriginal(_Strict):
    called_at: str
    takes: dict[str, tuple[str, str]]

    def original(self) -> OriginalEpisode:
        return OriginalEpisode(self.called_at, self.takes)


class _ToolsOriginal(_Strict):
    members: list[_Member]

    def original(self) -> OriginalTools:
        return OriginalTools(tuple(one.member() for one in self.members))


class _Tried(BaseModel):
    tool: _Tool
    cases: list[_Case]
    held_out: list[_Case]
    original: _CodeOriginal | _CallsOriginal | _EpisodeOriginal | _ToolsOriginal | None

    def draft(self) -> Draft:
        return Draft(
            name=self.tool.name,
            description=self.tool.description,
            source=self.tool.source,
            parameters=dict(self.tool.parameters),
            returns=dict(self.tool.returns),
            calls=tuple(self.tool.calls),
            origin=self.tool.origin,
            opportunity=None,
            cases=_cases(self.cases),
            held_out=_cases(self.held_out),
            original=None if self.original is None else self.original.original(),
        )


class _Member(_Tried):
    takes: dict[str, str]
    constants: dict[str, JsonValue]

    def member(self) -> Member:
        return Member(self.draft(), self.takes, dict(self.constants))


class _Limits(_Strict):
    wall_s: float
    memory_mb: int
    output_bytes: int
    processes: int
    workspace_mb: int


class _Settings(_Strict):
    inputs: int
    crowd: int
    repeats: int
    mutants: int
    limits: _Limits
    seed: int

    def settings(self, profile: Profile) -> ValidationSettings:
        return ValidationSettings(
            inputs=self.inputs,
            crowd=self.crowd,
            repeats=self.repeats,
            mutants=self.mutants,
            limits=Limits(**self.limits.model_dump()),
            profile=profile,
            seed=self.seed,
        )


class _Profile(_Strict):
    name: str
    digest: str


class _Surroundings(BaseModel):
    profile: _Profile


class _Document(_Tried):
    settings: _Settings
    surroundings: _Surroundings


def _cases(read: Sequence[_Case]) -> tuple[Case, ...]:
    return tuple(one.case() for one in read)


def _place(text: str) -> Place:
    """Return the place that was written as `file:line#step`."""
    file, _, rest = text.rpartition(":")
    line, _, step = rest.partition("#")
    return Place(file, int(line), int(step or 0))
