"""Taking the tools of a bundle into a registry: all of them, or none.

What arrives starts again: in the tier `sandbox`, with no record and no evidence. What its exporter
says of it is kept as a claim in its provenance, and counts for nothing. It is `active`, as every
new version is: in its tier it can change nothing, and only by being called does it earn a record.
What the budget of new tools has no room for is `proposed`, and waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from toolguild.registry import schema
from toolguild.registry.bundles.arrivals import (
    Arrival,
    Fate,
    Local,
    arrivals_of,
    missing_names,
    within,
)
from toolguild.registry.bundles.envelope import open_envelope
from toolguild.registry.bundles.errors import ImportRefusedError
from toolguild.registry.bundles.renaming import rename_known
from toolguild.registry.bundles.statement import Bundle, read_payload
from toolguild.registry.canonical import text_digest
from toolguild.registry.improvement import made_for
from toolguild.registry.lookup import find_version
from toolguild.registry.model import ToolSpec
from toolguild.registry.proposals import Intake
from toolguild.registry.reports import with_report
from toolguild.registry.signing import PublicKey
from toolguild.registry.store import Registry
from toolguild.sandbox import JsonObject

__all__ = ["ImportSettings", "Imported", "Received", "import_bundle", "receive"]


def _no_gate(_spec: ToolSpec) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Received:
    """A bundle whose signature was checked, and whose contents are as they must be."""

    bundle: Bundle
    digest: str
    """Of its payload."""
    signed_by: tuple[str, ...]
    """Ids of the trusted keys that signed it; empty where nobody did."""

    @property
    def origin(self) -> str:
        """The bundle and who vouches for it, for the audit trail."""
        signed = f"signed by {', '.join(self.signed_by)}" if self.signed_by else "unsigned"
        return f"bundle {self.digest}, {signed}"


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """How a bundle is taken in."""

    replace: bool = False
    """Whether names that mean something else here shall mean what arrives."""
    rename: str = ""
    """What to put before names that mean something else here."""
    gate: Callable[[ToolSpec], str] = _no_gate
    """Says why a tool is refused by its text, or an empty text. The static gate stands above this
    package, so that whoever imports hands it in, as the command line does."""
    dry_run: bool = False
    """Whether to write nothing."""
    agent: str = ""
    """Whose change is to bring the tools; nobody's unless given."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do."""

    received: Received
    arrivals: tuple[Arrival, ...]
    missing: dict[str, tuple[str, ...]]
    """Names that arriving tools call and that no active tool here has, with those that call
    them: the agent has to bring its own."""

    @property
    def changed(self) -> bool:
        """Whether anything was, or would be, written."""
        return any(arrival.changes for arrival in self.arrivals)


def receive(data: bytes, trusted: Sequence[PublicKey], *, unsigned: bool = False) -> Received:
    """Check the bytes of a bundle, from anywhere.

    Args:
        data: The bytes.
        trusted: Keys of those whose bundles are taken.
        unsigned: Whether to take a bundle that nobody signed.

    Raises:
        BundleError: it is no bundle.
        UntrustedBundleError: nobody who is trusted signed it, or it was changed since.
    """
    opened = open_envelope(data, trusted, unsigned=unsigned)
    bundle = read_payload(opened.payload)
    return Received(bundle, text_digest(opened.payload.decode()), opened.signed_by)


def import_bundle(
    registry: Registry, received: Received, settings: ImportSettings = ImportSettings()
) -> Imported:
    """Make the tools of a bundle versions of a registry; the audit trail gets a row for each.

    A version that is registered already is left as it is, with the tier and the record that it has
    here. One of a name that means something else here becomes the next version of that name, which
    goes on meaning what it did, unless the settings say otherwise.

    Raises:
        ImportRefusedError: a tool cannot be taken in; nothing was written.
    """
    # The gate takes its time, and is asked before others have to wait for the registry.
    passed: set[str] = set()
    intake = registry.governance.intake()
    with registry.database.read() as connection:
        planned = _plan(connection, received, settings, intake, passed)
    if settings.dry_run:
        return planned
    with registry.database.write() as connection:
        # Somebody may have written in between.
        imported = _plan(connection, received, settings, intake, passed)
        for arrival in imported.arrivals:
            _write(registry, connection, arrival, received, settings)
        return imported


def _plan(
    connection: Connection,
    received: Received,
    settings: ImportSettings,
    intake: Intake,
    passed: set[str],
) -> Imported:
    """Say what becomes of each tool; `passed` are the digests that the gate let through."""
    local, tools = Local.of(connection), received.bundle.tools
    taken = (
        rename_known(tools, local, settings.rename)
        if settings.rename
        else [tool.spec for tool in tools]
    )
    arrivals = within(
        arrivals_of(tools, taken, local, replacing=settings.replace), intake.room(connection)
    )
    for arrival in arrivals:
        if arrival.fate is not Fate.KNOWN and arrival.spec.digest not in passed:
            _check_by_gate(arrival, settings)
            passed.add(arrival.spec.digest)
    return Imported(received, arrivals, missing_names(arrivals, local))


def _check_by_gate(arrival: Arrival, settings: ImportSettings) -> None:
    problem = settings.gate(arrival.spec)
    if problem:
        msg = f"{arrival.tool.ref}: refused by the static gate: {problem}; nothing was imported"
        raise ImportRefusedError(msg)


def _write(
    registry: Registry,
    connection: Connection,
    arrival: Arrival,
    received: Received,
    settings: ImportSettings,
) -> None:
    if arrival.fate is Fate.KNOWN:
        if arrival.meant:
            known = schema.versions.c.digest == arrival.spec.digest
            version = find_version(connection, known)
            assert version is not None  # noqa: S101 - that is what makes it known
            registry.point(connection, version, why=received.origin)
        return
    report = arrival.tool.report
    if report is not None:
        with_report(connection, None, received.bundle.reports[report])
    registry.enter(
        connection,
        "import",
        arrival.spec,
        provenance=_provenance(arrival, received, settings),
        evidence={},
        why=received.origin,
        meant=arrival.meant,
        waits=arrival.waits,
    )


def _provenance(arrival: Arrival, received: Received, settings: ImportSettings) -> JsonObject:
    return {
        "origin": "bundle",
        "bundle": received.digest,
        "signed_by": [*received.signed_by],
        "exported_at": received.bundle.exported_at,
        "claims": {
            "ref": arrival.tool.ref,
            "digest": arrival.tool.spec.digest,
            **arrival.tool.claims(),
        },
        **(made_for(settings.agent) if settings.agent else {}),
    }
