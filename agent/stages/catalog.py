"""Every tool that an agent could be offered: the registry's, and the caller's own.

A stage is offered a few of them, chosen from a short list of those that fit its words best. Which
tools there are is looked up anew at each stage, so that what is registered or promoted meanwhile
shows up, and what is quarantined is gone.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from toolguild.policies import Capability
from toolguild.registry import ExternalTool, Toolbox
from toolguild.registry.retrieval.documents import text_of_parameters
from toolguild.registry.retrieval.relevance import (
    DESCRIPTION,
    NAME,
    PARAMETERS,
    Field,
    coverage,
    weights_of,
)
from toolguild.registry.retrieval.words import words_of
from toolguild.sandbox import JsonObject

__all__ = ["Catalog", "CatalogTool"]

LEARNED = "learned"
"""The category of the registry's tools."""


@dataclass(frozen=True, slots=True)
class CatalogTool:
    """A tool that a stage may be offered."""

    name: str
    description: str
    parameters: JsonObject
    """JSON Schema of the arguments object."""
    categories: tuple[str, ...]
    """Tags: what its owner says that it is for, what it does to the world, whether it is one of
    the registry's."""
    capabilities: frozenset[Capability]
    """What it, and whatever it calls, does to the world."""

    @property
    def is_repeatable(self) -> bool:
        """Whether calling it twice changes no more than calling it once."""
        return self.capabilities <= {Capability.READ}

    def to_json(self) -> JsonObject:
        """Return what a model is told that chooses among tools."""
        return {
            "name": self.name,
            "description": self.description,
            "categories": [*self.categories],
        }


class Catalog(Mapping[str, CatalogTool]):
    """The tools that there are at one moment, by name."""

    def __init__(self, tools: Iterable[CatalogTool]) -> None:
        """Take the tools; of two of one name the first stays."""
        self._tools: dict[str, CatalogTool] = {}
        for tool in tools:
            self._tools.setdefault(tool.name, tool)

    @classmethod
    def of(cls, toolbox: Toolbox) -> Catalog:
        """Return the toolbox's tools, without those whose tier does not let them do their work.

        The caller's own go first: nothing in the registry takes the place of one.
        """
        own = [_external(name, tool) for name, tool in toolbox.external.items()]
        learned = [
            CatalogTool(
                name=usable.version.spec.name,
                description=usable.version.spec.description,
                parameters=usable.version.spec.parameters,
                categories=_tags((LEARNED,), usable.capabilities),
                capabilities=usable.capabilities,
            )
            for usable in toolbox.usable()
        ]
        return cls([*own, *learned])

    def __getitem__(self, name: str) -> CatalogTool:
        return self._tools[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tools)

    def __len__(self) -> int:
        return len(self._tools)

    def short_list(self, text: str, k: int) -> list[CatalogTool]:
        """Return the tools that fit a text best, at most so many, the best first.

        Tools that fit equally well, or not at all, come in the order of their names.
        """
        asked = dict.fromkeys(words_of(text))
        fields = {name: _fields(tool) for name, tool in self._tools.items()}
        having = [set(" ".join(texts.values()).split()) for texts in fields.values()]
        counts = {word: sum(word in words for words in having) for word in asked}
        weights = weights_of(counts, len(having))
        relevance = {name: coverage(weights, texts)[0] for name, texts in fields.items()}
        best = heapq.nsmallest(k, relevance, key=lambda name: (-relevance[name], name))
        return [self._tools[name] for name in best]


def _external(name: str, tool: ExternalTool) -> CatalogTool:
    capabilities = frozenset({tool.capability})
    return CatalogTool(
        name=name,
        description=tool.description,
        parameters=tool.parameters,
        categories=_tags(tool.categories, capabilities),
        capabilities=capabilities,
    )


def _tags(own: Iterable[str], capabilities: frozenset[Capability]) -> tuple[str, ...]:
    return (*own, *sorted(capabilities))


def _fields(tool: CatalogTool) -> dict[Field, str]:
    """Return the words of a tool, by what they are words of."""
    texts = {
        NAME: tool.name,
        DESCRIPTION: " ".join((tool.description, *tool.categories)),
        PARAMETERS: text_of_parameters(tool.parameters),
    }
    return {field: " ".join(words_of(text)) for field, text in texts.items()}
