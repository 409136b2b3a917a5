"""Instructions as a list of clauses, and how many of them a change touches.

A clause is an item of a list with the lines that go on with it, a heading, a fenced block, or a
sentence of a paragraph. A heading is a clause of its own, so that it stays as it is when what
stands below it changes. An item is one clause however many sentences it has: it is read, and
rewritten, as one rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Clause", "changed_clauses", "clauses_of", "ends_sentence", "joined", "without_mark"]

_MARK = re.compile(r"\s*(?:#{1,6}|[-*+\u2022]|\d{1,3}[.)])[ \t]+(?=\S)")
"""What a line of a list, or a heading, begins with."""
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_GAP_OF_SENTENCES = re.compile(
    # `e.g. PostgreSQL` is no end, nor is a full stop before a small letter.
    r"(?<=[.!?\u2026])(?<!e\.g\.)(?<!i\.e\.)[\"')\]*_]*\s++(?![a-z])|(?<=[\u3002\uff01\uff1f])\s*+"
)
_END = re.compile(r"[.!?\u2026\u3002\uff01\uff1f][\"')\]*_`]*\Z")


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a text; `lead`, `words` and `gap` together are the piece."""

    lead: str
    """White space before it, and the mark of an item or a heading."""
    words: str
    gap: str
    """White space after it."""

    @property
    def text(self) -> str:
        """All of it."""
        return f"{self.lead}{self.words}{self.gap}"

    @property
    def body(self) -> str:
        """It without the white space around it: what makes it the same clause as another."""
        return self.text.strip()

    @property
    def is_heading(self) -> bool:
        """Whether it heads what follows."""
        return "#" in self.lead

    @property
    def is_item(self) -> bool:
        """Whether it is an item of a list."""
        return bool(self.lead.strip()) and not self.is_heading

    @property
    def is_fenced(self) -> bool:
        """Whether it is a block between fences."""
        return _FENCE.match(self.words) is not None

    @property
    def is_sentence(self) -> bool:
        """Whether it is a sentence of a paragraph."""
        return not (self.lead.strip() or self.is_fenced)


def clauses_of(text: str) -> list[Clause]:
    """Return the clauses of a text; joined, they are the text."""
    return [clause for block in _blocks(text) for clause in _clauses_of_block(block)]


def joined(clauses: Sequence[Clause]) -> str:
    """Return the text of clauses."""
    return "".join(clause.text for clause in clauses)


def changed_clauses(before: str, after: str) -> int:
    """Return how many clauses were added, dropped or rewritten, at the least.

    It is the edit distance of Levenshtein over clauses, of whichever alignment has the fewest
    edits. White space around clauses does not count; a clause that moves counts twice.
    """
    old, new = _different_parts(_bodies(before), _bodies(after))
    row: list[int] = [*range(len(new) + 1)]
    for dropped, one in enumerate(old, start=1):
        diagonal, row[0] = row[0], dropped
        for place, other in enumerate(new, start=1):
            rewritten = diagonal + (one != other)
            diagonal = row[place]
            row[place] = min(rewritten, row[place] + 1, row[place - 1] + 1)
    return row[-1]


def ends_sentence(words: str) -> bool:
    """Whether what follows begins a new sentence."""
    return _END.search(words) is not None


def without_mark(words: str) -> str:
    """Return words without the marks of items and headings that they begin with."""
    while mark := _MARK.match(words):
        words = words[mark.end() :]
    return words


def _bodies(text: str) -> list[str]:
    return [body for clause in clauses_of(text) if (body := clause.body)]


def _different_parts(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    """Return what is left of two lists when beginnings and ends that are the same are cut off."""
    most = min(len(old), len(new))
    start = next((place for place in range(most) if old[place] != new[place]), most)
    old, new = old[start:], new[start:]
    most = min(len(old), len(new))
    end = next((place for place in range(most) if old[-1 - place] != new[-1 - place]), most)
    return old[: len(old) - end], new[: len(new) - end]


def _blocks(text: str) -> Iterator[str]:
    """Yield items, headings, fenced blocks and paragraphs, with the blank lines after them."""
    block: list[str] = []
    fence = ""
    has_words = has_ended = False
    for line in text.splitlines(keepends=True):
        if fence:
            block.append(line)
            if _closes(line, fence):
                fence, has_ended = "", True
            continue
        opening = _FENCE.match(line)
        mark = _MARK.match(line)
        if has_words and line.strip() and (has_ended or opening or mark):
            yield "".join(block)
            block, has_words, has_ended = [], False, False
        block.append(line)
        has_words = has_words or bool(line.strip())
        has_ended = not line.strip() or (mark is not None and "#" in mark[0])
        fence = opening[1] if opening else ""
    if block:
        yield "".join(block)


def _closes(line: str, fence: str) -> bool:
    shown = line.strip()
    return shown.startswith(fence) and not shown.strip(fence[0])


def _clauses_of_block(block: str) -> Iterator[Clause]:
    if mark := _MARK.match(block):
        yield _clause(block, mark[0])
    elif _FENCE.match(block):
        yield _clause(block)
    else:
        start = 0
        for gap in _GAP_OF_SENTENCES.finditer(block):
            yield _clause(block[start : gap.end()])
            start = gap.end()
        if start < len(block):
            yield _clause(block[start:])


def _clause(piece: str, lead: str = "") -> Clause:
    """Return a piece as a clause; its lead is the white space it begins with unless given."""
    words = piece.rstrip()
    lead = lead or words[: len(words) - len(words.lstrip())]
    return Clause(lead, words[len(lead) :], piece[len(words) :])
