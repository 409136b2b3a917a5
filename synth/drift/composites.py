"""The registered tools that call others, with the recordings that they were validated on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from toolguild.policies import Profile
from toolguild.registry import Registry, State, ToolVersion
from toolguild.synth.drafting import Case, Draft
from toolguild.synth.validation import DossierError, ValidationSettings, read_dossier

__all__ = ["Composite", "composites_of"]


@dataclass(frozen=True, slots=True)
class Composite:
    """One version of a tool that calls others."""

    version: ToolVersion
    draft: Draft
    """With the version's own text, and the recorded cases of its report."""
    settings: ValidationSettings
    is_meant: bool
    """Whether the tool's name means this version."""

    @property
    def cases(self) -> tuple[Case, ...]:
        """The recorded runs that it was validated on."""
        return (*self.draft.cases, *self.draft.held_out)


def composites_of(
    registry: Registry, profile: Profile
) -> tuple[list[Composite], list[ToolVersion]]:
    """Return the versions that call other tools and can be called, retired ones left out.

    Args:
        registry: Where they are.
        profile: What tools may contain now.

    Returns:
        Those with recordings of their own, and those without: an imported tool comes with what
        its exporter recorded, which says nothing of the tools that are called here.
    """
    found: list[Composite] = []
    without: list[ToolVersion] = []
    for meant in registry.tools():
        for version in registry.versions(meant.spec.name):
            if not version.spec.calls or version.state is State.RETIRED:
                continue
            composite = _composite(
                registry, version, profile, is_meant=version.digest == meant.digest
            )
            if composite is None:
                without.append(version)
            else:
                found.append(composite)
    return found, without


def _composite(
    registry: Registry, version: ToolVersion, profile: Profile, *, is_meant: bool
) -> Composite | None:
    report = version.evidence.get("report")
    if not isinstance(report, str):
        return None
    try:
        read = read_dossier(registry.report(report), profile)
    except DossierError:  # whoever registered it kept another kind of report
        return None
    spec = version.spec
    draft = replace(read.draft, name=spec.name, source=spec.source, calls=spec.calls)
    return Composite(version, draft, read.settings, is_meant)
