"""The wall's guards of what a program reads and writes while it runs."""

from __future__ import annotations

import abc
import collections
import types
from collections.abc import Callable
from typing import Any, NoReturn

from toolguild.sandbox.wall_format import safe_format, safe_format_map
from toolguild.sandbox.wall_rules import (
    RefusedError,
    Rules,
    is_dunder,
)

__all__ = ["Guards", "refuse"]

_INTERNALS = (
    types.ModuleType,
    types.FrameType,
    types.TracebackType,
    types.CodeType,
    types.CellType,
)
# A class among them is looked at more closely: it might be a class of classes.
_LOOKED_AT = frozenset({*_INTERNALS, type})
_MISSING = object()
_ABSENT = object()
_FUNCTIONS = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodWrapperType,
    types.MethodDescriptorType,
    types.ModuleType,
)
_WRITABLE = frozenset(
    {
        "configparser.RawConfigParser", "csv.Dialect", "decimal.Context", "sqlite3.Connection",
        "sqlite3.Cursor", "tarfile.TarInfo", "textwrap.TextWrapper",
        "xml.etree.ElementTree.Element", "zipfile.ZipInfo",
    }
)  # fmt: skip
"""Classes of others whose instances are made to be written to, besides exceptions."""

# Read from the types themselves: an object may lie about what it is.
_mro_of: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_members_of: Callable[[type], Any] = type.__dict__["__dict__"].__get__
_super_owner: Callable[[Any], type] = super.__dict__["__self_class__"].__get__
_super_place: Callable[[Any], type] = super.__dict__["__thisclass__"].__get__
_globals_of: Callable[[types.FunctionType], Any] = types.FunctionType.__dict__[
    "__globals__"
].__get__


def refuse(why: str) -> NoReturn:
    """Raise what a program gets that asks for too much.

    Raises:
        RefusedError: always.
    """
    msg = f"{why}."
    raise RefusedError(msg)


class Guards:
    """The guards around one program.

    The program cannot name them: they are found among its builtins under names with a space, or
    stand in for a builtin of the same name.
    """

    def __init__(self, rules: Rules, namespace: dict[str, Any]) -> None:
        """Guard the program whose globals are `namespace`."""
        self._rules = rules
        self.namespace = namespace
        self._out_of_reach: dict[str, str] = {}
        self._own: set[type] = set()
        self._cleared: set[tuple[type, str]] = set()
        self.type = _guarded_type()
        """What the program finds under the name `type`."""

    # --- reading -------------------------------------------------------------------------------

    # These four stand in every inner loop: functions of few instructions, that look nothing up.

    def make_seen(self) -> Callable[[Any], Any]:
        """Return the guard of values that were read from an attribute or an item."""
        looked_at, judge, kind = _LOOKED_AT, self._judge, type

        def seen(value: Any) -> Any:
            return judge(value) if kind(value) in looked_at else value

        return seen

    def make_own(self) -> Callable[[Any, str], Any]:
        """Return the guard of objects whose attribute with a leading underscore is read."""
        cleared, look_closer, kind = self._cleared, self.own, type

        def own(value: Any, name: str) -> Any:
            return value if (kind(value), name) in cleared else look_closer(value, name)

        return own

    def make_write(self) -> Callable[[Any], Any]:
        """Return the guard of objects whose attribute is set."""
        owned, look_closer, kind = self._own, self._check_write, type

        def write(value: Any) -> Any:
            return value if kind(value) in owned else look_closer(value)

        return write

    def make_write_private(self) -> Callable[[Any], Any]:
        """Return the guard of objects whose attribute with a leading underscore is set."""
        owned, look_closer, kind = self._own, self._check_write_private, type

        def write_private(value: Any) -> Any:
            return value if kind(value) in owned else look_closer(value)

        return write_private

    def _judge(self, value: Any) -> Any:
        if value is type:
            return self.type
        if not isinstance(value, type):
            refuse(f"a {type(value).__name__} cannot be handed out")
        if type in _mro_of(value) and value is not self.type:
            refuse(f"`{value.__name__}` makes classes; use `type(value)` or the class itself")
        return value

    def own(self, value: Any, name: str) -> Any:
        """Pass an object on whose underscore attribute may be read: one of the program's own."""
        kind = type(value)
        if self._is_own_function(value):
            return value
        bases = _bases_searched(value)
        if self._is_own_base(bases, name):
            # Of a class that is asked itself, the type says nothing.
            if bases[0] is kind:
                self._cleared.add((kind, name))
            return value
        refuse(f"`{name}` is private to `{bases[0].__name__}`, which is not the program's own")

    def _is_own_base(self, bases: tuple[type, ...], name: str) -> bool:
        """Whether the program defines the attribute, or no class does and the object is its own."""
        definer = next((base for base in bases if name in _members_of(base)), bases[0])
        return bases[0] in self._own and definer in self._own

    def captured(self, *values: Any) -> bool:
        """Check what a class pattern has bound."""
        for value in values:
            if type(value) in _LOOKED_AT and self._judge(value) is not value:
                refuse("`type` cannot be bound by a pattern")
        return True

    def get_attribute(self, value: Any, name: str, default: Any = _MISSING, /) -> Any:
        """Stand in for `getattr`: by the same rules as an attribute that is written out."""
        if type(name) is not str:
            msg = f"attribute name must be string, not {type(name).__name__!r}"
            raise TypeError(msg)
        if name in self._out_of_reach:
            refuse(f"`.{name}` of what `{self._out_of_reach[name]}` gives is out of reach")
        if fault := self._rules.attribute_fault(name):
            refuse(fault)
        if name.startswith("_") and not is_dunder(name) and name not in self._rules.private:
            self.own(value, name)
        try:
            found = getattr(value, name)
        except AttributeError:
            if default is _MISSING:
                raise
            return default
        if name in self._rules.templates or name == "register":
            found = self.method(found)
        return self._judge(found) if type(found) in _LOOKED_AT else found

    def withhold_methods_of(self, module: str) -> None:
        """Put methods out of reach, as the program has imported this module."""
        self._out_of_reach.update(dict.fromkeys(self._rules.methods.get(module, ()), module))

    def has_attribute(self, value: Any, name: str, /) -> bool:
        """Stand in for `hasattr`."""
        return self.get_attribute(value, name, _ABSENT) is not _ABSENT

    def method(self, method: Any) -> Any:
        """Return a safe version of `str.format`, `str.format_map` and `ABC.register`.

        Any other method of such a name stays as it is.
        """
        if type(method) is types.MethodType and method.__func__ is abc.ABCMeta.register:
            return self._register(method)
        safe = {"format": safe_format, "format_map": safe_format_map}
        if type(method) is types.MethodDescriptorType and method.__objclass__ is str:
            return _bound(safe[method.__name__], self.get_attribute)
        if type(method) is types.BuiltinFunctionType and isinstance(method.__self__, str):
            return _bound(safe[method.__name__], self.get_attribute, method.__self__)
        function = getattr(method, "__func__", method)
        if function in (collections.UserString.format, collections.UserString.format_map):
            if function is method:
                refuse("call the method of a text, not of the class `UserString`")
            return _bound(safe[function.__name__], self.get_attribute, str(method.__self__))
        return method

    def _register(self, register: Callable[[type], type]) -> Callable[[type], type]:
        def safe_register(subclass: type) -> type:
            private = [n for n in _pattern_attributes(register.__self__) if n.startswith("_")]  # type: ignore[attr-defined] # a method
            if private and not self.is_own(subclass):
                refuse(f"`{private[0]}` of a class that is not the program's own is private")
            return register(subclass)

        return safe_register

    # --- writing -------------------------------------------------------------------------------

    def _check_write(self, value: Any) -> Any:
        if self.is_own(value) or _is_record(value):
            return value
        what = type(value).__name__
        refuse(f"attributes of a {what} that is not the program's own cannot be set")

    def _check_write_private(self, value: Any) -> Any:
        if self.is_own(value):
            return value
        refuse(f"private attributes of a {type(value).__name__} cannot be set")

    def is_own(self, value: Any) -> bool:
        """Whether this is a class or a function of the program, or an instance of its classes."""
        if isinstance(value, type):
            return value in self._own
        return type(value) in self._own or self._is_own_function(value)

    def _is_own_function(self, value: Any) -> bool:
        return type(value) is types.FunctionType and _globals_of(value) is self.namespace

    # --- classes -------------------------------------------------------------------------------

    def adopt(self, made: Any) -> Any:
        """Take a class for the program's own, once it is found harmless, and return it."""
        if not isinstance(made, type):
            return made  # what a base stands for may be anything
        if issubclass(made, BaseExceptionGroup):
            # `except*` trusts what its methods return.
            refuse("a class cannot derive from `ExceptionGroup`")
        if type in _mro_of(made) or self.type in _mro_of(made):
            refuse("a class cannot derive from `type`")
        for name in _pattern_attributes(made):
            # A protocol takes in whatever has the right attributes, and so the objects of others.
            hidden = name.startswith("_") and getattr(made, "_is_protocol", False)
            if hidden or name in self._rules.templates or self._rules.attribute_fault(name):
                refuse(f"a class pattern cannot read `{name}`; choose another name")
        self._own.add(made)
        return made

    def refuse_open(self, *arguments: Any, **options: Any) -> NoReturn:
        """Stand in for `open`: programs are given no files in this version."""
        refuse("`open` needs files, and this program was given none; take the text as a parameter")


def _bases_searched(value: Any) -> tuple[type, ...]:
    """Return the classes in which an attribute of a value is looked for."""
    if type(value) is super:
        bases = _mro_of(_super_owner(value))
        return bases[bases.index(_super_place(value)) + 1 :]
    return _mro_of(value if isinstance(value, type) else type(value))


def _bound(function: Callable[..., str], *first: Any) -> Callable[..., str]:
    def format(*arguments: Any, **named: Any) -> str:
        return function(*first, *arguments, **named)

    return format


def _is_record(value: Any) -> bool:
    if isinstance(value, (type, *_FUNCTIONS)):
        return False
    if isinstance(value, BaseException):
        return True
    return any(
        f"{base.__module__}.{base.__qualname__}" in _WRITABLE for base in _mro_of(type(value))
    )


def _pattern_attributes(made: type) -> tuple[str, ...]:
    for base in _mro_of(made):
        if "__match_args__" in _members_of(base):
            names = _members_of(base)["__match_args__"]
            # Whatever else it is, a pattern fails on it.
            return names if type(names) is tuple and all(type(n) is str for n in names) else ()
    return ()


def _guarded_type() -> type:
    """Return what stands in for `type`: it tells the class of a value, and makes none."""

    class Meta(type):
        def __call__(cls, *arguments: Any, **options: Any) -> Any:
            if len(arguments) != 1 or options:
                refuse("`type` takes one argument; write a `class` statement to make a class")
            kind = type(arguments[0])
            if kind is type or kind is Meta:
                return cls
            if type in _mro_of(kind):
                refuse(f"the class of the class `{arguments[0].__name__}` cannot be handed out")
            return kind

        def __instancecheck__(cls, value: Any) -> bool:
            return isinstance(value, type)

        def __subclasscheck__(cls, kind: Any) -> bool:
            return issubclass(kind, type)

        def __getitem__(cls, item: Any) -> Any:
            return types.GenericAlias(cls, item)

        def __repr__(cls) -> str:
            return "<class 'type'>"

    return Meta("type", (), {"__slots__": (), "__module__": "builtins"})
