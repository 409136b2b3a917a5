"""What a bundle says: an in-toto Statement about tools, made and read.

The Statement (https://in-toto.io/Statement/v1) names each tool by its digest as a subject; our
predicate holds the specifications, and what their exporter says of them. The payload is canonical
JSON, so that one bundle has one text and one digest. Whatever is read is checked: a bundle is
hostile until it has proven to be just what some `payload_of` would have written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from toolguild.policies import Tier
from toolguild.registry.bundles.errors import BundleError
from toolguild.registry.canonical import canonical_json, decode_strict_json, text_digest
from toolguild.registry.errors import InvalidSpecError, NotJsonError
from toolguild.registry.model import State, ToolSpec
from toolguild.registry.rows import spec_of_text
from toolguild.registry.specs import check_spec
from toolguild.sandbox import Json, JsonObject

__all__ = [
    "MAX_TOOLS",
    "PREDICATE_TYPE",
    "STATEMENT_TYPE",
    "Bundle",
    "BundledTool",
    "IsoTime",
    "decoded_payload",
    "payload_of",
    "read_payload",
    "refuse",
    "validated",
]

_Form = TypeVar("_Form", bound=BaseModel)

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:x-toolguild:bundle:v1"
_PREDICATE = re.compile(r"urn:x-toolguild:bundle:v(?P<version>[0-9]{1,6})")
_VERSION = 1

MAX_TOOLS = 5000
MAX_CLAIMS_BYTES = 500_000
"""Of what an exporter says of one tool; it is kept beside the tool and read with it."""
MAX_DEPTH = 100
MAX_PARTS = 2_000_000
"""Of the JSON, by its brackets and commas: small ones take 30 times the memory of their text."""
_MAX_NUMBER = 999_999_999


@dataclass(frozen=True, slots=True)
class BundledTool:
    """A version, and what its exporter says of it. All but the specification is a claim."""

    spec: ToolSpec
    number: int
    """That of the version in the exporter's registry."""
    active: bool
    """Whether the name meant this version there."""
    tier: Tier
    state: State
    registered_at: str
    """ISO 8601."""
    provenance: JsonObject = field(default_factory=dict)
    evidence: JsonObject = field(default_factory=dict)
    record: JsonObject = field(default_factory=dict)
    """How often it was used there, and with what success."""
    report: str | None = None
    """Digest of what the evidence rests on, where the bundle holds that."""

    @property
    def ref(self) -> str:
        """`name@number` in the exporter's registry."""
        return f"{self.spec.name}@{self.number}"

    def claims(self) -> JsonObject:
        """Return everything but the specification, as plain data."""
        return {
            "number": self.number,
            "active": self.active,
            "tier": self.tier.value,
            "state": self.state.value,
            "registered_at": self.registered_at,
            "provenance": self.provenance,
            "evidence": self.evidence,
            "record": self.record,
            "report": self.report,
        }


@dataclass(frozen=True, slots=True)
class Bundle:
    """Tools of one registry, for another one."""

    tools: tuple[BundledTool, ...]
    """By name and number, each version once."""
    reports: Mapping[str, JsonObject]
    """By digest."""
    exported_at: str
    """ISO 8601."""
    toolguild: str
    """Version of the toolguild that wrote it."""


def payload_of(bundle: Bundle) -> bytes:
    """Return the Statement of a bundle, as it is signed.

    Raises:
        BundleError: no import would take it: too many tools, or too much said of one.
    """
    statement: JsonObject = {
        "_type": STATEMENT_TYPE,
        "subject": _subjects(bundle.tools),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "exported_at": bundle.exported_at,
            "toolguild": bundle.toolguild,
            "tools": [{"spec": tool.spec.content(), **tool.claims()} for tool in bundle.tools],
            "reports": {**bundle.reports},
        },
    }
    _check_tools(bundle.tools)
    payload = canonical_json(statement).encode()
    _check_parts(payload)
    return payload


def read_payload(payload: bytes) -> Bundle:
    """Return the bundle of a payload.

    Raises:
        BundleError: it is not one that `payload_of` would have written; the message says where.
    """
    document = decoded_payload(payload)
    _check_kind(document)
    statement = validated(_Statement, document)
    predicate = statement.predicate
    tools = tuple(_tool(number, one) for number, one in enumerate(predicate.tools))
    _check_tools(tools)
    if [subject.model_dump() for subject in statement.subject] != _subjects(tools):
        refuse("subject: names other tools than the predicate holds")
    _check_reports(tools, predicate.reports)
    return Bundle(tools, predicate.reports, predicate.exported_at, predicate.toolguild)


def validated(form: type[_Form], document: Json, within: str = "") -> _Form:
    """Return plain data in its form.

    Args:
        form: What it has to be.
        document: The data.
        within: Where in a payload it stands, with a dot behind.

    Raises:
        BundleError: it is something else; the message says where.
    """
    try:
        return form.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = f"{within}{'.'.join(map(str, first['loc']))}"
        refuse(f"{place[:200]}: {first['msg'][:200]}")


def _iso_time(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        msg = "a time without its zone"
        raise ValueError(msg)
    return text


IsoTime = Annotated[str, Field(max_length=40), AfterValidator(_iso_time)]
_Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Hashes(_Model):
    sha256: str = Field(max_length=64)


class _Subject(_Model):
    name: str = Field(max_length=100)
    digest: _Hashes


class _Tool(_Model):
    """A `BundledTool` as it is written."""

    spec: dict[str, JsonValue]
    number: int = Field(ge=1, le=_MAX_NUMBER)
    active: bool
    tier: Annotated[Tier, Field(strict=False)]
    state: Annotated[State, Field(strict=False)]
    registered_at: IsoTime
    provenance: dict[str, JsonValue]
    evidence: dict[str, JsonValue]
    record: dict[str, JsonValue]
    report: _Digest | None


class _Predicate(_Model):
    exported_at: IsoTime
    toolguild: str = Field(max_length=100)
    tools: list[_Tool] = Field(min_length=1, max_length=MAX_TOOLS)
    reports: dict[_Digest, dict[str, JsonValue]] = Field(max_length=MAX_TOOLS)


class _Statement(_Model):
    type: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    subject: list[_Subject] = Field(max_length=MAX_TOOLS)
    predicate_type: Literal["urn:x-toolguild:bundle:v1"] = Field(alias="predicateType")
    predicate: _Predicate


def refuse(what: str) -> NoReturn:
    """Raise a `BundleError` that says in what way a payload is not as toolguild writes them."""
    msg = f"no bundle that toolguild wrote: {what}"
    raise BundleError(msg)


def decoded_payload(payload: bytes) -> Json:
    """Return the canonical JSON of a payload.

    Raises:
        BundleError: it is something else, or too much.
    """
    _check_parts(payload)
    try:
        text = payload.decode("utf-8")
        document = decode_strict_json(text, max_depth=MAX_DEPTH)
        canonical = canonical_json(document)
    except (UnicodeDecodeError, NotJsonError) as error:
        refuse(f"its payload is {error}")
    if canonical != text:
        refuse("its payload is not canonical JSON, so that its digest would not be the only one")
    return document


def _check_parts(payload: bytes) -> None:
    if sum(payload.count(mark) for mark in (b"{", b"[", b",")) > MAX_PARTS:
        refuse(f"more than {MAX_PARTS:,} parts")


def _check_kind(document: Json) -> None:
    kind = document.get("predicateType") if isinstance(document, dict) else None
    match = _PREDICATE.fullmatch(kind) if isinstance(kind, str) else None
    if match is None:
        refuse(f"it does not state a {PREDICATE_TYPE}")
    version = int(match["version"])
    if version > _VERSION:
        msg = f"a bundle of version {version}, and this toolguild reads {_VERSION}; upgrade it"
        raise BundleError(msg)
    if kind != PREDICATE_TYPE:
        msg = (
            f"a bundle of version {version}, which no toolguild reads any more; ask for one of "
            f"version {_VERSION}"
        )
        raise BundleError(msg)


def _tool(place: int, read: _Tool) -> BundledTool:
    text = canonical_json(read.spec)
    digest = text_digest(text)
    try:
        spec = spec_of_text(text, digest)
        check_spec(spec)
    except InvalidSpecError as error:
        refuse(f"predicate.tools.{place}: {error}")
    except ValueError as error:
        refuse(f"predicate.tools.{place}.spec: not a specification ({str(error)[:300]})")
    if spec.digest != digest:
        refuse(f"predicate.tools.{place}.spec: not as toolguild writes specifications")
    claims = {name: getattr(read, name) for name in _Tool.model_fields if name != "spec"}
    return BundledTool(spec, **claims)


def _check_tools(tools: tuple[BundledTool, ...]) -> None:
    if len(tools) > MAX_TOOLS:
        refuse(f"{len(tools):,} tools, more than {MAX_TOOLS:,}")
    if [*tools] != sorted(tools, key=_by_name):
        refuse("its tools are not in the order of their names")
    _check_distinct("tool", (tool.spec.digest for tool in tools))
    _check_distinct("version", (tool.ref for tool in tools))
    _check_distinct("meaning of the name", (tool.spec.name for tool in tools if tool.active))
    for tool in tools:
        size = len(canonical_json(tool.claims()).encode())
        if size > MAX_CLAIMS_BYTES:
            refuse(f"{tool.ref}: {size:,} bytes beside it, more than {MAX_CLAIMS_BYTES:,}")
        if tool.state is not State.ACTIVE:
            refuse(f"{tool.ref}: {tool.state.value}, and only active versions are shared")


def _check_distinct(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            refuse(f"the same {what} twice: {name}")
        seen.add(name)


def _check_reports(tools: Iterable[BundledTool], reports: Mapping[str, JsonObject]) -> None:
    for digest, report in reports.items():
        if text_digest(canonical_json(report)) != digest:
            refuse(f"predicate.reports.{digest}: another report than its digest says")
    if {tool.report for tool in tools if tool.report is not None} != set(reports):
        refuse("predicate.reports: not those that its tools name")


def _by_name(tool: BundledTool) -> tuple[str, int]:
    return tool.spec.name, tool.number


def _subjects(tools: Iterable[BundledTool]) -> list[Json]:
    return [
        {"name": tool.ref, "digest": {"sha256": tool.spec.digest.removeprefix("sha256:")}}
        for tool in tools
    ]
