# ruff: noqa: RUF001 - letters that look like others are what this is about
"""TG0xx: is what people read what the interpreter runs?"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import unicodedata
from collections.abc import Iterator
from itertools import groupby

from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.rules.base import Question, TextRule, TreeRule, shown
from toolguild.synth.validation.static.source import ToolSource

__all__ = [
    "CodingCookie",
    "HiddenCharacters",
    "LookAlike",
    "NotPython",
    "TooBig",
    "UnstableIdentifier",
    "is_hidden",
]

_LINE_END = re.compile(r"\r\n|\r|\n")
_NAME_PARTS = (tokenize.NAME, tokenize.NUMBER, tokenize.ERRORTOKEN)


class NotPython(TextRule):
    """A text that is no Python program."""

    code = "TG001"
    title = "not Python"
    why = "What cannot be parsed cannot be judged, so it is refused."
    remedy = "Write the text of one Python module."
    good = ("x = 1",)
    bad = (
        "def f(:",
        "return 1",
        "x = '\\ud800'.encode(",
        "nonlocal x",
        "print 'x'",
        "def f():\n    break",
    )

    def check_text(self, text: str) -> Iterator[Finding]:
        """Yield nothing: the parser finds this."""
        return iter(())


class TooBig(TextRule):
    """A text that is too long, or nested too deeply."""

    code = "TG002"
    title = "too big"
    why = (
        "A text that takes seconds to read is an attack on the reader, and nested deeply enough it"
        " ends the process of some parsers."
    )
    remedy = "Split the tool, and pass data as arguments."
    good = ("x = [[[1]]]",)
    bad = ("x = 1\n" * 20_000, "x = " + "-" * 400 + "1", "x = 1;" * 10_500)

    def check_text(self, text: str) -> Iterator[Finding]:
        """Yield nothing: the parser finds this."""
        return iter(())


class CodingCookie(TextRule):
    """A comment that tells Python to read the bytes in another encoding."""

    code = "TG003"
    title = "encoding other than UTF-8"
    why = (
        "Under another encoding the same bytes are another program: in `utf_7` a comment can hold"
        " a line break and code."
    )
    remedy = "Leave the comment out; the text is UTF-8."
    good = ("# -*- coding: utf-8 -*-\nx = 1", "x = 1\ny = 2\n# coding: latin-1")
    bad = ("# -*- coding: utf_7 -*-\nx = 1", "#!/bin/python\n# vim: set fileencoding=latin-1 :")

    # The form of a cookie is that of PEP 263.
    _cookie = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")

    def check_text(self, text: str) -> Iterator[Finding]:
        """Look at the first two lines, where a cookie counts."""
        for number, line in enumerate(_LINE_END.split(text, maxsplit=2)[:2], 1):
            cookie = self._cookie.match(line)
            if cookie and cookie[1].lower().replace("_", "-") not in ("utf-8", "utf8"):
                message = f"the comment declares the encoding {shown(cookie[1])}"
                yield self.finding((number, cookie.start(1) + 1, number), message)


class HiddenCharacters(TextRule):
    """Characters that cannot be seen, or that change how others are shown."""

    code = "TG004"
    title = "hidden character"
    why = (
        "Control characters and marks for the direction of writing make a text look like another"
        " one (CVE-2021-42574), and invisible letters carry words that only a model reads."
    )
    remedy = "Write the character as an escape such as `\\u200b`, or leave it out."
    good = (
        "x = 'é 世界 👩\u200d🚀 ❤\ufe0f\u200d🔥 می\u200cخواهم'\r\ny = 1",
        "x = '\\u202e'",
        "def f():\n\treturn 1",
    )
    bad = (
        "x = 1 # \u202e",
        "x = '\u200b'",
        "x = 'a\x85b'",
        "#\rx = 1",
        "x = 1\x0c",
        "# \U000e0041",
        "x = '\ufeff'",
        "x = '\u3164'",
        "x = '\u00ad'",
        "# a\ufe01\ufe02\ufe03",
        "# \u200d\u200c\u200d\u200c",
        "# \U000e0101",
    )

    pattern = re.compile(
        "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters, but tab and line ends
        "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # directions, invisible ones
        "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0"  # blank letters
        "\u2028\u2029\ufff0-\ufffb\ud800-\udfff"  # line ends, parts of characters
        "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"  # of musical notes; tags
        # One mark of a variant belongs to a character, and a joiner joins two of them: emoji have
        # two in a row. More carry a message, a byte a mark.
        "|[\u200c\u200d\ufe00-\ufe0f]{3}"
        "|\r(?!\n)"
    )

    def check_text(self, text: str) -> Iterator[Finding]:
        """Search the whole text, strings and comments included."""
        for hit in self.pattern.finditer(text):
            lines = _LINE_END.split(text[: hit.start()])
            code = ord(hit[0][0])
            name = unicodedata.name(hit[0][0], "a control character")
            message = f"the text holds U+{code:04X} ({name}), which cannot be seen"
            yield self.finding((len(lines), len(lines[-1]) + 1, len(lines)), message)
            return  # one is enough to refuse the text, and counting lines for many is slow


class UnstableIdentifier(TreeRule[ast.Module]):
    """A name spelled with letters that Python takes for others."""

    code = "TG005"
    title = "name that Python reads as another"
    why = (
        "Python normalises names (NFKC): a full-width `eval` is `eval`. Whoever reads or searches"
        " the text sees another name than the one that runs."
    )
    remedy = "Spell the name with plain letters."
    good = ("größe = 1", "x = '\uff45\uff56\uff41\uff4c'  # \uff45\uff56\uff41\uff4c", "変数 = 1")
    bad = (
        "\uff58 = 1",
        "def f(aªb): pass",
        "x = f'{\uff4cen([])}'",
        "n\ufe00fi = 1\nx = f'{n\ufe00\ufb01}'",
        "def f(y): return y.\U0001d431",
        "import math as \U0001d426",
        "def \U0001d41e(e): pass",
        "caf\u0065\u0301 = 1",
        "def f(x: '\U0001d422nt'): pass",
        "def f():\n    global \u2102\n    \u2102 = 1",
    )
    visits = (ast.Module,)

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look at the names in code, and at those in f-strings and in annotations in quotes."""
        if source.text.isascii() or _is_stable(source.text):
            return
        found: set[str] = set()
        try:
            for (line, column), name in _names_in_code(source.text):
                if not _is_stable(name):
                    found.add(_normal(name))
                    place = line, column + 1, line
                    yield self.finding(place, self._message(_normal(name)))
        except (tokenize.TokenError, SyntaxError, ValueError):
            yield self.at(node, source, "the names in the text cannot be told apart")
        inside: dict[ast.AST, set[str]] = {}
        for named, literal in source.index.shown_at.items():
            inside.setdefault(literal, set()).update(_identifiers(named))
        for literal, names in inside.items():
            words = _words(source.spelling(literal))
            unstable = {_normal(word) for word in words if not _is_stable(word)}
            # From Python 3.12 on the tokens inside of f-strings were among those above.
            for name in sorted(unstable & names - found):
                yield self.at(literal, source, self._message(name))

    @staticmethod
    def _message(name: str) -> str:
        return f"{shown(name)} is spelled with letters that Python takes for others"


def _names_in_code(text: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Yield names as they are spelled, with their line (from 1) and column (from 0).

    Raises:
        TokenError, SyntaxError, ValueError: the text does not fall into tokens.
    """
    start, end, name = (0, 0), (0, 0), ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        # Before Python 3.12, letters and the accents that are put on them were tokens apart.
        if token.type in _NAME_PARTS and name and token.start == end:
            name, end = name + token.string, token.end
            continue
        if name:
            yield start, name
        name = token.string if token.type in _NAME_PARTS else ""
        start, end = token.start, token.end


def _words(text: str) -> Iterator[str]:
    """Yield what may be names in a text: runs of characters that names may go on with.

    Names may hold marks, such as those for variants, which count as no letters elsewhere.
    """
    for is_word, run in groupby(text, key=lambda character: f"n{character}".isidentifier()):
        if is_word:
            yield "".join(run)


def _is_stable(text: str) -> bool:
    return unicodedata.is_normalized("NFKC", text)


def _normal(name: str) -> str:
    return unicodedata.normalize("NFKC", name)


class LookAlike(TreeRule[ast.Module]):
    """A name with letters of another alphabet that look like Latin ones."""

    code = "TG006"
    title = "name that looks like another"
    why = (
        "A name with a Cyrillic `а` in it is not the name that it looks like: two functions `total`"
        " can stand in one text, and a reader sees one. Python keeps such names apart."
    )
    remedy = "Spell the name with letters of one alphabet."
    good = ("Δt = 1\nσ_max = 2", "путь = 1\nдлина = 2", "x = 'а'  # а")
    bad = ("t\u043etal = 1", "def f(\u0440\u0430th): pass", "\u0399 = 1\nI = 2")
    visits = (ast.Module,)

    # Letters that are drawn as Latin ones in common fonts: Cyrillic, then Greek.
    _latin = str.maketrans(
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u04bb\u0501\u051b\u051d"
        "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0405\u0406\u0408\u04ae"
        "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03bd",
        "aeopcyxsijhdqwABEKMHOPCTXSIJYABEZHIKMNOPTYXov",
    )

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look for names that would be plain ASCII if the look-alikes were Latin."""
        if source.text.isascii():
            return
        for named in source.index.nodes:
            for name in _identifiers(named):
                if not name.isascii() and (drawn := name.translate(self._latin)).isascii():
                    message = f"a name looks like {shown(drawn)} and is another one"
                    yield self.at(named, source, message)


def is_hidden(character: str) -> bool:
    """Whether a character is one that a tool's text may not hold."""
    return HiddenCharacters.pattern.match(character) is not None


_NAME_FIELDS = ("id", "attr", "arg", "name", "asname", "module", "rest", "kwd_attrs", "names")


def _identifiers(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node itself holds."""
    for field in _NAME_FIELDS:
        yield from _strings(getattr(node, field, None))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from value.split(".")
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))
