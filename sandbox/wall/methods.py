"""Safe versions of methods that reach attributes which are named by data.

Such a method is told by its name as it is read, whatever object it is read from; what is neither
known here nor the program's own is refused.
"""

from __future__ import annotations

import abc
import collections
import contextlib
import functools
import types
from collections.abc import Callable
from typing import Any

from toolguild.sandbox.wall.classes import Classes, globals_of
from toolguild.sandbox.wall.format import GetAttribute, safe_format, safe_format_map
from toolguild.sandbox.wall.rules import refuse

__all__ = ["Methods"]

_SAFE = {"format": safe_format, "format_map": safe_format_map}
_OF_USER_STRING = (collections.UserString.format, collections.UserString.format_map)
# `functools.singledispatch` keeps a `register` in an attribute, what these two decorate runs in a
# function of theirs, and the safe versions are functions of this module.
_KNOWN = (vars(functools), vars(contextlib), globals())
_BUILTIN_TYPES = frozenset(
    {
        bool, bytearray, bytes, complex, dict, float, frozenset, int, list, object, range, set, str,
        tuple,
    }
)  # fmt: skip


class Methods:
    """What one program gets for `str.format`, `ABC.register` and the like."""

    def __init__(self, classes: Classes, get: GetAttribute) -> None:
        """Take what tells the program's own, and what reads attributes by the rules."""
        self._classes = classes
        self._get = get

    def safe(self, method: Any) -> Any:
        """Return what a program gets in place of what it read under one of the names.

        Raises:
            RefusedError: it may hand on any name to an object.
        """
        kind = type(method)
        if kind is types.MethodType:
            return self._safe_method(method)
        if kind is types.FunctionType:
            if not (self._classes.is_own_function(method) or _is_known(method)):
                refuse(f"`{method.__name__}` of this object is out of reach")
        elif kind is types.MethodDescriptorType and method.__objclass__ is str:
            return self._bound(method.__name__) if method.__name__ in _SAFE else method
        elif kind is types.BuiltinFunctionType and isinstance(method.__self__, str):
            name = method.__name__
            return self._bound(name, method.__self__) if name in _SAFE else method
        return method

    def _safe_method(self, method: Any) -> Any:
        function = method.__func__
        if function is abc.ABCMeta.register:
            return self._register(method)
        if any(function is known for known in _OF_USER_STRING):
            return self._bound(function.__name__, str(method.__self__))
        own = self._classes.is_own_function(function)
        if type(function) is types.FunctionType and function.__name__ == "__getattr__" and not own:
            # It may hand on any name to an object that the program has put there.
            refuse("`__getattr__` of a class that is not the program's own is out of reach")
        return method

    def _bound(self, name: str, *first: Any) -> Callable[..., str]:
        function, get = _SAFE[name], self._get

        def format(*arguments: Any, **named: Any) -> str:
            return function(get, *first, *arguments, **named)

        return format

    def _register(self, register: Callable[[type], type]) -> Callable[[type], type]:
        def safe_register(subclass: type) -> type:
            # Builtin types have no private attributes, which a pattern of the class might read.
            if not (subclass in _BUILTIN_TYPES or self._classes.is_own_class(subclass)):
                refuse("`register` takes builtin types and classes of the program's own")
            return register(subclass)

        return safe_register


def _is_known(function: types.FunctionType) -> bool:
    """Whether this is no wrapper that somebody may have put around a method of a text."""
    namespace = globals_of(function)
    if any(namespace is known for known in _KNOWN):
        return True
    return namespace.get(function.__name__) is function
