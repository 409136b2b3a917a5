"""Signs that a sentence speaks to its reader, each of which alone may mean nothing.

Whoever writes such a sentence can word it anew, so no list of phrases is ever whole. But it has to
name somebody, or what was said, and say what ought to be done: several signs of different kinds in
one sentence are what plain descriptions hardly ever have (1 in 700 sentences of the docstrings of
CPython's library, SQLAlchemy, OpenAI's client and seven other packages).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from toolguild.policies.wording.phrases import alternatives

__all__ = ["ENOUGH", "weight_of_signs"]

ENOUGH: Final = 4
"""Weight from which a sentence is taken to speak to its reader."""

_CLAUSE: Final = r"(?:^|(?<=[.,;:(] )|(?<=please )|(?<=kindly )|(?<=just )|(?<=and )|(?<=then ))"
"""Where an order may begin."""
_LATER: Final = r"(?:(?<=[,;:] )|(?<=please )|(?<=kindly )|(?<=just )|(?<=then ))"
"""The same, but not at the start, where a description may as well say what the tool does."""


@dataclass(frozen=True, slots=True)
class _Sign:
    """Words of one kind."""

    weight: int
    pattern: re.Pattern[str]


def _sign(weight: int, words: str, before: str = "", after: str = "") -> _Sign:
    return _Sign(weight, re.compile(f"{before}{alternatives(words)}{after}"))


_SIGNS: Final = (
    # --- who is spoken to, and of
    _sign(2, "you, your, yours, yourself, you're, you'll, you've", after=r"(?! (?:want|wish)\b)"),
    _sign(
        2,
        "ai, llm, llms, language model, language models, assistant, assistants, agent, agents,"
        " chatbot, chatbots, claude, gpt*, chatgpt, the model, any model, the reader, readers",
        before=r"(?<!human )",
    ),
    _sign(
        1,
        "the user, the users, any user, the person, people, the human, the customer, the customers,"
        " the owner, the operator, the creator, the principal, the boss, your boss, the caller,"
        " somebody, nobody, no one",
        after=r"(?! id)",
    ),
    _sign(2, "me, my, myself, i'm, mine, let's, let us"),
    # --- what was said, and this text itself
    _sign(
        1,
        "instruction, instructions, prompt, prompts, guidelines, paragraph, paragraphs,"
        " this description, this section, this text, this note, the next line, this sentence,"
        " was told, were told, been told, written here, dialogue, conversation, chat, chats, reply,"
        " replies, your answer, final answer, speak, hear, discussed",
    ),
    _sign(
        1,
        "this tool, this server, calling this, use this, this entry, this one, using it, loaded,"
        " what comes out of here, it says",
    ),
    # --- what ought to be done, and by all means
    _sign(
        1,
        "must, shall, always, never, have to, has to, make sure, be sure, remember, vital,"
        " essential, please, kindly, hereby, immediately, at once, instead, just, in every case,"
        " free to, fine to, owes, needs to",
    ),
    _sign(
        2,
        "ignore, obey, comply, carry on, go on, proceed, act, imagine, pretend, behave, treat,"
        " trust, agree, choose, reply, respond, answer, say, tell, remember, do, don't, let,"
        " consider, believe, promise, mention, forget, repeat, ask, approve, grant, swap, read out,"
        " begin anew",
        before=_CLAUSE,
    ),
    _sign(
        1,
        "fetch, delete, send, put, leave, print, give, describe, copy, wire, rename, transfer,"
        " forward, include, open, read, provide, encode, add, execute, run, call, use, upload,"
        " post, write, show, pay, buy, order, place, paste, insert, attach, append, clear,"
        " take, share,"
        " book, feed, look, hand",
        before=_LATER,
    ),
    _sign(
        1,
        "regardless, even if, no matter, whatever, whoever, from here, from here on, from now on,"
        " when asked, in case of doubt, earlier, anew, start over, any more, further notice,"
        " word for word, other tools, a different one, what it says, goes out next, while you're,"
        " by the way, before the",
    ),
    # --- who may not know, what stands in the way, and what is to be had
    _sign(
        2,
        "unaware, learns about, find out, finds out, secretly, quietly, silently, unseen,"
        " discreet*, confidential, suspects, unnoticed, know about, hidden rule, hidden text, lie,"
        " without adding, without telling, without saying, another word, to no one, needs to hear,"
        " hear about",
    ),
    _sign(
        2,
        "guard rails, guardrails, safety, refuse*, permission*, authorised, authorized, approval,"
        " agree*, consent, objection*, okay, trustworthy, trusts, void, attacker, hacker,"
        " administrator rights, unverified, says yes, loyalty, graded, a mistake, stop checking,"
        " counts",
    ),
    _sign(
        1,
        "password*, card number, pin, account fields, accounts, payment, invoices, credential*,"
        " secrets manager, settings file, cookie*, money, refund, discount code, quota,"
        " shipping address, api key*, amount, balance",
    ),
)


def weight_of_signs(text: str) -> int:
    """Return how much the kinds of signs weigh that a sentence has.

    Args:
        text: The sentence in lower case, with plain letters.
    """
    return sum(sign.weight for sign in _SIGNS if sign.pattern.search(text))
