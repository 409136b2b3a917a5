"""What a text does to the world outside its own memory, as far as the text shows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from toolguild.policies import Capability
from toolguild.policies.code_rules import CodeProfile, OpenerRules, load_code_profile
from toolguild.synth.validation.static.source import ToolSource

__all__ = ["EffectUse", "Use", "called_tools", "find_uses", "infer_effects", "tool_calls"]

_WRITING_MODES = frozenset("wax+")
_SQL_FILES = [
    (re.compile(r"(?i)\battach\b"), re.compile(r"(?i)\bas\b")),
    (re.compile(r"(?i)\bvacuum\b"), re.compile(r"(?i)\binto\b")),
]
"""Words that stand together in statements of SQLite that open further files."""


@dataclass(frozen=True, slots=True, order=True)
class EffectUse:
    """One place at which a text uses a capability."""

    capability: Capability
    line: int
    """From 1."""
    what: str
    """What uses it, such as `open` or `urllib.request.urlopen`."""


@dataclass(frozen=True, slots=True)
class Use:
    """An `EffectUse` with the node that shows it."""

    capability: Capability
    node: ast.AST
    what: str


def infer_effects(source: str, *, profile: CodeProfile | None = None) -> list[EffectUse]:
    """Return where a text reads and writes files and uses the network, in the order of lines.

    What is decided when the text runs, such as the mode of an `open`, counts as writing. Other
    tools that the text calls are not in here: see `called_tools`.

    Raises:
        SourceError: the text is no Python, or too big.
    """
    tool = ToolSource(source, profile or load_code_profile())
    found = {
        EffectUse(use.capability, tool.place(use.node)[0], use.what) for use in find_uses(tool)
    }
    return sorted(found, key=lambda use: (use.line, use.what, use.capability))


def called_tools(source: str, *, profile: CodeProfile | None = None) -> tuple[str, ...]:
    """Return the names of the tools that a text calls through `call_tool`, each once, in order.

    Raises:
        SourceError: the text is no Python, or too big.
    """
    tool = ToolSource(source, profile or load_code_profile())
    names = (name for _, name in tool_calls(tool) if name is not None)
    return tuple(dict.fromkeys(names))


def tool_calls(source: ToolSource) -> Iterator[tuple[ast.Call, str | None]]:
    """Yield the calls of `call_tool`, each with the tool's name; None where it is no literal."""
    for node in source.index.nodes:
        if isinstance(node, ast.Call) and is_call_tool(node.func):
            name = node.args[0] if node.args else _keyword(node, "name")
            is_text = isinstance(name, ast.Constant) and isinstance(name.value, str)
            yield node, str(name.value) if is_text and isinstance(name, ast.Constant) else None


def is_call_tool(node: ast.AST) -> bool:
    """Whether an expression is the injected global that calls other tools."""
    return isinstance(node, ast.Name) and node.id == "call_tool"


def find_uses(source: ToolSource) -> Iterator[Use]:
    """Yield every node that uses a capability."""
    profile = source.profile
    opening, reading, writing = _methods_in_force(source)
    for node in source.index.nodes:
        match node:
            case ast.Import() | ast.ImportFrom():
                yield from _import_uses(node, profile)
            case ast.Constant(value=str(text)) if "sqlite3" in source.imported_modules:
                if any(all(word.search(text) for word in words) for words in _SQL_FILES):
                    yield Use(Capability.WRITE, node, "SQL that names a file")
            case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()):
                for origin in source.origins(node):
                    yield from _origin_uses(node, origin, source)
        if not isinstance(node, ast.Attribute) or source.modules(node.value):
            continue
        if node.attr in opening and (call := source.called_as(node)):
            capability = _opened_for(call, OpenerRules(position=0), source)
            if capability is not None:
                yield Use(capability, node, f".{node.attr}")
        elif node.attr in writing or _is_path_replace(node, source):
            yield Use(Capability.WRITE, node, f".{node.attr}")
        elif node.attr in reading:
            yield Use(Capability.READ, node, f".{node.attr}")


def _import_uses(node: ast.Import | ast.ImportFrom, profile: CodeProfile) -> Iterator[Use]:
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        names = [node.module or "", *(f"{node.module}.{name}" for name in names)]
    for name in names:
        if name in profile.network_modules:
            yield Use(Capability.NETWORK, node, name)
        elif name in profile.modules and (needed := profile.modules[name].needs) is not None:
            yield Use(needed, node, name)


def _origin_uses(node: ast.expr, origin: str, source: ToolSource) -> Iterator[Use]:
    """Yield what the use of an imported or builtin function takes."""
    what = origin.removeprefix("builtins.")
    opener = source.profile.openers.get(origin)
    if opener is None:
        capability = source.profile.capability(origin)
    else:
        call = source.called_as(node)
        # Handed around, an opener is called with a mode that the text does not show.
        capability = Capability.WRITE if call is None else _opened_for(call, opener, source)
    if capability is not None:
        yield Use(capability, node, what)


def _opened_for(call: ast.Call, opener: OpenerRules, source: ToolSource) -> Capability | None:
    """Return what a call of an opener takes, by the argument that decides."""
    hidden = any(isinstance(argument, ast.Starred) for argument in call.args)
    if hidden or any(keyword.arg is None for keyword in call.keywords):
        return Capability.WRITE
    if any(_in_memory(a, source) for a in [*call.args, *(k.value for k in call.keywords)]):
        return None
    decisive = _keyword(call, opener.keyword)
    if decisive is None and len(call.args) > opener.position:
        decisive = call.args[opener.position]
    mode = opener.default if decisive is None else source.constant_text(decisive)
    if mode is not None and mode in opener.harmless:
        return None
    if mode is None or not opener.reading or _WRITING_MODES & set(mode):
        return Capability.WRITE
    return Capability.READ


def _in_memory(node: ast.expr, source: ToolSource) -> bool:
    """Whether an argument is a file that exists in memory only."""
    if isinstance(node, ast.Name):
        binding = source.only_binding(node)
        node = binding.value if binding and binding.value else node
    function = source.certain_origin(node.func) if isinstance(node, ast.Call) else None
    return function in source.profile.paths.in_memory


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _methods_in_force(
    source: ToolSource,
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return names of methods that open, read and write, by what the text imports and uses."""
    rules = source.method_rules
    own = source.own_attributes
    empty: frozenset[str] = frozenset()
    return (
        empty.union(*(rule.open for rule in rules)) - own,
        empty.union(*(rule.read for rule in rules)) - own,
        empty.union(*(rule.write for rule in rules)) - own,
    )


def _is_path_replace(node: ast.Attribute, source: ToolSource) -> bool:
    """Whether `.replace` moves a file: a path's takes one argument, a string's takes two."""
    call = source.called_as(node)
    return (
        node.attr == "replace"
        and "pathlib" in source.imported_modules
        and call is not None
        and len(call.args) == 1
        and not call.keywords
    )
