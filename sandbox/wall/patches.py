"""What is changed in the library itself, in the process of one program and no other.

Some of its code trusts what a class gives it: it evaluates text, or writes attributes to whatever
`__new__` returned, as it may for programs that could do the same themselves. Behind the wall they
could not.
"""

from __future__ import annotations

import collections
import copy
import enum
import functools
import traceback
import typing
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, TypeAlias

from toolguild.sandbox.wall.classes import mro_of
from toolguild.sandbox.wall.guards import Guards
from toolguild.sandbox.wall.rules import is_dunder, refuse

__all__ = ["Change", "changes", "prepare"]


Change: TypeAlias = tuple[dict[str, Any], str, object]
"""A namespace of the library, a name in it, and what is to be there."""


def changes(guards: Guards) -> list[Change]:
    """Return what is to be changed in modules that are there already."""
    return [_annotations_looked_up(guards), _copies_checked(), *_no_imports_by_suggestions()]


def prepare(module: ModuleType, guards: Guards) -> None:
    """Change what the program could not get at before it imported this module."""
    if module is enum:
        _check_enums_made_of_data(guards)
        _check_new_members()
    elif module is collections:
        _check_copies_of_containers()


# --- annotations -------------------------------------------------------------------------------


def _annotations_looked_up(guards: Guards) -> Change:
    """Make `typing.get_type_hints` look names up where it would evaluate text.

    `functools.singledispatch` calls it on functions of the program, whose annotations may hold
    text that no compiler of ours has seen.
    """

    def get_type_hints(function: Any, *_: Any, **__: Any) -> dict[str, Any]:
        return {
            name: _looked_up(annotation, function.__globals__, guards)
            for name, annotation in function.__annotations__.items()
        }

    return vars(typing), "get_type_hints", get_type_hints


def _looked_up(annotation: Any, namespace: Mapping[str, Any], guards: Guards) -> Any:
    if not isinstance(annotation, str):
        return annotation
    first, *rest = annotation.split(".")
    builtins: Mapping[str, Any] = namespace["__builtins__"]
    if first.startswith("_") or not all(part.isidentifier() for part in (first, *rest)):
        refuse(f"name the class to `register`: the annotation {annotation!r} is not evaluated")
    value = namespace[first] if first in namespace else builtins[first]
    return functools.reduce(guards.get_attribute, rest, value)


# --- tracebacks --------------------------------------------------------------------------------


def _no_imports_by_suggestions() -> list[Change]:
    """Keep `traceback` from importing what an `ImportError` names, to suggest another name."""
    real = vars(traceback).get("_compute_suggestion_error")
    if real is None:
        return []  # before Python 3.12

    def suggest(error: BaseException, *arguments: Any) -> Any:
        return None if isinstance(error, ImportError) else real(error, *arguments)

    return [(vars(traceback), "_compute_suggestion_error", suggest)]


# --- copies ------------------------------------------------------------------------------------


def _copies_checked() -> Change:
    """Have a copy's attributes set only on what is one: `__new__` may have given something else."""
    real = vars(copy)["_reconstruct"]

    def reconstruct(
        value: Any, memo: Any, make: Any, arguments: Any, state: Any = None, *rest: Any
    ) -> Any:
        def make_checked(*given: Any) -> Any:
            return _of_same_class(make(*given), value)

        if state is None:
            return real(value, memo, make, arguments, state, *rest)
        _check_slots(state)
        return real(value, memo, make_checked, arguments, state, *rest)

    return vars(copy), "_reconstruct", reconstruct


def _check_slots(state: Any) -> None:
    """Refuse special names among slots: those a program could not set itself."""
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], Mapping):
        for name in state[1]:
            if is_dunder(_plain(name)):
                refuse(f"an object with the slot `{_plain(name)}` cannot be copied")


def _of_same_class(made: Any, value: Any) -> Any:
    if type(made) is not type(value):
        refuse(f"a copy of a {type(value).__name__} cannot be a {type(made).__name__}")
    return made


def _check_copies_of_containers() -> None:
    for kind in (collections.UserDict, collections.UserList):
        type.__setattr__(kind, "__copy__", _copied_container)


def _copied_container(value: Any) -> Any:
    kind: Any = type(value)
    made = _of_same_class(kind.__new__(kind), value)
    vars(made).update(vars(value))
    vars(made)["data"] = vars(value)["data"].copy()
    return made


# --- enums -------------------------------------------------------------------------------------


def _check_enums_made_of_data(guards: Guards) -> None:
    """Have enums that are made by calling `Enum` looked at as those of a class statement are.

    Their names are data, which no compiler has seen: special methods among them.
    """
    create = vars(enum.EnumType)["_create_"]

    def checked(cls: Any, class_name: str, names: Any, **options: Any) -> Any:
        members = _members(names)
        for member in members:
            name = member if isinstance(member, str) else member[0]
            if name.startswith("_"):
                refuse(f"an enum that is made of data cannot have the member `{name}`")
        guards.classes.check_base(options.get("type") or object)
        # The real one looks for it in the frame of its caller's caller, which is ours.
        options["module"] = options.get("module") or guards.namespace["__name__"]
        return guards.classes.check_made(create.__get__(cls)(class_name, members, **options))

    type.__setattr__(enum.EnumType, "_create_", checked)


def _members(names: Any) -> list[Any]:
    """Return the members that an enum is to have, as names or as pairs of name and value."""
    if isinstance(names, str):
        names = names.replace(",", " ").split()
    items = names.items() if isinstance(names, Mapping) else names
    return [_plain(item) if isinstance(item, str) else (_plain(item[0]), item[1]) for item in items]


def _plain(name: Any) -> str:
    """Return a text without what a subclass makes of it."""
    if not isinstance(name, str):
        msg = f"a name must be a text, not {name!r}"
        raise TypeError(msg)
    return "".join((name,))


def _check_new_members() -> None:
    """Have members be members: an enum calls `__init__` of whatever their `__new__` returned."""
    find = vars(enum.EnumType)["_find_new_"].__func__

    def find_checked(*arguments: Any) -> tuple[Any, ...]:
        new, *more = find(*arguments)
        return (new if new is object.__new__ else _checked_new(new), *more)

    type.__setattr__(enum.EnumType, "_find_new_", classmethod(find_checked))


def _checked_new(new: Callable[..., Any]) -> Callable[..., Any]:
    def checked(cls: type, *arguments: Any, **named: Any) -> Any:
        made = new(cls, *arguments, **named)
        if cls not in mro_of(type(made)):
            refuse(f"`__new__` of the enum `{cls.__name__}` must return a member of it")
        return made

    return checked
