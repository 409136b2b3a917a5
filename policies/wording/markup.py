# ruff: noqa: E501 - a pattern a line
"""Taking markup out of a text: what is not shown goes with its content, all else loses its form.

Markup is taken out again and again until nothing changes, for taking out one thing may put together
another (`<!-<!-- -->- ... -->`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from toolguild.policies.wording.findings import Reason, Removed, removed

__all__ = ["without_markup", "without_turns"]

_ROUNDS = 10
_FLAGS = re.DOTALL | re.IGNORECASE

_UNSEEN_STYLE = (
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*[01](?:px|pt|em|rem|%|\b)"
    r"|opacity\s*:\s*0|(?<!-)color\s*:\s*(?:white|transparent|#f{3,6}\b|rgba?\([^)]*,\s*0\))"
    r"|(?:height|width)\s*:\s*0|(?:left|top|text-indent)\s*:\s*-\d{3,}"
)

_ORDERING = (
    "system(?:[-_]?(?:prompt|message|reminder|note|instructions?))?|important|instructions?|critical"
    "|override|directives?|urgent|attention|mandatory"
)
"""Elements that speak with authority; without an end they go on to the end of the text."""
_SPEAKING = (
    "hidden|secret|internal|priority|admin|rules?|developer|policy|policies|prompt|ai|llm|model"
    "|user|human|assistant|agent|tool|tools|function|thinking|thought|scratchpad|context|answer"
    "|response|reply|message|turn|conversation|invoke|parameter|result|output|observation"
    "|(?:assistant|tool)[-_]instructions?|(?:tool|function)[-_](?:calls?|use|results?|response|code)"
    "|antml:\\w+"
)
"""Elements in which somebody seems to speak, or a tool to be called or to answer."""

_SCHEMES = "https?|ftps?|file|wss?|ssh|git|ldap|gopher|smb|vscode|cursor|slack|intent"
_ADDRESS = r"[^\s<>\"'`)\]}]{3,}(?<![.,;:!?])"
_HEAD = r"(?:system|instructions?|human|assistant|user|developer|response|prompt|input|output)"


@dataclass(frozen=True, slots=True)
class _Rule:
    """One kind of markup, and what becomes of it."""

    pattern: re.Pattern[str]
    reason: Reason
    replacement: str | Callable[[re.Match[str]], str] = " "
    is_noted: bool = True
    """Whether taking it out is worth a note; form alone is not."""


def _rule(
    pattern: str,
    reason: Reason,
    replacement: str | Callable[[re.Match[str]], str] = " ",
    *,
    is_noted: bool = True,
) -> _Rule:
    return _Rule(re.compile(pattern, _FLAGS), reason, replacement, is_noted)


def _entity(match: re.Match[str]) -> str:
    return html.unescape(match[0])


_RULES: Final = (
    _rule(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", Reason.MARKUP, _entity, is_noted=False),
    # Comments of HTML, Markdown and templates.
    _rule(r"<!--.*?(?:-->|\Z)", Reason.MARKUP),
    _rule(r"<!\[CDATA\[(.{0,4000}?)\]\]>", Reason.MARKUP, r" \1 "),
    _rule(r"(?m:^)[ ]{0,3}\[[^\]\n]{1,80}\]:[^\n]*(?:\n[ \t]+[\"'(][^\n]*)?", Reason.MARKUP),
    _rule(r"\{#.{0,4000}?#\}|\{\{!.{0,4000}?\}\}|<%--.*?(?:--%>|\Z)", Reason.MARKUP),
    # What says that somebody else speaks: everything after it is put into somebody's mouth.
    _rule(
        r"(?:<\s*\|[^|<>\n]{1,40}\|\s*>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<[be]os>"
        r"|\[/?(?:SYSTEM(?:[-_ ]PROMPT)?|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS|ASSISTANT)\](?!\()"
        r"|\[\s*(?:system|developer|admin)\s+(?:message|note|prompt|notice|instruction)\s*\]"
        rf"|(?m:^)[ \t]*\#{{1,6}}[ \t]*{_HEAD}[ \t]*(?:prompt|message|note)?[ \t]*(?::|(?m:$))"
        r"|(?m:^)[ \t\"'*_>-]*(?-i:Human|Assistant|HUMAN|ASSISTANT)[*_]*[ \t]*:"
        r"|(?m:^)[ \t]*(?-i:Action Input|Final Answer|Observation)[ \t]*:"
        r"|(?<!-)-{2,}+\s*(?:begin|start|end)(?: of)? (?:the )?(?:system|prompt|instructions?|tool"
        r"|description|user|conversation|context|document)\b"
        r"|\{?\s*\"role\"\s*:\s*\"(?:system|developer|user|assistant|tool)\""
        r"|\{?\s*\"(?:tool_calls|function_call|tool_use_id)\"\s*:"
        r").*\Z",
        Reason.TEMPLATE,
    ),
    # Elements that go with their content.
    _rule(rf"<(\w[\w:-]*)\b[^<>]*?(?:{_UNSEEN_STYLE}|\shidden\b|aria-hidden)[^<>]*>.*?(?:</\1\s*>|\Z)", Reason.MARKUP),
    _rule(r"<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)", Reason.MARKUP),
    _rule(r"<(template|noscript|iframe|object|svg|head|title|select)\b[^<>]*>.{0,4000}?</\1\s*>", Reason.MARKUP),
    _rule(rf"<\s*({_ORDERING})(?:\s[^<>]*)?>.*?(?:<\s*/\s*\1\s*>|\Z)", Reason.TEMPLATE),
    _rule(rf"<\s*({_SPEAKING})(?:[\s=][^<>]*)?>.{{0,4000}}?<\s*/\s*\1\s*>", Reason.TEMPLATE),
    _rule(rf"\[\s*({_ORDERING})\s*\].{{0,4000}}?\[\s*/\s*\1\s*\]", Reason.TEMPLATE),
    _rule(r"\\(?:v|h)?phantom\{[^{}]*\}|\\(?:text)?color\{\s*white\s*\}\s*\{[^{}]*\}", Reason.MARKUP),
    # Links. What a link is called stays, where it leads does not.
    _rule(r"!?\[([^\[\]]{0,300})\]\([^()\s]*(?:\([^()]*\)[^()\s]*)?(?:\s+[\"'(][^)]*)?\)", Reason.LINK, r"\1"),
    _rule(r"!?\[([^\[\]]{1,300})\]\[[^\[\]]{0,80}\]", Reason.LINK, r"\1"),
    _rule(r"\bdata:[\w.+-]{0,40}/?[\w.+-]{0,40}(?:;[\w=-]{1,40}){0,3},\S*", Reason.LINK, "data"),
    _rule(r"\b(?:javascript|vbscript):\S*", Reason.LINK, "URL"),
    _rule(rf"<?\b(?:{_SCHEMES})://{_ADDRESS}>?|\b(?:mailto|tel):{_ADDRESS}|\bwww\.{_ADDRESS}", Reason.LINK, "URL"),
    # All other elements lose their tags; a word in angle brackets stands for something.
    _rule(r"</?(?:[a-z][\w:-]*)(?:\s+[\w:@.-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s<>]*))?)+\s*/?>", Reason.MARKUP),
    _rule(r"</[a-z][\w:-]*\s*>|<(?:br|hr|p|b|i|u|s|em|strong|div|span|li|ul|ol|code|pre|a|img|h[1-6])\s*/?>", Reason.MARKUP, is_noted=False),
    _rule(r"<([a-z][\w ,.:|-]{0,60})/?>", Reason.MARKUP, r"\1", is_noted=False),
    _rule(r"```[\w+-]*|~~~+", Reason.MARKUP, is_noted=False),
)  # fmt: skip


_TURNS: Final = tuple(rule for rule in _RULES if rule.reason is Reason.TEMPLATE)


def without_markup(text: str) -> tuple[str, list[Removed]]:
    """Return a text without markup, and what was taken out of it."""
    return _without(text, _RULES)


def without_turns(text: str) -> str:
    """Return a text without what says that somebody else speaks; all other markup stays."""
    return _without(text, _TURNS)[0]


def _without(text: str, rules: Iterable[_Rule]) -> tuple[str, list[Removed]]:
    found: list[Removed] = []
    for _ in range(_ROUNDS):
        before = text
        for rule in rules:
            text = rule.pattern.sub(_replacing(rule, found), text)
        if text == before:
            break
    return text, found


def _replacing(rule: _Rule, found: list[Removed]) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        if rule.is_noted:
            found.append(removed(rule.reason, match[0]))
        if callable(rule.replacement):
            return rule.replacement(match)
        return match.expand(rule.replacement)

    return replace
