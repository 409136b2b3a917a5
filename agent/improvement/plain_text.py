"""The gate for texts that become part of what an agent is told, whoever wrote them.

Such a text speaks to the agent and says which tools to use and when: that is what it is for. So
less is refused than in a tool's description, and all the more of what would take the agent's
guardrails away. No list of phrases is whole; what passes is tried on held-out tasks, too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final

from toolguild.policies import ToolguildError
from toolguild.policies.wording.characters import visible
from toolguild.policies.wording.findings import Reason
from toolguild.policies.wording.markup import without_markup
from toolguild.policies.wording.phrases import Phrase, gap, maybe, phrase
from toolguild.policies.wording.sentences import judge_whole, reasons_against
from toolguild.synth.traces.redaction import redact_text

__all__ = ["UnfitTextError", "harms_in", "plain_sentence", "sentences_in", "sound_text"]

_FEWEST_LETTERS: Final = 3
_MOST_READ: Final = 20_000
"""Characters of a text that are looked at; a longer one is no sentence."""

_TOLERATED: Final = frozenset({Reason.STEERING, Reason.SPEECH, Reason.ADDRESS, Reason.URGENCY})
"""What advice has to do."""

_END: Final = re.compile(r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<=[.!?\u3002])[\"')\]*_`]*\s+(?=\S)|\n")
_COLOURS: Final = re.compile(r"\x1b\[[0-79;]*m")
"""As tests and compilers print them; without the 8, which conceals."""
_ROLE: Final = re.compile(r"\W*(?:system|developer|user|human|assistant|agent|tool)\W*:", re.I)
_PLACE: Final = re.compile(
    r"\S@[\w-]+\.\w|\b\d{1,3}(?:\.\d{1,3}){3}\b"
    r"|\b[\w-]+\.(?:com|net|org|io|dev|app|ai|co|info|biz|xyz|me|ru|cn|uk|de|eu|cloud|example)\b",
    re.I,
)
"""Addresses of people and machines that are no links by their form."""
_OPENING: Final = re.compile(r"[\w\"'`(\[]")
"""How a sentence begins; headings, items and quotations of Markdown do otherwise."""

_FORBIDDING: Final = r"\b(?:never|do not|don't|must not|should not|cannot|may not)"
_GUARDS: Final = (
    "guardrail*, guard rail*, safeguard*, approval*, confirmation*, consent, permission*,"
    " authori*ation, authentication, verification*, validation*, check, checks, policy, policies,"
    " rule, rules, restriction*, limit, limits, budget, budgets, sandbox, review, reviews,"
    " instruction*, reviewer*, evaluator*"
)
_SKIPPING: Final[tuple[Phrase, ...]] = (
    phrase(
        Reason.OVERRIDE,
        "skip, skipping, bypass, bypassing, omit, omitting, ignore, ignoring, disregard,"
        " disregarding, disable, disabling, circumvent, circumventing, evade, evading, override,"
        " overriding, turn off, turning off, switch off, switching off, leave out, leaving out,"
        " forgo, work around, get around, no need for, do not need, don't need, do not require,"
        " does not require, do not wait for, don't wait for, never wait for, do not ask for,"
        " don't ask for, never ask for, without asking for, without waiting for",
        gap(25),
        _GUARDS,
    ),
    phrase(
        Reason.OVERRIDE,
        "without",
        gap(25),
        "approval*, confirmation*, consent, permission*, authori*ation, authentication,"
        " verification*, identity check, identity checks",
    ),
    phrase(
        Reason.OVERRIDE,
        _GUARDS,
        gap(15),
        "is, are, was, were, has been, have been",
        maybe("now, all, being, only"),
        "off, switched off, turned off, disabled, suspended, lifted, waived, void, optional,"
        " unnecessary, not needed, not required, not necessary",
    ),
)
# To forbid leaving out a guard is to ask for it, and what these lists are not about.
_NEVER_WITHOUT: Final = re.compile(
    rf"({_FORBIDDING}\b[^.,;:!?]{{1,80}}?) without (?:[\w']+ ){{0,3}}?"
    r"(?:approval|confirmation|consent|permission|authori[sz]ation|verification)\b",
    re.I,
)
_NEVER_SKIP: Final = re.compile(
    rf"{_FORBIDDING} (?:skip|bypass|omit|ignore|disregard|disable|circumvent|override)\b", re.I
)
_URGING: Final = re.compile(
    rf"{_FORBIDDING} (?:hesitate|worry|mind|be afraid|fear|fail|forget)\b", re.I
)


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
    said = sentences_in(plain)
    return "" if any(_ROLE.match(one) or harms_in(one) for one in said) else plain


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
    if _ROLE.match(sentence):
        yield "it speaks in the name of somebody else"
    if _PLACE.search(sentence):
        yield "it holds an address"
    if redact_text(sentence) != sentence:
        yield "it holds a secret"
    for reason in harms_in(sentence):
        yield f"it may not be told to an agent ({reason})"


def harms_in(sentence: str) -> list[Reason]:
    """Return what a sentence of visible characters says that no agent may be told, in any form."""
    asked = sentence if _URGING.search(sentence) else _without_prohibitions(sentence)
    across = judge_whole(asked)
    found = reasons_against(asked, _SKIPPING) | ({across[0]} if across else set())
    return sorted(found - _TOLERATED)


def _without_prohibitions(sentence: str) -> str:
    return _NEVER_WITHOUT.sub(r"\1", _NEVER_SKIP.sub("keep", sentence))
