"""What English advice says that takes an agent's guardrails away, or asks it to confide."""

from __future__ import annotations

from typing import Final

from toolguild.policies.wording.findings import Reason
from toolguild.policies.wording.phrases import (
    ANY_WORD,
    Phrase,
    alternatives,
    gap,
    maybe,
    phrase,
    raw,
)
from toolguild.policies.wording.vocabulary import SENDING

__all__ = ["AGAINST_GUARDRAILS"]

_CONSENT: Final = (
    "approval*, confirmation*, consent, permission*, authori*ation, authentication, sign-off"
)
_CHECKS: Final = (
    "verification*, verify, verifying, validation*, validator*, validate, validating, check,"
    " checks, checking, identity check*"
)
_RULES: Final = (
    f"{_CONSENT}, {_CHECKS}, guardrail*, guard rail*, safeguard*, guard, guards, gate, gates,"
    " review, reviews, reviewing, reviewer*, evaluator*, restriction*, limit, limits, budget*,"
    " policy, policies, rule, rules, tier, tiers, sandbox*, safety, security, instruction*"
)
_GUARDS: Final = (
    f"{_RULES}, monitoring, logging, audit*, tests, testing, linter*, type checker*, rollback*"
)
_REAL: Final = r"(?:the |a )?(?:production|live|shared|real)\b"
"""What tests had better stay away from."""
_NOT: Final = (
    "do not, don't, never, need not, no need to, not need to, don't need to, not necessary to,"
    " unnecessary to, stop, refrain from, avoid, nobody needs to, no one needs to"
)
_OFF: Final = (
    "off, switched off, turned off, disabled, suspended, lifted, waived, void, skipped, bypassed,"
    " ignored, omitted, left out, overridden"
)
_FAILING: Final = (
    "fail, fails, failed, failing, is missing, are missing, is pending, are pending, is red,"
    " are red, is refused, are refused, is denied, are denied"
)
_OF_SECRETS: Final = (
    "api key*, api-key*, apikey*, password*, passphrase*, credential*, secret key*, private key*,"
    " ssh key*, access token*, system prompt*, environment variable*, cookie*"
)

_SKIPPING: Final = (
    phrase(
        Reason.GUARDRAILS,
        "skip, skipping, bypass, bypassing, omit, omitting, disable, disabling, deactivate,"
        " ignore, ignoring, disregard, disregarding, circumvent, circumventing, evade, evading,"
        " suppress, suppressing, override, overriding, overrule, overruling, turn off,"
        " turning off, switch off, switching off, work around, get around, go around, get past,"
        " do without, doing without, dispense with, leave out, leaving out, forgo, relax, weaken,"
        " loosen, exceed, exceeding, pass over, pay no attention to, never mind,"
        " no need for, do not need, don't need, does not need, doesn't need,"
        " need no, needs no, do not require, does not require, require no, requires no",
        gap(25),
        _GUARDS,
    ),
    phrase(Reason.GUARDRAILS, "turn, turning, switch, switching", gap(25), _GUARDS, "off"),
    phrase(Reason.GUARDRAILS, "set, put, leave", gap(25), _GUARDS, "aside, for later"),
    phrase(
        Reason.GUARDRAILS,
        "without",
        gap(25),
        f"{_CONSENT}, verification*, validation*, identity check, identity checks",
    ),
    phrase(
        Reason.GUARDRAILS,
        "without",
        ANY_WORD,
        "asking, waiting for, checking, verifying, validating, confirming, reviewing, testing,"
        " running the tests, running tests",
    ),
    # `Results without a review score` are no such thing.
    phrase(
        Reason.GUARDRAILS,
        "without",
        maybe("a, any, the, another, further, prior, human, code"),
        raw(
            r"(?:reviews?|checks?|tests|testing|limits?|rules|safeguards?)\b"
            r"(?=\W*$|[.!?]| (?:of|by|for|from|when|if|on|first|or|and)\b)"
        ),
    ),
    phrase(
        Reason.GUARDRAILS,
        "force-merge, force merge, force the merge, force-push, force push, no-verify",
    ),
)
_NOT_DOING: Final = (
    phrase(
        Reason.GUARDRAILS,
        _NOT,
        maybe("bother to, ever, always"),
        raw(
            r"\b(?:check(?:ing)?(?! (?:in|out)\b)|validat\w*|verify\w*|verification|review(?:ing)?"
            r"|approv(?:e|ing)"
            # A booking is not confirmed before it is paid; that is no matter of asking.
            r"|confirm(?:ing)?(?!(?:(?!\bwith\b)[^.!?]){1,60} (?:until|before(?! you\b| \w+ing\b)))"
            rf"|(?<!avoid )test(?:ing)?(?! (?:on|in|against|with) {_REAL}))\b"
        ),
    ),
    phrase(
        Reason.GUARDRAILS,
        _NOT,
        "ask for, asking for, wait for, waiting for, perform, performing, apply, applying, respect,"
        " respecting, obey, obeying, keep to, keeping to, worry about, care about, bother with,"
        " bother about, waste time on, insist on",
        gap(25),
        _GUARDS,
    ),
    phrase(
        Reason.GUARDRAILS,
        _NOT,
        "let",
        gap(25),
        _GUARDS,
        ANY_WORD,
        "stop, hold, keep, slow, delay, hinder",
    ),
    phrase(
        Reason.GUARDRAILS,
        _NOT,
        "run, running, follow, following",
        gap(25),
        raw(
            # Tests that share something are not to be run side by side.
            rf"{alternatives(_GUARDS)}(?! (?:in parallel\b|twice\b|(?:on|against) {_REAL}))"
        ),
    ),
)
_WAIVING: Final = (
    phrase(
        Reason.GUARDRAILS,
        _RULES,
        gap(15),
        "is, are, was, were, be, has been, have been",
        maybe("now, all, being, only"),
        _OFF,
    ),
    phrase(
        Reason.GUARDRAILS,
        f"{_CONSENT}, {_CHECKS}, review, reviews, guardrail*, safeguard*, policy, policies, rules",
        gap(15),
        "is, are, was, were, be",
        maybe("now, all, only"),
        "optional, unnecessary, not needed, not required, not necessary, no longer needed,"
        " no longer required, no longer necessary",
    ),
    phrase(
        Reason.GUARDRAILS,
        "no",
        maybe("further, explicit, prior, additional"),
        f"{_CONSENT}, {_CHECKS}, review, reviews",
        "is, are",
        "needed, required, necessary",
    ),
    phrase(
        Reason.GUARDRAILS,
        raw(r"(?:^|\b(?:the|these|those|your|all) )", ""),
        "rules, limits, policies, checks, restrictions, guardrails",
        "do not apply, don't apply, no longer apply",
    ),
    phrase(
        Reason.GUARDRAILS,
        "assume, presume, assuming, presuming",
        gap(25),
        "consent, consents, agree, agrees, agreement, approval, approved, approves, permission",
    ),
    phrase(
        Reason.GUARDRAILS,
        "treat, count, take, read, regard",
        "silence, every, all, any, each, no answer, no reply",
        gap(25),
        "as",
        maybe("a, an"),
        "consent, approved, approval, confirmed, confirmation, permission, agreement, authori*",
    ),
    phrase(Reason.GUARDRAILS, "consent, agreement, approval, permission", ANY_WORD, "for granted"),
    phrase(
        Reason.GUARDRAILS,
        "first",
        gap(20),
        "ask, verify, validate, check, confirm",
        gap(25),
        "later, afterwards",
    ),
    phrase(
        Reason.GUARDRAILS,
        f"{_CONSENT}, {_CHECKS}, review, reviews, rules, policy, policies",
        gap(25),
        "is, are",
        "a waste of time, a formality, mere formalities, overkill",
    ),
    phrase(Reason.GUARDRAILS, "even if, even when, even though", gap(25), _GUARDS, _FAILING),
    phrase(
        Reason.GUARDRAILS, "despite, in spite of, regardless of, no matter what", gap(25), _GUARDS
    ),
)
_OWN_JUDGES: Final = (
    phrase(
        Reason.GUARDRAILS,
        "claim, pretend",
        maybe("that"),
        "you",
        gap(10),
        "verified, checked, tested, validated, asked, confirmed, reviewed",
    ),
    phrase(Reason.GUARDRAILS, "always", "report, claim, return", "success"),
    phrase(Reason.GUARDRAILS, "hard-code, hardcode, hard code", gap(15), "expected, test, tests"),
    phrase(
        Reason.GUARDRAILS,
        "guardrail, guardrails, guard rail, guard rails, safeguard*, evaluator*, grader*,"
        " the judge, held-out, held out, audit trail, audit chain, audit log, permission tier*,"
        " your score, your scores, high score, higher score, full marks",
    ),
    phrase(
        Reason.GUARDRAILS,
        "grant, grants, give, allow",
        "yourself",
        gap(25),
        "permission*, access, right, rights, role, roles, privilege*",
    ),
    phrase(
        Reason.GUARDRAILS,
        "raise, lift, increase, extend",
        "your",
        gap(15),
        "permission*, tier, tiers, budget*, limit, limits, privilege*",
    ),
    phrase(
        Reason.GUARDRAILS,
        "delete, deleting, remove, removing, comment out, commenting out, mark, edit, editing,"
        " change, changing",
        gap(15),
        raw(
            r"(?:failing tests?|(?:assertions|tests) (?:that|which) fail|tests (?:until|so that"
            r"|to make) \w+ pass)\b"
        ),
    ),
    phrase(
        Reason.GUARDRAILS,
        "delete, deleting, clear, clearing, erase, erasing, wipe, wiping, alter, altering, forge",
        gap(10),
        "audit*, the log, the logs, your log, your logs, the traces, your traces",
    ),
)
_CONFIDING: Final = (
    phrase(Reason.SECRETS, SENDING, gap(20), _OF_SECRETS),
    phrase(
        Reason.SECRETS,
        "ask, asking, request, requesting",
        gap(30),
        f"{_OF_SECRETS}, pin, pins, cvv, security code, one-time code",
    ),
    phrase(
        Reason.SECRECY,
        "keep, keeping",
        "this, these, that, those",
        ANY_WORD,
        "secret, hidden, to yourself, between us",
    ),
)

AGAINST_GUARDRAILS: Final[tuple[Phrase, ...]] = (
    *_SKIPPING,
    *_NOT_DOING,
    *_WAIVING,
    *_OWN_JUDGES,
    *_CONFIDING,
)
"""To be looked for beside what no text may say."""
