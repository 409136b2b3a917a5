"""What English texts say that are to decide which tools are used, when, and for what."""

from __future__ import annotations

from typing import Final

from toolguild.policies.wording.findings import Reason
from toolguild.policies.wording.phrases import ANY_WORD, alternatives, maybe, phrase, raw
from toolguild.policies.wording.vocabulary import (
    ALWAYS,
    ARTICLES,
    CALL,
    CALLED,
    CALLING,
    FIRST,
    INSTRUCTIONS,
    NOT,
    OTHER,
    TOOL,
)

__all__ = ["TOOL_USE"]

_NAMED_TOOL = r"(?:\w+_\w+|\w+\(\))"

_STEERING: Final = (
    phrase(
        Reason.STEERING,
        "once, after, when, whenever, as soon as",
        maybe("it is, it was, this is, this was, being, having been"),
        "called, used, invoked, executed, loaded, read, seen",
        maybe("it, this, that"),
        raw(rf"(?:, ?)?(?:then )?(?:{alternatives(CALL)})[^.!?]{{0,20}}?{_NAMED_TOOL}"),
    ),
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

TOOL_USE: Final = (*_STEERING, *_COMMANDS)
