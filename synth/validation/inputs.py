"""Generated inputs: drawn from a tool's schema, near the values that were recorded.

The values are drawn here, outside the sandbox; only running the tool on them happens inside.
"""

from __future__ import annotations

import math
import random
import string
import tempfile
from collections.abc import Callable, Sequence

import hypothesis
from hypothesis import HealthCheck, Phase, strategies
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import Flaky, NoSuchExample
from hypothesis.strategies import SearchStrategy

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining import canonical

__all__ = ["arguments_strategy", "draw", "shrink"]

# Hypothesis caches tables in a folder of the working directory, which is the user's, not ours.
set_hypothesis_home_dir(tempfile.gettempdir() + "/toolguild-hypothesis")

SPREAD = 4
"""Generated numbers and lengths go to so many times the largest recorded one."""

ODD_CHARACTERS = (
    "\0\t\n\r aZ09_-.,;:'\"\\/<>{}%&\x7f"
    "\N{LATIN SMALL LETTER E WITH ACUTE}\N{LATIN SMALL LETTER SHARP S}\N{COMBINING ACUTE ACCENT}"
    "\N{GREEK CAPITAL LETTER OMEGA}\N{HEBREW LETTER ALEF}\N{RIGHT-TO-LEFT OVERRIDE}"
    "\N{ARABIC-INDIC DIGIT FOUR}\N{CJK UNIFIED IDEOGRAPH-4E2D}\N{ZERO WIDTH SPACE}"
    "\N{SUPERSCRIPT TWO}\N{LATIN SMALL LIGATURE FI}\N{SLIGHTLY SMILING FACE}"
)
"""A few of each kind that trips programs. Hypothesis's own alphabet, all of Unicode, costs 350 MB
of tables on a machine that does not have them yet."""

MAX_SHRINK_RUNS = 60


def arguments_strategy(
    parameters: JsonObject, recorded: Sequence[JsonObject]
) -> SearchStrategy[JsonObject]:
    """Return a strategy for whole argument objects.

    Args:
        parameters: The JSON Schema of the tool's arguments, an object with `properties`.
        recorded: Arguments that were seen in traces; half of all values come from them.
    """
    properties = parameters.get("properties")
    fields = {
        name: _values(schema, [arguments[name] for arguments in recorded if name in arguments])
        for name, schema in (properties.items() if isinstance(properties, dict) else ())
        if isinstance(schema, dict)
    }
    return strategies.fixed_dictionaries(fields)


def _values(schema: JsonObject, seen: Sequence[Json]) -> SearchStrategy[Json]:
    generated = _by_type(schema, seen)
    if not seen:
        return generated
    distinct = list({canonical(value): value for value in seen}.values())
    return strategies.one_of(strategies.sampled_from(distinct), generated)


def _by_type(schema: JsonObject, seen: Sequence[Json]) -> SearchStrategy[Json]:
    kind = schema.get("type")
    choices, branches = schema.get("enum"), schema.get("anyOf")
    if isinstance(choices, list):
        return strategies.sampled_from(choices)
    if isinstance(branches, list):
        return strategies.one_of(
            [_by_type(branch, seen) for branch in branches if isinstance(branch, dict)]
        )
    if isinstance(kind, list):
        return strategies.one_of([_by_type({**schema, "type": one}, seen) for one in kind])
    match kind:
        case "integer":
            low, high = _range(schema, seen)
            return strategies.integers(math.ceil(low), math.floor(high))
        case "number":
            low, high = _range(schema, seen)
            whole = strategies.integers(math.ceil(low), math.floor(high))
            return strategies.one_of(whole, strategies.floats(low, high, allow_nan=False))
        case "boolean":
            return strategies.booleans()
        case "null":
            return strategies.none()
        case "string":
            return _texts(schema, [value for value in seen if isinstance(value, str)])
        case "array":
            return _lists(schema, [value for value in seen if isinstance(value, list)])
        case "object":
            return _objects(schema, [value for value in seen if isinstance(value, dict)])
    # The schema says nothing, so neither can we go beyond what was seen.
    return strategies.sampled_from(list(seen)) if seen else strategies.none()


def _range(schema: JsonObject, seen: Sequence[Json]) -> tuple[float, float]:
    numbers = [
        abs(value)
        for value in seen
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    reach = SPREAD * max(numbers, default=100) + 16
    minimum = schema.get("minimum")
    low = float(minimum) if isinstance(minimum, int | float) else -reach
    return low, max(low, reach)


def _length(
    schema: JsonObject, keyword: str, seen: Sequence[str | list[Json] | JsonObject]
) -> tuple[int, int]:
    minimum = schema.get(keyword)
    low = minimum if isinstance(minimum, int) else 0
    longest = max((len(value) for value in seen), default=10)
    return low, max(low, 2 * longest + 3)


def _texts(schema: JsonObject, seen: Sequence[str]) -> SearchStrategy[Json]:
    low, high = _length(schema, "minLength", seen)
    alphabet = "".join(sorted({character for value in seen for character in value})) or (
        string.ascii_letters + string.digits
    )
    usual = strategies.text(alphabet, min_size=low, max_size=high)
    odd = strategies.text(ODD_CHARACTERS, min_size=low, max_size=high)
    return strategies.one_of(usual, usual, odd)


def _lists(schema: JsonObject, seen: Sequence[list[Json]]) -> SearchStrategy[Json]:
    low, high = _length(schema, "minItems", seen)
    items = schema.get("items")
    inner = [item for value in seen for item in value]
    elements = _values(items if isinstance(items, dict) else {}, inner)
    return strategies.lists(elements, min_size=low, max_size=high)


def _objects(schema: JsonObject, seen: Sequence[JsonObject]) -> SearchStrategy[Json]:
    members = schema.get("additionalProperties")
    if isinstance(members, dict):
        values = [member for value in seen for member in value.values()]
        keys = strategies.text(string.ascii_letters, min_size=1, max_size=8)
        names = sorted({key for value in seen for key in value})
        named = strategies.one_of(strategies.sampled_from(names), keys) if names else keys
        return strategies.dictionaries(named, _values(members, values), max_size=8)
    properties = schema.get("properties")
    if isinstance(properties, dict) and properties:
        fields = {
            name: _values(inner, [value[name] for value in seen if name in value])
            for name, inner in properties.items()
            if isinstance(inner, dict)
        }
        return strategies.fixed_dictionaries(fields)
    return strategies.sampled_from(list(seen)) if seen else strategies.just({})


def _settings(runs: int, *phases: Phase) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=runs,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )


def draw(strategy: SearchStrategy[JsonObject], count: int, seed: int) -> list[JsonObject]:
    """Return up to so many distinct inputs, always the same for the same seed."""
    drawn: dict[str, JsonObject] = {}

    @hypothesis.seed(seed)
    @_settings(count, Phase.generate)
    @hypothesis.given(strategy)
    def collect(arguments: JsonObject) -> None:
        drawn.setdefault(canonical(arguments), arguments)

    collect()
    return list(drawn.values())


def shrink(
    strategy: SearchStrategy[JsonObject],
    example: JsonObject,
    fails: Callable[[JsonObject], bool],
    seed: int,
) -> JsonObject:
    """Return the simplest input that fails as the example does, found in a bounded search."""
    try:
        return hypothesis.find(
            strategy,
            fails,
            settings=_settings(MAX_SHRINK_RUNS, Phase.generate, Phase.shrink),
            random=random.Random(seed),  # noqa: S311 - a reproducible search, not a secret
        )
    except (NoSuchExample, Flaky):
        return example
