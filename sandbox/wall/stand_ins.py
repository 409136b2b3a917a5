"""What stands in for functions of the library that read, write or make by data."""

from __future__ import annotations

import dataclasses
import functools
import operator
import re
import typing
from collections.abc import Callable, Mapping
from typing import Any

from toolguild.sandbox.wall.guards import Guards
from toolguild.sandbox.wall.rules import refuse

__all__ = ["ModuleView", "stand_ins"]


class ModuleView:
    """A module as the program sees it: its attributes are the names that the profile lists."""


def stand_ins(guards: Guards) -> dict[str, Any]:
    """Return what the program gets for functions, by their dotted names."""
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
            _check_own(guards, "wraps", wrapper)
            # What is in a class or an object of others would become the wrapper's own.
            updated = ("__dict__",) if guards.classes.is_own_function(wrapped) else ()
            return functools.wraps(wrapped, updated=updated)(wrapper)

        return wrap

    def dataclass(cls: type | None = None, /, **options: Any) -> Any:
        if cls is None:
            return lambda decorated: dataclass(decorated, **options)
        _check_own(guards, "dataclass", cls)
        guards.classes.check_fields(cls)
        _spell_out_markers(cls, guards.namespace)
        # With `slots=True` it is a class of its own.
        return guards.classes.check_made(dataclasses.dataclass(cls, **options))

    def total_ordering(cls: type) -> type:
        _check_own(guards, "total_ordering", cls)
        return functools.total_ordering(cls)

    return {
        "dataclasses.dataclass": dataclass,
        "functools.total_ordering": total_ordering,
        "functools.wraps": wraps,
        "operator.attrgetter": attrgetter,
        "operator.methodcaller": methodcaller,
    }


def _check_own(guards: Guards, what: str, decorated: Any) -> None:
    if not guards.classes.is_own(decorated):
        refuse(f"`{what}` writes to what it decorates: that must be the program's own")


# --- dataclasses -------------------------------------------------------------------------------

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
