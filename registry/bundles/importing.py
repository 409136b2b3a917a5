"""Taking the tools of a bundle into a registry: all of them, or none.

What arrives starts again: in the tier `sandbox`, with no record and no evidence. What its exporter
says of it is kept as a claim in its provenance, and counts for nothing. It is `active`, as every
new version is: in its tier it can change nothing, and only by being called does it earn a record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from toolguild.registry import schema
from toolguild.registry.bundles.arrivals import Arrival, Fate, Local, arrivals_of, missing_names
from toolguild.registry.bundles.envelope import Opened, open_envelope
from toolguild.registry.bundles.errors import ImportRefusedError
from toolguild.registry.bundles.renaming import rename_known
from toolguild.registry.bundles.statement import Bundle, read_payload
from toolguild.registry.canonical import text_digest
from toolguild.registry.lookup import find_version
from toolguild.registry.model import ToolSpec
from toolguild.registry.reports import with_report
from toolguild.registry.signing import PublicKey
from toolguild.registry.store import Registry
from toolguild.sandbox import JsonObject

__all__ = ["ImportSettings", "Imported", "import_bundle"]


def _no_gate(_spec: ToolSpec) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """How a bundle is taken in."""

    trusted: Sequence[PublicKey] = ()
    """Keys of those whose bundles are taken."""
    unsigned: bool = False
    """Whether to take a bundle that nobody signed."""
    replace: bool = False
    """Whether names that mean something else here shall mean what arrives."""
    rename: str = ""
    """What to put before names that mean something else here."""
    gate: Callable[[ToolSpec], str] = _no_gate
    """Says why a tool is refused by its text, or an empty text."""
    dry_run: bool = False
    """Whether to write nothing."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do."""

    digest: str
    """Of the bundle's payload."""
    signed_by: tuple[str, ...]
    """Ids of the trusted keys; empty where nobody signed it."""
    exported_at: str
    arrivals: tuple[Arrival, ...]
    missing: dict[str, tuple[str, ...]]
    """Names that arriving tools call and that no active tool here has, with those that call
    them: the agent has to bring its own."""

    @property
    def changed(self) -> bool:
        """Whether anything was, or would be, written."""
        return any(arrival.changes for arrival in self.arrivals)


def import_bundle(registry: Registry, data: bytes, settings: ImportSettings) -> Imported:
    """Make the tools of a bundle versions of a registry.

    A version that is registered already is left as it is, with the tier and the record that it has
    here. One of a name that means something else here becomes the next version of that name, which
    goes on meaning what it did, unless the settings say otherwise.

    Args:
        registry: Where the tools go; the audit trail gets a row for each.
        data: The bytes of the bundle, from anywhere.
        settings: How it is taken in.

    Raises:
        BundleError: it is no bundle.
        UntrustedBundleError: nobody who is trusted signed it, or it was changed since.
        ImportRefusedError: a tool cannot be taken in; nothing was written.
    """
    opened = open_envelope(data, settings.trusted, unsigned=settings.unsigned)
    bundle = read_payload(opened.payload)
    digest = text_digest(opened.payload.decode())
    # The gate takes its time, and is asked before others have to wait for the registry.
    passed: set[str] = set()
    with registry.database.read() as connection:
        planned = _plan(connection, bundle, opened, digest, settings, passed)
    if settings.dry_run:
        return planned
    with registry.database.write() as connection:
        # Somebody may have written in between.
        imported = _plan(connection, bundle, opened, digest, settings, passed)
        for arrival in imported.arrivals:
            _write(registry, connection, arrival, bundle, imported)
        return imported


def _plan(
    connection: Connection,
    bundle: Bundle,
    opened: Opened,
    digest: str,
    settings: ImportSettings,
    passed: set[str],
) -> Imported:
    """Say what becomes of each tool; `passed` are the digests that the gate let through."""
    local = Local.of(connection)
    taken = (
        rename_known(bundle.tools, local, settings.rename)
        if settings.rename
        else [tool.spec for tool in bundle.tools]
    )
    arrivals = arrivals_of(bundle.tools, taken, local, replacing=settings.replace)
    for arrival in arrivals:
        if arrival.fate is not Fate.KNOWN and arrival.spec.digest not in passed:
            _check_by_gate(arrival, settings)
            passed.add(arrival.spec.digest)
    missing = missing_names(arrivals, local)
    return Imported(digest, opened.signed_by, bundle.exported_at, arrivals, missing)


def _check_by_gate(arrival: Arrival, settings: ImportSettings) -> None:
    problem = settings.gate(arrival.spec)
    if problem:
        msg = f"{arrival.tool.ref}: refused by the static gate: {problem}; nothing was imported"
        raise ImportRefusedError(msg)


def _write(
    registry: Registry, connection: Connection, arrival: Arrival, bundle: Bundle, imported: Imported
) -> None:
    signed = f"signed by {', '.join(imported.signed_by)}" if imported.signed_by else "unsigned"
    why = f"bundle {imported.digest}, {signed}"
    if arrival.fate is Fate.KNOWN:
        if arrival.meant:
            known = schema.versions.c.digest == arrival.spec.digest
            version = find_version(connection, known)
            assert version is not None  # noqa: S101 - that is what makes it known
            registry.point(connection, version, why=why)
        return
    report = arrival.tool.report
    if report is not None:
        with_report(connection, None, bundle.reports[report])
    registry.enter(
        connection,
        "import",
        arrival.spec,
        provenance=_provenance(arrival, imported),
        evidence={},
        why=why,
        meant=arrival.meant,
    )


def _provenance(arrival: Arrival, imported: Imported) -> JsonObject:
    return {
        "origin": "bundle",
        "bundle": imported.digest,
        "signed_by": [*imported.signed_by],
        "exported_at": imported.exported_at,
        "claims": {
            "ref": arrival.tool.ref,
            "digest": arrival.tool.spec.digest,
            **arrival.tool.claims(),
        },
    }
