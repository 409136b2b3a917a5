"""Making plain descriptions, names and quotations of texts that nobody vouches for."""

from __future__ import annotations

import keyword
import re
from typing import Final

from toolguild.policies.wording.characters import visible
from toolguild.policies.wording.findings import Cleaned, Reason, Removed, removed
from toolguild.policies.wording.markup import without_markup, without_turns
from toolguild.policies.wording.sentences import joined, judge, judge_whole, sentences

__all__ = ["plain_description", "plain_identifier", "plain_line"]

_MAX_READ: Final = 20_000
"""Characters looked at; what follows them is dropped unread."""
_ROUNDS: Final = 8
_MIN_LETTERS: Final = 3
_CUT: Final = " [...]"
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def plain_description(text: str, *, fallback: str, limit: int = 1_000) -> Cleaned:
    """Return a text as it may stand where a model or a person reads it as a description.

    Hidden characters and markup are taken out, and sentences that speak to their reader. A text
    that gives orders, asks for secrets or secrecy, or hides what it says is believed in nothing:
    the fallback takes its place. Line breaks stay between paragraphs and items of lists only.

    Cleaning a text again changes nothing. That nothing was found does not make a text true or
    harmless: what says in plain words that a tool does something it does not, passes.

    Args:
        text: What a log, a model or a tool server says.
        fallback: A sentence of the caller's own; cleaned as well, and used if nothing is left.
        limit: Characters at most, at least 1.
    """
    cleaned = _settled(text, limit)
    if _says_something(cleaned.text):
        return cleaned
    return Cleaned(_settled(fallback, limit).text, cleaned.removed)


def plain_identifier(text: str, *, fallback: str, limit: int = 64) -> Cleaned:
    """Return a name that Python and every vendor's API take, of ASCII letters, digits and `_`.

    A name that reads as an order (`ignore_previous_instructions`) becomes the fallback.

    Args:
        text: What a log, a model or a tool server calls something.
        fallback: A name of the caller's own, of that form.
        limit: Characters at most, at least 1.
    """
    shown, notes = visible(text[:_MAX_READ])
    name = re.sub(r"\W+", "_", shown, flags=re.ASCII).strip("_")[:limit].rstrip("_")
    read_as = (shown, _words(shown), name, _words(name))
    verdict = next((found for one in read_as if (found := judge(one))), None)
    if verdict is not None:
        notes.append(removed(verdict[0], shown))
    if keyword.iskeyword(name) and len(name) < limit:
        name = f"{name}_"
    if verdict is not None or not name or name[0].isdigit() or keyword.iskeyword(name):
        name = fallback[:limit]
    return Cleaned(name, tuple(notes))


def plain_line(text: str, *, limit: int) -> str:
    """Return a text as it may be quoted: in one line, of characters that a person sees.

    What puts words into somebody else's mouth is taken out. All else stays as it is, orders too:
    whoever shows it to a model has to say that it is data.

    Args:
        text: What a run, a log or a model says.
        limit: Characters at most; more than the mark of a cut has.
    """
    line = text[:_MAX_READ]
    for _ in range(_ROUNDS):
        before = line
        line = " ".join(without_turns(visible(line)[0]).split())
        if line == before:
            return line if len(line) <= limit else f"{line[: limit - len(_CUT)].rstrip()}{_CUT}"
    return ""  # Only a text made for it shows new turns each time the last are gone.


def _words(name: str) -> str:
    return " ".join(re.split(r"[\W_]+", _CAMEL.sub("_", name)))


def _settled(text: str, limit: int) -> Cleaned:
    """Return a text that another round would not change; an empty one where there is none."""
    found: list[Removed] = []
    if len(text) > _MAX_READ:
        found.append(removed(Reason.LENGTH, text[_MAX_READ:]))
        text = text[:_MAX_READ]
    for _ in range(_ROUNDS):
        before = text
        text = _cut(_round(text, found), limit)
        if text == before:
            return Cleaned(text, tuple(found))
    return Cleaned("", (*found, removed(Reason.DISGUISED, text)))


def _round(text: str, found: list[Removed]) -> str:
    text, hidden = visible(text)
    text, marked_up = without_markup(text)
    found += [*hidden, *marked_up]
    kept: list[str] = []
    for sentence in sentences(text):
        verdict = judge(sentence)
        if verdict is None:
            kept.append(sentence)
            continue
        reason, taints = verdict
        found.append(removed(reason, sentence))
        if taints:
            return ""
    text = joined(kept)
    across = judge_whole(text)
    if across is not None:
        found.append(removed(across[0], text))
        return ""
    return text


def _cut(text: str, limit: int) -> str:
    """Return as many whole sentences as fit, or else words, or else characters."""
    if len(text) <= limit:
        return text
    fitting = ""
    for sentence in sentences(text):
        if len((fitting + sentence).rstrip()) > limit:
            break
        fitting += sentence
    if fitting.strip():
        return fitting.strip()
    words = text[: limit + 1].rpartition(" ")[0]
    return (words or text[:limit]).strip()


def _says_something(text: str) -> bool:
    return sum(character.isalpha() for character in text) >= _MIN_LETTERS
