"""Everything that is known of the inputs of one tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import jsonschema
import referencing
from hypothesis import strategies
from hypothesis.strategies import SearchStrategy
from referencing.exceptions import Unresolvable

from toolguild.policies.code_rules import TextLimits
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs.building import ValuesBuilder
from toolguild.synth.validation.inputs.choices import Pick
from toolguild.synth.validation.inputs.constants import mined_constants
from toolguild.synth.validation.inputs.generation import generated
from toolguild.synth.validation.inputs.patterns import is_harmless
from toolguild.synth.validation.inputs.relations import Relation, seen_relations
from toolguild.synth.validation.inputs.values import (
    Values,
    interleaved,
    is_plain,
    same_type,
)
from toolguild.synth.validation.inputs.whole import random_arguments

__all__ = ["ArgumentsStrategy", "arguments_strategy"]

_BASES = 4
"""Arguments that stand for recorded ones where there are none."""
_BASES_TRIED = 12
_OF_MEMBERS = {
    *("type", "properties", "required", "additionalProperties"),
    *("$schema", "$id", "$defs", "definitions", "title", "description"),
}
"""Keywords of an object that tie none of its members to another."""
_SMALL_PROGRAM = TextLimits(max_bytes=64_000, max_nodes=20_000, max_depth=100)


def arguments_strategy(
    parameters: JsonObject,
    recorded: Sequence[JsonObject],
    sources: Sequence[str] = (),
    limits: TextLimits = _SMALL_PROGRAM,
) -> ArgumentsStrategy:
    """Return what inputs of a tool can be drawn from.

    Args:
        parameters: The JSON Schema (draft 2020-12) of the arguments, an object with `properties`.
        recorded: Arguments that were seen in traces; generated ones are near them.
        sources: Texts whose constants are tried: the tool's, and one that it is to agree with.
        limits: How big a text may be; a bigger one has no constants.
    """
    strategy = ArgumentsStrategy(parameters)
    fitting = [arguments for arguments in recorded if strategy.allows(arguments)]
    constants = mined_constants(sources, limits)
    builder = ValuesBuilder(parameters, constants)
    values = builder.members(parameters, fitting)
    required = parameters.get("required")
    needed = required if isinstance(required, list) else []
    return ArgumentsStrategy(
        parameters,
        list({canonical(arguments): arguments for arguments in fitting}.values()),
        values,
        frozenset(name for name in values if name not in needed),
        seen_relations(fitting),
        constants.displays,
    )


@dataclass(frozen=True)
class ArgumentsStrategy:
    """The inputs of one tool: what they may be, and what they were."""

    schema: JsonObject
    recorded: Sequence[JsonObject] = ()
    """Different ones, all of which fit the schema."""
    values: Mapping[str, Values] = field(default_factory=dict)
    """What each parameter may be."""
    optional: frozenset[str] = frozenset()
    """Parameters that may be left out."""
    relations: Sequence[Relation] = ()
    """What held between the parameters in all recorded calls."""
    displays: Sequence[Json] = ()
    """Lists and objects that the texts compare something with."""

    def allows(self, arguments: JsonObject) -> bool:
        """Whether arguments fit the schema and stay the same as JSON."""
        try:
            return is_plain(arguments) and bool(self._validator.is_valid(arguments))
        except Unresolvable:  # a reference out of the schema, which is not followed
            return False

    @property
    def is_memberwise(self) -> bool:
        """Whether the schema says of each argument alone whether it fits."""
        return self.schema.keys() <= _OF_MEMBERS

    @cached_property
    def drawn(self) -> SearchStrategy[JsonObject]:
        """What whole arguments are drawn from; not all of them fit the schema."""
        return random_arguments(self)

    @cached_property
    def large(self) -> SearchStrategy[JsonObject]:
        """What arguments are drawn from that are all as large as they may be."""
        return _in_order({name: values.large for name, values in self.values.items()})

    def related(self, arguments: JsonObject, pick: Pick, keeping: str | None = None) -> JsonObject:
        """Return arguments, all but one changed as it takes for the relations to hold."""
        for relation in self.relations:
            arguments = relation.mended(arguments, pick, keeping)
        return arguments

    def base(self, index: int) -> JsonObject:
        """Return usual arguments to be varied: recorded ones in turn, or drawn ones."""
        return self._usual[index % len(self._usual)]

    def alike(self, arguments: JsonObject) -> list[tuple[str, str]]:
        """Return the pairs of parameters whose arguments are of one type."""
        names = [name for name in self.values if name in arguments]
        return [
            (a, b)
            for number, a in enumerate(names)
            for b in names[number + 1 :]
            if same_type(arguments[a], arguments[b])
        ]

    @cached_property
    def edges(self) -> Mapping[str, Sequence[Json]]:
        """Edges and constants of each parameter, in turn."""
        return {
            name: list(interleaved(values.edges(), values.mined()))
            for name, values in self.values.items()
        }

    @cached_property
    def _usual(self) -> Sequence[JsonObject]:
        if self.recorded:
            return self.recorded
        columns = {name: values.strategy for name, values in self.values.items()}
        drawn = generated(_in_order(columns), _BASES_TRIED, 0)
        return ([one for one in drawn if self.allows(one)] or drawn or [{}])[:_BASES]

    @cached_property
    def _validator(self) -> jsonschema.protocols.Validator:
        # With a registry of its own it fetches nothing that a schema refers to.
        return _SafeValidator(self.schema, registry=referencing.Registry())


def _in_order(columns: Mapping[str, SearchStrategy[Json]]) -> SearchStrategy[JsonObject]:
    """Return what objects are drawn from; `fixed_dictionaries` would shuffle their members."""
    rows = strategies.tuples(*columns.values())
    return rows.map(lambda row: dict(zip(columns, row, strict=True)))


def _check_pattern(
    validator: jsonschema.protocols.Validator, pattern: str, instance: Json, schema: JsonObject
) -> object:
    """Match a `pattern`, unless that may take for ever."""
    if not is_harmless(pattern):
        return iter([jsonschema.ValidationError("a pattern that is not matched")])
    return jsonschema.Draft202012Validator.VALIDATORS["pattern"](
        validator, pattern, instance, schema
    )


_SafeValidator: type[jsonschema.protocols.Validator] = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, {"pattern": _check_pattern}
)
