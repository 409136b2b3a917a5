"""The wall's guards of what a program reads and writes while it runs."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from toolguild.sandbox.wall.classes import Classes, members_of, mro_of
from toolguild.sandbox.wall.methods import Methods
from toolguild.sandbox.wall.rules import Fault, Rules, is_dunder, refuse

__all__ = ["Guards"]

_INTERNALS = (
    types.ModuleType,
    types.FrameType,
    types.TracebackType,
    types.CodeType,
    types.CellType,
)
# A class among them is looked at more closely: it might be a class of classes. So is the method of
# a slot: it might be what opens a file once more.
_LOOKED_AT = frozenset({*_INTERNALS, type, types.MethodWrapperType})
_MISSING = object()
_ABSENT = object()

_super_owner: Callable[[Any], type] = super.__dict__["__self_class__"].__get__
_super_place: Callable[[Any], type] = super.__dict__["__thisclass__"].__get__


class Guards:
    """The guards around one program.

    The program cannot name them: they are found among its builtins under names with a space, or
    stand in for a builtin of the same name.
    """

    def __init__(self, rules: Rules, namespace: dict[str, Any]) -> None:
        """Guard the program whose globals are `namespace`."""
        self.namespace = namespace
        self.classes = Classes(rules, namespace)
        self.method = Methods(self.classes, self.get_attribute).safe
        """Guard of methods that reach attributes by data."""
        self._rules = rules
        self._out_of_reach: dict[str, Fault] = {}
        self._cleared: set[tuple[type, str]] = set()

    # These four stand in every inner loop: functions of few instructions, that look nothing up.

    def make_seen(self) -> Callable[[Any], Any]:
        """Return the guard of values that were read from an attribute or an item."""
        looked_at, judge, kind = _LOOKED_AT, self._judge, type

        def seen(value: Any) -> Any:
            return judge(value) if kind(value) in looked_at else value

        return seen

    def make_own(self) -> Callable[[Any, str], Any]:
        """Return the guard of objects whose attribute with a leading underscore is read."""
        cleared, look_closer, kind = self._cleared, self._own, type

        def own(value: Any, name: str) -> Any:
            return value if (kind(value), name) in cleared else look_closer(value, name)

        return own

    def make_write(self) -> Callable[[Any], Any]:
        """Return the guard of objects whose attribute is set."""
        owned, look_closer, kind = self.classes.own, self._check_write, type

        def write(value: Any) -> Any:
            return value if kind(value) in owned else look_closer(value)

        return write

    def make_write_private(self) -> Callable[[Any], Any]:
        """Return the guard of objects whose attribute with a leading underscore is set."""
        owned, look_closer, kind = self.classes.own, self._check_write_private, type

        def write_private(value: Any) -> Any:
            return value if kind(value) in owned else look_closer(value)

        return write_private

    # --- reading -------------------------------------------------------------------------------

    def _judge(self, value: Any) -> Any:
        if value is type:
            return self.classes.type
        if isinstance(value, type):
            return self.classes.show(value)
        if type(value) is not types.MethodWrapperType:
            refuse(f"a {type(value).__name__} cannot be handed out")
        kind = type(value.__self__)
        if value.__name__ == "__init__" and self.classes.is_kept_back(kind):
            refuse(f"a `{kind.__name__}` cannot be made anew")
        return value

    def _own(self, value: Any, name: str) -> Any:
        """Pass an object on whose underscore attribute may be read: one of the program's own."""
        kind = type(value)
        if self.classes.is_own_function(value):
            return value
        bases = _bases_searched(value)
        if not self._is_own_base(bases, name):
            refuse(f"`{name}` is private to `{bases[0].__name__}`, which is not the program's own")
        if bases[0] is kind:  # else it is a class that is asked itself: its type says nothing
            self._cleared.add((kind, name))
        return value

    def _is_own_base(self, bases: tuple[type, ...], name: str) -> bool:
        """Whether the program defines the attribute, or no class does and the object is its own."""
        definer = next((base for base in bases if name in members_of(base)), bases[0])
        return self.classes.is_own_class(bases[0]) and self.classes.is_own_class(definer)

    def get_attribute(self, value: Any, name: str, default: Any = _MISSING, /) -> Any:
        """Stand in for `getattr`: by the same rules as an attribute that is written out."""
        if type(name) is not str:
            msg = f"attribute name must be string, not {type(name).__name__!r}"
            raise TypeError(msg)
        if fault := self._out_of_reach.get(name) or self._rules.attribute_fault(name):
            refuse(fault)
        if name.startswith("_") and not is_dunder(name) and name not in self._rules.private:
            self._own(value, name)
        try:
            found = getattr(value, name)
        except AttributeError:
            if default is _MISSING:
                raise
            return default
        if name in self._rules.by_data:
            found = self.method(found)
        return self._judge(found) if type(found) in _LOOKED_AT else found

    def has_attribute(self, value: Any, name: str, /) -> bool:
        """Stand in for `hasattr`."""
        return self.get_attribute(value, name, _ABSENT) is not _ABSENT

    def withhold_methods_of(self, module: str) -> None:
        """Put methods out of reach, as the program has imported this module."""
        for name in self._rules.methods.get(module, ()):
            if fault := self._rules.method_fault(module, name):
                self._out_of_reach[name] = fault

    # --- writing -------------------------------------------------------------------------------

    def _check_write(self, value: Any) -> Any:
        if not (self.classes.is_own(value) or self.classes.is_record(value)):
            what = type(value).__name__
            refuse(f"attributes of a {what} that is not the program's own cannot be set")
        return value

    def _check_write_private(self, value: Any) -> Any:
        if not self.classes.is_own(value):
            refuse(f"private attributes of a {type(value).__name__} cannot be set")
        return value


def _bases_searched(value: Any) -> tuple[type, ...]:
    """Return the classes in which an attribute of a value is looked for."""
    if type(value) is super:
        bases = mro_of(_super_owner(value))
        return bases[bases.index(_super_place(value)) + 1 :]
    return mro_of(value if isinstance(value, type) else type(value))
