"""Logs of any size, made of real runs: other ids and values, other tasks, and some noise.

Each run is a copy of a recorded one in which every word with digits in it (ids, numbers, dates) is
replaced by another of its form, the same by the same, so that data flows as it did. Of the calls,
some are dropped, swapped with the next or followed by one of another run.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from string import ascii_uppercase
from typing import Any

__all__ = ["NOISE", "multiply", "write_logs"]

NOISE = 0.03
"""Share of the calls that are dropped; as many are swapped, and as many inserted."""

# No word that an escape (`\n`, `\u00e9`) stands before, and nothing inside one.
_WORD = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)|[A-Za-z_]*\d\w*")
_SHORTEST = 3
_KEY = "traj"


@dataclass(frozen=True, slots=True)
class _Text:
    """JSON text cut at the words that are replaced."""

    pieces: tuple[str, ...]
    """What stands between the words, one more than there are words."""
    words: tuple[str, ...]

    @classmethod
    def of(cls, value: Any) -> _Text:
        text = json.dumps(value, separators=(",", ":"))
        found = [word for word in _WORD.finditer(text) if _is_replaced(word[0])]
        ends = [0, *(word.end() for word in found)]
        starts = [*(word.start() for word in found), len(text)]
        return cls(
            tuple(text[end:start] for end, start in zip(ends, starts, strict=True)),
            tuple(word[0] for word in found),
        )

    def renamed(self, names: _Names) -> str:
        """Return the text with every word replaced."""
        first, *rest = self.pieces
        words = (names[word] for word in self.words)
        return first + "".join(part for pair in zip(words, rest, strict=True) for part in pair)


@dataclass(frozen=True, slots=True, eq=False)
class _Turn:
    """Messages of a run that belong together: a call with its results, or one that is no call."""

    run: int
    """Which run it is of."""
    messages: _Text
    calls: int


@dataclass(frozen=True, slots=True)
class _Run:
    """A recorded run."""

    head: _Text
    """All but its messages and what names it."""
    turns: tuple[_Turn, ...]


class _Names(dict[str, str]):
    """What each word is called in one run."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    def __missing__(self, word: str) -> str:
        # A whole number keeps its length, an id its letters unless they are as random as digits.
        coded = word.isupper() and any(map(str.isalpha, word))
        name = "".join(
            self._chance.choice("123456789")
            if letter.isdigit()
            else self._chance.choice(ascii_uppercase)
            if coded and letter.isalpha()
            else letter
            for letter in word
        )
        self[word] = name
        return name


def write_logs(
    sources: Sequence[Path], folder: Path, steps: int, files: int = 8, seed: int = 0
) -> list[Path]:
    """Write JSON lines with runs made of recorded ones.

    Args:
        sources: Logs to multiply: JSON arrays of runs with their messages under `traj`.
        folder: Where to write.
        steps: Calls that the runs make, all together; the last run may make some more.
        files: How many files to spread them over.
        seed: Another gives other runs.
    """
    paths = [folder / f"runs-{number:02}.jsonl" for number in range(files)]
    opened = [path.open("w", encoding="utf-8") for path in paths]
    try:
        for file, line in zip(cycle(opened), multiply(sources, steps, seed), strict=False):
            file.write(line)
    finally:
        for file in opened:
            file.close()
    return paths


def multiply(sources: Sequence[Path], steps: int, seed: int = 0) -> Iterator[str]:
    """Yield runs as lines of JSON; see `write_logs`. The sources take turns."""
    logs = [_read(path) for path in sources]
    chance = random.Random(seed)  # noqa: S311 - it is to be the same every time
    made = 0
    for number, runs in enumerate(cycle(logs)):
        if made >= steps:
            return
        run = chance.choice(runs)
        turns = _noisy(run, runs, chance)
        made += sum(turn.calls for turn in turns)
        yield _line(run, turns, number, chance)


def _read(path: Path) -> list[_Run]:
    records = json.loads(path.read_text(encoding="utf-8"))
    return [_run(number, record) for number, record in enumerate(records)]


def _run(number: int, record: dict[str, Any]) -> _Run:
    turns: list[list[Any]] = []
    for message in record[_KEY]:
        if message["role"] != "tool" or not turns:
            turns.append([])
        turns[-1].append(message)
    head = {key: value for key, value in record.items() if key not in (_KEY, "id", "task_id")}
    return _Run(
        _Text.of(head),
        tuple(
            _Turn(
                number,
                _Text.of(turn),
                sum(len(message.get("tool_calls") or ()) for message in turn),
            )
            for turn in turns
        ),
    )


def _noisy(run: _Run, others: Sequence[_Run], chance: random.Random) -> list[_Turn]:
    """Return the turns of a run with some noise among its calls. The first stays what it is."""
    turns = [run.turns[0]]
    for turn in run.turns[1:]:
        drawn = chance.random() if turn.calls else 1.0
        if drawn < NOISE:
            continue
        turns.append(turn)
        if drawn < 2 * NOISE and len(turns) > 2:
            turns[-2:] = turns[-1], turns[-2]
        elif drawn < 3 * NOISE:
            calling = [other for other in chance.choice(others).turns if other.calls]
            turns += [chance.choice(calling)] if calling else []
    return turns


def _line(run: _Run, turns: Sequence[_Turn], number: int, chance: random.Random) -> str:
    names: dict[int, _Names] = defaultdict(lambda: _Names(chance))
    own = names[turns[0].run]
    messages = ",".join(turn.messages.renamed(names[turn.run])[1:-1] for turn in turns)
    head = run.head.renamed(own)[1:-1]
    identity = f'"id":"run-{number}","task_id":"task-{number}"'
    parts = ",".join(filter(None, (identity, head, f'"{_KEY}":[{messages}]')))
    return f"{{{parts}}}\n"


def _is_replaced(word: str) -> bool:
    return not word.startswith("\\") and len(word) >= _SHORTEST and sum(map(str.isdigit, word)) > 1
