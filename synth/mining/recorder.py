"""Runs inside the sandbox, before recorded code: notes what goes in and out of a part of it.

Its text is put in front of the programs that `instrument` builds, so it imports nothing but the
standard library and is never imported by them.
"""

import inspect
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

MAX_CASES = 32
MAX_CASE_CHARACTERS = 20_000
MAX_CALLS = 500
"""Different arguments of one tool that are noted; one more shows that there were more."""
BLOCK_MARK = "\x1e"
"""Printed before each recorded snippet, to tell their outputs apart."""


class Recorder:
    """Collects cases: arguments as JSON with the value, or the type of the exception."""

    def __init__(self) -> None:
        self._cases: list[dict[str, Any]] = []
        self._errors: list[str | None] = []
        self._messages: list[str] = []
        self._lent: dict[str, dict[str, Any]] = {}
        self._inside = False
        self._entered: Any = None

    def begin(self) -> None:
        """Note that the next snippet starts."""
        self._errors.append(None)
        self._messages.append("")
        print(BLOCK_MARK, end="")

    def fail(self, error: BaseException) -> None:
        """Note that the snippet ended by an exception."""
        self._errors[-1] = type(error).__name__
        if isinstance(error, AssertionError):
            self._messages[-1] = str(error)[:MAX_CASE_CHARACTERS]

    def show(self, value: object) -> None:
        """Print the value of a snippet's last expression, as an interactive interpreter does."""
        if value is not None:
            print(repr(value))

    def watch(self, function: Callable[..., Any], names: Sequence[str]) -> Callable[..., Any]:
        """Return the function, noting its outermost calls under these argument names."""
        signature = inspect.signature(function)

        def watched(*args: Any, **kwargs: Any) -> Any:
            if self._inside:
                return function(*args, **kwargs)
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            arguments = self._freeze(dict(zip(names, bound.arguments.values(), strict=True)))
            self._inside = True
            try:
                value = function(*args, **kwargs)
            except Exception as error:
                self._note(arguments, error=type(error).__name__)
                raise
            finally:
                self._inside = False
            self._note(arguments, value=value)
            return value

        return watched

    def lend(self, name: str, source: str) -> Callable[..., Any]:
        """Return a tool as a function that takes and gives nothing but JSON, noting its calls.

        It can be imported from a module `tools`, too.
        """
        module: dict[str, Any] = {"__name__": name}
        exec(compile(source, name, "exec"), module)  # noqa: S102 - the sandbox is around us
        function = module[name]
        signature = inspect.signature(function)
        calls = self._lent.setdefault(name, {})

        def lent(*args: Any, **kwargs: Any) -> Any:
            given = dict(signature.bind(*args, **kwargs).arguments)
            text = _json(given)
            if len(calls) <= MAX_CALLS:
                calls.setdefault(text, json.loads(text))
            return json.loads(_json(function(**json.loads(text))))

        tools = sys.modules.setdefault("tools", ModuleType("tools"))
        setattr(tools, name, lent)
        return lent

    def enter(self, read: Callable[[], dict[str, Any]]) -> None:
        """Note the values that a window of statements starts from."""
        try:
            self._entered = self._freeze(read())
        except NameError:
            self._entered = None

    def leave(self, read: Callable[[], dict[str, Any]]) -> None:
        """Note the values that a window of statements ends with."""
        try:
            values = read()
        except NameError:
            return
        self._note(self._entered, value=values if len(values) > 1 else next(iter(values.values())))

    @contextmanager
    def checking(self, read: Callable[[], dict[str, Any]]) -> Iterator[None]:
        """Note the values that statements check: true, unless the statements raise."""
        try:
            values = read()
        except Exception:
            values = None
        arguments = self._freeze(values)
        if arguments != values:
            arguments = None  # JSON would make lists of tuples, and the check is of that, too.
        try:
            yield
        except Exception as error:
            self._note(arguments, error=type(error).__name__)
            raise
        self._note(arguments, value=True)

    def evaluate(self, read: Callable[[], dict[str, Any]], compute: Callable[[], Any]) -> Any:
        """Return the value of an expression, noting what it was computed from."""
        try:
            arguments = self._freeze(read())
        except NameError:
            arguments = None
        value = compute()
        self._note(arguments, value=value)
        return value

    def report(self) -> dict[str, Any]:
        """Return the cases, how each snippet ended, and with what tools were called."""
        return {
            "cases": self._cases,
            "errors": self._errors,
            "messages": self._messages,
            "lent": {name: [*calls.values()] for name, calls in self._lent.items()},
        }

    def _note(self, arguments: Any, **ending: Any) -> None:
        frozen = self._freeze(ending)
        if arguments is not None and frozen is not None and len(self._cases) < MAX_CASES:
            self._cases.append({"block": len(self._errors) - 1, "arguments": arguments, **frozen})

    @staticmethod
    def _freeze(value: Any) -> Any:
        """Return a copy made of JSON, or None where JSON cannot carry the value."""
        try:
            text = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            return None
        if len(text) > MAX_CASE_CHARACTERS or not _has_text_keys(value):
            return None
        return json.loads(text)


def _json(value: Any) -> str:
    if not _has_text_keys(value):
        message = "keys of objects are texts in JSON"
        raise TypeError(message)
    return json.dumps(value, allow_nan=False)


def _has_text_keys(value: Any) -> bool:
    """Say whether all keys are texts: `json.dumps` makes texts of numbers without a word."""
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(
            map(_has_text_keys, value.values())
        )
    return not isinstance(value, list | tuple) or all(map(_has_text_keys, value))
