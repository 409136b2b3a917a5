"""Finding the tools that fit a text: which are looked at, how well they fit, which are the best.

A question of several words matches many thousands of 100,000 tools, and most of its words say
little. So tools are looked at in the order of their rarest words until there are enough of them,
and the common words only weigh among these: the "continue" strategy of Moffat and Zobel,
"Self-indexing inverted files for fast text retrieval" (TOIS 1996).
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, select

from toolguild.policies import Tier
from toolguild.registry import rows, schema
from toolguild.registry.model import State, ToolVersion
from toolguild.registry.retrieval import ranking
from toolguild.registry.retrieval.documents import EVERY_TOOL, counts_of, documents
from toolguild.registry.retrieval.full_text import Having, having
from toolguild.registry.retrieval.records import RecentUses, recent_uses
from toolguild.registry.retrieval.relevance import (
    DESCRIPTION,
    NAME,
    PARAMETERS,
    Field,
    coverage,
    name_match,
    weights_of,
)
from toolguild.registry.retrieval.vectors import Meaning, nearest
from toolguild.registry.retrieval.words import words_of

__all__ = ["Found", "questions", "search"]

_MOST_WORDS = 64
"""Different words of a text that are looked for: its first."""
_MOST_ASKED = 16
"""Words that the index is asked for: the rarest."""
_ENOUGH = 2000
"""Tools that have one of the rarest words, after which common words are no reason to look at
more."""
_EVERYWHERE = 0.2
"""Share of the tools that have a word which tells next to nothing."""
_LOOKED_AT = 64
"""Tools whose texts are read for one question to the index, at least."""
_WEIGHED = 16
"""Tools whose records are read, at least: the most relevant."""

_MOST_NAME = 64
"""Characters of a text that may be the beginning of a name."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_BEHIND_NAMES = "~"
"""Sorts behind every character of a name."""

_POINTED_AT = (
    rows.VERSIONS.join(schema.tools, schema.tools.c.name == schema.versions.c.name)
    .where(schema.tools.c.active == schema.versions.c.digest)
    .where(schema.versions.c.digest.in_(bindparam("digests", expanding=True)))
)
"""Of some versions those that names point at."""


@dataclass(frozen=True, slots=True)
class Found:
    """A tool that fits, and why it stands where it does."""

    version: ToolVersion
    score: float
    """What tools are ranked by: relevance, record and cost together, from 0 to 1; see `ranking`."""
    relevance: float
    """From 0 to 1: how much of the text's words the tool has, fused with how near it is in meaning
    where that is known; 1 where the text is its name, and nearly that where it begins so."""
    words: tuple[str, ...]
    """Words of the text that the tool has, by their stems, the weightiest first."""
    record: float
    """Share of recent uses that worked, shrunken towards what is usual."""
    speed: float
    uses: RecentUses
    similarity: float | None = None
    """Cosine of the two meanings; None where it was not looked at."""


@dataclass(frozen=True, slots=True)
class _Match:
    """How well a tool fits."""

    version: str
    relevance: float
    words: tuple[str, ...]
    similarity: float | None


def search(
    connection: Connection,
    text: str,
    *,
    k: int,
    tier: Tier | None,
    state: State | None,
    meaning: Meaning | None = None,
) -> list[Found]:
    """Return the tools that fit a text, the best first; see `Registry.search`.

    Args:
        connection: To either database.
        text: A name, the beginning of one, or what is to be done.
        k: Tools at most.
        tier: Only tools of this tier.
        state: Only tools in this state.
        meaning: What the text means, where tools are to be found by that, too.
    """
    if k < 1:
        return []
    looking = _Looking(connection, tier, state, k)
    matches = _matches(looking, text, meaning)
    relevant = heapq.nsmallest(
        max(_WEIGHED, 2 * k), matches, key=lambda name: (-matches[name].relevance, name)
    )
    uses = recent_uses(connection, [matches[name].version for name in relevant])
    merits = {name: _merits(matches[name], uses.get(matches[name].version)) for name in relevant}
    names = ranking.best(merits, k)
    versions = looking.versions([matches[name].version for name in names])
    return [
        _found(versions[name], matches[name], merits[name]) for name in names if name in versions
    ]


def questions(counts: Mapping[str, int], total: int) -> list[Having]:
    """Return what to ask the index for, so that few enough tools are looked at.

    Args:
        counts: How many tools have each word of a text.
        total: How many tools there are.
    """
    most = max(_ENOUGH, total * _EVERYWHERE)
    telling = [word for word in counts if counts[word] <= most] or [*counts]
    words = tuple(sorted(telling, key=lambda word: (counts[word], word)))[:_MOST_ASKED]
    weights = weights_of({word: counts[word] for word in words}, total)
    rare, reached = 0, 0
    while rare < len(words) and reached + counts[words[rare]] <= _ENOUGH:
        reached += counts[words[rare]]
        rare += 1
    if rare == len(words):
        return [Having(weights, any_of=words)] if words else []
    # Of the common words, the fewest that leave few tools if words were independent.
    together, expected = rare + 1, float(counts[words[rare]])
    while together < len(words) and expected > _ENOUGH - reached:
        expected *= counts[words[together]] / total
        together += 1
    if expected <= _ENOUGH - reached:
        return [Having(weights, any_of=words[:rare], all_of=words[rare:together])]
    in_names = Having(weights, all_of=words[rare:together], in_names=True)
    return [Having(weights, any_of=words[:rare]), in_names] if rare else [in_names]


@dataclass(frozen=True, slots=True)
class _Looking:
    """Where is looked, for what and for how many."""

    connection: Connection
    tier: Tier | None
    state: State | None
    k: int

    @property
    def wanted(self) -> int:
        """How many tools to look at for each question."""
        return max(_LOOKED_AT, 2 * self.k)

    def by_name(self, name: str) -> Sequence[Row[Any]]:
        """Return the documents of tools whose names begin so, the name itself first."""
        column = documents.c.folded_name
        query = (
            select(documents)
            .where(column >= name, column < name + _BEHIND_NAMES, *self._allowed())
            .order_by(column)
            .limit(self.wanted)
        )
        return self.connection.execute(query).all()

    def by_words(self, asked: Having) -> Sequence[Row[Any]]:
        """Return the documents that have the words, of very many roughly the best."""
        return having(self.connection, asked, tier=self.tier, state=self.state, wanted=self.wanted)

    def by_meaning(self, meaning: Meaning) -> dict[int, float]:
        """Return the documents that are nearest in meaning, and how near they are."""
        found = nearest(
            self.connection, meaning, tier=self.tier, state=self.state, wanted=self.wanted
        )
        return dict(found)

    def by_id(self, ids: Iterable[int]) -> Sequence[Row[Any]]:
        """Return documents by their ids."""
        query = select(documents).where(documents.c.id.in_(sorted(ids)))
        return self.connection.execute(query).all()

    def versions(self, digests: Sequence[str]) -> dict[str, ToolVersion]:
        """Return versions by name; only those that a name points at and that may be shown.

        The tables are asked, and not the index, so that a damaged one shows nothing else.
        """
        pointed_at = self.connection.execute(_POINTED_AT, {"digests": digests})
        return {row.name: rows.version_of(row) for row in pointed_at if self._shows(row)}

    def _shows(self, version: Row[Any]) -> bool:
        return self.tier in (None, version.tier) and self.state in (None, version.state)

    def _allowed(self) -> list[ColumnElement[bool]]:
        asked = ((documents.c.tier, self.tier), (documents.c.state, self.state))
        return [column == value.value for column, value in asked if value is not None]


def _matches(looking: _Looking, text: str, meaning: Meaning | None) -> dict[str, _Match]:
    """Return the tools that fit, by name."""
    name = _as_name(text)
    asked = list(dict.fromkeys(words_of(text)))[:_MOST_WORDS]
    counts = counts_of(looking.connection, [EVERY_TOOL, *asked])
    total = counts.pop(EVERY_TOOL, 0)
    weights = weights_of({word: counts.get(word, 0) for word in asked}, total)

    found = _by_text(looking, name, counts, total)
    near = looking.by_meaning(meaning) if meaning is not None else {}
    if missing := near.keys() - found.keys():
        found |= {row.id: row for row in looking.by_id(missing)}

    covered = {row.name: coverage(weights, _texts(row)) for row in found.values()}
    relevance = {tool: share for tool, (share, _) in covered.items()}
    if meaning is not None:
        relevance = _fused(relevance, {row.name: near.get(row.id) for row in found.values()})
    return {
        row.name: _Match(
            version=row.version,
            relevance=max(relevance[row.name], name_match(name, row.folded_name)),
            words=covered[row.name][1],
            similarity=near.get(row.id),
        )
        for row in found.values()
    }


def _texts(row: Row[Any]) -> dict[Field, str]:
    return {
        NAME: row.name_words,
        DESCRIPTION: row.description_words,
        PARAMETERS: row.parameter_words,
    }


def _as_name(text: str) -> str:
    """Return the beginning of a name that a text may be; an empty one where it can be none."""
    name = re.sub(r"[\s-]+", "_", text.strip().casefold()) if len(text) <= _MOST_NAME else ""
    return name if _NAME.fullmatch(name) else ""


def _by_text(
    looking: _Looking, name: str, counts: Mapping[str, int], total: int
) -> dict[int, Row[Any]]:
    """Return the documents that a name and words lead to, by their ids."""
    found = {row.id: row for row in looking.by_name(name)} if name else {}
    asked_for = questions(counts, total)
    for question in asked_for:
        # Where enough tools have rarer words, common ones in a name hardly make up for those.
        if not question.in_names or len(found) < looking.wanted:
            found |= {row.id: row for row in looking.by_words(question)}
    rare = {word for question in asked_for for word in question.any_of}
    if len(found) < looking.k and rare != counts.keys():
        # The common words do not come together; some tools that have any of them are looked at.
        known = Having(weights_of(counts, total), any_of=tuple(counts))
        found |= {row.id: row for row in looking.by_words(known)}
    return found


def _fused(
    relevance: Mapping[str, float], similarity: Mapping[str, float | None]
) -> dict[str, float]:
    """Return one relevance of what text and meaning say."""
    by_text = [tool for tool, share in relevance.items() if share > 0]
    by_text.sort(key=lambda tool: (-relevance[tool], tool))
    near = {tool: cosine for tool, cosine in similarity.items() if cosine is not None}
    by_meaning = sorted(near, key=lambda tool: (-near[tool], tool))
    return dict.fromkeys(relevance, 0.0) | ranking.fused([by_text, by_meaning])


def _merits(match: _Match, uses: RecentUses | None) -> ranking.Merits:
    seen = uses or RecentUses()
    return ranking.Merits(match.relevance, seen.successes, seen.runs, seen.median_s)


def _found(version: ToolVersion, match: _Match, merits: ranking.Merits) -> Found:
    return Found(
        version=version,
        score=ranking.score(merits),
        relevance=match.relevance,
        words=match.words,
        record=ranking.record(merits.successes, merits.runs),
        speed=ranking.speed(merits.median_s),
        uses=RecentUses(merits.successes, merits.runs, merits.median_s),
        similarity=match.similarity,
    )
