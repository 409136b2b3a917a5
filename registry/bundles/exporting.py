"""Choosing what goes into a bundle, and what of it stays at home."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from toolguild.registry.bundles.errors import BundleError
from toolguild.registry.bundles.privacy import shared_evidence, without_paths
from toolguild.registry.bundles.statement import Bundle, BundledTool
from toolguild.registry.canonical import digest
from toolguild.registry.errors import UnknownToolError
from toolguild.registry.model import Record, State, ToolVersion
from toolguild.registry.rows import time_text
from toolguild.registry.store import Registry
from toolguild.sandbox import JsonObject
from toolguild.version import __version__

__all__ = ["Exported", "export_all", "export_tools"]

_RECORD = TypeAdapter(Record)


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle, and what did not go into it."""

    bundle: Bundle
    missing: Mapping[str, tuple[str, ...]]
    """Names that exported tools call and that are no active tools of the registry, with those that
    call them: an importing agent has to bring its own."""
    left_out: tuple[str, ...] = ()
    """Versions that are not active, of all those that were asked for."""


def export_all(registry: Registry, *, with_reports: bool = False) -> Exported:
    """Return a bundle of the active versions that names point at."""
    versions = registry.tools()
    active = [version for version in versions if version.state is State.ACTIVE]
    left_out = tuple(
        f"{version.ref} ({version.state.value})"
        for version in versions
        if version.state is not State.ACTIVE
    )
    return _export(registry, active, left_out, with_reports=with_reports)


def export_tools(
    registry: Registry, refs: Sequence[str], *, with_reports: bool = False
) -> Exported:
    """Return a bundle of some versions, and of the tools that they call.

    Args:
        registry: Where they are.
        refs: `name`, `name@3`, `name@sha256:ab12` or `name@alias` each.
        with_reports: Whether to share what their evidence rests on: recorded arguments, results.

    Raises:
        UnknownToolError: there is no such tool or version.
        BundleError: a version is not active.
    """
    versions = [registry.tool(ref) for ref in refs]
    for version in versions:
        if version.state is not State.ACTIVE:
            msg = f"{version.ref} is {version.state.value}, and only active versions are exported"
            raise BundleError(msg)
    return _export(registry, versions, (), with_reports=with_reports)


def _export(
    registry: Registry,
    versions: Sequence[ToolVersion],
    left_out: tuple[str, ...],
    *,
    with_reports: bool,
) -> Exported:
    whole, missing = _with_called(registry, versions)
    if not whole:
        msg = "there is no active tool to export; `toolguild tools list` shows what there is"
        raise BundleError(msg)
    reports: dict[str, JsonObject] = {}
    tools = tuple(_bundled(registry, version, reports, with_reports) for version in whole)
    bundle = Bundle(tools, reports, time_text(registry.now()), __version__)
    return Exported(bundle, missing, left_out)


def _with_called(
    registry: Registry, versions: Sequence[ToolVersion]
) -> tuple[list[ToolVersion], dict[str, tuple[str, ...]]]:
    """Return versions and those that they call, by name and number, and who calls what else."""
    found = {version.digest: version for version in versions}
    pending, missing = [*found.values()], dict[str, tuple[str, ...]]()
    while pending:
        caller = pending.pop()
        for name in caller.spec.calls:
            called = _active(registry, name)
            if called is None:
                missing[name] = (*missing.get(name, ()), caller.ref)
            elif called.digest not in found:
                found[called.digest] = called
                pending.append(called)
    whole = sorted(found.values(), key=lambda version: (version.spec.name, version.number))
    return whole, {name: tuple(sorted(missing[name])) for name in sorted(missing)}


def _active(registry: Registry, name: str) -> ToolVersion | None:
    try:
        version = registry.tool(name)
    except UnknownToolError:
        return None
    return version if version.state is State.ACTIVE else None


def _bundled(
    registry: Registry, version: ToolVersion, reports: dict[str, JsonObject], with_reports: bool
) -> BundledTool:
    provenance = without_paths(version.provenance)
    named = version.evidence.get("report")
    report = None
    if with_reports and isinstance(named, str):
        shared = without_paths(registry.report(named))
        # Cut paths make it another document, with a digest of its own.
        report = digest(shared)
        reports[report] = shared if isinstance(shared, dict) else {}
    return BundledTool(
        spec=version.spec,
        number=version.number,
        active=registry.tool(version.spec.name).digest == version.digest,
        tier=version.tier,
        state=version.state,
        registered_at=time_text(version.registered_at),
        provenance=provenance if isinstance(provenance, dict) else {},
        evidence=shared_evidence(version.evidence),
        record=_RECORD.dump_python(registry.track_record(version.digest), mode="json"),
        report=report,
    )
