"""TG1xx: which modules, and what of them?"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from toolguild.policies import lowest_tier_allowing
from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.rules.base import Question, TreeRule, shown
from toolguild.synth.validation.static.scopes import ScopeKind
from toolguild.synth.validation.static.source import ToolSource

__all__ = [
    "ImportInClass",
    "ModuleAsValue",
    "ModuleChanged",
    "ModuleNotListed",
    "NotExported",
    "RelativeImport",
    "StarImport",
]

Import = ast.Import | ast.ImportFrom


class ModuleNotListed(TreeRule[Import]):
    """An import of a module that tools of this tier may not have."""

    code = "TG101"
    title = "module not allowed"
    why = (
        "Most of the standard library leads to processes, files, sockets or the interpreter itself."
        " The profile lists the modules that a tool may import, and the capability that some take."
    )
    remedy = "Do without the module, or call another tool with `call_tool`."
    good = (
        "import json, math",
        "import xml.etree.ElementTree as ET",
        "from urllib import parse",
        "def tool():\n    import csv",
    )
    bad = (
        "import os, socket",
        "def f():\n    import subprocess as statistics",
        "from posix import getpid",
        "import importlib.util",
        "import urllib.request",
        "from urllib import request",
        "import xml",
        "def f():\n    try:\n        import numpy\n    except ImportError:\n        pass",
    )
    visits = (ast.Import, ast.ImportFrom)

    def check(self, node: Import, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look up every module that the statement names."""
        profile = question.profile
        for module in _modules_of(node, source):
            rules = profile.modules.get(module)
            if rules is None:
                advice = profile.instead.get(module.partition(".")[0])
                yield self.at(node, source, f"tools may not import {shown(module)}", advice)
            elif not rules.open_to(question.tier):
                needs = [rules.needs] if rules.needs is not None else []
                lowest = max(lowest_tier_allowing(needs), rules.from_tier)
                what = f"needs the capability {rules.needs}" if needs else f"is for {lowest} tools"
                message = f"importing {shown(module)} {what}, the tool is of tier {question.tier}"
                yield self.at(node, source, message, f"It takes the tier {lowest}.")


def _modules_of(node: Import, source: ToolSource) -> Iterator[str]:
    """Yield the modules that an absolute import loads."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    if node.level or node.module is None:
        return
    modules = source.profile.modules
    if node.module in modules:
        yield node.module
    for alias in node.names:
        member = f"{node.module}.{alias.name}"
        if member in modules or node.module not in modules:
            # From a mere package such as `urllib` only the modules inside may be taken.
            yield member if node.module in source.profile.packages else node.module


class NotExported(TreeRule[ast.ImportFrom | ast.Attribute]):
    """A name of an allowed module that is not on its list."""

    code = "TG102"
    title = "name not exported"
    why = (
        "Harmless modules carry others as public attributes: `json.codecs`, `re.enum`,"
        " `typing.sys`. So each module has a list of what may be taken from it."
    )
    remedy = "Use what the module documents for handling data."
    good = (
        "import json\nx = json.dumps",
        "from typing import Any",
        "import os.path\ny = os.path.join",
        "import urllib.parse\nq = urllib.parse.quote",
        "import csv\ndef tool(csv):\n    return csv.anything",
    )
    bad = (
        "import json\nx = json.codecs",
        "from re import enum",
        "import re as r\nx = r.enum",
        "import os\nx = os.environ",
        "from os import getenv as e",
        "import os.path as p\nx = p.os",
        "def f():\n    from random import _os",
        "import typing\nclass A:\n    y = typing.sys\n    typing = 1",
        "def f():\n    global j\n    import json as j\ndef g():\n    return j.codecs",
        "import json as j\ndef f(j):\n    def g():\n        global j\n        [j.x for i in [1]]",
        "def f():\n    def g():\n        nonlocal j\n        import json as j\n    j = 1\n    j.x",
    )
    visits = (ast.ImportFrom, ast.Attribute)

    def check(
        self, node: ast.ImportFrom | ast.Attribute, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look up the name in the lists of the modules that it is taken from."""
        modules = source.profile.modules
        if isinstance(node, ast.ImportFrom):
            taken = [(node.module or "", alias.name) for alias in node.names]
        else:
            taken = [(module, node.attr) for module in sorted(source.modules(node.value))]
        for module, name in taken:
            inside = f"{module}.{name}"
            if module not in modules and module not in source.profile.packages:
                continue  # the import of such a module is refused already
            if inside in modules or (name == "*" and isinstance(node, ast.ImportFrom)):
                continue
            if module in modules and name in modules[module].exports:
                continue
            if inside in source.profile.packages and isinstance(node, ast.Attribute):
                continue
            message = f"{shown(name)} is not among the names that tools may take from {module}"
            yield self.at(node, source, message)


class StarImport(TreeRule[ast.ImportFrom]):
    """`from module import *`."""

    code = "TG103"
    title = "star import"
    why = "After a star import nobody can say which names the module has."
    remedy = "Name what is imported."
    good = ("from math import sin, cos",)
    bad = ("from math import *", "from os import *")
    visits = (ast.ImportFrom,)

    def check(
        self, node: ast.ImportFrom, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look for the star."""
        if any(alias.name == "*" for alias in node.names):
            message = f"a star import hides which names come from {shown(node.module or '.')}"
            yield self.at(node, source, message)


class RelativeImport(TreeRule[ast.ImportFrom]):
    """`from . import name`."""

    code = "TG104"
    title = "relative import"
    why = "A tool is one module without a package: what it would import is not known."
    remedy = "Put the code into the tool itself."
    good = ("from math import sin",)
    bad = ("from . import helpers", "def tool():\n    from ..a import b")
    visits = (ast.ImportFrom,)

    def check(
        self, node: ast.ImportFrom, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look at the number of dots."""
        if node.level:
            yield self.at(node, source, "a tool is one module, there is nothing beside it")


class ImportInClass(TreeRule[Import]):
    """An import in the body of a class."""

    code = "TG107"
    title = "import in a class"
    why = "It makes the module an attribute of the class, and so a value: `C.json.codecs`."
    remedy = "Import at the top of the module, or in a function."
    good = ("import json\nclass A:\n    def f(self):\n        import csv",)
    bad = (
        "class A:\n    import json",
        "class A:\n    from os import path",
        "def f():\n    class A:\n        if 1:\n            import json as j",
    )
    visits = (ast.Import, ast.ImportFrom)

    def check(self, node: Import, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look at the scope that the import binds in."""
        if source.scope(node).kind is ScopeKind.CLASS:
            yield self.at(node, source, "the import makes the module a value of the class")


class ModuleAsValue(TreeRule[ast.Name | ast.Attribute]):
    """A module that is handed around."""

    code = "TG105"
    title = "module used as a value"
    why = (
        "`operator.attrgetter('sys')(typing)`, `'{0.sys}'.format(typing)`, `m = json`: once a"
        " module is a value, nobody can say which of its attributes are read."
    )
    remedy = "Write `module.name` where the name is needed."
    good = (
        "import json\nx = json.dumps(1)",
        "import os\nx = os.path.join",
        "import re\ndef f(re): return re",
    )
    bad = (
        "import typing\nx = [typing]",
        "import json\nj = json",
        "import os\ndef f(): print(os.path)",
        "import json\nx = f'{json}'",
        "import json\ndef f(): return json",
        "from urllib import parse\ndef f(): return hasattr(parse, 'quote')",
        "import json\ndef f(e):\n    global json\n    json += e",
    )
    visits = (ast.Name, ast.Attribute)

    def check(
        self, node: ast.Name | ast.Attribute, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look at what holds an expression that stands for a module."""
        parent = source.parent(node)
        if isinstance(parent, ast.Attribute) or not source.is_read(node):
            return
        for module in sorted(source.modules(node)):
            yield self.at(node, source, f"the module {module} is used as a value")


class ModuleChanged(TreeRule[ast.Attribute]):
    """An assignment to an attribute of something imported."""

    code = "TG106"
    title = "module or imported class changed"
    why = (
        "Whoever replaces `json.dumps` or a method of a class decides what others run: the rest of"
        " the tool, and whatever else shares the interpreter."
    )
    remedy = "Write a function or a subclass of the tool's own."
    good = (
        "class A: pass\ndef f(): A.x = 1",
        "import decimal\ndef f(c): c.prec = 3",
        "from collections import Counter\ndef f():\n    c = Counter()\n    c.x = 1",
    )
    bad = (
        "import json\ndef f(): json.dumps = str",
        "from csv import DictReader\ndef f(): DictReader.x = 1",
        "import json\ndef f(): del json.loads",
        "import random\ndef f():\n    for random.seed in []: pass",
        "def f(): str.x = 1",
        "import typing\ndef f(): typing.Counter[int].update = print",
        "import collections\ndef f():\n    C = collections.Counter\n    C.update = print",
    )
    visits = (ast.Attribute,)

    def check(
        self, node: ast.Attribute, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look at attributes that are assigned or deleted."""
        if isinstance(node.ctx, ast.Load):
            return
        # A generic such as `typing.Counter[int]` hands on to the class what is assigned to it.
        owner = source.aliased(node.value)
        owner = source.aliased(owner.value) if isinstance(owner, ast.Subscript) else owner
        for changed in sorted(source.origins(owner))[:1]:
            message = f"{shown(node.attr)} of {changed} is changed, which is not the tool's own"
            yield self.at(node, source, message)
