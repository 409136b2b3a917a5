"""TG505: regular expressions that take exponentially long."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from toolguild.synth.validation.static.backtracking import backtracks_exponentially
from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.rules.base import Question, TreeRule, shown
from toolguild.synth.validation.static.source import ToolSource

__all__ = ["ExponentialPattern"]

_MAX_PATTERNS = 20  # different ones of a text that are judged
_FLAGS_AFTER = {"compile": 1, "split": 3, "sub": 4, "subn": 4}
"""Positions of the flags; those of the other functions follow the text that is searched."""
_FUNCTIONS = frozenset(
    {"compile", "findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn"}
)


class ExponentialPattern(TreeRule[ast.Module]):
    """A regular expression with a loop that can read the same text in several ways."""

    code = "TG505"
    title = "pattern that backtracks without end"
    why = (
        "`(a+)+b` doubles its work with every `a` that is not followed by a `b`: thirty of them"
        " take minutes. Whoever chooses the text that is searched can stop the tool."
    )
    remedy = "Let each turn of the loop begin with what the turn before cannot end with."
    good = (
        "import re\nP = re.compile(r'(\\d+,)+\\d+$')",
        "import re\ndef f(s): return re.sub(r'\\s+$', '', s)",
        'import re\nP = re.compile(r\'"(?:[^"\\\\]|\\\\.)*"\')',
        "import re\nP = re.compile(r'(?:[a-z]+\\.)+[a-z]+$', re.I)",
        "import re\ndef f(p, s): return re.match(p, s)",
    )
    bad = (
        "import re\nP = re.compile('(a+)+b')",
        "from re import search\ndef f(s): return search(r'^(\\w+\\s?)+$', s)",
        "import re\nP = re.compile('(?:a|ab?)+c')",
        "import re\ndef f(s): return re.fullmatch('(a*)*', s)",
        "import re\nP = re.compile('(?:.|\\\\n)*;', re.S)",
        "import re\nW = '[a-z]+'\nP = re.compile(f'({W}-?)+$')",
    )
    visits = (ast.Module,)

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Judge the constant patterns that are given to functions of `re`."""
        if "re" not in source.imported_modules:
            return
        # Which method a compiled pattern is used by is seen only roughly.
        whole = any(a.attr == "fullmatch" for a in source.index.of_kind(ast.Attribute))
        judged: dict[tuple[str, int], bool] = {}
        for call in source.index.of_kind(ast.Call):
            module, _, function = (source.certain_origin(call.func) or "").rpartition(".")
            if module != "re" or function not in _FUNCTIONS or not call.args:
                continue
            pattern = source.constant_text(call.args[0])
            if pattern is None or len(judged) == _MAX_PATTERNS:
                continue
            key = pattern, self._flags(call, function, source)
            if key not in judged:
                judged[key] = backtracks_exponentially(*key, whole=whole or function == "fullmatch")
            if judged[key]:
                message = f"the pattern {shown(pattern)} can take time without end on some texts"
                yield self.at(call.args[0], source, message)

    @staticmethod
    def _flags(call: ast.Call, function: str, source: ToolSource) -> int:
        """Return the flags of a pattern as far as they are named."""
        position = _FLAGS_AFTER.get(function, 2)
        given = [k.value for k in call.keywords if k.arg == "flags"]
        given += call.args[position : position + 1]
        flags = 0
        for part in (part for argument in given for part in ast.walk(argument)):
            if isinstance(part, ast.Name | ast.Attribute):
                name = (source.certain_origin(part) or "").removeprefix("re.")
                flags |= int(getattr(re.RegexFlag, name, 0)) if name.isupper() else 0
        return flags
