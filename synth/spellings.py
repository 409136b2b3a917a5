"""Functions that agents wrote in different ways and that do the same.

Mining finds functions that agree in their text. Here they are run: functions that take as many
arguments of the same types, and give the same on what was recorded for any of them and on inputs
generated from that, are spellings of one function. A spelling that agrees on all that was recorded
but not on what was generated is another function; on which input they differ is kept.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import and_

from toolguild.registry.json_schema import accepts
from toolguild.sandbox import Json, JsonObject, Limits, Sandbox
from toolguild.synth.behaviour import Behaviour, Positional, difference, observe
from toolguild.synth.drafting import object_schema
from toolguild.synth.drafting.drafter import packages_needed
from toolguild.synth.drafting.recovery import recover_cases
from toolguild.synth.drafting.schemas import infer_schema
from toolguild.synth.mining import RepeatedCode, Spelling, canonical, support_of
from toolguild.synth.validation.inputs import arguments_strategy, draw

__all__ = ["generated_inputs", "group_spellings"]

_RECORDED = 12
"""Recorded calls of one function that are used."""
_SHARED = 4
"""Those among them that other functions with arguments of these types are run on."""
_POOL = 160
"""Calls that all of these are run on, at most."""
_GENERATED = 60
_ROUNDS = 3
"""Sessions of a function that are run again."""
_LIMITS = Limits(wall_s=2.0)


def group_spellings(definitions: Sequence[RepeatedCode], sandbox: Sandbox) -> list[RepeatedCode]:
    """Return functions with all their spellings; those that cannot be run stay as they are.

    The shortest spelling stands for all of them, and a tool is made of it first.

    Args:
        definitions: Functions that agree in their text, written once or more.
        sandbox: Where they run.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    alone: list[RepeatedCode] = []
    alike: defaultdict[tuple[str, ...], list[_Candidate]] = defaultdict(list)
    for definition in sorted(definitions, key=lambda one: one.source):
        candidate = _Candidate.of(definition, sandbox)
        if candidate is None:
            alone.append(definition)
        else:
            alike[candidate.types].append(candidate)
    merged = [one for _, family in sorted(alike.items()) for one in _merged(family, sandbox)]
    return [*alone, *merged]


@dataclass(frozen=True)
class _Candidate:
    """A function that could be run, and with what."""

    definition: RepeatedCode
    recorded: tuple[tuple[Json, ...], ...]

    @classmethod
    def of(cls, definition: RepeatedCode, sandbox: Sandbox) -> _Candidate | None:
        if packages_needed(definition.source):
            return None
        occurrences = definition.occurrences[:_ROUNDS]
        cases = recover_cases(occurrences, definition.parameters, sandbox, _LIMITS)
        recorded = [tuple(case.arguments[name] for name in definition.parameters) for case in cases]
        return cls(definition, tuple(recorded[:_RECORDED])) if recorded else None

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The type of each argument, as far as it was seen."""
        columns = zip(*self.recorded, strict=True)
        return tuple(str(infer_schema(column, 1).get("type", "any")) for column in columns)

    @cached_property
    def _schema(self) -> JsonObject:
        return _schema_of(self.recorded)

    def is_meant_for(self, call: Positional) -> bool:
        """Say whether a call lies within the bounds of those that were recorded."""
        return accepts(self._schema, dict(zip(_names(call), call, strict=True)))

    def observe(self, inputs: Sequence[Positional], sandbox: Sandbox) -> Behaviour | None:
        entry = self.definition.name
        return observe(self.definition.source, entry, inputs, sandbox) if inputs else None


def _merged(family: Sequence[_Candidate], sandbox: Sandbox) -> Iterator[RepeatedCode]:
    """Yield the functions of a family of candidates that take arguments of the same types."""
    if len(family) == 1:
        yield family[0].definition
        return
    pool = _distinct([call for one in family for call in one.recorded[:_SHARED]])[:_POOL]
    # What others were called with may be nothing that these two were meant for.
    for group in _agreeing(family, pool, sandbox, meant_only=True):
        yield from _split(group, sandbox)


def _split(group: Sequence[_Candidate], sandbox: Sandbox) -> Iterator[RepeatedCode]:
    """Yield what is left of a group of functions that agree on recorded calls."""
    if len(group) == 1:
        yield group[0].definition
        return
    recorded = _distinct([call for one in group for call in one.recorded])
    inputs = [*recorded, *generated_inputs(recorded)]
    parts = _agreeing(group, inputs, sandbox)
    behaviours = [part[0].observe(inputs, sandbox) for part in parts]
    for part, behaviour in zip(parts, behaviours, strict=True):
        nearly = [
            _spelling(candidate, differs)
            for others, other in zip(parts, behaviours, strict=True)
            if behaviour and other and (differs := difference(other, behaviour, inputs))
            for candidate in others
        ]
        yield _together(part, nearly)


def _agreeing(
    candidates: Sequence[_Candidate],
    inputs: Sequence[Positional],
    sandbox: Sandbox,
    *,
    meant_only: bool = False,
) -> list[list[_Candidate]]:
    """Part candidates into groups that end alike on all inputs; who cannot be told stays alone."""
    groups: list[tuple[Behaviour | None, list[bool], list[_Candidate]]] = []
    for candidate in candidates:
        behaviour = candidate.observe(inputs, sandbox)
        meant = [not meant_only or candidate.is_meant_for(call) for call in inputs]
        for known, theirs, members in groups:
            both = [*map(and_, meant, theirs)]
            if known and behaviour and known.only(both).agrees(behaviour.only(both)):
                members.append(candidate)
                break
        else:
            groups.append((behaviour, meant, [candidate]))
    return [members for _, _, members in groups]


def _together(part: Sequence[_Candidate], nearly: Sequence[Spelling]) -> RepeatedCode:
    """Return spellings of one function as what the shortest of them is.

    Args:
        part: The spellings.
        nearly: Functions that agree on all that was recorded, and differ on generated inputs.
    """
    best, *others = sorted(
        part, key=lambda one: (len(one.definition.source), one.definition.source)
    )
    if not others and not nearly:
        return best.definition
    names = Counter(one.definition.name for one in part for _ in one.definition.occurrences)
    documents = [one.definition.documentation for one in (best, *others)]
    return replace(
        best.definition,
        documentation=next(filter(None, documents), ""),
        occurrences=tuple(occurrence for one in part for occurrence in one.definition.occurrences),
        spellings=(*map(_spelling, (best, *others)), *nearly),
        common_name=max(names, key=lambda name: (names[name], name)),
    )


def _spelling(candidate: _Candidate, differs: str = "") -> Spelling:
    definition = candidate.definition
    tasks = support_of(definition.occurrences)
    return Spelling(definition.name, definition.source, tasks, differs, definition.parameters)


def _distinct(calls: Sequence[tuple[Json, ...]]) -> list[tuple[Json, ...]]:
    return list({canonical([*call]): call for call in calls}.values())


def generated_inputs(recorded: Sequence[Positional]) -> list[Positional]:
    """Return inputs near recorded ones, within what these show a function to be meant for."""
    names = _names(recorded[0])
    known: list[JsonObject] = [dict(zip(names, call, strict=True)) for call in recorded]
    strategy = arguments_strategy(_schema_of(recorded), known)
    drawn = draw(strategy, _GENERATED, seed=0, large=False)
    return [tuple(arguments[name] for name in names) for arguments in drawn]


def _names(call: Positional) -> list[str]:
    return [f"argument_{number}" for number in range(len(call))]


def _schema_of(recorded: Sequence[Positional]) -> JsonObject:
    columns = [[*column] for column in zip(*recorded, strict=True)]
    properties: JsonObject = {
        name: {**infer_schema(column), **_bounds(column)}
        for name, column in zip(_names(recorded[0]), columns, strict=True)
    }
    return object_schema(properties, closed=True)


def _bounds(column: Sequence[Json]) -> JsonObject:
    """Return the schema keywords that keep out negative or empty values where none was seen."""
    numbers = [value for value in column if isinstance(value, int | float)]
    lengths = [len(value) for value in column if isinstance(value, str | list)]
    bounds: JsonObject = {}
    if numbers and min(numbers) >= 0:
        bounds["minimum"] = 1 if min(numbers) >= 1 else 0
    if lengths and min(lengths) > 0:
        texts = any(isinstance(value, str) for value in column)
        bounds["minLength" if texts else "minItems"] = 1
    return bounds
