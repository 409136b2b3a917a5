"""From one agent to another: what it is told and the tools it made, in one signed bundle.

What arrives is proposed, and nothing more: each change has to pass the gates that the agent's own
changes pass. Tools arrive as those of any bundle do, in the tier `sandbox`; the provenance of each
says whose change is to bring it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from toolguild.agent.improvement.artefacts import Example, Instructions, Lesson
from toolguild.agent.improvement.bootstrapping.agent_bundle import (
    FORMS,
    AgentBundle,
    Told,
    objection_to,
    read_agent_payload,
)
from toolguild.policies import Profile
from toolguild.policies.improvement import ImprovementRules
from toolguild.registry import Registry, State
from toolguild.registry.bundles import (
    BundleError,
    Imported,
    ImportSettings,
    Received,
    export_tools,
    import_bundle,
)
from toolguild.registry.bundles.envelope import open_envelope
from toolguild.registry.canonical import text_digest
from toolguild.registry.improvement import ChangeKind, NewChange, Standing
from toolguild.registry.rows import time_text
from toolguild.registry.signing import PublicKey
from toolguild.sandbox import JsonObject
from toolguild.synth.tool_spec import refusal
from toolguild.version import __version__

__all__ = ["Arrived", "ExportedAgent", "ReceivedAgent", "export_agent", "receive_agent", "take_in"]

_CHANGES: dict[ChangeKind, type[Told]] = {
    ChangeKind.INSTRUCTIONS: Instructions,
    ChangeKind.LESSONS: Lesson,
    ChangeKind.EXAMPLES: Example,
}


@dataclass(frozen=True, slots=True)
class ExportedAgent:
    """A bundle, and what did not go into it."""

    bundle: AgentBundle
    left_out: tuple[str, ...]
    """What no import would take, and why."""
    missing: tuple[str, ...]
    """Names that its tools call: an importing agent has to bring its own."""


@dataclass(frozen=True, slots=True)
class ReceivedAgent:
    """A bundle whose signature was checked, and whose contents are as they must be."""

    bundle: AgentBundle
    digest: str
    """Of its payload."""
    signed_by: tuple[str, ...]
    """Ids of the trusted keys that signed it; empty where nobody did."""

    @property
    def origin(self) -> JsonObject:
        """The bundle and who vouches for it, for the evidence of changes."""
        return {
            "bundle": self.digest,
            "signed_by": [*self.signed_by],
            "agent": self.bundle.agent,
            "exported_at": self.bundle.exported_at,
        }


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a bundle comes to for an agent."""

    changes: tuple[NewChange, ...]
    """To be validated, and then made or, where they bring tools, withdrawn."""
    left_out: tuple[str, ...]
    """What was not taken, and why."""
    tools: Imported | None
    """What became of its tools."""


def export_agent(registry: Registry, agent: str) -> ExportedAgent:
    """Return a bundle of what an agent is told, and of the tools in use that its changes brought.

    Raises:
        BundleError: there is nothing to export.
    """
    told: dict[str, Told] = {}
    left_out = []
    for artefact in registry.improvements.standing(agent).artefacts.values():
        one = _to_share(FORMS[artefact.kind].of(artefact))
        if objection := objection_to(one):
            left_out.append(f"{artefact.kind.value} {artefact.digest[:19]}: {objection}")
        else:
            told[one.artefact.digest] = one
    brought = [version for _, version in registry.improvements.brought_tools(agent)]
    refs = [version.ref for version in brought if version.state is State.ACTIVE]
    exported = export_tools(registry, refs) if refs else None
    if not told and exported is None:
        msg = f"{agent} is told nothing that can be shared, and its changes brought no tools in use"
        raise BundleError(msg)
    bundle = AgentBundle(
        agent=agent,
        told=tuple(told.values()),
        tools=exported.bundle if exported else None,
        exported_at=time_text(registry.now()),
        toolguild=__version__,
    )
    return ExportedAgent(bundle, tuple(left_out), tuple(exported.missing) if exported else ())


def receive_agent(
    data: bytes, trusted: Sequence[PublicKey], *, unsigned: bool = False
) -> ReceivedAgent:
    """Check the bytes of a bundle, from anywhere.

    Args:
        data: The bytes.
        trusted: Keys of those whose bundles are taken.
        unsigned: Whether to take a bundle that nobody signed.

    Raises:
        BundleError: it is no bundle of an agent.
        UntrustedBundleError: nobody who is trusted signed it, or it was changed since.
    """
    opened = open_envelope(data, trusted, unsigned=unsigned)
    bundle = read_agent_payload(opened.payload)
    return ReceivedAgent(bundle, text_digest(opened.payload.decode()), opened.signed_by)


def take_in(
    registry: Registry,
    agent: str,
    received: ReceivedAgent,
    profile: Profile,
    *,
    replace: bool = False,
    rename: str = "",
) -> Arrived:
    """Return the changes that give an agent what a bundle holds; its tools are registered.

    Instructions come only to an agent that has none; lessons and examples as far as there is room.

    Args:
        registry: Where the agent is.
        agent: Who gets it.
        received: The bundle.
        profile: What tools may contain.
        replace: Whether names of tools that mean something else here shall mean what arrives.
        rename: What to put before such names instead.

    Raises:
        ImportRefusedError: a tool cannot be taken in; nothing was written.
    """
    standing, rules = registry.improvements.standing(agent), registry.improvements.rules
    imported = None
    if received.bundle.tools is not None:
        tools = Received(received.bundle.tools, received.digest, received.signed_by)
        settings = ImportSettings(
            replace=replace,
            rename=rename,
            gate=lambda spec: refusal(spec, profile),
            agent=agent,
        )
        imported = import_bundle(registry, tools, settings)
    new = [one for one in received.bundle.told if one.artefact.digest not in standing.artefacts]
    taken, left_out = _within_bounds(new, standing, rules, agent)
    changes = [
        _change(agent, kind, received, adds=of_kind)
        for kind, form in _CHANGES.items()
        if (of_kind := [one for one in taken if isinstance(one, form)])
    ]
    if imported is not None:
        brings = _brought(registry, agent, imported)
        changes += [_change(agent, ChangeKind.TOOLS, received, brings=brings)] if brings else []
        known = [one for one in imported.arrivals if one.spec.digest not in brings]
        left_out += [f"{one.ref}: registered here before" for one in known]
    return Arrived(tuple(changes), tuple(left_out), imported)


def _to_share(told: Told) -> Told:
    """Return what an agent is told without what has a meaning in its own registry only."""
    match told:
        case Lesson():
            return told.model_copy(update={"merges": ()})
        case Example():
            return told.model_copy(update={"is_seed": False})
    return told


def _within_bounds(
    new: Iterable[Told], standing: Standing, rules: ImprovementRules, agent: str
) -> tuple[list[Told], list[str]]:
    """Return what there is room for, and what is left out."""
    room = {
        Instructions: 0 if standing.instructions else 1,
        Lesson: max(0, rules.lessons - len(standing.lessons)),
        Example: max(0, rules.examples - len(standing.examples)),
    }
    why = {
        Instructions: f"instructions: {agent} has its own",
        Lesson: f"a lesson: {agent} has no room for it",
        Example: f"an example: {agent} has no room for it",
    }
    taken: list[Told] = []
    left_out: list[str] = []
    for one in new:
        if room[type(one)]:
            room[type(one)] -= 1
            taken.append(one)
        else:
            left_out.append(why[type(one)])
    return taken, left_out


def _change(
    agent: str,
    kind: ChangeKind,
    received: ReceivedAgent,
    adds: Iterable[Told] = (),
    brings: Iterable[str] = (),
) -> NewChange:
    bundle = received.bundle
    signed = f"signed by {', '.join(received.signed_by)}" if received.signed_by else "unsigned"
    return NewChange(
        agent=agent,
        kind=kind,
        why=f"of the agent {bundle.agent}: bundle {received.digest}, {signed}",
        adds=tuple(one.artefact for one in adds),
        brings=tuple(brings),
        evidence=received.origin,
    )


def _brought(registry: Registry, agent: str, imported: Imported) -> tuple[str, ...]:
    """Return the digests of what arrived for an agent, now or when this was begun before."""
    arrived = {one.spec.digest for one in imported.arrivals}
    unclaimed = registry.improvements.unclaimed_tools(agent)
    return tuple(one.digest for one, _ in unclaimed if one.digest in arrived)
