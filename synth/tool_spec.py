"""What the registry keeps of a draft, and which of its versions differ in words alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from toolguild.policies import Capability, Profile, Tier
from toolguild.registry import ToolSpec, ToolVersion
from toolguild.sandbox import Json
from toolguild.synth.drafting import Case, Draft, DraftOrigin
from toolguild.synth.drafting.documenting import code_of
from toolguild.synth.validation import check_source, inferred_needs
from toolguild.synth.validation.static import refused

__all__ = ["draft_of", "refusal", "spec_of", "without_words"]


def spec_of(draft: Draft, profile: Profile | None = None) -> ToolSpec:
    """Return what the registry keeps of a draft, whose needs a profile tells from its text."""
    return ToolSpec(
        name=draft.name,
        description=draft.description,
        source=draft.source,
        parameters=draft.parameters,
        returns=draft.returns,
        calls=draft.calls,
        needs=inferred_needs(draft.source, profile),
    )


def draft_of(version: ToolVersion, cases: Sequence[Case] = ()) -> Draft:
    """Return a registered version as a draft, to be proven once more by known results."""
    spec, origin = version.spec, str(version.provenance.get("origin"))
    return Draft(
        name=spec.name,
        description=spec.description,
        source=spec.source,
        parameters=spec.parameters,
        returns=spec.returns,
        calls=spec.calls,
        origin=DraftOrigin(origin) if origin in {*DraftOrigin} else DraftOrigin.PERSON,
        opportunity=None,
        cases=tuple(cases),
    )


def refusal(spec: ToolSpec, profile: Profile) -> str:
    """Return why the static gate refuses a tool, as validation would ask it; empty where it passes.

    Args:
        spec: A tool that somebody else proved.
        profile: The lists behind the gate's rules.
    """
    tier = Tier.RESTRICTED if Capability.WRITE in spec.needs else Tier.SANDBOX
    findings = check_source(spec.source, tier, profile=profile, entry=spec.name)
    errors = [one for one in findings if refused([one])]
    return f"{errors[0].code} on line {errors[0].line}: {errors[0].message}" if errors else ""


def without_words(spec: ToolSpec) -> ToolSpec:
    """Return what is left of a specification without the words that a model may have put.

    Those are its description, the docstring of its function, and the descriptions of its parameters
    and of its result. Two with the same rest do the same.
    """
    properties = spec.parameters.get("properties")
    parameters = {
        name: _undescribed(schema)
        for name, schema in (properties.items() if isinstance(properties, dict) else ())
    }
    return replace(
        spec,
        description="",
        source=_code_or_text(spec),
        parameters={**spec.parameters, "properties": parameters},
        returns={key: value for key, value in spec.returns.items() if key != "description"},
    )


def _undescribed(schema: Json) -> Json:
    if not isinstance(schema, dict):
        return schema
    return {key: value for key, value in schema.items() if key != "description"}


def _code_or_text(spec: ToolSpec) -> str:
    """Return the code of a specification, or its text where that is none."""
    try:
        return code_of(spec.source, spec.name)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return spec.source
