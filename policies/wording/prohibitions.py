"""What a sentence forbids, which is not what it asks for.

`Skip the approval` takes a guardrail away, `Never skip the approval` keeps it. So what a sentence
forbids to leave out is taken from it before anybody looks for what it says.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["without_prohibitions"]

_FORBIDDING: Final = (
    r"\b(?:never|(?:do|must|should|may) not|(?:do|must|should)n['\u2019]t|can(?:not|['\u2019]t))"
)
_NEVER_SKIP: Final = re.compile(
    rf"{_FORBIDDING} (?:let ([\w' ]{{1,40}}?) )?(?:skip|bypass|omit|ignore|disregard|disable"
    r"|circumvent|evade|override|overrule|suppress|weaken|loosen|relax|exceed|turn off|switch off"
    r"|work around|get around|leave out|assume|presume|treat|delete|clear|erase|remove"
    r"|comment out|edit|force[- ]push|use --no-verify)\b",
    re.IGNORECASE,
)
_NEVER_WITHOUT: Final = re.compile(
    rf"({_FORBIDDING}\b(?:(?!\b(?:and|but|then|so|just|instead)\b)[^.,;:!?])"
    r"{1,80}?) without ((?:[\w'\u2019]+ ){0,4}?)"
    r"(?:approval|confirmation|consent|permission|authori[sz]ation|verification|validation|reviews?"
    r"|checks?|tests|testing|asking|checking|verifying|validating|confirming|reviewing)\b",
    re.IGNORECASE,
)
_NEVER_TELL_SECRETS: Final = re.compile(
    rf"{_FORBIDDING} (?:ask|request|send|share|print|log|show|store|save|write|include|put|copy"
    r"|output|commit)\b((?: [\w'\u2019]+){0,4}?) (?:passwords?|pins?|passphrases?|api keys?"
    r"|credentials|(?:access )?tokens?|secrets?|private keys?|card numbers?|security codes?)\b",
    re.IGNORECASE,
)
_NEVER_OBEY_DATA: Final = re.compile(
    rf"{_FORBIDDING} (?:follow|obey|execute|act on) (?:any |the )?(?:instructions|orders|commands)"
    r" (?:that )?(?:(?:stand|are|appear|come|found|written) )?(?:in|inside|within|from) (?:the )?"
    r"(?:tool results?|tool outputs?|web ?pages?|websites?|e-?mails?|search results?|reviews)\b",
    re.IGNORECASE,
)
_URGING: Final = re.compile(
    rf"{_FORBIDDING} (?:ever )?(?:hesitate|worry|mind|be (?:afraid|shy|reluctant)|fear|fail|forget"
    r"|refuse|decline|resist|scruple|delay|wait|stop|avoid|object)\b"
    r"|\b(?:wrong|mistaken?|error|foolish|unwise|silly|bad|forbidden|reason)\b[^.!?]{0,30}"
    r"\b(?:never|not|don['\u2019]t)\b",
    re.IGNORECASE,
)
"""Prohibitions that ask for what follows them."""


def without_prohibitions(sentence: str) -> str:
    """Return a sentence without what it forbids to leave out, turn off or give away."""
    if _URGING.search(sentence):
        return sentence
    # Words in between stay, for they may say anything.
    kept = _NEVER_WITHOUT.sub(r"\1 \2", sentence)
    for forbidden in (_NEVER_SKIP, _NEVER_TELL_SECRETS):
        kept = forbidden.sub(r"keep \1", kept)
    return _NEVER_OBEY_DATA.sub("beware", kept)
