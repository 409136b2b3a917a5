"""What English texts say that are written to steer the model that reads them.

A description of a tool speaks of the tool. These phrases are for sentences that speak to the reader
instead, or of other tools, the user, or the conversation.
"""

from __future__ import annotations

from typing import Final

from toolguild.policies.wording.findings import Reason
from toolguild.policies.wording.phrases import (
    ANY_WORD,
    alternatives,
    gap,
    maybe,
    phrase,
    raw,
)
from toolguild.policies.wording.vocabulary import (
    ALWAYS,
    ANSWERS,
    ARTICLES,
    CALL,
    CALLED,
    CALLING,
    FIRST,
    INSTRUCTIONS,
    INTO,
    MATTERS,
    NOT,
    OTHER,
    OUGHT,
    OUTSIDE,
    READER,
    SENDING,
    SETTING_ASIDE,
    TELLING,
    TOOL,
    USER,
)

__all__ = ["ENGLISH"]

_NAMED_TOOL = r"(?:\w+_\w+|\w+\(\))"

_OVERRIDE: Final = (
    phrase(
        Reason.OVERRIDE,
        f"{SETTING_ASIDE}, neglect, dismiss, discard, abandon, supersed*, revok*, nullif*,"
        " set aside, pay no attention to, stop following, stop obeying, do not follow,"
        " don't follow, do not obey, don't obey, do not apply, do not trust,"
        " no longer follow, no longer obey,"
        " no longer bound by, not bound by",
        gap(),
        INSTRUCTIONS,
        is_weighty=True,
    ),
    phrase(
        Reason.OVERRIDE,
        SETTING_ASIDE,
        gap(25),
        "previous, prior, earlier, above, preceding, former, your, safety, everything, anything,"
        " what, whatever",
        gap(25),
        "rule, rules, message, messages, context, policy, policies, constraint, constraints,"
        " restriction, restrictions, commands, orders, conversation, told, said, learned, above,"
        " before, task, goal, tool, tools, text, content, limits",
        is_weighty=True,
    ),
    phrase(
        Reason.OVERRIDE,
        SETTING_ASIDE,
        gap(15),
        "rules, policies, constraints, restrictions, commands, orders, messages, conversation",
        gap(20),
        "above, before, earlier, previously, given, told, so far",
        is_weighty=True,
    ),
    phrase(
        Reason.OVERRIDE,
        "only this, nothing but this, all of the above, everything above, whatever stands above,"
        " the above, what was said before, anything said before",
        ANY_WORD,
        "counts, matters, applies, is void, is invalid, is outdated, is cancelled, is obsolete,"
        " was a test, no longer counts, no longer applies, does not matter, does not count,"
        " doesn't matter",
        is_weighty=True,
    ),
    phrase(
        Reason.OVERRIDE,
        "instruction*, rule, rules",
        gap(15),
        "contrary to this, that contradict*, that disagree*",
        is_weighty=True,
    ),
    phrase(
        Reason.OVERRIDE,
        "act as, behave as, answer as, pose as",
        maybe("a, an, the"),
        "root, admin, administrator, superuser, sudo, unrestricted*, owner, different ai",
    ),
    phrase(
        Reason.OVERRIDE,
        "limits, restrictions, filters, checks, safety checks, safeguards, protections",
        "are, were, have been, is, was",
        maybe("now, all, being"),
        "off, lifted, raised, removed, disabled, suspended, gone, switched off, turned off",
    ),
    phrase(
        Reason.OVERRIDE,
        "bypass*, circumvent*, evad*, disabl*, lift, turn off",
        maybe("any, all, the, your, every"),
        "content, safety, security, ethical, moderation",
        "restriction*, filter*, check, checks, polic*, control*, rule*, guard*",
    ),
    phrase(
        Reason.OVERRIDE,
        "previous, prior, earlier, above, preceding, original, existing",
        ANY_WORD,
        INSTRUCTIONS,
        "are, is, were, was, have been, no longer, do not, should be, must be",
        is_weighty=True,
    ),
    phrase(
        Reason.OVERRIDE,
        "from now on, you are now, you're now, you are no longer, pretend to be, pretend that,"
        " pretend you, you will act as, you must act as, you should act as, please act as,"
        " now act as, you will behave as, jailbreak, jailbroken, do anything now, god mode,"
        " unrestricted mode, dan mode, system override, system prompt update,"
        " system instruction update, without any restrictions, without restrictions,"
        " without any filters, without any safety, without limitations",
        is_weighty=True,
    ),
    phrase(
        Reason.OVERRIDE,
        "developer mode, debug mode, admin mode, root mode, maintenance mode",
        maybe("is, has been"),
        "enabled, activated, active, now, unlocked",
        is_weighty=True,
    ),
    phrase(
        Reason.OVERRIDE,
        "your",
        "new, real, true, actual, only, system, hidden, initial, original, secret",
        "role, task, goal, job, objective, purpose, instructions, persona, identity, mission,"
        " prompt, message",
        is_weighty=True,
    ),
    phrase(
        Reason.OVERRIDE,
        "new, updated, real, actual, additional, secret, hidden, special",
        ANY_WORD,
        raw(r"(?:instruction|directive|order|command|task)s? ?(?::|follow|are\b|below)"),
    ),
)

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

_CONSENT: Final = (
    phrase(
        Reason.CONSENT,
        "user, human, customer, owner, operator, administrator, admin",
        maybe("has, have, had"),
        "already, explicitly, fully, previously",
        maybe("been, and"),
        "approved, consented, confirmed, authorized, authorised, agreed, granted, allowed,"
        " permitted, given",
    ),
    phrase(
        Reason.CONSENT,
        "no, without, without any, never, skip, bypass, omit",
        ANY_WORD,
        ANY_WORD,
        "confirmation, approval, consent, permission, authorization, confirmations, approvals",
        raw(r"(?:is|are|was|be|step|prompt|dialog|needed|required|necessary)\b"),
    ),
    phrase(
        Reason.CONSENT,
        "no, without, skip, bypass, never ask for, do not ask for, don't ask for, do not wait for,"
        " don't wait for, do not request, do not require",
        "user, human, explicit, further, additional, any, their, the user's, his, her",
        "confirmation, approval, consent, permission, authorization, clarification",
    ),
    phrase(
        Reason.CONSENT,
        "auto-approv*, auto approv*, auto-confirm*, auto-accept*, pre-approved, preapproved,"
        " pre-authorized, preauthorized, autoapprov*",
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

_STEERING: Final = (
    phrase(
        Reason.STEERING,
        "before, prior to, whenever, every time, each time, any time, as soon as, in place of,"
        " instead of, rather than",
        maybe("you, you can, ever"),
        CALLING,
        maybe("ever, again"),
        maybe(f"{ARTICLES}, other, another, one of the, any of the"),
        maybe(OTHER),
        raw(
            rf"(?:{alternatives('tool, tools, mcp, plugin, server, skill, skills')}"
            r"|\b(?:it|this)(?=[,.;:]|$))"
        ),
    ),
    phrase(
        Reason.STEERING,
        "before, prior to, whenever, every time, each time, any time, instead of, rather than",
        CALLING,
        f"{ARTICLES}, other, another",
        ANY_WORD,
        TOOL,
        taints=False,
    ),
    phrase(
        Reason.STEERING,
        "before, prior to, after, whenever, every time, each time",
        "answering, responding, replying, doing anything, anything else, performing any,"
        " taking any, making any, you answer, you respond, you reply, you do anything, you finish,"
        " you continue, you proceed, each answer, each response, each message, each turn,"
        " every answer, every response, every message, every turn, every call, every request,"
        " any other tool, any tool, any other function, any other action, any other call",
    ),
    phrase(
        Reason.STEERING,
        ALWAYS,
        ANY_WORD,
        CALL,
        maybe(ARTICLES),
        raw(rf"(?:\S+ ){{0,3}}?(?:{alternatives(TOOL)}|{_NAMED_TOOL})"),
        taints=False,
    ),
    phrase(Reason.STEERING, CALL, "this, it", maybe(f"{TOOL}, one, command"), FIRST),
    phrase(Reason.STEERING, CALL, "the", TOOL, FIRST),
    phrase(
        Reason.STEERING,
        f"{NOT}, stop, disable, reject, refuse",
        ANY_WORD,
        "us*, call*, invok*, run*, rely on, relying on, trust*, choos*, select*, consider*,"
        " execut*",
        maybe("any, all, the, any of the, all of the"),
        OTHER,
        ANY_WORD,
        TOOL,
    ),
    phrase(
        Reason.STEERING,
        f"{OTHER}, old, previous",
        f"{TOOL}, command, commands",
        "are, is, have been, has been, must, should, will, do not, don't, cannot, can't, no longer",
    ),
    phrase(
        Reason.STEERING,
        "takes, take, has, have, with",
        maybe("the"),
        "highest priority, top priority, absolute priority, strict priority, maximum priority,"
        " highest precedence, absolute precedence, priority over all, priority over any,"
        " priority over other, precedence over all, precedence over any, precedence over other",
    ),
    phrase(
        Reason.STEERING,
        "supersede, supersedes, override, overrides, outrank, outranks, replaces",
        maybe("all, any"),
        maybe("the"),
        "other, previous, prior, existing",
        maybe("versions of, version of"),
        f"{TOOL}, {INSTRUCTIONS}",
    ),
    phrase(
        Reason.STEERING,
        "this",
        "tool, server, plugin, skill, mcp",
        "must, should, need to, needs to, has to, is required to, is to, ought to",
        ANY_WORD,
        "be",
        CALLED,
        FIRST,
    ),
    phrase(Reason.STEERING, "use me, call me, choose me, pick me, trust me"),
    phrase(
        Reason.STEERING,
        "the only",
        "trustworthy, reliable, trusted, correct, safe, allowed, approved",
        "source, tool, function, server, way",
    ),
    phrase(
        Reason.STEERING,
        "only works, only work, will not work, will fail, will break, will be refused,"
        " will be rejected, will be blocked, does not work, won't work, fails, is locked,"
        " is disabled, is blocked",
        "unless, until, if",
        "you, the assistant, the agent, the model, the ai",
    ),
)

_SPEECH: Final = (
    phrase(
        Reason.SPEECH,
        "if, when, whenever, once, should",
        maybe("the, a, any"),
        "user, users, human, customer, customers, someone, anyone, anybody, they, asked,"
        " you are asked, questioned",
        raw(r"[^.!?]{0,60}?(?:[,;]|\bthen)"),
        maybe("you"),
        ANY_WORD,
        "reply, respond, answer, say, tell, recommend, suggest, claim, refuse, redirect, pretend,"
        " insist, state, deny, lie, assure, call, use, invoke, run, send, do not, don't, never,"
        " always",
    ),
    phrase(
        Reason.SPEECH,
        raw(
            r"(?:^|\b(?:always|must|only|please|you|and|then|should|simply|just) )",
            follows="",
        ),
        "reply, respond, answer, claim, insist, tell the user, tell users, tell the human,"
        " tell the customer, assure the user, assure the customer, say",
        ANY_WORD,
        raw(r"(?:(?:with|that|only|by|in|to the user|to every|as if|how|exactly|yes|no)\b|[\"'])"),
    ),
    phrase(
        Reason.SPEECH,
        "begin, start, end, finish, conclude, preface, prefix, close",
        "your, every, each, all, any",
        ANY_WORD,
        ANSWERS,
    ),
    phrase(
        Reason.SPEECH,
        "your",
        maybe("next, final, every"),
        ANSWERS,
        "must, should, shall, has to, needs to, will",
    ),
    phrase(
        Reason.SPEECH,
        "never ask, don't ask, do not ask, no questions, without asking",
        raw(r"(?:(?:twice|again|first|why|back|questions?)\b|$|[.;])"),
    ),
    phrase(Reason.SPEECH, "just execute, just comply, just obey, simply comply, comply without"),
    phrase(Reason.SPEECH, "in", "your, every, each, all", ANY_WORD, ANSWERS),
    phrase(
        Reason.SPEECH,
        "always, must, should, only, please, strongly, actively",
        "recommend, promote, advertise, praise, endorse, favor, favour",
    ),
)

_ADDRESS: Final = (
    phrase(
        Reason.ADDRESS,
        "dear, attention, hello, hey, hi, listen, psst, note to, notes to, note for, notes for,"
        " message to, message for, instruction to, instruction for, instructions to,"
        " instructions for, reminder to, reminder for, notice to, notice for, addressed to",
        raw(r"(?:(?:the|all|any|every|my|helpful) )*", follows=""),
        READER,
    ),
    phrase(
        Reason.ADDRESS,
        "dear, attention, note to, note for, notes for, message for, message to, reminder for,"
        " notice to, notice for",
        maybe("the, any, every, all"),
        "model, models",
    ),
    phrase(Reason.ADDRESS, "as an ai, as a language model, as an assistant, as an llm"),
    phrase(
        Reason.ADDRESS,
        "ai, ai agent, ai assistant, ai model, ai system, llm, llms, language model,"
        " language models, assistant, assistants, chatbot, chatbots, claude, chatgpt, gemini,"
        " copilot",
        OUGHT,
    ),
    phrase(
        Reason.ADDRESS,
        "agent, agents, model, models",
        OUGHT,
        ANY_WORD,
        "always, never, call, use, read, send, include, ignore, follow, provide, pass, tell, reply,"
        " respond, disclose",
    ),
    phrase(
        Reason.ADDRESS,
        "you",
        "must, shall, mustn't, are required to, are obliged to, are instructed to,"
        " are authorized to, are ordered to, are commanded to, are expected to, ought to, are to,"
        " will always, will never, will now, will first, will immediately, should always,"
        " should never, should first, should immediately, should now",
        taints=False,
    ),
    phrase(
        Reason.ADDRESS,
        "you",
        "have to, need to, should, should also, will also",
        "call, invoke, send, include, ignore, first, tell, follow, comply, obey, fetch, execute",
        taints=False,
    ),
    phrase(
        Reason.ADDRESS,
        "your",
        "previous instructions, prior instructions, instructions, guidelines, training,"
        " context window, conversation, chat history, persona, next response, next message,"
        " next reply, next call, next action, next step, next turn, final answer, memory, creators,"
        " developers, own tools, internal knowledge, internal instructions",
    ),
)

_COMMANDS: Final = (
    phrase(
        Reason.COMMAND,
        raw(
            r"(?:\brm -\w*[rf]|\bcurl (?:-\w|url\b|\S+\.\w+/)|\bwget (?:-\w|url\b|\S+\.\w+/)"
            r"|\| ?(?:ba|z)?sh\b|\bpowershell\b|\bbase64 (?:-d|--decode)\b|\bchmod \+x\b"
            r"|\b(?:run|execute|type) the following (?:\w+ )?(?:command|line|code|script|shell)"
            r"|\bnc -e\b|\bsudo \w|/dev/tcp/|\bpython3? -c\b|\beval\(atob|\bos\.system\()"
        ),
    ),
)

ENGLISH: Final = (
    *_OVERRIDE,
    *_SECRECY,
    *_SECRETS,
    *_CONSENT,
    *_STEERING,
    *_SPEECH,
    *_ADDRESS,
    *_COMMANDS,
)
