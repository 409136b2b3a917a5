"""The classes of a program behind the wall: its own, those it may derive from, those it may hold.

Derived from a class of the library, a program's class inherits its private attributes and hooks as
if they were its own; so a class derives from what the profile lists, and from nothing else. And
classes that deal in files are not handed out: called, they would open some, and those that read
through a buffer let a program keep a view of memory which is freed.
"""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from toolguild.sandbox.wall.rules import Rules, refuse

__all__ = ["Classes", "globals_of", "members_of", "mro_of", "pattern_attributes"]

_WRITABLE = frozenset(
    {
        "configparser.RawConfigParser", "csv.Dialect", "decimal.Context", "sqlite3.Connection",
        "sqlite3.Cursor", "tarfile.TarInfo", "textwrap.TextWrapper",
        "xml.etree.ElementTree.Element", "zipfile.ZipInfo",
    }
)  # fmt: skip
"""Classes of others whose instances are made to be written to, besides exceptions."""
_FUNCTIONS = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodWrapperType,
    types.MethodDescriptorType,
    types.ModuleType,
)
_OF_FILES = frozenset(
    {
        "_compression", "_io", "_sqlite3", "bz2", "codecs", "compression", "encodings", "gzip",
        "io", "lzma", "sqlite3", "tarfile", "tempfile", "zipfile",
    }
)  # fmt: skip
"""Modules and packages whose classes deal in files."""

# What these stand for as bases; the class that comes of it has neither among its own.
_OF_TYPING = types.resolve_bases((typing.NamedTuple, typing.TypedDict))
_FIELDS = "__dataclass_fields__"

# Read from the types themselves: an object may lie about what it is.
mro_of: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
members_of: Callable[[type], Any] = type.__dict__["__dict__"].__get__
globals_of: Callable[[types.FunctionType], Any] = types.FunctionType.__dict__["__globals__"].__get__


class Classes:
    """Knows the classes and functions of one program from those of others."""

    def __init__(self, rules: Rules, namespace: dict[str, Any]) -> None:
        """Take the rules, and the globals of the program."""
        self._rules = rules
        self._namespace = namespace
        # A text that is no other's: a class whose module is this very object was defined here.
        self._module = namespace["__name__"] = "".join([*namespace["__name__"]])
        self.own: set[type] = set()
        """Classes of the program, as far as anybody has asked for them: see `is_own_class`."""
        self._shown: set[type] = set()
        self._bases: set[object] = {object, *_OF_TYPING}
        self.type = _guarded_type(self.show)
        """What the program finds under the name `type`."""

    # --- its own -------------------------------------------------------------------------------

    def is_own(self, value: Any) -> bool:
        """Whether this is a class or a function of the program, or an instance of its classes."""
        if isinstance(value, type):
            return self.is_own_class(value)
        return self.is_own_class(type(value)) or self.is_own_function(value)

    def is_own_class(self, kind: type) -> bool:
        """Whether the program defines this class, or is just about to."""
        if kind not in self.own and members_of(kind).get("__module__") is self._module:
            self.own.add(kind)
        return kind in self.own

    def is_own_function(self, value: Any) -> bool:
        """Whether this is a function that the program defines."""
        return type(value) is types.FunctionType and globals_of(value) is self._namespace

    def check_definition(self, bases: tuple[Any, ...], body: Any, *, plain: bool) -> None:
        """Refuse a class that would be no harmless one.

        Args:
            bases: As they are written.
            body: The function that fills the class.
            plain: Whether it names no metaclass.

        Raises:
            RefusedError: it would not be.
        """
        for base in bases:
            # An object of its own could stand for another class each time it is asked.
            if self.is_own_class(type(base)):
                self.check_base(base)
        kinds: list[type] = [self.check_base(base) for base in types.resolve_bases(bases)]
        if _is_protocol(kinds) and "__match_args__" in body.__code__.co_names:
            refuse("a protocol cannot have `__match_args__`")
        for base in kinds:
            self._check_pattern(kinds, pattern_attributes(base), plain=plain)

    def check_base(self, base: Any) -> Any:
        """Pass on what a class may derive from.

        Raises:
            RefusedError: this is not it.
        """
        if not isinstance(base, type) or not (self.is_own_class(base) or self._is_base(base)):
            name = base.__name__ if isinstance(base, type) else type(base).__name__
            refuse(f"a class cannot derive from `{name}`; keep one in an attribute instead")
        return base

    def check_made(self, made: Any) -> Any:
        """Pass on a class that has been made for the program, once it is found harmless.

        Raises:
            RefusedError: it is not.
        """
        if isinstance(made, type):  # what a base stands for may be anything
            self._check_pattern([made], pattern_attributes(made))
        return made

    def check_fields(self, cls: type) -> None:
        """Refuse names of a dataclass's fields that a pattern must not read.

        Raises:
            RefusedError: there are some.
        """
        fields = {name for base in mro_of(cls) for name in members_of(base).get(_FIELDS, ())}
        self._check_pattern([cls], (*fields, *getattr(cls, "__annotations__", ())))

    def _check_pattern(
        self, kinds: list[type], names: tuple[str, ...], *, plain: bool = True
    ) -> None:
        # One with another class of classes takes in what is no instance of it: objects of others.
        plain = plain and all(type(kind) is type for kind in kinds)
        for name in names:
            by_data = name in self._rules.by_data and not plain
            private = name.startswith("_") and _is_protocol(kinds)
            if by_data or private or self._rules.attribute_fault(name):
                refuse(f"a class pattern cannot read `{name}`; choose another name")

    def _is_base(self, base: type) -> bool:
        if base not in self._bases:
            self._bases.update(self._listed_bases())  # more, if more is imported by now
        if base in self._bases:
            return True
        # `except*` trusts what the methods of a group return; other bases bring other attributes.
        return issubclass(base, BaseException) and not any(
            issubclass(each, BaseExceptionGroup) or not issubclass(each, BaseException)
            for each in mro_of(base)[:-1]
        )

    def _listed_bases(self) -> Iterator[type]:
        for dotted in self._rules.bases:
            module, _, name = dotted.rpartition(".")
            if module in sys.modules:
                names = self._rules.modules.get(module, ()) if name == "*" else (name,)
                found = (getattr(sys.modules[module], each, None) for each in names)
                yield from (e for e in found if isinstance(e, type) and type not in mro_of(e))

    # --- those of others -----------------------------------------------------------------------

    def show(self, kind: type) -> type:
        """Return what a program sees of a class, which is the class itself or nothing.

        Raises:
            RefusedError: it makes classes, or deals in files.
        """
        if kind not in self._shown and not self.is_own_class(kind):
            if type in mro_of(kind) and kind is not self.type:
                refuse(f"`{kind.__name__}` makes classes; use `type(value)` or the class itself")
            if self.is_kept_back(kind):
                refuse(f"the class `{kind.__name__}` cannot be handed out; use its methods")
            self._shown.add(kind)
        return kind

    def is_kept_back(self, kind: type) -> bool:
        """Whether a class of others is none that the program may call."""
        if self.is_own_class(kind) or kind.__module__.partition(".")[0] not in _OF_FILES:
            return False
        exported = self._rules.modules.get(kind.__module__.removeprefix("_"), ())
        return kind.__qualname__ not in exported and not issubclass(kind, BaseException)

    def is_record(self, value: Any) -> bool:
        """Whether this is an object of others that is made to be written to."""
        if isinstance(value, (type, *_FUNCTIONS)):
            return False
        if isinstance(value, BaseException):
            return True
        return any(
            f"{base.__module__}.{base.__qualname__}" in _WRITABLE for base in mro_of(type(value))
        )


def _is_protocol(kinds: Iterable[type]) -> bool:
    """Whether one takes in whatever has the right attributes."""
    return any(typing.Protocol in mro_of(kind) for kind in kinds)


def pattern_attributes(made: type) -> tuple[str, ...]:
    """Return the attributes that a class pattern reads by position."""
    for base in mro_of(made):
        if "__match_args__" in members_of(base):
            names = members_of(base)["__match_args__"]
            # Whatever else it is, a pattern fails on it.
            return names if type(names) is tuple and all(type(n) is str for n in names) else ()
    return ()


def _guarded_type(show: Callable[[type], type]) -> type:
    """Return what stands in for `type`: it tells the class of a value, and makes none."""

    class Meta(type):
        def __call__(cls, *arguments: Any, **options: Any) -> Any:
            if len(arguments) != 1 or options:
                refuse("`type` takes one argument; write a `class` statement to make a class")
            kind = type(arguments[0])
            return cls if kind is type or kind is Meta else show(kind)

        def __instancecheck__(cls, value: Any) -> bool:
            return isinstance(value, type)

        def __subclasscheck__(cls, kind: Any) -> bool:
            return issubclass(kind, type)

        def __getitem__(cls, item: Any) -> Any:
            return types.GenericAlias(cls, item)

        def __repr__(cls) -> str:
            return "<class 'type'>"

    return Meta("type", (), {"__slots__": (), "__module__": "builtins"})
