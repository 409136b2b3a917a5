"""What a program behind the wall gets when it imports: views that show the listed names only."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import operator
import os
import re
import typing
from collections.abc import Callable, Mapping
from typing import Any

from toolguild.sandbox.wall_guards import Guards, refuse
from toolguild.sandbox.wall_rules import RefusedImportError, Rules

__all__ = ["Metaclass", "ModuleView", "Modules"]

_MISSING = object()
_PATH_OPTIONS = ("file", "filename", "name", "database")


class ModuleView:
    """A module as the program sees it: its attributes are the names that the profile lists."""


def _make_view(module: str) -> ModuleView:
    # A class without `__getattr__`, which would make every access slow.
    view: ModuleView = type(f"module {module}", (ModuleView,), {})()
    return view


class Metaclass:
    """Stands for a class of classes: the `metaclass` of a class statement, and nothing else."""


class Modules:
    """The modules of one program."""

    def __init__(self, rules: Rules, guards: Guards) -> None:
        self._rules = rules
        self._guards = guards
        self._views: dict[str, ModuleView] = {}
        self._stand_ins = _stand_ins(guards)
        # Not in the stand-ins themselves, which the program holds.
        self._metaclasses: dict[Metaclass, type] = {}

    def do_import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> Any:
        """Stand in for `__import__`.

        Raises:
            RefusedImportError: the program may not have a name.
        """
        if not self._rules.is_module(name):
            # The interpreter itself asks, as `strptime` does for `_strptime`: it looks the module
            # up on its own. A program would have been refused when it was compiled.
            importlib.import_module(name)
            return None
        for asked in fromlist or ():
            if asked != "__doc__" and (fault := self._rules.import_fault(name, asked)):
                msg = f"{fault}."
                raise RefusedImportError(msg)
        view = self._view(name)
        return view if fromlist else self._view(name.split(".")[0])

    def metaclass(self, stand_in: object) -> type:
        """Return the class of classes that a class statement asks for.

        Raises:
            RefusedError: it is not one that the program may have.
        """
        if type(stand_in) is not Metaclass:
            refuse("this metaclass is not available; use a decorator or a base class")
        return self._metaclasses[stand_in]

    def _view(self, name: str) -> ModuleView:
        if name not in self._views:
            self._views[name] = _make_view(name)
            self._fill(name)
        return self._views[name]

    def _fill(self, name: str) -> None:
        module = importlib.import_module(name)
        self._guards.withhold_methods_of(name)
        shown = vars(self._views[name])
        for export in self._rules.modules.get(name, ()):
            # Which names there are depends on the version of Python.
            value = getattr(module, export, _MISSING)
            if value is not _MISSING:
                shown[export] = self._as_shown(f"{name}.{export}", value)
        package, _, leaf = name.rpartition(".")
        if package:
            vars(self._view(package))[leaf] = self._views[name]
        for known in self._rules.modules:
            # Some modules come with another: `os.path` is there once `os` is.
            parent, _, leaf = known.rpartition(".")
            if parent == name and hasattr(module, leaf) and leaf not in shown:
                shown[leaf] = self._view(known)

    def _as_shown(self, dotted: str, value: Any) -> Any:
        if dotted in self._stand_ins:
            return self._stand_ins[dotted]
        if dotted in self._rules.metaclasses:
            stand_in = Metaclass()
            self._metaclasses[stand_in] = value
            return stand_in
        if dotted in self._rules.openers:
            return _opener(dotted, value, self._rules.openers[dotted])
        return value


def _stand_ins(guards: Guards) -> dict[str, Any]:
    """Return what stands in for functions that read, write or make by data, by dotted name."""
    get = guards.get_attribute

    def attrgetter(*names: str) -> Callable[[Any], Any]:
        operator.attrgetter(*names)  # for its errors

        def read(value: Any, name: str) -> Any:
            return functools.reduce(get, name.split("."), value)

        if len(names) == 1:
            return lambda value: read(value, names[0])
        return lambda value: tuple(read(value, name) for name in names)

    def methodcaller(name: str, /, *arguments: Any, **named: Any) -> Callable[[Any], Any]:
        operator.methodcaller(name)
        return lambda value: get(value, name)(*arguments, **named)

    def wraps(wrapped: Any) -> Callable[[Any], Any]:
        def wrap(wrapper: Any) -> Any:
            if not guards.is_own(wrapper):
                refuse("`wraps` writes to what it decorates: that must be the program's own")
            return functools.wraps(wrapped)(wrapper)

        return wrap

    def dataclass(cls: type | None = None, /, **options: Any) -> Any:
        if cls is None:
            return lambda decorated: dataclass(decorated, **options)
        if not guards.is_own(cls):
            refuse("`dataclass` writes to what it decorates: that must be the program's own")
        _spell_out_markers(cls, guards.namespace)
        # With `slots=True` it is a class of its own.
        return guards.adopt(dataclasses.dataclass(cls, **options))

    return {
        "dataclasses.dataclass": dataclass,
        "functools.wraps": wraps,
        "operator.attrgetter": attrgetter,
        "operator.methodcaller": methodcaller,
    }


_MARKERS = (typing.ClassVar, dataclasses.InitVar, dataclasses.KW_ONLY)
_MARKER = re.compile(r"\s*(\w+)\s*\.\s*(\w+)")


def _spell_out_markers(cls: type, namespace: Mapping[str, Any]) -> None:
    """Put `typing.ClassVar` and the like where an annotation is their text.

    `dataclasses` reads the text, and would not know the view for the module that it stands for.
    """
    annotations = vars(cls).get("__annotations__", {})
    for name, annotation in annotations.items():
        if isinstance(annotation, str) and (match := _MARKER.match(annotation)):
            view = namespace.get(match[1])
            meant = vars(view).get(match[2]) if isinstance(view, ModuleView) else None
            if any(meant is marker for marker in _MARKERS):
                annotations[name] = meant


def _opener(dotted: str, opener: Any, harmless: frozenset[str]) -> Any:
    """Return what opens files in memory only: no program has others in this version."""

    def check(arguments: tuple[Any, ...], options: Mapping[str, Any]) -> None:
        if options.get("fileobj") is not None:
            return
        named = [options[name] for name in _PATH_OPTIONS if name in options]
        for value in (*arguments[:1], *named):
            known = type(value) is str and value in harmless
            if not known and isinstance(value, (str, bytes, int, os.PathLike)):
                refuse(f"`{dotted}` needs files, and this program was given none")

    if isinstance(opener, type):
        # A class, so that `isinstance` goes on to work.
        class Opener(opener):  # type: ignore[misc] # whatever class it is
            def __init__(self, *arguments: Any, **options: Any) -> None:
                check(arguments, options)
                super().__init__(*arguments, **options)

        Opener.__name__ = Opener.__qualname__ = opener.__name__
        Opener.__module__ = opener.__module__
        return Opener

    @functools.wraps(opener)
    def open_in_memory(*arguments: Any, **options: Any) -> Any:
        check(arguments, options)
        return opener(*arguments, **options)

    return open_in_memory


def forbid_evaluation_of_annotations(guards: Guards) -> None:
    """Make `typing.get_type_hints` look names up where it would evaluate text.

    `functools.singledispatch` calls it on functions of the program, whose annotations may hold
    text that no compiler of ours has seen.
    """

    def get_type_hints(function: Any, *_: Any, **__: Any) -> dict[str, Any]:
        return {
            name: _looked_up(annotation, function.__globals__, guards)
            for name, annotation in function.__annotations__.items()
        }

    typing.get_type_hints = get_type_hints  # type: ignore[assignment] # of a narrower kind


def _looked_up(annotation: Any, namespace: Mapping[str, Any], guards: Guards) -> Any:
    if not isinstance(annotation, str):
        return annotation
    first, *rest = annotation.split(".")
    builtins: Mapping[str, Any] = namespace["__builtins__"]
    if first.startswith("_") or not all(part.isidentifier() for part in (first, *rest)):
        refuse(f"name the class to `register`: the annotation {annotation!r} is not evaluated")
    value = namespace[first] if first in namespace else builtins[first]
    return functools.reduce(guards.get_attribute, rest, value)
