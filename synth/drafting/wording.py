"""Names and sentences for tools, from the names that agents and tools already use.

Everything that comes from a trace is untrusted: it is cut down to plain words before it may
stand in a docstring that a model will read.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from toolguild.policies.wording import plain_description, plain_identifier
from toolguild.sandbox import Json, JsonObject

__all__ = [
    "MAX_NAME",
    "and_list",
    "example",
    "is_plain_word",
    "noun_of",
    "or_list",
    "plain_sentence",
    "plain_value",
    "singular",
    "snake_case",
    "spoken",
    "spoken_type",
    "unique",
]

MAX_NAME = 64
"""OpenAI and MCP clients take names of up to 64 characters."""

MAX_IDENTIFIER = 60
"""Leaves room for a number that tells equal names apart."""

_GETTER_VERBS = frozenset(
    """
    calculate check compute describe display estimate fetch find get list lookup query read
    retrieve search show view
    """.split()  # noqa: SIM905 - a list of words reads better as words
)

_ABBREVIATIONS = {
    "gcd": "greatest common divisor",
    "lcm": "least common multiple",
    "avg": "average",
    "num": "number",
    "str": "string",
    "lst": "list",
    "arr": "array",
    "idx": "index",
    "max": "largest",
    "min": "smallest",
}

_ONE_OF = {
    "string": "A text",
    "integer": "An integer",
    "number": "A number",
    "boolean": "True or False",
    "array": "A list",
    "object": "An object",
}
_MANY = {
    "string": "texts",
    "integer": "integers",
    "number": "numbers",
    "boolean": "truth values",
    "array": "lists",
    "object": "objects",
}

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@/+-]{0,39}")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,63}")
_MAX_SPOKEN = 40

_TAG_OR_LINK = re.compile(r"</?[A-Za-z][^<>]*>|\w+://\S+")

_ADDRESSING = re.compile(
    r"\b(?:you|your|yours|please|ignore|disregard|forget|override|always|never|before using"
    r"|instructions?|prompts?|assistant|passwords?|secrets?|credentials?|do not|don t)\b",
    re.IGNORECASE,
)
"""Words of a text that speaks to its reader; what documents code speaks of the code."""


def snake_case(name: str) -> str:
    """Return a name as a lower-case Python identifier: `lockDoors` gives `lock_doors`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    text = re.sub(r"\W+", "_", parted, flags=re.ASCII).strip("_").lower() or "value"
    text = f"n{text}" if text[0].isdigit() else text
    text = text[:MAX_IDENTIFIER].rstrip("_")
    return f"{text}_" if keyword.iskeyword(text) else text


def noun_of(tool: str) -> str:
    """Return what a tool gives: `get_user_details` gives `user_details`."""
    words = snake_case(tool).split("_")
    if len(words) > 1 and words[0] in _GETTER_VERBS:
        words = words[1:]
    return "_".join(words)


def singular(noun: str) -> str:
    """Return the name of one item of a list: `reservations` gives `reservation`."""
    if noun.endswith("ies") and len(noun) > 4:
        return f"{noun[:-3]}y"
    if noun.endswith("s") and not noun.endswith("ss") and len(noun) > 2:
        return noun[:-1]
    return f"{noun}_item"


def unique(wish: str, taken: Iterable[str]) -> str:
    """Return the wish, numbered if it is taken."""
    used = set(taken)
    name, number = wish, 2
    while name in used:
        name, number = f"{wish}_{number}", number + 1
    return name


def spoken(name: str) -> str:
    """Return a name as words, abbreviations spelled out: `is_prime` gives `is prime`.

    A name as long as a sentence may be one, meant for whoever reads it: it gives `value`.
    """
    words = [word for word in snake_case(name).split("_") if word]
    text = " ".join(_ABBREVIATIONS.get(word, word) for word in words)
    is_sentence = len(words) > 3 and _ADDRESSING.search(text) is not None
    is_order = bool(plain_identifier(name, fallback="value").removed)
    return "value" if is_sentence or is_order or len(text) > _MAX_SPOKEN else text


def is_plain_word(name: str) -> bool:
    """Say whether a name is a word as names of tools and fields mostly are, and may be quoted."""
    return bool(_PLAIN_NAME.fullmatch(name))


def spoken_type(schema: JsonObject) -> str:
    """Return the type of a schema as words: `A list of integers`."""
    one = _ONE_OF.get(str(schema.get("type")))
    items = schema.get("items")
    if (
        schema.get("type") == "array"
        and isinstance(items, dict)
        and str(items.get("type")) in _MANY
    ):
        return f"A list of {_MANY[str(items['type'])]}"
    return one or "A value"


def and_list(items: Iterable[str]) -> str:
    """Return items as a person lists them: `a, b and c`."""
    *most, last = items
    return f"{', '.join(most)} and {last}" if most else last


def or_list(items: Iterable[str]) -> str:
    """Return alternatives as a person lists them: `a, b or c`."""
    *most, last = items
    return f"{', '.join(most)} or {last}" if most else last


def example(values: Iterable[Json]) -> str:
    """Return `, such as VALUE` with the first short and plain value, or nothing."""
    return next((f", such as {text}" for text in map(plain_value, values) if text), "")


def plain_value(value: Json) -> str:
    """Return a value as Python writes it if it is short and plain, or else nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return repr(value) if _PLAIN.fullmatch(str(value).lstrip("-")) else ""


def plain_sentence(text: str, limit: int = 200) -> str:
    """Return the first sentence of a text as plain words, or nothing where there is none.

    Keeps letters, digits and common punctuation; markup, links, quotes and control characters
    go, for the text may have been written to be read as an instruction. A sentence that speaks
    to its reader goes as a whole.
    """
    first_paragraph = text.strip().split("\n\n")[0]
    bare = _TAG_OR_LINK.sub(" ", first_paragraph)
    printable = re.sub(r"[^\w .,;:()+*/=<>%-]", " ", bare, flags=re.ASCII)
    words = " ".join(printable.split())
    sentence = re.split(r"(?<=[.])\s", words, maxsplit=1)[0].rstrip(". ")
    if not 8 <= len(sentence) <= limit or _ADDRESSING.search(sentence):
        return ""
    return "" if plain_description(f"{sentence}.", fallback="").removed else sentence
