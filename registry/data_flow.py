"""Data that a tool moves from what reads to what sends, with what its parts are known to do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, product
from typing import TypeAlias

from toolguild.policies import Capability, Tier
from toolguild.policies.data_flow import CallPlace, TextFlows, data_flows
from toolguild.registry.model import ToolVersion

__all__ = ["NetworkFlow", "calls_in", "network_flows"]

_READING = frozenset({Capability.READ, Capability.WRITE})
"""What gives data: what writes may give back what it found."""
_OWN_FILES, _OWN_NETWORK = CallPlace("its own files", 0), CallPlace("its own network use", 0)
_ANYTHING = frozenset(Capability)

_Inside: TypeAlias = dict[str, ToolVersion | None]
"""A version and what it calls at any depth, by name; None for what is not registered."""

_flows_in = lru_cache(maxsize=256)(data_flows)


@dataclass(frozen=True, slots=True)
class NetworkFlow:
    """One way of data through the text of one version."""

    source: CallPlace
    """What reads."""
    sink: CallPlace
    """What sends."""
    part: str = ""
    """`name@number` of the part in whose text it is; empty where it is in the version's own."""
    is_known: bool = True
    """Whether the effects of both are; what is not known may do anything."""

    def __str__(self) -> str:
        """Return it in words."""
        words = f"{_shown(self.source)} to {_shown(self.sink)}"
        words += f" in {self.part}" if self.part else ""
        return words if self.is_known else f"{words}, whose effects are not known here"

    def matters_for(self, target: Tier) -> bool:
        """Whether to tell of it before a step to a tier: what is supposed, only before `full`."""
        return self.is_known or target is Tier.FULL


def _shown(place: CallPlace) -> str:
    return f"{place.tool} (line {place.line})" if place.line else place.tool


def calls_in(version: ToolVersion) -> TextFlows:
    """Return where a version's text calls which tools, and the flows between them."""
    return _flows_in(version.spec.source, version.spec.calls)


def network_flows(
    version: ToolVersion,
    find: Callable[[str], ToolVersion | None],
    declared: Mapping[str, Capability] | None,
) -> list[NetworkFlow]:
    """Return the flows from what reads to the network in a version and in what it calls.

    Args:
        version: A version, composite or not.
        find: Gives the registered version that a name in `calls` means, and None for other names.
        declared: What tools outside the registry do, of which there are no others; None where
            nobody knows, and each of them may do anything.
    """
    inside = _inside(version, find)
    does = _effects(inside, declared)
    if Capability.NETWORK not in does[version.spec.name]:
        return []
    guessed = {name for name, part in inside.items() if part is None and declared is None}
    every = (
        _in_text(one, does, guessed, part="" if one is version else one.ref)
        for one in inside.values()
        if one
    )
    return list(dict.fromkeys(chain.from_iterable(every)))


def _inside(version: ToolVersion, find: Callable[[str], ToolVersion | None]) -> _Inside:
    """Return what a version calls at any depth, and itself, by name."""
    known: _Inside = {version.spec.name: version}
    pending = [version]
    while pending:
        for name in pending.pop().spec.calls:
            if name not in known:
                known[name] = found = find(name)
                pending += [found] if found else []
    return known


def _effects(
    inside: _Inside, declared: Mapping[str, Capability] | None
) -> dict[str, frozenset[Capability]]:
    """Return what each of the tools does, by itself or by what it calls at any depth."""
    does = {
        name: part.spec.needs if part else _outside(name, declared) for name, part in inside.items()
    }
    composites = [part.spec for part in inside.values() if part and part.spec.calls]
    grown = True
    while grown:
        grown = False
        for spec in composites:
            more = does[spec.name].union(*(does[name] for name in spec.calls))
            grown = grown or more != does[spec.name]
            does[spec.name] = more
    return does


def _outside(name: str, declared: Mapping[str, Capability] | None) -> frozenset[Capability]:
    if declared is None:
        return _ANYTHING
    return frozenset({declared[name]}) if name in declared else frozenset()


def _in_text(
    version: ToolVersion,
    does: Mapping[str, frozenset[Capability]],
    guessed: Collection[str],
    part: str,
) -> Iterator[NetworkFlow]:
    told, own, nothing = calls_in(version), version.spec.needs, frozenset[Capability]()
    # Where the text itself reads or sends is not followed: it may do so with anything.
    pairs = chain(
        ((flow.source, flow.sink) for flow in told.flows),
        product([_OWN_FILES] if own & _READING else [], [*told.calls, _OWN_NETWORK]),
        product(told.calls, [_OWN_NETWORK] if Capability.NETWORK in own else []),
    )
    does = {**does, _OWN_FILES.tool: own, _OWN_NETWORK.tool: own}
    for source, sink in pairs:
        reads = does.get(source.tool, nothing) & _READING
        if reads and Capability.NETWORK in does.get(sink.tool, nothing):
            is_known = not {source.tool, sink.tool} & {*guessed}
            yield NetworkFlow(source, sink, part, is_known=is_known)
