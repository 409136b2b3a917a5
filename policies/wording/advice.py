"""What may not stand in advice to an agent: in its instructions, its lessons, another's bundle.

Advice speaks to its reader and says which tools to use and what to answer; that is what it is for.
What it may not do is set aside other instructions, a person's consent or any check, ask for secrets
or secrecy, lead elsewhere, or hide what it says. The rules are stricter than a person would be, who
may still write such a sentence: `Do not show ids to the customer` asks for secrecy. No list of
phrases is whole: what passes is tried on held-out tasks, too.
"""

from __future__ import annotations

import re
from typing import Final

from toolguild.policies.wording.characters import visible
from toolguild.policies.wording.findings import Reason
from toolguild.policies.wording.guardrails import AGAINST_GUARDRAILS
from toolguild.policies.wording.markup import without_markup
from toolguild.policies.wording.prohibitions import without_prohibitions
from toolguild.policies.wording.sentences import judge_whole, reasons_against, sentences

__all__ = ["advice_harms", "names_place", "plain_instruction", "reasons_against_advice"]

_FIT: Final = frozenset({Reason.STEERING, Reason.SPEECH, Reason.ADDRESS, Reason.URGENCY})
"""What advice has to do."""

_SPEAKER: Final = re.compile(
    r"(?:^|[.!?]\s)\W*(?:system|developer|user|human|assistant|agent|ai|model|tool|function)"
    r"[^\w.!?]*[:>]",
    re.IGNORECASE | re.MULTILINE,
)
"""How the turn of somebody else begins."""
_PLACE: Final = re.compile(
    r"\S@[\w-]+\.\w"
    r"|\b(?!(?:log|logger|logging|console|df)\.)(?:[\w-]+\.)+"
    r"(?:com|net|org|io|dev|app|ai|co|info|biz|xyz|me|ru|cn|uk|de|eu|cloud|example)\b"
    r"|\b(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b",
    re.IGNORECASE,
)
"""Addresses of people and machines that are no links by their form; `logger.info` is none."""
_ADDRESS: Final = re.compile(r"[^\s<>\"'`()\[\]]+(?<![.,;:!?])")


def names_place(text: str) -> bool:
    """Whether a text names an address of a person or a machine."""
    return bool(_PLACE.search(text))


def advice_harms(text: str) -> list[Reason]:
    """Return what the words of a text say that no agent may be told.

    Args:
        text: Visible characters, without markup.
    """
    asked = [without_prohibitions(sentence) for sentence in sentences(text)]
    found = {reason for one in asked for reason in reasons_against(one, AGAINST_GUARDRAILS)}
    if across := judge_whole("".join(asked)):
        found.add(across[0])
    if _SPEAKER.search(text):
        found.add(Reason.TEMPLATE)
    return _in_order(found)


def reasons_against_advice(text: str) -> list[Reason]:
    """Return why a text may not advise an agent, in the order of `Reason`.

    That nothing speaks against it does not make it good advice. Its own form, such as headings and
    blocks of code, is no reason.
    """
    shown, hidden = visible(text)
    _, marked_up = without_markup(shown)
    found = {one.reason for one in (*hidden, *marked_up)} | set(advice_harms(shown))
    if names_place(shown):
        found.add(Reason.LINK)
    return _in_order(found)


def plain_instruction(text: str, known: str = "") -> tuple[str, list[Reason]]:
    """Return a text as it may stand in an agent's instructions, and why it may not after all.

    Args:
        text: A few sentences that a model wrote.
        known: The present instructions: where they lead to, the text may lead as well.
    """
    shown, hidden = visible(text)
    own = _without_known_places(shown, known)
    found = {*reasons_against_advice(own)} | {one.reason for one in hidden}
    if not found and without_markup(own)[0] != own:
        found.add(Reason.MARKUP)
    return " ".join(shown.split()), _in_order(found)


def _in_order(found: set[Reason]) -> list[Reason]:
    return [reason for reason in Reason if reason in found - _FIT]


def _without_known_places(text: str, known: str) -> str:
    present = set(_ADDRESS.findall(known))

    def replace(match: re.Match[str]) -> str:
        is_known = match[0] in present and ("://" in match[0] or names_place(match[0]))
        return "there" if is_known else match[0]

    return _ADDRESS.sub(replace, text)
