"""What a text does to the world outside its own memory, as far as the text shows it.

What is decided when the text runs, such as the mode of an `open`, counts as writing: a tool that
needs less than was found here loses nothing, one that needs more is refused by the sandbox.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from toolguild.policies import Capability, Profile, load_profile
from toolguild.policies.code_rules import CodeProfile, FileArgument, OpenerRules
from toolguild.synth.validation.static.named_attributes import named_attributes
from toolguild.synth.validation.static.source import ToolSource

__all__ = [
    "EffectUse",
    "ToolUse",
    "Use",
    "called_tools",
    "effect_uses",
    "find_uses",
    "infer_effects",
    "is_call_tool",
    "tool_calls",
    "tool_uses",
]

_WRITING_MODES = frozenset("wax+")
_SQL_FILES = [
    (re.compile(r"(?i)\battach\b"), re.compile(r"(?i)\bas\b")),
    (re.compile(r"(?i)\bvacuum\b"), re.compile(r"(?i)\binto\b")),
]
"""Words that stand together in statements of SQLite that open further files."""
_SQL_DATA = re.compile(
    r"(?i)\s*(select|insert|update|delete|replace|with|values|explain|begin|commit|rollback"
    r"|savepoint|release|drop|alter|create\s+(temp\w*\s+)?(table|index|unique|view|trigger))\b"
)
"""How statements start that open none, however they go on: only one of them is run at a time."""


@dataclass(frozen=True, slots=True, order=True)
class EffectUse:
    """One place at which a text uses a capability."""

    line: int
    """From 1."""
    column: int
    """In characters, from 1."""
    capability: Capability
    what: str
    """What uses it, such as `open` or `urllib.request.urlopen`."""

    def to_json(self) -> dict[str, str | int]:
        """Return the fields as a JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True, order=True)
class ToolUse:
    """One place at which a text calls another tool."""

    line: int
    """From 1."""
    column: int
    """In characters, from 1."""
    tool: str

    def to_json(self) -> dict[str, str | int]:
        """Return the fields as a JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Use:
    """An `EffectUse` with the node that shows it."""

    capability: Capability
    node: ast.AST
    what: str


def infer_effects(source: str, *, profile: Profile | None = None) -> list[EffectUse]:
    """Return where a text reads and writes files and uses the network, in the order of the text.

    Other tools that the text calls are not in here: see `called_tools`.

    Raises:
        SourceError: the text is no Python, or too big.
    """
    return effect_uses(ToolSource(source, (profile or load_profile()).code))


def called_tools(source: str, *, profile: Profile | None = None) -> tuple[str, ...]:
    """Return the names of the tools that a text calls through `call_tool`, each once, in order.

    Raises:
        SourceError: the text is no Python, or too big.
    """
    uses = tool_uses(ToolSource(source, (profile or load_profile()).code))
    return tuple(dict.fromkeys(use.tool for use in uses))


def effect_uses(source: ToolSource) -> list[EffectUse]:
    """Return what `infer_effects` does, for a text that is parsed already."""
    return sorted(
        {
            EffectUse(*source.place(use.node)[:2], use.capability, use.what)
            for use in find_uses(source)
        }
    )


def tool_uses(source: ToolSource) -> list[ToolUse]:
    """Return where a text calls tools whose names are literals, in the order of the text."""
    return [
        ToolUse(*source.place(call)[:2], name)
        for call, name in tool_calls(source)
        if name is not None
    ]


def tool_calls(source: ToolSource) -> Iterator[tuple[ast.Call, str | None]]:
    """Yield the calls of `call_tool`, each with the tool's name; None where it is no literal."""
    for call in source.index.of_kind(ast.Call):
        if is_call_tool(call.func):
            name = call.args[0] if call.args else _keyword(call, "name")
            is_text = isinstance(name, ast.Constant) and isinstance(name.value, str)
            yield call, str(name.value) if is_text and isinstance(name, ast.Constant) else None


def is_call_tool(node: ast.AST) -> bool:
    """Whether an expression is the injected global that calls other tools."""
    return isinstance(node, ast.Name) and node.id == "call_tool"


def find_uses(source: ToolSource) -> Iterator[Use]:
    """Yield every node that uses a capability."""
    imports: list[ast.Import | ast.ImportFrom] = [*source.index.of_kind(ast.Import)]
    imports += source.index.of_kind(ast.ImportFrom)
    for statement in imports:
        yield from _import_uses(statement, source.profile)
    methods = _Methods(source)
    for name in source.index.of_kind(ast.Name):
        if isinstance(name.ctx, ast.Load):
            yield from _origin_uses(name, source)
    for attribute in source.index.of_kind(ast.Attribute):
        if isinstance(attribute.ctx, ast.Load):
            yield from _origin_uses(attribute, source)
        if not source.modules(attribute.value):
            yield from methods.uses(attribute, attribute.attr, source.called_as(attribute))
    for node, attr in named_attributes(source):
        yield from methods.uses(node, attr, None)
    if methods.classes_open_files:
        for call in source.index.of_kind(ast.Call):
            if _is_class_of_value(call.func, source):
                yield Use(Capability.WRITE, call, "the class of a value")


def _import_uses(node: ast.Import | ast.ImportFrom, profile: CodeProfile) -> Iterator[Use]:
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        names = [node.module or "", *(f"{node.module}.{name}" for name in names)]
    for name in names:
        if name in profile.network_modules:
            yield Use(Capability.NETWORK, node, name)
        elif name in profile.modules and (needed := profile.modules[name].needs) is not None:
            yield Use(needed, node, name)


def _origin_uses(node: ast.expr, source: ToolSource) -> Iterator[Use]:
    """Yield what the use of an imported or builtin function takes."""
    profile = source.profile
    for origin in source.origins(node):
        call = source.called_as(node)
        capability = profile.capability(origin)
        if origin in profile.openers:
            # Handed around, an opener is called with a mode that the text does not show.
            opener = profile.openers[origin]
            capability = Capability.WRITE if call is None else _opened_for(call, opener, source)
        elif origin in profile.file_arguments and _takes_file(call, profile.file_arguments[origin]):
            capability = Capability.READ
        if capability is not None:
            yield Use(capability, node, origin.removeprefix("builtins."))


def _opened_for(call: ast.Call, opener: OpenerRules, source: ToolSource) -> Capability | None:
    """Return what a call of an opener takes, by the argument that decides."""
    if _has_unseen_arguments(call):
        return Capability.WRITE
    if opener.file_position is not None:
        given = _argument(call, opener.file_position, opener.file_keyword)
        if given is not None and _in_memory(given, source):
            return None
    decisive = _argument(call, opener.position, opener.keyword)
    mode = opener.default if decisive is None else source.constant_text(decisive)
    if mode is not None and mode in opener.harmless:
        return None
    if mode is None or not opener.reading or _WRITING_MODES & set(mode):
        return Capability.WRITE
    return Capability.READ


def _takes_file(call: ast.Call | None, rules: FileArgument) -> bool:
    """Whether a function may be given a file that it reads."""
    if call is None or _has_unseen_arguments(call):
        return True
    return _argument(call, rules.position, rules.keyword) is not None


def _has_unseen_arguments(call: ast.Call) -> bool:
    starred = any(isinstance(argument, ast.Starred) for argument in call.args)
    return starred or any(keyword.arg is None for keyword in call.keywords)


def _argument(call: ast.Call, position: int, keyword: str) -> ast.expr | None:
    """Return an argument that may be given by position or by keyword."""
    by_name = _keyword(call, keyword)
    return by_name or (call.args[position] if len(call.args) > position else None)


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _in_memory(node: ast.expr, source: ToolSource) -> bool:
    """Whether an argument is a file that exists in memory only."""
    value = source.aliased(node)
    function = source.certain_origin(value.func) if isinstance(value, ast.Call) else None
    return function in source.profile.paths.in_memory


def _is_class_of_value(node: ast.AST, source: ToolSource) -> bool:
    """Whether an expression is `type(x)` or `x.__class__`."""
    if isinstance(node, ast.Call):
        return "builtins.type" in source.origins(node.func)
    return isinstance(node, ast.Attribute) and node.attr == "__class__"


class _Methods:
    """Names of methods that reach outside, by what the text imports and uses.

    A class of the text's own may have methods of these names too. They count all the same: whose
    method is called is decided when the text runs.
    """

    def __init__(self, source: ToolSource) -> None:
        self._source = source
        rules = source.method_rules
        none: frozenset[str] = frozenset()
        self._opening = none.union(*(rule.open for rule in rules))
        self._reading = none.union(*(rule.read | rule.shared_read for rule in rules))
        self._writing = none.union(*(rule.write for rule in rules))
        self._moving = none.union(*(rule.moves for rule in rules))
        self._sql = none.union(*(rule.sql for rule in rules))

    @property
    def classes_open_files(self) -> bool:
        """Whether the class of some value can be one that opens a file where it is called."""
        openers = self._source.profile.openers
        givers = {opener.rpartition(".")[0] for opener in openers} - {"builtins"}
        used = self._source.used_origins
        return bool(used & openers.keys() or givers & self._source.imported_modules)

    def uses(self, node: ast.AST, attr: str, call: ast.Call | None) -> Iterator[Use]:
        """Yield what a method takes; `call` is None where it is not called on the spot."""
        capability: Capability | None = None
        if attr in self._writing:
            capability = Capability.WRITE
        elif attr in self._opening:
            opener = OpenerRules(position=0)
            capability = Capability.WRITE
            if call is not None:
                capability = _opened_for(call, opener, self._source) or Capability.WRITE
        elif (attr in self._moving and _moves(call)) or (
            attr in self._sql and self._opens_file(call, attr)
        ):
            capability = Capability.WRITE
        elif attr in self._reading:
            capability = Capability.READ
        if capability is not None:
            yield Use(capability, node, f".{attr}")

    def _opens_file(self, call: ast.Call | None, method: str) -> bool:
        """Whether the SQL that is run may open a further file."""
        if call is None or not call.args or _has_unseen_arguments(call):
            return True
        statement = self._source.known_text(call.args[0])
        if statement.complete:
            found = (all(w.search(statement.start) for w in words) for words in _SQL_FILES)
            return any(found)
        return method == "executescript" or not _SQL_DATA.match(statement.start)


def _moves(call: ast.Call | None) -> bool:
    """Whether `.replace` and its like move a file: a path's takes one argument, a string's two."""
    if call is None or _has_unseen_arguments(call):
        return True
    return len(call.args) == 1 or any(keyword.arg == "target" for keyword in call.keywords)
