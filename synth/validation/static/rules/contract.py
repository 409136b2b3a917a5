"""TG4xx: is the module a tool? These rules are about quality, not about safety."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from toolguild.synth.validation.static.effects import is_call_tool, tool_calls
from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.index import FunctionNode
from toolguild.synth.validation.static.json_types import Fit, json_fit
from toolguild.synth.validation.static.rules.base import Question, TreeRule, shown
from toolguild.synth.validation.static.scopes import ScopeKind
from toolguild.synth.validation.static.source import BUILTIN_NAMES, ToolSource

__all__ = [
    "CallToolForm",
    "EntryDocstring",
    "EntryForm",
    "EntryMissing",
    "EntrySignature",
    "EntryTypes",
    "HarnessNameTaken",
    "VagueType",
]


def _tool(signature: str, *body: str, before: str = "") -> str:
    """Return the text of a tool with a docstring that will do, for examples."""
    docstring = "'''Do it with a, b, n and p; returns what comes of it.'''"
    return "\n    ".join([f"{before}def {signature}:", docstring, *body])


def entry_of(source: ToolSource, question: Question) -> FunctionNode | None:
    """Return the tool's function: the one asked for, or else the only public one."""
    public = [function for function in source.functions() if not function.name.startswith("_")]
    if question.entry is not None:
        public = [function for function in source.functions() if function.name == question.entry]
    return public[-1] if len(public) == 1 else None


class EntryMissing(TreeRule[ast.Module]):
    """A module that is not about one public function."""

    code = "TG401"
    title = "no single entry"
    why = "A tool is one function with a name; callers have to know which one."
    remedy = "Define one public function, named as the tool; start the names of helpers with `_`."
    good = ("def f(): pass\ndef _g(): pass", "def f(): pass")
    bad = ("x = 1", "def f(): pass\ndef g(): pass", "def f(): pass\ndef f(): pass", "f = len")
    visits = (ast.Module,)

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Count the functions that could be the entry."""
        functions = list(source.functions())
        if question.entry is None:
            names = [function.name for function in functions if not function.name.startswith("_")]
            if len(names) != 1:
                found = ", ".join(shown(name) for name in names[:5]) or "none"
                message = f"a tool has one public function; this module has {found}"
                yield self.at(node, source, message)
            return
        scope = source.index.module
        bound = scope.bindings.get(question.entry, [])
        if len(bound) != 1 or not isinstance(bound[0].node, FunctionNode):
            how = "more than once" if bound else "nowhere"
            message = f"the tool's function {shown(question.entry)} is defined {how}"
            yield self.at(bound[-1].node if bound else node, source, message)


class EntryForm(TreeRule[ast.Module]):
    """An entry that is no plain function."""

    code = "TG402"
    title = "entry is no plain function"
    why = (
        "The entry is called with JSON values by keyword and returns a JSON value; a coroutine or a"
        " generator is none, and behind a decorator another function can stand."
    )
    remedy = "Write a plain `def`; call what is asynchronous with `asyncio.run` inside."
    good = ("def f(a): return a", "def f():\n    def g(): yield 1\n    return list(g())")
    bad = (
        f"async {_tool('f() -> None')}",
        _tool("f() -> int", "yield 1"),
        _tool("f() -> list[int]", "return [(yield from [])]"),
        _tool("f() -> int", "return 1", before="from functools import cache\n@cache\n"),
    )
    visits = (ast.Module,)

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look at the entry's kind, decorators and `yield`s."""
        entry = entry_of(source, question)
        if entry is None:
            return
        if isinstance(entry, ast.AsyncFunctionDef):
            yield self.at(entry, source, f"{shown(entry.name)} is asynchronous")
        if entry.decorator_list:
            message = f"{shown(entry.name)} has a decorator, so its own signature may not hold"
            yield self.at(entry, source, message, "Decorate a helper and call that.")
        for inner in (*source.index.of_kind(ast.Yield), *source.index.of_kind(ast.YieldFrom)):
            if source.function_around(inner) is entry:
                message = f"{shown(entry.name)} is a generator, whose values are not JSON"
                yield self.at(inner, source, message, "Collect the values in a list and return it.")
                return


class EntrySignature(TreeRule[ast.Module]):
    """Parameters that cannot be given by name."""

    code = "TG403"
    title = "parameters without a name"
    why = "Arguments arrive as a JSON object, so every parameter is given by its name."
    remedy = "Name every parameter; take several values as a list."
    good = ("def f(a, b=1, *, c=2): pass",)
    bad = (
        _tool("f(*a: int) -> None"),
        _tool("f(**p: int) -> None"),
        _tool("f(a: int, /) -> None"),
    )
    visits = (ast.Module,)

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look for `*args`, `**kwargs` and positional-only parameters."""
        entry = entry_of(source, question)
        if entry is None:
            return
        arguments = entry.args
        for argument, stars in ((arguments.vararg, "*"), (arguments.kwarg, "**")):
            if argument is not None:
                message = f"{shown(stars + argument.arg)} takes arguments that have no name"
                yield self.at(argument, source, message)
        for argument in arguments.posonlyargs:
            message = f"{shown(argument.arg)} cannot be given by name"
            yield self.at(argument, source, message, "Leave out the `/`.")


class EntryTypes(TreeRule[ast.Module]):
    """Parameters or a result whose types are not those of JSON."""

    code = "TG404"
    title = "type missing or not of JSON"
    why = (
        "The schema that agents are shown is made of the annotations, and JSON is all that goes in"
        " and out."
    )
    remedy = (
        "Annotate with `str`, `int`, `float`, `bool`, `None`, `list[...]`, `dict[str, ...]`,"
        " `Literal[...]`, a `TypedDict`, or a union of these."
    )
    good = (
        "def f(a: int, b: 'list[str] | None' = None) -> dict[str, float]: pass",
        "from typing import Literal, Optional, TypedDict\nclass R(TypedDict):\n    x: int\n"
        "M = Literal['a', 1]\ndef f(a: M, b: Optional[R]) -> list[R]: pass",
        "import typing as t\ndef f(a: t.Union[int, t.List[str]]) -> t.Any: pass",
        "def f(a: object) -> None: pass",
    )
    bad = (
        _tool("f(a) -> None"),
        _tool("f(a: int)"),
        _tool("f(a: set[int]) -> None"),
        _tool("f(a: dict[int, str]) -> None"),
        _tool("f() -> date", before="from datetime import date\n"),
        _tool("f(a: A) -> None", before="class A: pass\n"),
        _tool(
            "f(a: A) -> None",
            before="import typing\nclass A(typing.TypedDict):\n    x: bytes\n",
        ),
        _tool("f(a: list[bytes]) -> None"),
        _tool("f(a: Literal[b'x']) -> None", before="from typing import Literal\n"),
    )
    visits = (ast.Module,)

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look at the annotations of the entry."""
        entry = entry_of(source, question)
        if entry is None:
            return
        for argument in _parameters(entry):
            if argument.annotation is None:
                message = f"the parameter {shown(argument.arg)} has no type"
                yield self.at(argument, source, message)
            elif json_fit(argument.annotation, source) is Fit.NOT_JSON:
                message = f"the type of the parameter {shown(argument.arg)} is not one of JSON"
                yield self.at(argument.annotation, source, message)
        if entry.returns is None:
            yield self.at(entry, source, f"the result of {shown(entry.name)} has no type")
        elif json_fit(entry.returns, source) is Fit.NOT_JSON:
            yield self.at(entry.returns, source, "the type of the result is not one of JSON")


class VagueType(TreeRule[ast.Module]):
    """`Any` and `object`, which say nothing to whoever calls the tool."""

    code = "TG405"
    title = "vague type"
    why = "A model that sees only `object` has to guess what to pass."
    remedy = "Say what it is: `list[dict[str, int]]`, a `Literal` or a `TypedDict`."
    good = ("def f(a: int, b: list[int]) -> dict[str, int]: pass",)
    bad = (
        _tool("f(a: object) -> None"),
        _tool("f() -> Any", before="from typing import Any\n"),
    )
    visits = (ast.Module,)

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look at the annotations of the entry as a whole."""
        entry = entry_of(source, question)
        if entry is None:
            return
        annotations = [argument.annotation for argument in _parameters(entry)]
        for annotation in [*annotations, entry.returns]:
            if annotation is not None and json_fit(annotation, source) is Fit.VAGUE:
                yield self.at(annotation, source, "the type says nothing about the value")


def _parameters(entry: FunctionNode) -> list[ast.arg]:
    return [*entry.args.posonlyargs, *entry.args.args, *entry.args.kwonlyargs]


class EntryDocstring(TreeRule[ast.Module]):
    """An entry that does not say what it takes and returns."""

    code = "TG406"
    title = "docstring"
    why = "The docstring is the description that agents choose and call the tool by."
    remedy = "Describe what the tool does, every parameter by its name, and the result."
    good = (
        _tool("f(a: int) -> int", "return a"),
        "def f() -> None:\n    '''Do nothing.'''",
    )
    bad = (
        "def f(a: int) -> int: return a",
        "def f(a: int) -> int:\n    '''Returns something.'''\n    return a",
        "def f(a: int) -> int:\n    '''Takes a.'''\n    return a",
        "def f() -> None:\n    '''  '''",
    )
    visits = (ast.Module,)

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look for the names of parameters, and for a word about the result."""
        entry = entry_of(source, question)
        if entry is None:
            return
        text = (ast.get_docstring(entry) or "").strip()
        if not text:
            yield self.at(entry, source, f"{shown(entry.name)} has no docstring")
            return
        words = set(re.findall(r"\w+", text))
        missing = [a.arg for a in _parameters(entry) if a.arg not in words]
        if missing:
            names = ", ".join(shown(name) for name in missing[:5])
            yield self.at(entry, source, f"the docstring does not name the parameter(s) {names}")
        returns = entry.returns
        nothing = isinstance(returns, ast.Constant) and returns.value is None
        if not nothing and not re.search(r"(?i)\b(returns?|results?|gives?|yields?)\b", text):
            yield self.at(entry, source, "the docstring does not say what is returned")


class CallToolForm(TreeRule[ast.Module]):
    """A call of another tool that nobody can foresee."""

    code = "TG407"
    title = "call of an unknown tool"
    why = (
        "Which tools a composite calls decides which tier it may have, so their names are literals"
        " and `call_tool` is not handed around."
    )
    remedy = "Write `call_tool('name', {...})` with the name of an existing tool."
    good = ("def f(): return call_tool('a', {'x': 1})", "try: pass\nexcept ToolCallError: pass")
    bad = (
        _tool("f(n: str) -> list[int]", "return call_tool(n, {})"),
        _tool("f() -> list[int]", "return list(map(call_tool, []))"),
        _tool("f() -> list[int]", "return g()", before="g = call_tool\n"),
        _tool("f() -> list[int]", "return call_tool()"),
    )
    visits = (ast.Module,)

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look at every use of `call_tool`."""
        for call, name in tool_calls(source):
            if name is None:
                yield self.at(call, source, "the name of the called tool is not a literal")
            elif question.calls is not None and name not in question.calls:
                yield self.at(call, source, f"there is no tool {shown(name)}")
        for inner in source.index.of_kind(ast.Name):
            if is_call_tool(inner) and source.called_as(inner) is None:
                yield self.at(inner, source, "`call_tool` is used as something else than a call")


class HarnessNameTaken(TreeRule[ast.Module]):
    """A definition that hides what the sandbox or Python provides."""

    code = "TG408"
    title = "provided name taken"
    why = (
        "A module that defines `call_tool` calls itself instead of other tools, and one that"
        " defines `len` or `print` misleads its readers."
    )
    remedy = "Choose another name."
    good = ("def f(id, input): pass", "class A:\n    def open(self): pass", "from math import pow")
    bad = (
        _tool("f() -> None", before="class call_tool: pass\n"),
        _tool("f() -> int", "return 1", before="def _g(call_tool): pass\n"),
        _tool("f() -> None", before="ToolCallError = ValueError\n"),
        _tool("f() -> None", before="class len: pass\n"),
        _tool("f() -> None", before="print = None\n"),
    )
    visits = (ast.Module,)

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look at what is bound; builtins may be hidden inside of functions and classes."""
        for scope, binding in source.index.bindings:
            if binding.name in question.profile.builtins.injected:
                message = f"{shown(binding.name)} is provided by the sandbox"
                yield self.at(binding.node, source, message)
            elif (
                scope.kind is ScopeKind.MODULE
                and binding.name in BUILTIN_NAMES
                and not binding.name.startswith("_")
                and not binding.origin
            ):
                yield self.at(binding.node, source, f"{shown(binding.name)} is a builtin")
