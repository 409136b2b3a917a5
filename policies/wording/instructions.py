"""What may not stand in a sentence that a model adds to an agent's instructions.

Instructions speak to their reader and say which tools to use and what to answer; that is what they
are for. What they may not do is set aside other instructions, a person's consent or any check, ask
for secrets or secrecy, lead elsewhere, or hide what they say. The rules are stricter than a person
would be, who may still write such a sentence: `Do not show ids to the customer` asks for secrecy.
"""

from __future__ import annotations

import re
from typing import Final

from toolguild.policies.wording.characters import visible
from toolguild.policies.wording.findings import Reason
from toolguild.policies.wording.markup import without_markup
from toolguild.policies.wording.phrases import gap, maybe, phrase
from toolguild.policies.wording.sentences import judge_whole, reasons_against, sentences
from toolguild.policies.wording.vocabulary import SENDING

__all__ = ["plain_instruction", "visible_line"]

_FIT: Final = frozenset({Reason.STEERING, Reason.SPEECH, Reason.ADDRESS, Reason.URGENCY})

_CHECKS: Final = (
    "validation*, validator*, validating, check, checks, checking, verification*, verifying,"
    " verify, validate, guard, guards, gate, gates, approval*, confirmation*, review, reviews,"
    " reviewing, permission*, restriction*, limit, limits, budget*, policy, policies, rule, rules,"
    " tier, tiers, sandbox*, safety, security, monitoring, logging, audit*, tests, testing,"
    " rollback*, instructions"
)
_GUARDRAILS: Final = (
    phrase(
        Reason.GUARDRAILS,
        "skip*, bypass*, omit*, disabl*, ignor*, disregard*, circumvent*, evad*, suppress*,"
        " overrid*, overrul*, turn off, switch off, work around, get around, go around, do without,"
        " dispense with, leave out, no need for, without, relax, weaken, loosen",
        gap(25),
        _CHECKS,
    ),
    phrase(
        Reason.GUARDRAILS,
        "do not, don't, never, need not, no need to, not need to, don't need to, not necessary to,"
        " unnecessary to, stop, refrain from, avoid",
        maybe("bother to, bother with, ever, always"),
        "check, checking, validat*, verify*, verification, review, reviewing, confirm, confirming,"
        " test, testing",
    ),
    phrase(
        Reason.GUARDRAILS,
        "do not, don't, never, need not, no need to, not need to, don't need to, not necessary to,"
        " unnecessary to, stop, refrain from, avoid",
        "ask for, asking for, wait for, waiting for, run, running, perform, performing, apply,"
        " applying, follow, following, respect, respecting, obey, obeying, keep to",
        gap(25),
        _CHECKS,
    ),
    phrase(
        Reason.GUARDRAILS,
        "guardrail, guardrails, guard rail, guard rails, safeguard*, evaluator*, grader*,"
        " the judge, held-out, held out, audit trail, audit chain, audit log, permission tier*,"
        " your score, your scores, high score, higher score, full marks",
    ),
)
_SECRETS: Final = phrase(
    Reason.SECRETS,
    SENDING,
    gap(20),
    "api key*, api-key*, apikey*, password*, passphrase*, credential*, secret key*, private key*,"
    " ssh key*, access token*, system prompt*, environment variable*, cookie*",
)

_SPEAKER: Final = re.compile(
    r"(?:^|[.!?]\s)\W*(?:system|developer|user|human|assistant|agent|ai|model|tool|function)\s*[:>]",
    re.IGNORECASE | re.MULTILINE,
)
"""How the turn of somebody else begins."""
_PLACE: Final = re.compile(
    r"\S+@[\w-]+\.\w+"
    r"|\b(?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|app|ai|co|info|biz|xyz|me|ru|cn|uk|de|eu|cloud)\b"
    r"|\b(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b",
    re.IGNORECASE,
)
"""Addresses of people and machines that are no links by their form."""
_ADDRESS: Final = re.compile(r"[^\s<>\"'`()\[\]]+(?<![.,;:!?])")


def visible_line(text: str) -> str:
    """Return a text of visible characters on one line, whatever it says."""
    return " ".join(visible(text)[0].split())


def plain_instruction(text: str, known: str = "") -> tuple[str, list[Reason]]:
    """Return a text as it may stand in an agent's instructions, and why it may not after all.

    That nothing speaks against it does not make an instruction a good one.

    Args:
        text: A few sentences that a model wrote.
        known: The present instructions: where they lead to, the text may lead as well.
    """
    shown, hidden = visible(text)
    own = _without_known_places(shown, known)
    plain, marked_up = without_markup(own)
    found = {one.reason for one in (*hidden, *marked_up)}
    if plain != own and not marked_up:
        found.add(Reason.MARKUP)
    if _SPEAKER.search(own):
        found.add(Reason.TEMPLATE)
    if _PLACE.search(own):
        found.add(Reason.LINK)
    for sentence in sentences(own):
        found |= reasons_against(sentence, (*_GUARDRAILS, _SECRETS))
    if across := judge_whole(own):
        found.add(across[0])
    return " ".join(shown.split()), [reason for reason in Reason if reason in found - _FIT]


def _without_known_places(text: str, known: str) -> str:
    present = set(_ADDRESS.findall(known))

    def replace(match: re.Match[str]) -> str:
        is_known = match[0] in present and ("://" in match[0] or _PLACE.search(match[0]))
        return "there" if is_known else match[0]

    return _ADDRESS.sub(replace, text)
