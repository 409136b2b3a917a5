"""Where one answer of a tool is another one than the answers recorded for the same call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toolguild.policies.drift import Change
from toolguild.sandbox import Json
from toolguild.synth.drift.answers import Answer
from toolguild.synth.drift.fields import ITEM, FieldPath, Fields, Kind, Layout, kind_of, objects_at
from toolguild.synth.mining import canonical
from toolguild.synth.traces.secrets_in_text import PLACEHOLDER

__all__ = ["Comparison", "Difference", "kind_of_answer"]

_FAILURE = "a failure"
_BETWEEN = "/"
_CONTAINERS = frozenset({Kind.OBJECT, Kind.LIST})


@dataclass(frozen=True, slots=True)
class Difference:
    """How a field of one answer is different."""

    path: FieldPath
    change: Change
    was: str = ""
    """The kinds of values that were recorded, where they are of another one now."""
    to: str = ""
    """The new key, or the new kinds."""

    def was_of(self, kind: str) -> bool:
        """Whether a kind is among those that were recorded."""
        return kind in self.was.split(_BETWEEN)

    def is_of(self, kind: str) -> bool:
        """Whether a kind is among the new ones."""
        return kind in self.to.split(_BETWEEN)


def kind_of_answer(answer: Answer) -> str:
    """Return what an answer is: the kind of its value, or a failure."""
    return _FAILURE if answer.error is not None else kind_of(answer.value).value


class Comparison:
    """One answer of today beside those that were recorded for the same call."""

    def __init__(
        self, layout: Layout, recorded: Sequence[Answer], today: Answer, *, steady: bool
    ) -> None:
        """Take the answers apart.

        Args:
            layout: What all recorded results of the tool have in common.
            recorded: Those of this call.
            today: The answer to be compared.
            steady: Whether the call could have shown in several runs that its values change.
        """
        self._layout, self._steady = layout, steady
        self._kinds = sorted({*map(kind_of_answer, recorded)})
        self._kind = kind_of_answer(today)
        alike = [answer for answer in recorded if kind_of_answer(answer) == self._kind]
        failed = today.error is not None
        self.now = {} if failed else layout.fields(today.value)
        self.before = [] if failed else [layout.fields(answer.value) for answer in alike]
        """The fields of the recorded answers that are of the same kind."""

    @property
    def differences(self) -> frozenset[Difference]:
        """Where it is different; inside what is different as a whole, nothing more is told."""
        if self._kind not in self._kinds:
            kinds = _BETWEEN.join(self._kinds)
            return frozenset({Difference((), Change.KIND, kinds, self._kind)})
        return frozenset([*self._keys(), *self._kinds_of_values(), *self._values()])

    @property
    def compared(self) -> frozenset[FieldPath]:
        """The fields in whose place something could be compared."""
        recorded = {path for fields in self.before for path in fields}
        return frozenset({(), *(path for path in recorded if path[:-1] in self.now)})

    def is_steady(self, path: FieldPath) -> bool:
        """Whether the values of a field were the same in every recorded run."""
        return self._steady and len({_texts(fields, path) for fields in self.before}) == 1

    def _keys(self) -> Iterator[Difference]:
        gone = sorted(filter(self._is_gone, self._layout.kinds), key=repr)
        new = sorted(filter(self._is_new, self.now), key=repr)
        for fits in (self._has_values_of, self._stands_for):
            for path in [*gone]:
                beside = (other for other in new if other[:-1] == path[:-1])
                fitting = [other for other in beside if path not in self.now and fits(path, other)]
                if len(fitting) == 1:
                    yield Difference(path, Change.RENAMED, to=str(fitting[0][-1]))
                    gone.remove(path)
                    new.remove(fitting[0])
        # One that was not always there may well be gone again.
        missing = (path for path in gone if path in self._layout.always)
        yield from (Difference(path, Change.MISSING) for path in missing)
        yield from (Difference(path, Change.NEW) for path in new)

    def _is_gone(self, path: FieldPath) -> bool:
        if not path or path[-1] is ITEM or not any(path in fields for fields in self.before):
            return False
        return len(self.now.get(path, ())) < objects_at(self.now, path[:-1])

    def _is_new(self, path: FieldPath) -> bool:
        if not path or path[-1] is ITEM or path in self._layout.kinds:
            return False
        return Kind.OBJECT in self._layout.kinds.get(path[:-1], ())

    def _has_values_of(self, path: FieldPath, other: FieldPath) -> bool:
        """Say whether a new field has the very values of one that is gone."""
        values = _texts(self.now, other)
        return any(_texts(fields, path) == values for fields in self.before)

    def _stands_for(self, path: FieldPath, other: FieldPath) -> bool:
        """Say whether a new field has values of the kind of one that was always there."""
        kinds = {*map(kind_of, self.now[other])}
        return path in self._layout.always and kinds <= self._layout.kinds[path]

    def _kinds_of_values(self) -> Iterator[Difference]:
        for path, values in self.now.items():
            known = self._layout.kinds.get(path, frozenset())
            other = {*map(kind_of, values)} - known
            # Of what was always null, nothing is known.
            if path and other and known - {Kind.NULL}:
                yield Difference(path, Change.KIND, _join(known), _join(other))

    def _values(self) -> Iterator[Difference]:
        for path, values in self.now.items():
            recorded = [_texts(fields, path) for fields in self.before if path in fields]
            if not recorded or _texts(self.now, path) in recorded or not _comparable(values):
                continue
            if {*map(kind_of, values)} <= self._layout.kinds[path] - _CONTAINERS:
                steady = self.is_steady(path)
                yield Difference(path, Change.STEADY_VALUE if steady else Change.VALUE)


def _join(kinds: set[Kind] | frozenset[Kind]) -> str:
    return _BETWEEN.join(sorted(kinds))


def _texts(fields: Fields, path: FieldPath) -> tuple[str, ...]:
    return tuple(map(canonical, fields.get(path, ())))


def _comparable(values: Sequence[Json]) -> bool:
    """Say whether values are what they were in the log: one secret has several placeholders."""
    return not any(isinstance(value, str) and PLACEHOLDER.search(value) for value in values)
