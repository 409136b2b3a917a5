"""Where values can go: a graph of flows, with what may be one object under several names."""

from __future__ import annotations

__all__ = ["FlowGraph"]


class FlowGraph:
    """Nodes are numbers, and stand for values or for decisions.

    A flow has a direction; sharing has none. What is changed under one name is changed under each
    name that may share it.
    """

    def __init__(self) -> None:
        """Start without nodes."""
        self._flows: list[list[int]] = []
        self._shares: list[int] = []
        self._changes: list[tuple[int, int]] = []

    def node(self, *sources: int) -> int:
        """Return a new node, into which the sources flow."""
        made = len(self._flows)
        self._flows.append([])
        self._shares.append(made)
        for source in sources:
            self.flow(source, made)
        return made

    def flow(self, source: int, target: int) -> None:
        """Let what is in one node come to be in another."""
        self._flows[source].append(target)

    def hold(self, holder: int, held: int) -> None:
        """Let a value come to be in a node that may share objects with it from then on."""
        self.flow(held, holder)
        self._shares[self._group(holder)] = self._group(held)

    def change(self, changed: int, by: int) -> None:
        """Let what is in one node come to be in all that may share an object with another."""
        self._changes.append((changed, by))

    def settle(self) -> None:
        """Turn changes into flows; to be called once, when all is told."""
        groups: dict[int, int] = {}
        for changed, by in self._changes:
            group = self._group(changed)
            if group not in groups:
                groups[group] = self.node()
            self.flow(by, groups[group])
        for node in range(len(self._flows)):
            gathered = groups.get(self._group(node))
            if gathered is not None:
                self.flow(gathered, node)

    def reached_from(self, start: int) -> set[int]:
        """Return the nodes that what is in one node can come to."""
        reached: set[int] = set()
        pending = [start]
        while pending:
            new = [node for node in self._flows[pending.pop()] if node not in reached]
            reached.update(new)
            pending += new
        return reached

    def _group(self, node: int) -> int:
        while self._shares[node] != node:
            self._shares[node] = self._shares[self._shares[node]]
            node = self._shares[node]
        return node
