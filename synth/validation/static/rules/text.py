"""TG0xx: is what people read what the interpreter runs?"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator

from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.rules.base import Question, TextRule, TreeRule, shown
from toolguild.synth.validation.static.source import ToolSource

__all__ = ["CodingCookie", "HiddenCharacters", "NotPython", "TooBig", "UnstableIdentifier"]


class NotPython(TextRule):
    """Raised by the parser; the class holds what is said about it."""

    code = "TG001"
    title = "not Python"
    docs = "What cannot be parsed cannot be judged, so it is refused."
    remedy = "Write the text of one Python module."
    good = ("x = 1",)
    bad = ("def f(:", "return 1", "x = '\\ud800'.encode(", "nonlocal x", "print 'x'")

    def check_text(self, text: str) -> Iterator[Finding]:
        """Yield nothing: the parser finds this."""
        return iter(())


class TooBig(TextRule):
    """Raised by the parser as well."""

    code = "TG002"
    title = "too big"
    docs = (
        "A text that takes seconds to read is an attack on the reader, and nested deeply enough it"
        " ends the process of some parsers."
    )
    remedy = "Split the tool, and pass data as arguments."
    good = ("x = [[[1]]]",)
    bad = ("x = 1\n" * 20_000, "x = " + "-" * 400 + "1")

    def check_text(self, text: str) -> Iterator[Finding]:
        """Yield nothing: the parser finds this."""
        return iter(())


class CodingCookie(TextRule):
    """A comment that tells Python to read the bytes in another encoding."""

    code = "TG003"
    title = "encoding other than UTF-8"
    docs = (
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
        for number, line in enumerate(re.split(r"\r\n|\r|\n", text, maxsplit=2)[:2], 1):
            cookie = self._cookie.match(line)
            if cookie and cookie[1].lower().replace("_", "-") not in ("utf-8", "utf8"):
                message = f"the comment declares the encoding {shown(cookie[1])}"
                yield self.finding((number, cookie.start(1) + 1, number), message, None)


class HiddenCharacters(TextRule):
    """Characters that cannot be seen, or that change how others are shown."""

    code = "TG004"
    title = "hidden character"
    docs = (
        "Control characters and marks for the direction of writing make a text look like another"
        " one (CVE-2021-42574), and invisible letters carry words that only a model reads."
    )
    remedy = "Write the character as an escape such as `\\u200b`, or leave it out."
    good = ("x = 'é 世界 👩\u200d🚀'\r\ny = 1", "x = '\\u202e'", "def f():\n\treturn 1")
    bad = (
        "x = 1 # \u202e",
        "x = '\x00'",
        "x = '\u200b'",
        "#\rimport os",
        "# \U000e0041",
        "\ufeffx=1",
    )

    _hidden = re.compile(
        "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters, but tab and line ends
        "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # directions, invisible ones
        "\u2028\u2029\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"  # line ends, tags
        "|\r(?!\n)"
    )

    def check_text(self, text: str) -> Iterator[Finding]:
        """Search the whole text, strings and comments included."""
        for hit in self._hidden.finditer(text):
            lines = re.split(r"\r\n|\r|\n", text[: hit.start()])
            name = unicodedata.name(hit[0], "a control character")
            message = f"the text holds U+{ord(hit[0]):04X} ({name}), which cannot be seen"
            yield self.finding((len(lines), len(lines[-1]) + 1, len(lines)), message, None)
            return  # one is enough to refuse the text, and counting lines for many is slow


class UnstableIdentifier(TreeRule[ast.Module]):
    """Names spelled with letters that Python takes for others."""

    code = "TG005"
    title = "name that Python reads as another"
    docs = (
        "Python normalises names (NFKC): a full-width `eval` is `eval`. Whoever reads or searches"
        " the text sees another name than the one that runs."
    )
    remedy = "Spell the name with plain letters."
    good = ("größe = 1", "x = '\uff45\uff56\uff41\uff4c'  # \uff45\uff56\uff41\uff4c", "変数 = 1")
    bad = ("\uff58 = 1", "def f(aªb): pass", "x = f'{\uff4cen([])}'", "x = y._\uff3fself_\uff3f")
    visits = (ast.Module,)

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Compare the names in the tree, which are normalised, with how they are spelled."""
        if source.text.isascii() or unicodedata.is_normalized("NFKC", source.text):
            return
        for named in source.index.nodes:
            for name in _identifiers(named):
                if name not in source.spelling(named):
                    message = f"{shown(name)} is spelled with letters that Python takes for others"
                    yield self.at(named, source, message)


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
