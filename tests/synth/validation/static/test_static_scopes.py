"""Names mean what Python's own compiler says they mean, on modules of the standard library."""

import ast
import importlib.util
import symtable
from collections import Counter
from pathlib import Path

import pytest

from toolguild.policies import load_profile
from toolguild.synth.validation.static.scopes import Scope, ScopeKind
from toolguild.synth.validation.static.source import ToolSource

MODULES = [
    "_py_abc", "argparse", "bdb", "calendar", "cmd", "collections",
    "configparser", "contextlib", "copy", "csv", "dataclasses", "difflib", "enum", "fileinput",
    "fractions", "functools", "gettext", "graphlib", "heapq", "html.parser", "imaplib",
    "json.decoder", "json.encoder", "optparse", "pprint", "random", "reprlib", "sched",
    "shlex", "shutil", "smtplib", "statistics", "string", "textwrap", "timeit", "tokenize", "trace",
    "types", "uuid", "weakref", "xml.etree.ElementTree", "zipapp",
]  # fmt: skip

CODE = load_profile().code
LARGE = CODE.model_copy(
    update={"limits": CODE.limits.model_copy(update={"max_bytes": 10**6, "max_nodes": 10**6})}
)

Key = tuple[str, int]
"""Name and line by which a scope is found in both; ambiguous ones are left out."""

COMPREHENSIONS = {
    ast.ListComp: "listcomp", ast.SetComp: "setcomp", ast.DictComp: "dictcomp",
    ast.GeneratorExp: "genexpr",
}  # fmt: skip


def key_of(scope: Scope) -> Key:
    node = scope.node
    if isinstance(node, ast.Module):
        return "top", 0
    name = COMPREHENSIONS.get(type(node), "lambda")
    return getattr(node, "name", name), getattr(node, "lineno", 0)


def tables_of(text: str) -> dict[Key, symtable.SymbolTable]:
    pending = [symtable.symtable(text, "<module>", "exec")]
    found: list[tuple[Key, symtable.SymbolTable]] = []
    while pending:
        table = pending.pop()
        kind = str(table.get_type())
        if kind in ("module", "function", "class"):
            found.append(((table.get_name(), table.get_lineno()), table))
        pending += table.get_children()
    several = Counter(key for key, _ in found)
    return {key: table for key, table in found if several[key] == 1}


def check_names(source: ToolSource, tables: dict[Key, symtable.SymbolTable]) -> int:
    """Compare each name of a module, and return how many names were compared."""
    scopes = set(source.index.scopes.values())
    several = Counter(key_of(scope) for scope in scopes)
    owner = {id(b): s for s in scopes for bound in s.bindings.values() for b in bound}
    compared = 0
    for name in source.index.of_kind(ast.Name):
        scope = source.scope(name)
        key = key_of(scope)
        mangled = name.id.startswith("__") and not name.id.endswith("__")
        if source.in_annotation(name) or mangled or key not in tables or several[key] > 1:
            continue
        symbol = tables[key].lookup(name.id)
        owners = {owner[id(binding)] for binding in source.resolve(name).bindings}
        compared += 1
        where = f"{name.id} on line {name.lineno}"
        if symbol.is_free():
            assert owners, where
            assert all(one.kind is not ScopeKind.MODULE for one in owners), where
        elif symbol.is_global() or scope.kind is ScopeKind.MODULE:
            assert all(one.kind is ScopeKind.MODULE for one in owners), where
        elif scope.kind is ScopeKind.CLASS:
            assert scope in owners, where
        else:
            assert owners == {scope}, where
    return compared


def text_of(module: str) -> str:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text("utf-8")


@pytest.mark.parametrize("module", MODULES)
def test_names_of_a_real_module_are_resolved_as_the_compiler_does(module: str) -> None:
    text = text_of(module)
    assert check_names(ToolSource(text, LARGE), tables_of(text)) > 20


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\ndef f():\n    def g():\n        nonlocal x\n        x = 2\n    x = 3\n    return x",
        "def f():\n    global x\n    def g():\n        return x\n    x = 1\n    return g",
        "x = 1\nclass A:\n    x = x\n    def f(self):\n        return x\n    y = [x for _ in x]",
        "def f(a, b=(lambda c: c)):\n    return [a for a in b if (d := a)], d",
        "def f(x):\n    class A:\n        x = 2\n        def g(self):\n            return x\n"
        "    return A",
        "def f():\n    try:\n        pass\n    except E as e:\n        e\n    return e\nE = 1",
        "def f(v):\n    match v:\n        case [a, *b] | {'k': a, **b}:\n            return a, b",
        "def f(x):\n    def g():\n        def h():\n            nonlocal x\n            x = 1\n"
        "        return h\n    return g",
        "def f(x):\n    with x as (y, z), z as w:\n        for w[0] in y:\n            del z\n"
        "    return w",
        "import a.b, c as d\ndef f():\n    import a.b as e\n    return a, d, e",
    ],
)
def test_names_of_hard_cases_are_resolved_as_the_compiler_does(text: str) -> None:
    assert check_names(ToolSource(text, LARGE), tables_of(text)) > 2
