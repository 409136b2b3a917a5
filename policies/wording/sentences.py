"""Judging a text sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from toolguild.policies.wording.disguises import (
    Forms,
    encoded_parts,
    forms_of,
    is_disguised,
    spelled_out,
)
from toolguild.policies.wording.english import ENGLISH
from toolguild.policies.wording.findings import Reason
from toolguild.policies.wording.languages import PHRASES_ABROAD
from toolguild.policies.wording.phrases import Phrase
from toolguild.policies.wording.signs import ENOUGH, weight_of_signs

__all__ = ["Verdict", "joined", "judge", "judge_whole", "reasons_against", "sentences"]

Verdict: TypeAlias = tuple[Reason, bool]
"""Why a sentence may not stay, and whether the whole text goes with it."""

_END: Final = re.compile(
    r"(?<=[.!?])[\"')\]*_]*\s+|(?<=\u3002)|\n\s*\n|\n(?=[ \t]*(?:[-*\u2022]|\d{1,2}[.)])[ \t])"
)
_ITEM: Final = re.compile(r"(?:[-*\u2022]|\d{1,2}[.)]) ")
_SHOUT_ALONE: Final = re.compile(r"[\W_]*(?:[A-Z]{2,}[ _]?){1,4}[:!*][\W_]*")
_SHOUTED: Final = re.compile(
    r"(?:^|[^\w])(?:VERY )?(?:IMPORTANT|CRITICAL|URGENT|ATTENTION|MANDATORY|ACTION REQUIRED)"
    r"(?: \w+){0,2}\s*[:!*]"
)
_TOLD_APART: Final = frozenset(
    """
    ignore disregard forget instruct previous system prompt password secret token user tell never
    always send assistant override reveal conversation upload
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_PAUSES: Final = re.compile(r"[.!?\n]+")

_WEIGHTY: Final = tuple(one for one in (*ENGLISH, *PHRASES_ABROAD) if one.is_weighty)


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text with the gaps after them; together they are the text."""
    start = 0
    for gap in _END.finditer(text):
        # A call for attention and what it calls attention to are one.
        if gap.end() > start and not _SHOUT_ALONE.fullmatch(text[start : gap.end()]):
            yield text[start : gap.end()]
            start = gap.end()
    if start < len(text):
        yield text[start:]


def joined(pieces: Iterable[str]) -> str:
    """Return sentences as one text, in which only paragraphs and items of lists start new lines."""
    text = ""
    line_feeds = 0
    for piece in pieces:
        body = " ".join(piece.split())
        if not any(character.isalnum() for character in body):
            continue  # marks that belonged to something that was taken out
        if text:
            starts_item = line_feeds == 1 and _ITEM.match(body)
            text += "\n\n" if line_feeds > 1 else "\n" if starts_item else " "
        text += body
        line_feeds = piece[len(piece.rstrip()) :].count("\n")
    return text


def judge(sentence: str) -> Verdict | None:
    """Return why a sentence may not stay, or None where it may."""
    if encoded_parts(sentence):
        return Reason.ENCODED, True
    if is_disguised(sentence) or _spells_an_order(sentence):
        return Reason.DISGUISED, True
    forms = forms_of(sentence)
    found = _said(forms) or _meant(forms)
    if found is None and _SHOUTED.search(sentence):
        return Reason.URGENCY, False
    if found is None and any(weight_of_signs(form) >= ENOUGH for form in forms.folded):
        return Reason.ADDRESS, False
    return found


def reasons_against(sentence: str, others: tuple[Phrase, ...] = ()) -> set[Reason]:
    """Return everything that a sentence says which a description may not say.

    Args:
        sentence: Of visible characters.
        others: English phrases that are looked for besides.
    """
    forms = forms_of(sentence)
    found = {one.reason for one in _all(PHRASES_ABROAD, (forms.said,))}
    found.update(one.reason for one in _all((*ENGLISH, *others), forms.folded))
    if encoded_parts(sentence):
        found.add(Reason.ENCODED)
    if is_disguised(sentence) or _spells_an_order(sentence) or _meant(forms):
        found.add(Reason.DISGUISED)
    return found


def judge_whole(text: str) -> Verdict | None:
    """Return what a text says when the ends of its sentences are not looked at."""
    forms = forms_of(_PAUSES.sub(" ", text))
    return _first(_WEIGHTY, (forms.said, *forms.folded))


def _said(forms: Forms) -> Verdict | None:
    return _first(ENGLISH, forms.folded) or _first(PHRASES_ABROAD, (forms.said,))


def _meant(forms: Forms) -> Verdict | None:
    hidden = _first(_WEIGHTY, forms.turned)
    return None if hidden is None else (Reason.DISGUISED, True)


def _first(phrases: tuple[Phrase, ...], texts: tuple[str, ...]) -> Verdict | None:
    # The gravest first: what taints the text is told before what only costs a sentence.
    found = sorted(_all(phrases, texts), key=lambda one: not one.taints)
    return (found[0].reason, found[0].taints) if found else None


def _all(phrases: tuple[Phrase, ...], texts: tuple[str, ...]) -> list[Phrase]:
    return [one for one in phrases if any(one.pattern.search(text) for text in texts)]


def _spells_an_order(sentence: str) -> bool:
    return any(word in run for run in spelled_out(sentence) for word in _TOLD_APART)
