"""How far instructions have drifted from the original ones.

By an embedding model, where there is one, it is the cosine of the two texts' vectors. Otherwise it
is Dice's coefficient (L. R. Dice, Ecology 26, 1945) over the pairs of neighbouring words: twice the
pairs that both texts have, through the pairs of each. Pairs, rather than words, see that two steps
changed places, and a section that moved as a whole still counts as kept; A. Z. Broder compares
documents by such shingles ("On the resemblance and containment of documents", 1997). Words are
taken as they are: `not`, `before` and `from` decide what an instruction means, so that nothing is
stemmed or left out.

Neither measure understands what a text asks for: `always` in the place of `never` moves both
little. That is what held-out tasks are for.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from operator import mul

from toolguild.policies.improvement import ImprovementRules
from toolguild.registry.retrieval import Embedder, EmbeddingError, Vector
from toolguild.sandbox import JsonObject

__all__ = ["Similarity", "drift_reason", "is_drift", "similarity"]

_MOST_EMBEDDED = 8000
"""Characters of a text that models read to its end; what follows is lost on many of them."""
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff"
"""Scripts that leave no space between words: each sign counts as a word."""
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")


@dataclass(frozen=True, slots=True)
class Similarity:
    """How similar instructions are to the original ones, and how that was measured."""

    value: float
    """From 0 to 1; the same whichever of the two texts is the original."""
    measure: str
    """`lexical`, or the embedding model's name."""
    note: str = ""
    """Why an embedding model that there is was not gone by."""

    def to_json(self) -> JsonObject:
        """Return it as it stands in the evidence of a change."""
        return {"value": round(self.value, 4), "measure": self.measure, "note": self.note}


def similarity(original: str, present: str, embedder: Embedder | None = None) -> Similarity:
    """Compare instructions with the original ones.

    Args:
        original: The first instructions of the agent.
        present: Those to be judged.
        embedder: Compares them by meaning. May take its time: it asks an endpoint.
    """
    if embedder is None:
        return Similarity(_lexical(original, present), "lexical")
    try:
        return Similarity(_by_meaning(original, present, embedder), embedder.model)
    except EmbeddingError as error:
        return Similarity(_lexical(original, present), "lexical", f"not by meaning: {error}")


def is_drift(found: Similarity, rules: ImprovementRules) -> bool:
    """Whether a person has to decide on instructions this far from the original ones."""
    # What is no number is not similar.
    return not found.value >= rules.similarity


def drift_reason(found: Similarity, rules: ImprovementRules) -> str:
    """Return why a person has to decide, as a sentence; empty where nobody has to."""
    if not is_drift(found, rules):
        return ""
    return (
        f"the instructions would be {_shown(found.value)} similar to the original ones"
        f" ({found.measure}), less than {rules.similarity:g}: a person has to decide"
    )


def _shown(value: float) -> str:
    # Rounded down, so that what is below a bound does not look as if it were on it.
    return f"{math.floor(value * 1000) / 1000:.3f}"


def _lexical(one: str, other: str) -> float:
    pairs, others = _pairs(one), _pairs(other)
    return 2 * (pairs & others).total() / (pairs.total() + others.total())


def _pairs(text: str) -> Counter[tuple[str, str]]:
    """Return the pairs of neighbouring words, the ends of the text being words as well."""
    return Counter(pairwise(["", *_WORD.findall(text.casefold()), ""]))


def _by_meaning(one: str, other: str, embedder: Embedder) -> float:
    """Return the cosine of two texts; those that point away from each other have nothing in common.

    Raises:
        EmbeddingError: there are no vectors, or none that can be compared.
    """
    if max(len(one), len(other)) > _MOST_EMBEDDED:
        msg = f"a text of more than {_MOST_EMBEDDED:,} characters is not read to its end"
        raise EmbeddingError(msg)
    vectors = embedder.embed([one, other])
    if len(vectors) != 2 or len(vectors[0]) != len(vectors[1]):
        msg = "what came is not two vectors of one length"
        raise EmbeddingError(msg)
    return min(max(_cosine(*vectors), 0.0), 1.0)


def _cosine(one: Vector, other: Vector) -> float:
    cosine = float(sum(map(mul, one, other))) / (
        (math.hypot(*one) * math.hypot(*other)) or math.nan
    )
    if not math.isfinite(cosine):
        msg = "what came has no direction"
        raise EmbeddingError(msg)
    return cosine
