"""TG212 to TG215: exceptions, files, and code in quotes."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator

from toolguild.policies import lowest_tier_allowing
from toolguild.synth.validation.static.effects import find_uses
from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.rules.base import Question, TreeRule, shown
from toolguild.synth.validation.static.source import ToolSource

__all__ = [
    "BareExcept",
    "CapabilityOutOfReach",
    "LiteralPath",
    "UnreadableAnnotation",
]


_MAX_BUILDERS = 5  # calls around a path, such as `str(PurePath(...))`
_OPEN = frozenset({"builtins.open", "io.open"})
_BY_OTHER_MEANS = ("closefd", "opener")
_BEFORE_OTHER_MEANS = 6  # arguments of `open` that come before these two


class BareExcept(TreeRule[ast.ExceptHandler]):
    """`except:` without a class."""

    code = "TG212"
    title = "bare except"
    why = (
        "It also catches what ends a run, such as `SystemExit`, and hides every mistake in the tool"
        " from whoever judges it."
    )
    remedy = "Write `except Exception:`, or better the exceptions that are expected."
    good = (
        "def f():\n    try: pass\n    except Exception: pass",
        "def f():\n    try: pass\n    except:\n        print('x')\n        raise",
    )
    bad = (
        "def f():\n    try: pass\n    except: pass",
        "def f():\n    try: pass\n    except:\n        def g():\n            raise",
        "def f():\n    try: pass\n    except:\n        if 0: raise",
        "def f():\n    try: pass\n    except:\n        raise ValueError",
    )
    visits = (ast.ExceptHandler,)

    def check(
        self, node: ast.ExceptHandler, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Let a handler pass that ends by raising again."""
        last = node.body[-1]
        if node.type is None and not (isinstance(last, ast.Raise) and last.exc is None):
            yield self.at(node, source, "a bare `except` also catches what ends the run")


class CapabilityOutOfReach(TreeRule[ast.Module]):
    """Files or network in a tier that does not have them."""

    code = "TG213"
    title = "capability that the tier does not have"
    why = (
        "A tier grants capabilities: `sandbox` may read files, `restricted` may also write them,"
        " `full` may also use the network. A mode or a target that is decided when the tool runs"
        " counts as writing."
    )
    remedy = "Return the data instead, and let the caller store or send it."
    good = (
        "def f(p):\n    with open(p) as h: return h.read()",
        "from pathlib import Path\ndef f(p): return Path(p).read_text()",
        "from pathlib import Path\ndef f(s, d): return s.replace('a', 'b'), d.replace(hour=1)",
        "import io, zipfile\ndef f():\n    b = io.BytesIO()\n    return zipfile.ZipFile(b, 'w')",
        "import sqlite3\ndef f(n):\n    c = sqlite3.connect(':memory:')\n"
        "    return c.execute(f'SELECT {n}')",
        "def f(a): return type(a)(1, 2)",
    )
    bad = (
        "def f(p): open(p, 'w')",
        "def f(p, m): open(p, mode=m)",
        "import gzip\ndef f(p, k): gzip.open(p, **k)",
        "import gzip\ndef f(p): gzip.open(p, 'wt')",
        "from pathlib import Path\ndef f(p): Path(p).write_text('x')",
        "from pathlib import Path\ndef f(p): getattr(Path(p), 'write_text')('x')",
        "from pathlib import Path\ndef f(p):\n    match p:\n        case Path(unlink=u): u()",
        "from pathlib import Path\ndef f(p): Path(p).open('a')",
        "from pathlib import Path\ndef f(p, q): Path(p).replace(q)",
        "from pathlib import Path\ndef f(p, q): return map(Path(p).replace, q)",
        "import sqlite3\ndef f(): sqlite3.connect('x.db')",
        "import os\ndef f(p): os.remove(p)",
        "import shutil\nf = shutil.rmtree",
        "import io, zipfile\ndef f(b): zipfile.ZipFile(io.BytesIO(b)).extractall('x')",
        "import zipfile, io\ndef f(): type(zipfile.ZipFile(io.BytesIO(), 'w'))('x', 'w')",
        "import tarfile, io\ndef f(p): tarfile.open(p, 'w', tarinfo=io.BytesIO())",
        "from io import open as o\ndef f(p): o(p, 'r+')",
        "import sqlite3\ndef f(c): c.execute(\"ATTACH 'x.db' AS y\")",
        "import sqlite3\ndef f(c, n): c.execute('ATT' + 'ACH ' + n)",
        "import sqlite3\ndef f(c, q): c.executescript('SELECT 1;' + q)",
    )
    visits = (ast.Module,)

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Compare what the text uses with what the tier has; imports have a rule of their own."""
        for use in find_uses(source):
            if isinstance(use.node, ast.Import | ast.ImportFrom):
                continue
            if use.capability not in question.tier.capabilities:
                message = (
                    f"{shown(use.what)} needs the capability {use.capability},"
                    f" which the tier {question.tier} does not have"
                )
                tier = lowest_tier_allowing([use.capability])
                yield self.at(use.node, source, message, f"{self.remedy} It takes the tier {tier}.")


class LiteralPath(TreeRule[ast.Call]):
    """A path that is written out and leads out of the tool's own folder."""

    code = "TG214"
    title = "path written out"
    why = (
        "A tool works on files that it is handed. A path such as `/proc/self/environ` or `../x` in"
        " its text points at what belongs to others, and a number at an open descriptor."
    )
    remedy = "Take the path as a parameter."
    good = (
        "def f(): return open('data.csv')",
        "import os\ndef f(d): return os.path.join(d, 'out.csv')",
        "def f(): return open('/tmp/x')",
        "def f(p): return open(p)",
        "import os\ndef f(): return os.path.join('/', 'etc')",
    )
    bad = (
        "def f(): open('/proc/self/environ')",
        "def f(): open('/tmp/../etc/passwd')",
        "def f(): open('/pro' + 'c/1/environ')",
        "def f(x): open(f'/proc/{x}/environ')",
        "def f(): open('../secret')",
        "from pathlib import Path\ndef f(): return Path('/etc') / 'passwd'",
        "def f(): open(b'/etc/passwd')",
        "def f(): open(1)",
        "def f():\n    n = 0\n    open(n)",
        "def f(): open(file='/etc/passwd')",
        "def f(): open('x', opener=print)",
        "def f(): open('x', 'r', -1, None, None, None, True, print)",
        "import os\ndef f(): os.listdir('/')",
        "import glob\ndef f(): glob.glob('~/.ssh/*')",
        "import os\ndef f(): open(os.path.join('/', 'etc'))",
        "import os\ndef f():\n    p = os.path.join('/', 'etc')\n    open(p)",
    )
    visits = (ast.Call,)

    def check(self, node: ast.Call, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look at the first argument of whatever takes a path."""
        profile = question.profile
        takers = [
            origin
            for origin in sorted(source.origins(node.func))
            if origin in profile.openers
            or origin in profile.paths.functions
            or profile.capability(origin) is not None
        ]
        if not takers:
            return
        for keyword in node.keywords:
            if keyword.arg in _BY_OTHER_MEANS:
                yield self.at(keyword, source, f"{keyword.arg} opens by other means than a path")
        for argument in node.args[_BEFORE_OTHER_MEANS:] if _OPEN & set(takers) else ():
            yield self.at(argument, source, "the argument opens by other means than a path")
        paths = [*node.args[:1], *(k.value for k in node.keywords if k.arg in ("file", "path"))]
        for path in paths:
            if problem := _path_problem(path, source, profile.paths.absolute):
                yield self.at(path, source, problem)


def _path_problem(path: ast.expr, source: ToolSource, allowed: tuple[str, ...]) -> str | None:
    node: ast.AST = source.aliased(path)
    for _ in range(_MAX_BUILDERS):
        if not isinstance(node, ast.Call) or not node.args:
            break
        if not source.origins(node.func) & source.profile.paths.builders:
            break
        node = source.aliased(node.args[0])
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return "a number stands for a file that somebody else has opened"
    text = source.known_text(node).start
    if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
        text = node.value.decode("utf-8", "replace")
    if text.startswith("~") or ".." in text.split("/"):
        return f"the path {shown(text)} leads out of the tool's own folder"
    normal = posixpath.normpath(text)
    if text.startswith("/") and not any(f"{normal}/".startswith(f"{top}/") for top in allowed):
        return f"the path {shown(text)} belongs to the system, not to the tool"
    return None


class UnreadableAnnotation(TreeRule[ast.Module]):
    """An annotation in quotes that is no expression."""

    code = "TG215"
    title = "annotation in quotes"
    why = (
        "Some functions of the standard library evaluate annotations in quotes. They are read as"
        " code by all rules, so they have to be code."
    )
    remedy = "Write the type without quotes, or put a note into a comment."
    good = (
        "def f(x: 'list[int]') -> 'A': pass\nclass A: pass",
        "from typing import Literal\ndef f(x: Literal['a b']): pass",
        "from typing import Annotated\ndef f(x: Annotated[int, 'in metres']): pass",
    )
    bad = ("def f(x: 'a number of things'): pass", "x: 'import os' = 1", "def f(x: 'a' 'b('): pass")
    visits = (ast.Module,)

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Report what the index could not read."""
        for constant in source.index.unreadable_quotes:
            message = f"the annotation {shown(str(constant.value))} is not an expression"
            yield self.at(constant, source, message)
