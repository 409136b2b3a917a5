"""What would become of each tool of a bundle in one registry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import Connection, func, select

from toolguild.registry import schema
from toolguild.registry.bundles.errors import ImportRefusedError
from toolguild.registry.bundles.statement import BundledTool
from toolguild.registry.model import State, ToolSpec
from toolguild.registry.parts import parts_first

__all__ = ["Arrival", "Fate", "Local", "arrivals_of", "chosen_of", "missing_names", "within"]


class Fate(StrEnum):
    """What becomes of a tool."""

    NEW = "new"
    """Its name was not known here."""
    NEXT = "next version"
    """Its name is known here, with other versions."""
    KNOWN = "known"
    """This very version is registered here, and stays as it is."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One tool of a bundle, on its way into a registry."""

    tool: BundledTool
    """As it was exported."""
    spec: ToolSpec
    """As it is taken in: the same, unless it was renamed."""
    number: int
    """That of its version here."""
    fate: Fate
    meant: bool
    """Whether its name comes to mean it: now, or when it is let in."""
    instead_of: str | None
    """What the name means here, as `name@3`, where that is another version."""
    waits: bool = False
    """Whether it is proposed only, for want of room among the new tools."""

    @property
    def ref(self) -> str:
        """`name@number` here."""
        return f"{self.spec.name}@{self.number}"

    @property
    def changes(self) -> bool:
        """Whether anything is written."""
        return self.meant or self.fate is not Fate.KNOWN


@dataclass(frozen=True, slots=True)
class LocalVersion:
    """What matters here of a registered version."""

    name: str
    number: int
    state: State

    @property
    def ref(self) -> str:
        """`name@number`."""
        return f"{self.name}@{self.number}"


@dataclass(frozen=True, slots=True)
class Local:
    """What matters here of a registry."""

    versions: Mapping[str, LocalVersion]
    """By digest."""
    meanings: Mapping[str, str]
    """The digest that each name means."""
    highest: Mapping[str, int]
    """The number of each name's latest version."""
    rejected: frozenset[str]
    """Digests of drafts that did not pass here, and were not registered since."""

    @classmethod
    def of(cls, connection: Connection) -> Local:
        """Read it."""
        table, tools, drafts = schema.versions, schema.tools, schema.rejections
        columns = select(table.c.digest, table.c.name, table.c.number, table.c.state)
        versions = {
            digest: LocalVersion(name, number, State(state))
            for digest, name, number, state in connection.execute(columns)
        }
        highest = func.max(table.c.number).label("highest")
        numbers = select(table.c.name, highest).group_by(table.c.name)
        return cls(
            versions,
            {row.name: row.active for row in connection.execute(select(tools))},
            {row.name: row.highest for row in connection.execute(numbers)},
            frozenset(connection.scalars(select(drafts.c.digest))) - versions.keys(),
        )

    def means(self, name: str) -> LocalVersion | None:
        """Return the version that a name means, if it means one."""
        digest = self.meanings.get(name)
        return None if digest is None else self.versions.get(digest)


def arrivals_of(
    exported: Sequence[BundledTool], taken: Sequence[ToolSpec], local: Local, *, replacing: bool
) -> tuple[Arrival, ...]:
    """Return what becomes of each tool.

    Args:
        exported: The tools of the bundle.
        taken: The specifications to take in for them, which differ where tools are renamed.
        local: What the registry holds.
        replacing: Whether known names come to mean what arrives.

    Raises:
        ImportRefusedError: a tool was rejected here, or would call another one than it did where
            it comes from.
    """
    chosen = chosen_of(exported, taken)
    highest = dict(local.highest)
    arrivals = []
    for tool, spec in zip(exported, taken, strict=True):
        _check_not_rejected(spec, local)
        name, digest = spec.name, spec.digest
        known, meaning = local.versions.get(digest), local.meanings.get(name)
        usable = known is None or known.state is State.ACTIVE
        wanted = chosen[name] == digest and usable and (meaning is None or replacing)
        if known is None:
            highest[name] = highest.get(name, 0) + 1
        present = local.means(name)
        arrivals.append(
            Arrival(
                tool,
                spec,
                number=known.number if known else highest[name],
                fate=_fate(known, name, local),
                meant=wanted and meaning != digest,
                instead_of=present.ref if present and meaning != digest else None,
            )
        )
    _check_callees(arrivals, chosen, local)
    return tuple(arrivals)


def within(arrivals: Sequence[Arrival], room: int) -> tuple[Arrival, ...]:
    """Return the same, with those waiting that there is no room for; what others call goes first.

    Args:
        arrivals: What arrives.
        room: New tools that may come into use.
    """
    new = [arrival for arrival in arrivals if arrival.fate is not Fate.KNOWN]
    waiting = {one.spec.digest for one in parts_first(new, lambda one: one.spec)[room:]}
    return tuple(replace(one, waits=one.spec.digest in waiting) for one in arrivals)


def missing_names(arrivals: Sequence[Arrival], local: Local) -> dict[str, tuple[str, ...]]:
    """Return the names that tools call and that will mean no active tool, with who calls them."""
    inactive = {
        digest for digest, version in local.versions.items() if version.state is not State.ACTIVE
    }
    meanings = _meanings_after(arrivals, local)
    missing: dict[str, tuple[str, ...]] = {}
    for arrival in arrivals:
        for name in arrival.spec.calls:
            if name not in meanings or meanings[name] in inactive:
                missing[name] = (*missing.get(name, ()), arrival.ref)
    return dict(sorted(missing.items()))


def _meanings_after(arrivals: Iterable[Arrival], local: Local) -> dict[str, str]:
    changed = {arrival.spec.name: arrival.spec.digest for arrival in arrivals if arrival.meant}
    return {**local.meanings, **changed}


def chosen_of(exported: Iterable[BundledTool], taken: Iterable[ToolSpec]) -> dict[str, str]:
    """Return the digest that each arriving name stands for.

    That is what it meant where it comes from, or else its latest version in the bundle.
    """
    chosen: dict[str, str] = {}
    settled = set()
    for tool, spec in zip(exported, taken, strict=True):
        if spec.name not in settled:
            chosen[spec.name] = spec.digest
        if tool.active:
            settled.add(spec.name)
    return chosen


def _fate(known: LocalVersion | None, name: str, local: Local) -> Fate:
    if known is not None:
        return Fate.KNOWN
    return Fate.NEXT if name in local.highest else Fate.NEW


def _check_not_rejected(spec: ToolSpec, local: Local) -> None:
    if spec.digest in local.rejected:
        msg = (
            f"{spec.name}: this very tool was rejected here; `toolguild tools list --rejected` "
            "says why. Nothing was imported; ask for a bundle without it"
        )
        raise ImportRefusedError(msg)


def _check_callees(arrivals: Sequence[Arrival], chosen: Mapping[str, str], local: Local) -> None:
    """Refuse tools that would call others here than those that they come with."""
    meanings = _meanings_after(arrivals, local)
    for arrival in arrivals:
        if arrival.fate is Fate.KNOWN:
            continue
        for name in arrival.spec.calls:
            if name in chosen and meanings.get(name) != chosen[name]:
                meaning = local.means(name)
                msg = (
                    f"{arrival.tool.ref} calls {name}, which means {meaning and meaning.ref} here, "
                    "another tool than the one that it comes with. Nothing was imported; give "
                    "--replace to let the names mean what arrives, or --rename PREFIX to give what "
                    "arrives names of its own"
                )
                raise ImportRefusedError(msg)
