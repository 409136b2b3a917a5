"""What secrets look like: under which names they stand, and by which shape they are known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter

__all__ = [
    "PLACEHOLDER",
    "Secret",
    "find_secrets",
    "is_credential",
    "is_mask",
    "may_hold_secret",
    "may_hold_secret_in_json",
    "secret_kind",
]

PLACEHOLDER = re.compile(r"\[redacted:[a-z_]+#(\d+)\]")
"""What stands for a redacted value; the group is its number."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret found in a text, from `start` up to `end`."""

    kind: str
    start: int
    end: int


# Ends of names under which a secret stands, compared without case, dashes and underscores.
_NAME_ENDS = {
    "password": "password",
    "passwd": "password",
    "passphrase": "password",
    "secret": "secret",
    "apikey": "api_key",
    "accesskey": "secret_key",
    "secretkey": "secret_key",
    "privatekey": "private_key",
    "accesstoken": "access_token",
    "refreshtoken": "refresh_token",
    "authtoken": "access_token",
    "apitoken": "access_token",
    "bearertoken": "access_token",
    "sessiontoken": "access_token",
    "authorization": "authorization",
}
# Names too short or too common for their ends to tell.
_WHOLE_NAMES = {
    "cookie": "cookie",
    "cookies": "cookie",
    "credentials": "secret",
    "cvc": "card_code",
    "cvv": "card_code",
    "pwd": "password",
    "secrets": "secret",
    "setcookie": "cookie",
    "apikeys": "api_key",
    "passwords": "password",
}
# Names of secrets and of harmless things (a word of a text, a page) alike: the value decides.
_DOUBTFUL_NAMES = frozenset({"auth", "idtoken", "token", "tokens"})

_SEPARATORS = re.compile(r"[^a-z0-9]")


@lru_cache(maxsize=4096)
def secret_kind(name: str) -> tuple[str, bool]:
    """Tell what the value under a name is.

    Returns:
        The kind of secret, empty for none, and whether the value has to look like one as well.
    """
    bare = _SEPARATORS.sub("", name.lower())
    if bare in _DOUBTFUL_NAMES:
        return "token", True
    if bare in _WHOLE_NAMES:
        return _WHOLE_NAMES[bare], False
    return next((kind for end, kind in _NAME_ENDS.items() if bare.endswith(end)), ""), False


_MASK = re.compile(
    r"([*•xX.#_-])\1*|<[^<>]*>|\$\{\w+\}|\$[A-Z_]+|\{\{[^{}]*\}\}|None|none|null|False|True"
)


def is_mask(value: str) -> bool:
    """Tell whether a value only stands in for a secret: `****`, `<password>`, `${PASSWORD}`."""
    text = value.strip()
    return not text or PLACEHOLDER.fullmatch(text) is not None or _MASK.fullmatch(text) is not None


_CREDENTIAL = re.compile(r"(?=\S*\d)(?=\S*[A-Za-z])\S{16,}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_credential(value: str) -> bool:
    """Tell whether a value looks made by a machine: long, unbroken, letters and digits.

    UUIDs are made by machines too, but to name things.
    """
    text = value.strip()
    return _CREDENTIAL.fullmatch(text) is not None and _UUID.fullmatch(text) is None


Accepts = Callable[[re.Match[str]], bool]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A shape of secrets. The secret is the group `value`, or all of the match."""

    kind: str
    hints: tuple[str, ...]
    """Lower-case texts of which one must occur: a cheap test before the expensive one."""
    regex: re.Pattern[str]
    accepts: Accepts | None = None

    def find(self, text: str) -> Iterator[Secret]:
        group = "value" if "value" in self.regex.groupindex else 0
        for match in self.regex.finditer(text):
            if self.accepts is None or self.accepts(match):
                yield Secret(self.kind, *match.span(group))


# Every repetition is bounded, possessive, or starts only where no other match could have been
# going on, so that a hostile text costs time linear in its length.
def _token(prefix: str, rest: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9_-]){prefix}{rest}")


_BARE_VALUE = r"[^\s\"'\\,;&<>(){}\[\]`]{1,2000}"
_QUOTE = r"\\{0,3}[\"']"
_ASSIGNMENT = (
    rf"(?:{_QUOTE})?(?P<operator>[ \t]{{0,4}}(?:=>?|:)[ \t]{{0,4}})"
    rf"(?:(?P<open>{_QUOTE})(?P<quoted>[^\"'\\\n]{{1,2000}})|(?P<bare>{_BARE_VALUE}))"
)
_SCHEME = r"(?:(?:Bearer|Basic|Token|Digest|Bot|ApiKey)[ \t]{1,4})?"
_IDENTIFIER = re.compile(r"[A-Za-z_.]+")
_NO_VALUES = frozenset({"false", "none", "null", "required", "str", "string", "true"})


def _is_assigned_secret(match: re.Match[str]) -> bool:
    """Tell the value of a name from code and prose that go on after the name."""
    quoted, bare = match["quoted"], match["bare"]
    if quoted is not None:
        # In `input("password: ")` the quote that follows the name closes a text.
        closes = quoted.startswith((")", ",", ";", "]", "}"))
        return not closes and not is_mask(quoted) and PLACEHOLDER.search(quoted) is None
    following = match.string[match.end() : match.end() + 1]
    if following in ("(", "[") or is_mask(bare) or bare.lower() in _NO_VALUES:
        return False
    operator = match["operator"]
    if _IDENTIFIER.fullmatch(bare):  # `password=hidden` in a settings file, not a variable
        return operator == "=" and (not following or following in " \t\r\n&;\"'\\")
    return len(bare) >= (6 if ":" in operator else 4)


def _is_long_assigned(match: re.Match[str]) -> bool:
    value = match["quoted"] or match["bare"]
    return is_credential(value) and PLACEHOLDER.search(value) is None


def _is_header_credential(match: re.Match[str]) -> bool:
    value = match["value"]
    return len(value) >= 6 and any(c.isdigit() or c in "=+/" for c in value)


def _has_digit(match: re.Match[str]) -> bool:
    return any(character.isdigit() for character in match["value"])


def _is_unmasked(match: re.Match[str]) -> bool:
    return not is_mask(match["value"])


def _is_card(match: re.Match[str]) -> bool:
    """Check the digits by Luhn's formula (ISO/IEC 7812-1, annex B)."""
    digits = [int(character) for character in match[0] if character.isdigit()]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = (digit * 2 for digit in digits[-2::-2])
    total = sum(digits[-1::-2]) + sum(digit - 9 if digit > 9 else digit for digit in doubled)
    return total % 10 == 0


@dataclass(frozen=True, slots=True)
class _AssignedPattern(_Pattern):
    """A secret that follows its name: `name=value`, `"name": "value"`."""

    def find(self, text: str) -> Iterator[Secret]:
        for match in self.regex.finditer(text):
            if self.accepts is None or self.accepts(match):
                yield Secret(
                    self.kind, *match.span("bare" if match["quoted"] is None else "quoted")
                )


def _assigned(kind: str, *names: str, accepts: Accepts = _is_assigned_secret) -> _Pattern:
    """Make the pattern of a secret named by one of some words, joined by nothing, `_` or `-`."""
    spelled = "|".join(name.replace(" ", "[_-]?") for name in names)
    hints = tuple(name.replace(" ", joint) for name in names for joint in ("", "_", "-"))
    regex = re.compile(rf"(?:{spelled}){_ASSIGNMENT}", re.IGNORECASE)
    return _AssignedPattern(kind, hints, regex, accepts)


_PATTERNS: tuple[_Pattern, ...] = (
    _Pattern(
        "private_key",
        ("-----begin",),
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----(?:[^-]|-(?!----))*+"
            r"(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY-----)?"
        ),
    ),
    _Pattern("anthropic_key", ("sk-ant-",), _token("sk-ant-", r"[A-Za-z0-9_-]{16,}")),
    _Pattern("openai_key", ("sk-",), _token("sk-", r"(?!ant-)[A-Za-z0-9_-]{20,}")),
    _Pattern(
        "github_token",
        tuple(f"gh{kind}_" for kind in "pousr"),
        _token("gh[pousr]_", r"[A-Za-z0-9]{30,}"),
    ),
    _Pattern("github_token", ("github_pat_",), _token("github_pat_", r"[A-Za-z0-9_]{20,}")),
    _Pattern("gitlab_token", ("glpat-",), _token("glpat-", r"[A-Za-z0-9_-]{16,}")),
    _Pattern("slack_token", ("xox",), _token("xox[abeoprs]-", r"[A-Za-z0-9-]{10,}")),
    _Pattern("aws_key", ("akia", "asia"), _token("(?:AKIA|ASIA)", r"[A-Z0-9]{16}(?![A-Z0-9])")),
    _Pattern("google_key", ("aiza",), _token("AIza", r"[A-Za-z0-9_-]{35}")),
    _Pattern("stripe_key", ("k_live_", "k_test_"), _token("[rs]k_(?:live|test)_", r"\w{16,}")),
    _Pattern(
        "jwt",
        ("eyj",),
        _token("eyJ", r"[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]*+"),
    ),
    _Pattern(
        "url_password",
        ("://",),
        re.compile(r"://[^\s/@:\"'\\]{0,100}:(?P<value>[^\s/@\"'\\]{1,200})@"),
        _is_unmasked,
    ),
    _Pattern(
        "authorization",
        ("authorization",),
        re.compile(
            rf"authorization(?:{_QUOTE})?[ \t]{{0,4}}[:=][ \t]{{0,4}}(?:{_QUOTE})?{_SCHEME}"
            rf"(?P<value>{_BARE_VALUE})",
            re.IGNORECASE,
        ),
        _is_header_credential,
    ),
    _Pattern(
        "bearer_token",
        ("bearer",),
        re.compile(r"\bbearer[ \t]{1,4}(?P<value>[A-Za-z0-9._~+/=-]{16,}+)", re.IGNORECASE),
        _has_digit,
    ),
    _Pattern(
        "cookie",
        ("cookie",),
        re.compile(
            rf"\b(?:set-)?cookie(?:{_QUOTE})?[ \t]{{0,4}}:[ \t]{{0,4}}(?:{_QUOTE})?"
            r"(?P<value>[A-Za-z0-9_.-]{1,200}=(?!\[redacted:)[^\r\n\"'\\]{1,4000})",
            re.IGNORECASE,
        ),
    ),
    _assigned("password", "password", "passwd", "passphrase", "pwd"),
    _assigned("secret", "secret"),
    _assigned("api_key", "api key"),
    _assigned("secret_key", "secret key", "private key", "access key"),
    _assigned(
        "access_token",
        *(f"{word} token" for word in ("access", "refresh", "auth", "api", "bearer", "session")),
    ),
    _assigned("token", "token", accepts=_is_long_assigned),
    _Pattern(
        "card_number",
        (),
        # Only the first digits that card networks issue; times in milliseconds begin with 1.
        re.compile(
            r"(?<![\w.-])(?:(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6\d{3}|35\d\d)"
            r"(?:([ -]?)\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?|\d{9})"
            r"|3[47]\d\d([ -]?)\d{6}\2\d{5}|3[068]\d\d([ -]?)\d{6}\3\d{4})(?![\w-]|\.\d)"
        ),
        _is_card,
    ),
)


def _shortest(hints: Iterable[str]) -> tuple[str, ...]:
    """Leave out each hint that contains another: where it occurs, the other does too."""
    every = set(hints)
    return tuple(sorted(hint for hint in every if not any(o in hint for o in every if o != hint)))


# Hints that are parts of common words (`task-1`, `authority`), with what tells them apart: in the
# syntax of Rust, and for lower and upper case alike.
_TOLD_APART = {
    "auth": r"auth(?:$|[^a-z]|oriz)",
    "cvc": r"cvc(?:$|[^a-z0-9])",
    "cvv": r"cvv(?:$|[^a-z0-9])",
    "eyj": r"eyj[a-z0-9_-]{8}",
    "sk-": r"sk-[a-z0-9_-]{16}",
}
_HINTS = _shortest(
    hint
    for hints in (
        *(pattern.hints for pattern in _PATTERNS),
        # Names in JSON that a string holds, however they are joined.
        ("apikey", "auth", "credentials", "cvc", "cvv", "privatekey", "token"),
    )
    for hint in hints
)
_HINT = "|".join(_TOLD_APART.get(hint, re.escape(hint)) for hint in _HINTS)
# The digits of the shortest card number, grouped in any way that `card_number` knows.
_CARD_LIKE = r"[2-6]\d{3}(?:[ -]?\d{4}[ -]?\d{4}|\d{8}|[ -]?\d{6}[ -]?\d{4})"


def _finder(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a pattern is found in a text; False for what is no UTF-8.

    pydantic's regular expressions are those of Rust, which find any of many words in one pass, some
    twenty times faster than looking for one after another.
    """
    text = Annotated[str, StringConstraints(strict=True, pattern=pattern)]
    return TypeAdapter[str](text).validator.isinstance_python


_is_hinted = _finder(rf"(?i:{_HINT})|{_CARD_LIKE}")
# Without the digits after a decimal point, of which logs are full.
_is_hinted_plainly = _finder(rf"(?i:{_HINT})|(?:^|[^.\d]){_CARD_LIKE}")


def may_hold_secret(text: str) -> bool:
    """Tell quickly whether a text may hold a secret, or a name under which one stands."""
    return _is_hinted(text) or not _is_utf8(text)


def may_hold_secret_in_json(text: str) -> bool:
    """Tell the same of all texts in a JSON value, by its text.

    Args:
        text: JSON in which nothing is escaped that could stand as it is.
    """
    if "\\u" in text:  # its last digit may stand before a card number
        return may_hold_secret(text)
    return _is_hinted_plainly(text) or not _is_utf8(text)


def _is_utf8(text: str) -> bool:
    """Tell whether a text is one to Rust, too: halves of surrogate pairs are not."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def find_secrets(text: str) -> list[Secret]:
    """Return the secrets known by their shape in a text, in order, without overlaps."""
    lower = text.lower()
    found = [
        secret
        for pattern in _PATTERNS
        if not pattern.hints or any(hint in lower for hint in pattern.hints)
        for secret in pattern.find(text)
    ]
    found.sort(key=lambda secret: (secret.start, -secret.end))
    kept: list[Secret] = []
    for secret in found:
        if not kept or secret.start >= kept[-1].end:
            kept.append(secret)
    return kept
