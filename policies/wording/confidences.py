"""What English texts say that ask for secrecy, or for secrets."""

from __future__ import annotations

from typing import Final

from toolguild.policies.wording.findings import Reason
from toolguild.policies.wording.phrases import ANY_WORD, gap, maybe, phrase, raw
from toolguild.policies.wording.vocabulary import (
    ARTICLES,
    INTO,
    MATTERS,
    NOT,
    OUTSIDE,
    SENDING,
    TELLING,
    USER,
)

__all__ = ["CONFIDENCES"]

_SECRECY: Final = (
    phrase(Reason.SECRECY, NOT, ANY_WORD, TELLING, gap(), USER, is_weighty=True),
    phrase(
        Reason.SECRECY,
        NOT,
        ANY_WORD,
        "mention*, reveal*, disclos*, talk about, talking about, refer to, referring to,"
        " acknowledg*, discuss*, tell, telling, describ*",
        "this, that, these, it, the note, the instruction, the instructions, the file, the call,"
        " the step, the above, the fact, the extra, the hidden, the sidenote, the tool,"
        " the parameter, the transfer, the change",
        is_weighty=True,
    ),
    phrase(
        Reason.SECRECY,
        "keep, keeping",
        "this, it, these, that, them, the step, the call, the fact, everything",
        maybe("strictly, completely, a, as a, fully, entirely, absolutely, part"),
        "secret, hidden, confidential, private, quiet, to yourself, between us, invisible,"
        " out of sight, from the user",
        is_weighty=True,
    ),
    phrase(Reason.SECRECY, "secretly, covertly, discreetly, surreptitiously, stealthily"),
    phrase(
        Reason.SECRECY,
        "silently, quietly, behind the scenes",
        maybe("and"),
        ANY_WORD,
        f"{SENDING}, call, invoke, run, execute, change, replace",
    ),
    phrase(
        Reason.SECRECY,
        "in the background",
        maybe("and, also"),
        "send, forward, upload, transmit, exfiltrate, copy, collect, email, leak",
    ),
    phrase(
        Reason.SECRECY,
        "user, users, human, humans, customer, customers, operator, operators, they",
        "must not, must never, should not, should never, shouldn't, does not need to,"
        " doesn't need to, do not need to, need not, will not, won't, cannot, can't, is not to",
        ANY_WORD,
        "know, see, notice, be told, be informed, be aware, be asked, be notified, be bothered,"
        " be shown, learn, find out, hear, realize, realise, ask",
        is_weighty=True,
    ),
    phrase(
        Reason.SECRECY,
        "hide, conceal, mask, hiding, concealing",
        gap(),
        "from the user, from users, from the human, from view, from the log, from the logs,"
        " from them, from anyone",
    ),
    phrase(
        Reason.SECRECY,
        "without",
        maybe("the, their, any, asking, further, explicit, requesting, needing"),
        maybe("the, any"),
        raw(r"\b(?:user|human|customer|operator)(?:'?s'?| s)?\b"),
        gap(25),
        "knowledge, knowing, consent, permission, approval, confirmation, awareness, noticing,"
        " aware, asking",
    ),
)

_SECRETS: Final = (
    phrase(
        Reason.SECRETS,
        raw(
            r"(?:/etc/(?:passwd|shadow|sudoers|ssh)|\.ssh\b|/proc/self|\bid_(?:rsa|ed25519|ecdsa)\b"
            r"|\.(?:npmrc|netrc|pgpass|git-credentials|aws|gnupg|kube|pypirc|bash_history"
            r"|zsh_history)\b|(?:~|/home/[\w*]+|/root)/\.(?:cursor|claude|config|env|mozilla)|\bmcp\.json\b"
            r"|\bclaude_desktop_config|\b\w*(?:secrets?|credentials)\.(?:json|ya?ml|toml|csv|env)\b"
            r"|\bwallet\.dat\b|\bauthorized_keys\b|169\.254\.169\.254|\bmetadata\.google)"
        ),
        is_weighty=True,
    ),
    phrase(
        Reason.SECRETS,
        "read, open, cat, send, load, print, contents of, content of, include",
        raw(r"(?:\W*\w+\W+){0,4}?\.env\b"),
    ),
    phrase(
        Reason.SECRETS,
        raw(
            r"(?:^|(?<=[,;:(] )|\b(?:and|then|also|must|should|to|please|always|first|you"
            r"|immediately|instead|will) )",
            follows="",
        ),
        SENDING,
        gap(),
        MATTERS,
        gap(),
        INTO,
        gap(30),
        OUTSIDE,
        is_weighty=True,
    ),
    phrase(
        Reason.SECRETS,
        SENDING,
        maybe("back, me, us, him, also"),
        "your, all, every, the user's, the users, the user, the whole, the full, the entire,"
        " the complete, the previous, the current, the verbatim, any, whatever",
        ANY_WORD,
        MATTERS,
        is_weighty=True,
    ),
    phrase(
        Reason.SECRETS,
        SENDING,
        gap(10),
        "contents of, content of, copy of, value of, values of, text of",
        gap(12),
        f"{MATTERS}, the prompt, the context, config file, configuration file, home directory,"
        " inbox, clipboard, keychain",
    ),
    phrase(
        Reason.SECRETS,
        SENDING,
        gap(50),
        "into, in, as, to, through, via, inside",
        maybe(ARTICLES),
        "sidenote, side note, hidden parameter, hidden field, extra parameter, extra field,"
        " feedback parameter, feedback field, notes parameter, note parameter, context parameter,"
        " context field, metadata parameter, debug parameter, debug field, telemetry",
    ),
    phrase(
        Reason.SECRETS,
        "last, previous, first, latest, current, full, whole, entire, complete, verbatim",
        "user message, user messages, user input, user prompt, dialogue, dialog, transcript,"
        " conversation so far, chat so far",
    ),
    phrase(
        Reason.SECRETS,
        "all, every, each, any",
        ANY_WORD,
        "email, emails, e-mail, e-mails, message, messages, payment, payments, transfer, transfers,"
        " transaction, transactions, file, files, request, requests, data, result, results, output,"
        " outputs, purchase, purchases, order, orders, booking, bookings",
        ANY_WORD,
        "must, should, shall, have to, has to, need to, needs to, are to",
        ANY_WORD,
        "be",
        ANY_WORD,
        "sent, forwarded, copied, redirected, routed, addressed, uploaded, delivered, cc'd, bcc'd,"
        " mirrored, logged, posted",
    ),
    phrase(
        Reason.SECRETS,
        "bcc, cc, forward, reroute, mirror, duplicate, also send, send a copy of",
        "all, every, each, any, it, this, them, everything, the message, the email, the payment",
        gap(),
        "to",
    ),
    phrase(
        Reason.SECRETS,
        "change, replace, set, swap, rewrite, alter, substitute",
        "the, every, any, all",
        ANY_WORD,
        "recipient, recipients, destination, payee, iban, account number, phone number, wallet,"
        " to field, to address, beneficiary",
        gap(20),
        "to, with, by, for",
    ),
)

CONFIDENCES: Final = (*_SECRECY, *_SECRETS)
