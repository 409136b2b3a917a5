"""Regular expressions that take exponentially long on some texts.

Python's `re` tries one way through a pattern after the other. A loop that can read the same text
in two ways doubles the ways with every turn: `(a+)+b` takes 2**n steps on n times `a`. In terms of
automata: the pattern's position automaton (Glushkov 1961) has a state `q` and a word `w` such that
two different paths lead from `q` to `q` by `w` (Weber and Seidl 1991, "On the degree of ambiguity
of finite automata", criterion EDA). That is looked for here, in the product of the automaton with
itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product

# The parser of `re` has no public name: `sre_parse` is deprecated and warns.
from re import _constants as op  # type: ignore[attr-defined]  # not in the stubs
from re import _parser as parser  # type: ignore[attr-defined]  # not in the stubs
from typing import Any

from toolguild.synth.validation.static.reading import quiet

__all__ = ["backtracks_exponentially"]

_Item = tuple[object, Any]
"""A part of a parsed pattern: its kind, and what that kind has, of which nobody says the type."""

_MAX_PATTERN = 1_000  # characters
_MAX_POSITIONS = 120  # atoms of a pattern
_MAX_STEPS = 20_000  # transitions looked at
_UNBOUNDED = 10  # repetitions that count as without end
_SEVERAL = 2  # ways are counted up to here
_SAMPLES = "aZ0_ \n-\u00e9\u0663\u4e16"
"""A character of each kind that patterns tell apart."""

_END_ANCHORS = frozenset({op.AT_END, op.AT_END_STRING, op.AT_BOUNDARY, op.AT_NON_BOUNDARY})


@lru_cache(maxsize=256)
def backtracks_exponentially(pattern: str, flags: int = 0, *, whole: bool = False) -> bool:
    """Whether matching a pattern can take time that doubles with every character.

    Args:
        pattern: a regular expression.
        flags: those of `re` that it is compiled with.
        whole: whether it has to match the whole text, as with `re.fullmatch`.

    Returns:
        False also for a pattern that is no regular expression, is long, or is not understood.
    """
    if len(pattern) > _MAX_PATTERN:
        return False
    try:
        with quiet():
            tree = parser.parse(pattern, flags)
        automaton = _Automaton(_alphabet(tree), tree.state.flags)
        root = automaton.sequence(tree)
        return automaton.is_ambiguous(root, whole=whole)
    except (re.error, ValueError, OverflowError, RecursionError, _TooBigError):
        return False


def _times(states: _Ways, ways: int) -> _Ways:
    return Counter({state: min(count * ways, _SEVERAL) for state, count in states.items() if ways})


class _TooBigError(Exception):
    """The pattern takes too long to be judged."""


_Ways = Counter[int]
"""States, and in how many ways each may come first or last."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a pattern."""

    empty: int
    """In how many ways it can match nothing."""
    first: _Ways = field(default_factory=Counter)
    last: _Ways = field(default_factory=Counter)


_EMPTY = _Part(empty=1)


@dataclass(slots=True)
class _Automaton:
    """The automaton of a pattern; a state is an atom of the pattern, entered by reading it."""

    alphabet: str
    flags: int
    reads: list[int] = field(default_factory=list)
    """What each state reads, as a set of positions in `alphabet`."""
    edges: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Which states follow one another, and in how many ways."""
    loops: list[range] = field(default_factory=list)
    """The states inside each outermost loop. All of them lead to one another."""
    end_matters: bool = False
    """Whether something asks what comes after a match."""

    # --- building

    def sequence(self, items: Iterable[_Item]) -> _Part:
        """Add parts that follow one another."""
        whole = _EMPTY
        for kind, argument in items:
            whole = self._joined(whole, self._part(kind, argument))
        return whole

    def _joined(self, before: _Part, after: _Part) -> _Part:
        self._link(before.last, after.first)
        return _Part(
            min(before.empty * after.empty, _SEVERAL),
            before.first + _times(after.first, before.empty),
            after.last + _times(before.last, after.empty),
        )

    def _link(self, before: _Ways, after: _Ways) -> None:
        for one, ways in before.items():
            for other, more in after.items():
                self.edges[one, other] += min(ways * more, _SEVERAL)

    def _part(self, kind: object, argument: Any) -> _Part:
        match kind, argument:
            case ((op.MAX_REPEAT | op.MIN_REPEAT), (int(least), most, inner)):
                return self._repeated(least, int(most), inner)
            case op.BRANCH, (_, choices):
                return self._choice([self.sequence(choice) for choice in choices])
            case op.SUBPATTERN, (_, on, off, inner):
                flags, self.flags = self.flags, (self.flags | on) & ~off
                part = self.sequence(inner)
                self.flags = flags
                return part
            case ((op.ASSERT | op.ASSERT_NOT), (_, inner)):
                self.end_matters = True
                self.sequence(inner)  # whatever loops in it is judged, too
                return _EMPTY
            case ((op.ATOMIC_GROUP | op.POSSESSIVE_REPEAT), _):
                # Never entered again once left: one atom that can be anything.
                return self._atom((1 << len(self.alphabet)) - 1)
            case op.AT, _:
                self.end_matters = self.end_matters or argument in _END_ANCHORS
                return _EMPTY
            case ((op.GROUPREF | op.GROUPREF_EXISTS), _):
                return _EMPTY
        return self._atom(self._read_by(kind, argument))

    def _repeated(self, least: int, most: int, inner: Iterable[_Item]) -> _Part:
        begin = len(self.reads)
        part = self.sequence(inner)
        if most >= _UNBOUNDED and part.first:
            self._link(part.last, part.first)
            inside = range(begin, len(self.reads))
            self.loops = [loop for loop in self.loops if loop.start < begin] + [inside]
        return _Part(part.empty + (least == 0), part.first, part.last)

    def _choice(self, parts: list[_Part]) -> _Part:
        first: _Ways = Counter()
        last: _Ways = Counter()
        for part in parts:
            first, last = first + part.first, last + part.last
        return _Part(min(sum(part.empty for part in parts), _SEVERAL), first, last)

    def _atom(self, read: int) -> _Part:
        if len(self.reads) == _MAX_POSITIONS:
            raise _TooBigError
        self.reads.append(read)
        state = Counter([len(self.reads) - 1])
        return _Part(0, state, state)

    def _read_by(self, kind: object, argument: Any) -> int:
        return sum(
            1 << position
            for position, character in enumerate(self.alphabet)
            if self._matches(kind, argument, character)
        )

    def _matches(self, kind: object, argument: Any, character: str) -> bool:
        match kind, argument:
            case op.ANY, _:
                return character != "\n" or bool(self.flags & re.DOTALL)
            case op.LITERAL, int(code):
                return any(ord(case) == code for case in self._cases(character))
            case op.NOT_LITERAL, int(code):
                return all(ord(case) != code for case in self._cases(character))
            case op.RANGE, (int(low), int(high)):
                return any(low <= ord(case) <= high for case in self._cases(character))
            case op.CATEGORY, _:
                return _is_of(argument, character)
            case op.IN, list(items):
                negated = bool(items) and items[0][0] is op.NEGATE
                found = (self._matches(k, a, character) for k, a in items if k is not op.NEGATE)
                return any(found) != negated
        return True

    def _cases(self, character: str) -> set[str]:
        if not self.flags & re.IGNORECASE:
            return {character}
        return {c for c in (character, character.lower(), character.upper()) if len(c) == 1}

    # --- judging

    def is_ambiguous(self, root: _Part, *, whole: bool) -> bool:
        """Whether some loop reads some text in two ways, and what comes after it can fail."""
        fails = whole or self.end_matters
        follow: dict[int, list[int]] = {}
        for one, other in self.edges:
            follow.setdefault(one, []).append(other)
        return any(
            self._reads_in_two_ways(loop, follow)
            for loop in self.loops
            if fails or not set(loop).intersection(root.last)
        )

    def _reads_in_two_ways(self, loop: range, follow: dict[int, list[int]]) -> bool:
        """Look for two paths that part, read the same text, and meet again.

        Raises:
            _TooBigError: that takes too long.
        """
        inside = {one: [other for other in follow.get(one, ()) if other in loop] for one in loop}
        if any(self.edges[one, other] > 1 for one, others in inside.items() for other in others):
            return True
        start = (loop.start, loop.start)
        before: dict[tuple[int, int], list[tuple[int, int]]] = {}
        pending, seen, steps = [start], {start}, 0
        while pending:
            pair = pending.pop()
            for one, other in product(inside[pair[0]], inside[pair[1]]):
                steps += 1
                if steps > _MAX_STEPS:
                    raise _TooBigError
                if self.reads[one] & self.reads[other]:
                    before.setdefault((one, other), []).append(pair)
                    if (one, other) not in seen:
                        seen.add((one, other))
                        pending.append((one, other))
        # Paths that have met can go on together to wherever they parted: all states lead to all.
        meeting = [(state, state) for state in loop if (state, state) in seen]
        return any(one != other for one, other in _before(meeting, before))


def _before(
    ends: Iterable[tuple[int, int]], before: dict[tuple[int, int], list[tuple[int, int]]]
) -> set[tuple[int, int]]:
    """Return what leads to one of the ends."""
    found: set[tuple[int, int]] = set()
    pending = [pair for end in ends for pair in before.get(end, ())]
    while pending:
        pair = pending.pop()
        if pair not in found:
            found.add(pair)
            pending.extend(before.get(pair, ()))
    return found


def _is_of(category: object, character: str) -> bool:
    r"""Whether a character belongs to a class such as `\d`."""
    name = str(category)
    if "DIGIT" in name:
        found = character.isdecimal()
    elif "SPACE" in name:
        found = character.isspace()
    else:
        found = character.isalnum() or character == "_"
    return found != ("NOT" in name)


def _alphabet(tree: Iterable[_Item]) -> str:
    """Return one character for each set of characters that a pattern treats alike, and more."""
    codes = {ord(character) for character in _SAMPLES}
    for code in _codes(tree):
        codes |= {code - 1, code, code + 1}
    return "".join(chr(code) for code in sorted(codes) if 0 <= code <= 0x10FFFF)


def _codes(tree: object) -> Iterator[int]:
    """Yield the character codes that stand anywhere in a parsed pattern."""
    pending = [tree]
    while pending:
        match pending.pop():
            case (op.LITERAL | op.NOT_LITERAL, int(code)):
                yield code
            case (op.RANGE, (int(low), int(high))):
                yield from (low, high)
            case tuple() | list() | parser.SubPattern() as several:
                pending.extend(several)
