# ruff: noqa: RUF001 - letters that look like others are what this is about
"""The forms in which a text is read when something may be hidden in how it is written.

A word can be written with letters of other scripts that look the same, with digits for letters,
with its letters apart, with hyphens or stars inside, backwards, or with an alphabet shifted by 13.
Models read all of these, so a filter has to.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

__all__ = ["Forms", "encoded_parts", "forms_of", "is_disguised", "spelled_out"]

_PAIRS: Final = """
    аa вb сc ԁd еe єe ғf һh нh іi јj кk ӏl мm пn оo рp ԛq гr ѕs тt иu уy ѵv ԝw хx ьb
    αa βb ϲc εe ηn ιi κk λl νv οo σo πn ρp τt υu γy χx ωw ϳj
    օo ոn սu հh ցg զq
    Ꭰd Ꭱr Ꭲt Ꭵi Ꭹy Ꭺa Ꭻj Ꭼe Ꮃw Ꮇm Ꮋh Ꮐg Ꮓz Ꮢr Ꮤw Ꮪs Ꮮl Ꮯc Ꮲp Ᏼb
    ᴀa ʙb ᴄc ᴅd ᴇe ꜰf ɢg ʜh ɪi ᴊj ᴋk ʟl ᴍm ɴn ᴏo ᴘp ʀr ꜱs ᴛt ᴜu ᴠv ᴡw ʏy ᴢz
    ɑa ɡg ɩi ıi ȷj łl øo đd ħh ŧt
"""
"""Letters with the Latin ones that they look like: Cyrillic, Greek, Armenian and Cherokee ones,
then small capitals and phonetic ones."""
_LOOKALIKES: Final = str.maketrans({pair[0]: pair[1] for pair in _PAIRS.split()})
_UPSIDE_DOWN: Final = frozenset("ɐɔǝɟƃɥᴉɾʞɯɹʇʌʍʎ")
_LEET: Final = str.maketrans("013457@$!|+", "oieastasilt")
_LATIN: Final = frozenset("abcdefghijklmnopqrstuvwxyz")

_WORD: Final = re.compile(r"[^\W_]+")
_LEET_WORD: Final = re.compile(r"[a-z0-9@$!|+]{2,}")
_EMPHASIS: Final = re.compile(r"[*`~]+|(?<!\w)_+|_+(?!\w)")
_INSIDE: Final = re.compile(r"(?<=[a-z])[-.*_/|+~'\"](?=[a-z])")
_SPELLED: Final = re.compile(r"(?<!\w)(?:[^\W_](?:[ .,\-_*·/|]{1,3})){5,}[^\W_](?!\w)")
_MARKS: Final = re.compile(r"[,;:\"'()\[\]{}<>|/]+")
_STRETCHED: Final = re.compile(r"([a-z])\1{2,}")

_BLOB: Final = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{16,}={0,2}(?![\w+/=-])")
_ESCAPED: Final = re.compile(
    r"(?:\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|%[0-9a-f]{2}|\\[0-7]{3}|\b0x[0-9a-f]{2}\b[ ,]*){4,}"
    r"|(?:\b[01]{8}\b[ ,]*){4,}|(?:\b\d{2,3}\b[ ,]+){12,}",
    re.IGNORECASE,
)
_CODES: Final = (
    (16, r"(?i:\\u|\\x|%|\b0x)([0-9a-fA-F]{4}|[0-9a-fA-F]{2})"),
    (8, r"\\([0-7]{3})"),
    (2, r"\b([01]{8})\b"),
    (10, r"\b(\d{2,3})\b"),
)
"""Bases in which characters are written, and how."""
_MIN_SPELLED = 6
_LONG_BLOB = 40
_SHORT_WORD = 3
_MIN_UPSIDE_DOWN = 3


@dataclass(frozen=True, slots=True)
class Forms:
    """One text as it may be meant, in lower case."""

    said: str
    """As written, without accents on Latin letters: for words of every language."""
    folded: tuple[str, ...]
    """With every letter as the Latin one that it looks like or stands for."""
    turned: tuple[str, ...]
    """Read backwards, and shifted by 13."""


def forms_of(text: str) -> Forms:
    """Return the forms of a text whose characters are all visible."""
    lower = _without_accents(text.casefold().replace("\u2019", "'").replace("ı", "i"))
    said = " ".join(_EMPHASIS.sub(" ", lower).split())
    plain = said.translate(_LOOKALIKES)
    together = " ".join(_EMPHASIS.sub("", lower).split()).translate(_LOOKALIKES)
    joined = _INSIDE.sub("", together)
    leet = _LEET_WORD.sub(_unleet, plain)
    steady = _STRETCHED.sub(r"\1", plain)
    unmarked = " ".join(_MARKS.sub(" ", plain).split())
    folded = tuple(dict.fromkeys((plain, unmarked, joined, leet, steady)))
    return Forms(said, folded, (plain[::-1], codecs.encode(plain, "rot13")))


def _without_accents(text: str) -> str:
    """Return a text with Latin letters bare; in other scripts the marks tell letters apart."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text)
    kept: list[str] = []
    after_latin = False
    for character in decomposed:
        if unicodedata.category(character) == "Mn":
            if not after_latin:
                kept.append(character)
            continue
        after_latin = character in _LATIN or not character.isalpha()
        kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept))


def _unleet(match: re.Match[str]) -> str:
    word = match[0]
    has_both = any(c.isalpha() for c in word) and any(not c.isalpha() for c in word)
    return word.translate(_LEET) if has_both else word


def is_disguised(text: str) -> bool:
    """Whether words of a text have letters that stand for Latin ones, or stand on their heads.

    `Δtime` and `kΩ` do not count: those letters look like no Latin ones, or the words are short.
    """
    if text.isascii():
        return False
    lower = text.casefold()
    if sum(character in _UPSIDE_DOWN for character in lower) >= _MIN_UPSIDE_DOWN:
        return True
    return any(_is_mixed(word) for word in _WORD.findall(lower))


def _is_mixed(word: str) -> bool:
    letters = [c for c in _without_accents(word) if c.isalpha()]
    foreign = [c for c in letters if not unicodedata.name(c, "").startswith("LATIN")]
    looks_latin = any(c.translate(_LOOKALIKES) in _LATIN for c in foreign)
    return len(letters) > _SHORT_WORD and len(foreign) < len(letters) and looks_latin


def spelled_out(text: str) -> list[str]:
    """Return the words that are written letter by letter, put together."""
    runs = (match[0] for match in _SPELLED.finditer(text.casefold().translate(_LOOKALIKES)))
    return ["".join(c for c in run if c.isalnum()) for run in runs]


def encoded_parts(text: str) -> list[str]:
    """Return the parts of a text that are data and no words: base64, escapes, codes of letters."""
    blobs = (match[0] for match in _BLOB.finditer(text))
    escaped = (match[0] for match in _ESCAPED.finditer(text))
    return [*filter(_is_encoded, blobs), *filter(_spells_letters, escaped)]


def _spells_letters(escaped: str) -> bool:
    """Whether codes of characters spell words, and not the bytes of some example."""
    codes = [int(code, base) for base, pattern in _CODES for code in re.findall(pattern, escaped)]
    letters = sum(chr(code).isalpha() or code == ord(" ") for code in codes if code < 0x10000)
    return letters >= _MIN_SPELLED and letters * 5 >= len(codes) * 4


def _is_encoded(blob: str) -> bool:
    """Whether something without spaces is base64 or hexadecimal of a text, or random by its looks.

    Long identifiers, digests and UUIDs are neither.
    """
    bare = blob.rstrip("=")
    for decode in (_from_base64, _from_hex):
        data = decode(bare)
        if len(data) >= 10 and all(32 <= byte < 127 or byte in b"\n\r\t" for byte in data):
            return True
    kinds = (str.isupper, str.islower, str.isdigit)
    is_mixed = all(any(kind(c) for c in bare) for kind in kinds)
    return len(bare) >= _LONG_BLOB and is_mixed and "_" not in bare and "-" not in bare


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        pass
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
