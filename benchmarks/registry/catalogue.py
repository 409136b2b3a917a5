"""100,000 tools that nobody wrote, of words that are as frequent as real ones.

Words of tools are drawn from a vocabulary whose n-th word comes in proportion to 1 / (n + 10)
(Zipf's law as Mandelbrot amended it): its head are the verbs, nouns and domains that tools are
called by, its tail names that exist nowhere. All of it follows from one seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from toolguild.registry import ToolSpec
from toolguild.sandbox import JsonObject

__all__ = ["Question", "questions_about", "tools"]

VERBS = """
get list search find create update delete send fetch add remove check book cancel convert compute
calculate parse validate format merge split filter sort count compare download upload export
import move copy rename archive restore schedule assign approve reject notify register verify sync
resolve estimate translate summarize extract generate render encode decode encrypt compress open
close start stop resume publish subscribe refund charge transfer rank classify detect
""".split()  # noqa: SIM905 - a list of words reads better as words
NOUNS = """
user file data order customer account list item record message report document event task name
status address product price date time image invoice payment ticket project team group role
permission folder page table row column field value key token session request response log error
metric score rating review comment tag label category note contact email phone number city country
currency amount balance tax discount coupon cart shipment package warehouse stock supplier contract
policy claim patient doctor appointment prescription flight reservation passenger seat hotel room
guest route map location distance temperature forecast sensor device firmware server cluster node
container volume backup snapshot certificate domain branch commit issue release build test pipeline
query index schema vector model dataset feature experiment chart dashboard alert incident post
tweet follower channel playlist song video frame caption subtitle book author chapter course lesson
student grade exam teacher employee salary vacation shift candidate interview job skill vehicle
tire engine brake fuel lane parcel property lease tenant loan mortgage portfolio stock dividend
wallet transaction block recipe ingredient meal allergen donation campaign lead deal quote survey
""".split()  # noqa: SIM905 - a list of words reads better as words
FILLERS = """
given one all new current last first total available details information number type id optional
return result set several between valid unique matching default specific history summary range
""".split()  # noqa: SIM905 - a list of words reads better as words
_FUNCTION_WORDS = ("the", "of", "a", "for", "by", "in", "and", "to", "with", "from")
_SYLLABLES = ("bra", "cor", "den", "fi", "gal", "hu", "jo", "ker", "lum", "mi", "nor", "pe", "qua")
_TAIL = 30_000
_OFFSET = 10


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody might ask for a tool that is there."""

    text: str
    """Words of the tool, with common ones that it need not have; two to eight."""
    tool: str
    """The tool's name."""


def tools(count: int, seed: int = 7) -> Iterator[ToolSpec]:
    """Yield tools with names of their own."""
    rng = random.Random(seed)  # noqa: S311 - a benchmark has no secrets
    words, weights = _vocabulary(rng)
    taken: set[str] = set()
    while len(taken) < count:
        drawn = rng.choices(words, cum_weights=weights, k=rng.randint(8, 24))
        name = "_".join([rng.choice(VERBS), *drawn[: rng.choice((1, 2, 2, 3))]])[:60].rstrip("_")
        if name in taken:
            name = f"{name}_{drawn[-1]}"[:64].rstrip("_")
        if name in taken:
            continue
        taken.add(name)
        yield _tool(rng, name, drawn)


def questions_about(specs: list[ToolSpec], count: int, seed: int = 11) -> list[Question]:
    """Return questions about tools chosen at random."""
    rng = random.Random(seed)  # noqa: S311 - a benchmark has no secrets
    common = [*VERBS[:20], *NOUNS[:20], *FILLERS[:20]]
    asked = []
    for _ in range(count):
        spec = rng.choice(specs)
        told = [*spec.name.split("_"), *spec.description.rstrip(".").split()[1:]]
        own = [word for word in dict.fromkeys(told) if word not in _FUNCTION_WORDS]
        length = rng.randint(2, 8)
        of_tool = rng.sample(own, min(len(own), max(1, length - rng.randint(0, 3))))
        words = of_tool + rng.sample(common, length - len(of_tool))
        rng.shuffle(words)
        asked.append(Question(" ".join(words), spec.name))
    return asked


def _vocabulary(rng: random.Random) -> tuple[list[str], list[float]]:
    """Return words, the most frequent first, and the running sums of their weights."""
    head = list(dict.fromkeys([*NOUNS, *FILLERS]))
    rng.shuffle(head)
    tail = ("".join(rng.choices(_SYLLABLES, k=rng.randint(2, 5))) for _ in range(_TAIL))
    words = list(dict.fromkeys([*head, *tail]))
    return words, [*accumulate(1 / (rank + _OFFSET) for rank in range(1, len(words) + 1))]


def _tool(rng: random.Random, name: str, drawn: list[str]) -> ToolSpec:
    parts = [name.partition("_")[0].capitalize()]
    for word in drawn:
        if rng.random() < 0.4:
            parts.append(rng.choice(_FUNCTION_WORDS))
        parts.append(word)
    parameters = list(dict.fromkeys(rng.sample(drawn, rng.randint(1, 4))))
    properties: JsonObject = {
        f"{parameter}_id": {"type": "string", "description": f"The {parameter} to go by."}
        for parameter in parameters
    }
    signature = ", ".join(f"{parameter}_id: str" for parameter in parameters)
    return ToolSpec(
        name=name,
        description=" ".join(parts) + ".",
        source=f"def {name}({signature}) -> str:\n    return {parameters[0]}_id\n",
        parameters={"type": "object", "properties": properties, "required": [*properties]},
        returns={"type": "string"},
    )
