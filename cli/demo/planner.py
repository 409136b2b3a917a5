"""Which offered tool gives the agent several of the facts it wants in one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from toolguild.cli.demo.case import SOURCES, Case, Fact, Lookup
from toolguild.cli.demo.tools import READ_TOOLS
from toolguild.sandbox import Json

__all__ = ["Offer", "Planner"]

_LEAST_SAVED = 2
"""Calls of the desk's tools that an offer has to stand in for before it is worth taking."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool made of the desk's tools: its name, and what one call of it tells."""

    name: str
    parameters: tuple[str, ...]
    provides: dict[str, str] = field(hash=False)
    """For each key of the tool's result, in order, the desk's tool that the value comes from; a
    tool called in a loop has the list of its results there."""

    def results(self, value: Json) -> Iterable[tuple[str, Json]]:
        """Yield the desk's tools inside and what they returned; nothing for another shape."""
        if not isinstance(value, dict):
            return
        for key, tool in self.provides.items():
            part = value.get(key)
            # No tool of the desk returns a list, so a list holds the results of a loop.
            yield from ((tool, item) for item in (part if isinstance(part, list) else [part]))


class Planner:
    """Chooses among offers, greedily: the one that stands in for the most missing calls."""

    def __init__(self, offers: Sequence[Offer] = ()) -> None:
        # Facts are gathered before anything is decided: an offer that also writes would act first.
        self._offers = [offer for offer in offers if READ_TOOLS.issuperset(offer.provides.values())]

    def offers_for(self, case: Case, wanted: Sequence[Fact]) -> list[tuple[Offer, Lookup]]:
        """Return the offers worth taking now with the calls to make, the best one first."""
        known = case.known_values()
        worth = {offer.name: self._saved(offer, case, wanted) for offer in self._offers}
        usable = [
            offer
            for offer in self._offers
            if worth[offer.name] >= _LEAST_SAVED and known.keys() >= set(offer.parameters)
        ]
        # Among equals the smaller tool: it reads less that nobody asked for.
        usable.sort(key=lambda offer: (-worth[offer.name], len(offer.provides), offer.name))
        return [
            (offer, Lookup(offer.name, {name: known[name] for name in offer.parameters}))
            for offer in usable
        ]

    @staticmethod
    def _saved(offer: Offer, case: Case, wanted: Sequence[Fact]) -> int:
        told = set(offer.provides.values())
        return sum(case.calls_missing(fact) for fact in wanted if SOURCES[fact] & told)
