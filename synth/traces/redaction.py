"""Replacing the secrets of a record by placeholders, before anything else sees the record.

A secret is known by the name it stands under or by its shape; once known it is replaced wherever
it occurs in the record, inside JSON that is held in strings too. The placeholder
`[redacted:<kind>#<n>]` is the same for the same value, so that data flow stays visible.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.traces.errors import BrokenJsonError, RedactionError
from toolguild.synth.traces.json_text import MAX_DEPTH, parse_json
from toolguild.synth.traces.secrets_in_text import (
    PLACEHOLDER,
    find_secrets,
    is_credential,
    is_mask,
    may_hold_secret,
    may_hold_secret_in_json,
    secret_kind,
)

__all__ = ["redact", "redact_record", "redact_text"]

_MOST_SECRETS = 1000
_MOST_ROUNDS = 10
_MOST_WORK = 5_000_000_000
"""Characters of texts, times values looked for in them; some seconds."""
_WORK_OF_A_TEXT = 50
"""What looking into a text costs beside its characters."""
_SHORTEST_EVERYWHERE = 6
_FEWEST_CHARACTERS = 3
# Values of these keys are words of the log's format, even where a password is the same word.
_STRUCTURAL_KEYS = frozenset({"role", "source", "type"})
_WORD = re.compile(r"[A-Za-z_]{1,40}")
_LETTER_ESCAPES = ("\\u", "\\/")
_LONGEST_NAME = 64
"""Characters of a key that are looked at, and remembered, to tell whether it names a secret."""
_SCHEMA_KEYS = frozenset({"$ref", "allOf", "anyOf", "const", "enum", "oneOf", "type"})
_SCHEME = re.compile(r"\A(?:Bearer|Basic|Token|Digest|Bot|ApiKey)\s+(?=\S)", re.IGNORECASE)


def redact(record: Json) -> Json:
    """Return a record with every secret in it replaced; the record itself if there is none.

    Doing it twice changes nothing more.

    Raises:
        RedactionError: the record holds more secrets than can be followed, and must be dropped.
    """
    known = _KnownSecrets()
    for _ in range(_MOST_ROUNDS):
        collector = _Collector(known)
        collector.value(record)
        if not collector.found:
            return record
        record = _Replacer(known).value(record)
    # Only a text made for it shows new secrets each time the last are gone.
    message = "its secrets cannot be told from its text; the record was dropped"
    raise RedactionError(message)


def redact_record(text: str, record: Json) -> Json:
    """Do the same as `redact`, in much less time for a record that shows at a glance to hold none.

    Args:
        text: The JSON text that the record was parsed from.
        record: The record.

    Raises:
        RedactionError: as `redact` does.
    """
    # What an escape stands for may be a letter of a secret.
    escapes = any(escape in text for escape in _LETTER_ESCAPES)
    plain = json.dumps(record, ensure_ascii=False) if escapes else text
    if may_hold_secret_in_json(plain) or _names_a_secret(record):
        return redact(record)
    return record


def _names_a_secret(record: Json) -> bool:
    """Tell whether a key anywhere in a record names a secret."""
    keys: set[str] = set()
    pending = [record]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            keys.update(part)
            pending += part.values()
        elif isinstance(part, list):
            pending += part
    return any(secret_kind(key[-_LONGEST_NAME:])[0] for key in keys)


def redact_text(text: str) -> str:
    """Return a message with the secrets in it replaced; a fixed text where that fails."""
    try:
        redacted = redact(text)
    except RedactionError:
        return "[message withheld: its secrets cannot be told from its text]"
    return redacted if isinstance(redacted, str) else text


@dataclass(slots=True)
class _KnownSecrets:
    """The secrets found in one record, and the placeholders that stand for them."""

    kinds: dict[str, str] = field(default_factory=dict)
    """Kind of each secret value, in order of finding."""
    numbered: int = 0
    """Highest number of a placeholder in the record."""
    _placeholders: dict[str, str] = field(default_factory=dict)

    def add(self, value: str, kind: str) -> None:
        self.kinds.setdefault(value, kind)
        if len(self.kinds) > _MOST_SECRETS:
            message = f"it holds more than {_MOST_SECRETS} secrets; the record was dropped"
            raise RedactionError(message)

    def placeholder(self, value: str) -> str:
        kind = self.kinds[value]
        # A card number is the same number however it is grouped.
        same = re.sub(r"[ -]", "", value) if kind == "card_number" else value
        if same not in self._placeholders:
            self.numbered += 1
            self._placeholders[same] = f"[redacted:{kind}#{self.numbered}]"
        return self._placeholders[same]


class _Walk(ABC):
    """Walks a record in order and rebuilds it from what becomes of its texts."""

    @abstractmethod
    def named(self, value: str, kind: str) -> str:
        """Return what becomes of a secret that is known by its name."""

    @abstractmethod
    def text(self, text: str) -> str:
        """Return what becomes of any other text."""

    @abstractmethod
    def key(self, key: str) -> str:
        """Return what becomes of the key of an object."""

    @abstractmethod
    def opens(self, text: str) -> bool:
        """Tell whether JSON in a text is walked as JSON."""

    def value(self, value: Json, kind: str = "", level: int = 0) -> Json:
        """Return what becomes of a value.

        Args:
            value: any part of a record.
            kind: what its name makes of it; empty for nothing secret.
            level: how deep it stands. Only shallow texts are opened, which bounds the recursion.
        """
        if isinstance(value, str):
            return self._string(value, kind, level)
        if isinstance(value, list):
            items: list[Json] = []
            for item in value:  # no comprehension: in Python 3.11 it would double the frames
                items.append(self.value(item, kind, level + 1))
            return items
        if isinstance(value, dict):
            return self._object(value, kind, level)
        if value is None or isinstance(value, bool) or (isinstance(value, float) and not kind):
            return value
        digits = repr(value)
        changed = self._string(digits, kind, MAX_DEPTH)
        return value if changed == digits else changed

    def _object(self, value: JsonObject, kind: str, level: int) -> Json:
        if kind and "value" not in value and not _SCHEMA_KEYS.isdisjoint(value):
            kind = ""  # the schema of a parameter that is called like a secret
        changed: JsonObject = {}
        for key, child in value.items():
            own_kind, doubtful = secret_kind(key[-_LONGEST_NAME:])
            if doubtful and not (isinstance(child, str) and is_credential(child)):
                own_kind = ""
            if key in _STRUCTURAL_KEYS and isinstance(child, str) and _WORD.fullmatch(child):
                changed[key] = child
            else:
                changed[self.key(key)] = self.value(child, own_kind or kind, level + 1)
        return changed

    def _string(self, text: str, kind: str, level: int) -> str:
        if kind:
            scheme = _SCHEME.match(text)
            start = scheme.end() if scheme else 0
            secret = text[start:]
            return text if is_mask(secret) else text[:start] + self.named(secret, kind)
        if level < MAX_DEPTH and text.lstrip()[:1] in ("{", "[", '"') and self.opens(text):
            try:
                inside = parse_json(text)
            except BrokenJsonError:
                return self.text(text)
            changed = self.value(inside, "", level + 1)
            return text if changed == inside else _dumped_like(text, changed)
        return self.text(text)


@dataclass(slots=True)
class _Collector(_Walk):
    """Looks for secrets and changes nothing."""

    known: _KnownSecrets
    found: bool = False

    def named(self, value: str, kind: str) -> str:
        self._add(value, kind)
        return value

    def text(self, text: str) -> str:
        if "[redacted:" in text:
            numbers = (int(number[-9:]) for number in PLACEHOLDER.findall(text))
            self.known.numbered = max(self.known.numbered, *numbers, 0)
        if may_hold_secret(text):
            for secret in find_secrets(text):
                self._add(text[secret.start : secret.end], secret.kind)
        return text

    def key(self, key: str) -> str:
        if len(key) > _LONGEST_NAME or _is_secret_key(key):
            self.text(key)
        return key

    def opens(self, text: str) -> bool:
        return "[redacted:" in text or may_hold_secret(text)

    def _add(self, value: str, kind: str) -> None:
        self.found = True
        self.known.add(value, kind)


class _Replacer(_Walk):
    """Replaces the known secrets, numbering them as they come."""

    def __init__(self, known: _KnownSecrets) -> None:
        self._known = known
        distinctive = [value for value in known.kinds if _is_distinctive(value)]
        self._in_texts = _Occurrences(distinctive)
        # A password that is a plain word may well be the name of a field too.
        self._in_keys = _Occurrences([value for value in distinctive if not value.isalpha()])

    def named(self, value: str, kind: str) -> str:
        self._known.add(value, kind)
        return self._known.placeholder(value)

    def text(self, text: str) -> str:
        return self._replaced(text, self._in_texts)

    def key(self, key: str) -> str:
        return self._replaced(key, self._in_keys)

    def opens(self, text: str) -> bool:
        return True

    def _replaced(self, text: str, occurrences: _Occurrences) -> str:
        pieces: list[str] = []
        last = 0
        for secret in find_secrets(text) if may_hold_secret(text) else ():
            value = text[secret.start : secret.end]
            self._known.add(value, secret.kind)
            pieces.append(occurrences.replaced(text[last : secret.start], self._known.placeholder))
            pieces.append(self._known.placeholder(value))
            last = secret.end
        pieces.append(occurrences.replaced(text[last:], self._known.placeholder))
        return "".join(pieces)


class _Occurrences:
    """Finds known values in texts, also as they are escaped in JSON that does not parse."""

    def __init__(self, values: list[str]) -> None:
        self._value_of = {
            form: value for value in values for form in (json.dumps(value)[1:-1], value)
        }
        self._work = 0

    def replaced(self, text: str, placeholder: Callable[[str], str]) -> str:
        """Return the text with every known value outside of placeholders replaced.

        Raises:
            RedactionError: there are too many values and texts to go on in reasonable time.
        """
        self._work += len(self._value_of) * (_WORK_OF_A_TEXT + len(text))
        if self._work > _MOST_WORK:
            message = "it holds too many secrets for its size; the record was dropped"
            raise RedactionError(message)
        present = [form for form in self._value_of if form in text]
        if not present:
            return text
        present.sort(key=len, reverse=True)
        forms = "|".join(_as_pattern(form) for form in present)
        return re.sub(
            rf"{PLACEHOLDER.pattern}|(?P<form>{forms})",
            lambda match: placeholder(self._value_of[match["form"]]) if match["form"] else match[0],
            text,
        )


def _as_pattern(form: str) -> str:
    """Return a pattern that finds plain words and numbers only where they stand by themselves."""
    if form.isalpha() or form.isdigit():
        return rf"(?<![^\W_]){re.escape(form)}(?![^\W_])"
    return re.escape(form)


def _is_distinctive(value: str) -> bool:
    """Tell whether a value is unlikely to occur but as the secret."""
    return (
        len(value.strip()) >= _SHORTEST_EVERYWHERE
        and len(set(value)) >= _FEWEST_CHARACTERS
        and PLACEHOLDER.search(value) is None
    )


@lru_cache(maxsize=4096)
def _is_secret_key(key: str) -> bool:
    return may_hold_secret(key) and bool(find_secrets(key))


def _dumped_like(text: str, value: Json) -> str:
    """Return JSON text with the spacing and the escaping of another."""
    separators = (", ", ": ") if '": ' in text else (",", ":")
    return json.dumps(value, ensure_ascii=text.isascii(), separators=separators)
