"""What English texts say that speak to the model which reads them, or give it orders."""

from __future__ import annotations

from typing import Final

from toolguild.policies.wording.findings import Reason
from toolguild.policies.wording.phrases import ANY_WORD, gap, maybe, phrase, raw
from toolguild.policies.wording.vocabulary import (
    ANSWERS,
    INSTRUCTIONS,
    OUGHT,
    READER,
    SETTING_ASIDE,
)

__all__ = ["ORDERS"]

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
        "earlier, previous, prior, former, first, last, original",
        "wish, request, question, task, order, message, wishes, requests, questions, messages",
        "was, were, is, are",
        maybe("only, just, merely, all"),
        "a test, tests, a mistake, a joke, a trap, fake, wrong, void, cancelled, withdrawn,"
        " obsolete",
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
        "safe, fine, okay, ok, allowed, permitted, acceptable, alright",
        "to",
        "skip, omit, bypass, leave out, forgo, go without, drop",
        gap(25),
        "confirmation, approval, consent, permission, authorization, confirmations, approvals",
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
        "agent, agents, model, models, one",
        "that, who, which",
        "reads, read, sees, see, finds, find",
        "this",
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

ORDERS: Final = (*_OVERRIDE, *_CONSENT, *_SPEECH, *_ADDRESS)
