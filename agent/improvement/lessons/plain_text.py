"""The gate for sentences that become lessons, whoever wrote them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final

from toolguild.policies import ToolguildError
from toolguild.policies.wording import Reason, advice_harms, names_place
from toolguild.policies.wording.characters import visible
from toolguild.policies.wording.markup import without_markup
from toolguild.synth.traces.redaction import redact_text

__all__ = ["UnfitTextError", "plain_sentence", "sentences_in", "sound_text"]

_FEWEST_LETTERS: Final = 3
_MOST_READ: Final = 20_000
"""Characters of a text that are looked at; a longer one is no sentence."""

_END: Final = re.compile(r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<=[.!?\u3002])[\"')\]*_`]*\s+(?=\S)|\n")
_COLOURS: Final = re.compile(r"\x1b\[[0-79;]*m")
"""As tests and compilers print them; without the 8, which conceals."""
_OPENING: Final = re.compile(r"[\w\"'`(\[]")
"""How a sentence begins; headings, items and quotations of Markdown do otherwise."""


class UnfitTextError(ToolguildError, ValueError):
    """A text may not become a part of what an agent is told; the message says why."""


def plain_sentence(text: str, most: int) -> str:
    """Return a text as it may become a part of what an agent is told: one plain sentence.

    Blanks around it go, and characters take their plain form; of a text that needs more than that
    to become plain, nothing is kept. What comes back passes again as it is.

    Args:
        text: What a model, a run or a person says.
        most: Characters at most.

    Raises:
        UnfitTextError: it is something else; the message says what, for whoever wrote it.
    """
    sentence = visible(text[:_MOST_READ])[0].strip()
    objection = next(_objections(text, sentence, most), None)
    if objection is not None:
        msg = f"{objection}; one plain sentence of at most {most} characters is asked for"
        raise UnfitTextError(msg)
    return sentence


def sentences_in(text: str) -> list[str]:
    """Return the sentences of a text, without the blanks around them."""
    ends = [0, *(match.end() for match in _END.finditer(text)), len(text)]
    pieces = (text[start:end].strip() for start, end in itertools.pairwise(ends))
    return [piece for piece in pieces if piece]


def sound_text(text: str) -> str:
    """Return what a text of any origin says, without colours, links, tags and secrets.

    Of a text that hides something, or any part of which may not be told to an agent, nothing is
    left: the rest of it is no better. What is left has yet to pass the gate.
    """
    shown, hidden = visible(_COLOURS.sub("", redact_text(text[:_MOST_READ])))
    bare, marked_up = without_markup(shown)
    if hidden or any(one.reason is not Reason.LINK for one in marked_up):
        return ""
    plain = visible(bare)[0].strip()
    return "" if advice_harms(plain) else plain


def _objections(text: str, sentence: str, most: int) -> Iterator[str]:
    """Yield what is wrong with a text; what takes long to find out, last."""
    if len(text) > _MOST_READ or len(sentence) > most:
        yield f"it has {len(text)} characters"
        return
    if visible(text)[1]:
        yield "it holds characters that are not seen"
    if sum(character.isalpha() for character in sentence) < _FEWEST_LETTERS:
        yield "it says nothing"
    if len(sentences_in(sentence)) > 1:
        yield "it is more than one sentence"
    if without_markup(sentence)[0] != sentence or not _OPENING.match(sentence):
        yield "it holds markup or a link"
    if names_place(sentence):
        yield "it holds an address"
    if redact_text(sentence) != sentence:
        yield "it holds a secret"
    for reason in advice_harms(sentence):
        yield (
            "it speaks in the name of somebody else"
            if reason is Reason.TEMPLATE
            else f"it may not be told to an agent ({reason})"
        )
