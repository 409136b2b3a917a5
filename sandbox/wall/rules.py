"""What a program behind the wall may name, as plain data; shared by its compiler and its guards."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

__all__ = [
    "LACKING",
    "Fault",
    "RefusedError",
    "RefusedImportError",
    "Rules",
    "is_dunder",
    "lacking",
    "refuse",
]

LACKING = "toolguild.lacking"
"""Audit event: the wall refuses what needs a capability, which it names (see `observation`)."""

Names = frozenset[str]


class Fault(NamedTuple):
    """What speaks against something that a program asks for."""

    why: str
    wanted: str = ""
    """The capability that it lacks, "" where none would help."""

    def tell(self) -> str:
        """Say why, and let whoever watches this process know what was wanted."""
        if self.wanted:
            sys.audit(LACKING, self.wanted)
        return self.why


class RefusedError(Exception):
    """The wall refused what the program asked for; the message says what to do instead."""


class RefusedImportError(RefusedError, ImportError):
    """A module, or a name in one, is not available behind the wall."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The lists of a code profile that the wall consults."""

    capabilities: Names
    """What the program may do with files: `read`, `write`."""
    builtins: Names
    """Those that the program may use, some of them as stand-ins of the wall's."""
    dunder_reads: Names
    dunder_methods: Names
    dunder_hooks: Names
    """Methods that a class may define, but that are read from `super()` only."""
    dunder_class_data: Names
    dunder_module_data: Names
    sunder_class_names: Names
    private: Names
    """Attributes with a leading underscore that any object may be asked for."""
    forbidden: Names
    by_data: Names
    """Methods that may reach attributes which are named by data, such as `format`."""
    bases: Names
    """Classes of others that a class may derive from; `module.*` stands for all of a module."""
    metaclasses: Names
    paths: Names
    """Functions whose first argument is a path."""
    modules: Mapping[str, Names]
    """Names that each module shows."""
    withheld: Mapping[str, str]
    """Dotted names that need a capability which the program does not have, and which."""
    methods: Mapping[str, Mapping[str, str]]
    """Attributes that are out of reach in programs that import from a module, each with the
    capability that it takes, or "" where none helps."""
    instead: Mapping[str, str]
    """What to write instead of a name that is refused."""
    packages: Names
    """Packages that hold a module, such as `xml` and `xml.etree`."""
    withheld_methods: Names = field(init=False)
    """All that `methods` names."""

    def __post_init__(self) -> None:
        withheld: Names = frozenset().union(*self.methods.values())
        object.__setattr__(self, "withheld_methods", withheld)

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Rules:
        """Read what `profile.wall_rules` made."""
        modules = {name: frozenset(names) for name, names in data["modules"].items()}
        lists = {name: frozenset(data[name]) for name in cls._lists()}
        return cls(
            **lists,
            modules=modules,
            withheld=data["withheld"],
            methods=data["methods"],
            instead=data["instead"],
            packages=frozenset(
                name.rsplit(".", depth)[0]
                for name in modules
                for depth in range(1, name.count(".") + 1)
            ),
        )

    @classmethod
    def _lists(cls) -> list[str]:
        return [
            name
            for name, kind in cls.__annotations__.items()
            if kind == "Names" and name not in ("packages", "withheld_methods")
        ]

    def attribute_fault(self, name: str) -> str:
        """Say what is wrong with reading an attribute of whatever object, "" if nothing is.

        Names with a leading underscore that are not dunder pass: they depend on the object.
        """
        if name in self.forbidden:
            return f"the attribute `{name}` is out of reach"
        known = name in self.dunder_reads or name in self.dunder_methods
        return "" if known or not is_dunder(name) else f"the attribute `{name}` is out of reach"

    def method_fault(self, module: str, name: str) -> Fault | None:
        """Say what is wrong with an attribute in a program that imports from a module."""
        needed = self.methods.get(module, {}).get(name)
        if needed is None:
            return None
        what = f"`.{name}` of what `{module}` gives"
        return lacking(what, needed) if needed else Fault(f"{what} is out of reach")

    def is_module(self, dotted: str) -> bool:
        """Whether a program may import this."""
        return dotted in self.modules or dotted in self.packages

    def import_fault(self, module: str, name: str = "") -> Fault | None:
        """Say what is wrong with importing a module, or a name of it, None if nothing is."""
        dotted = f"{module}.{name}" if name else module
        if self.is_module(dotted) or (name and name in self.modules.get(module, ())):
            return None
        for asked in (dotted, module):
            if asked in self.withheld:
                return lacking(f"`{asked}`", self.withheld[asked])
        if name and self.is_module(module):
            return Fault(f"`{name}` cannot be imported from `{module}`")
        advice = self.instead.get(dotted) or self.instead.get(dotted.split(".")[0], "")
        return Fault(f"the module `{dotted}` cannot be imported. {advice}".strip(" ."))


def lacking(what: str, capability: str) -> Fault:
    """Say that something needs a capability, and what to do about it."""
    needs, remedy = f"the capability `{capability}`", ": it must be among the program's needs"
    if capability == "network":
        needs, remedy = "the network", ", which only a tool of the tier `full` can have"
    return Fault(f"{what} needs {needs}{remedy}", capability)


def refuse(fault: Fault | str) -> NoReturn:
    """Raise what a program gets that asks for too much.

    What it lacks is told at once: the program may catch the error and go on.

    Raises:
        RefusedError: always.
    """
    msg = f"{fault if isinstance(fault, str) else fault.tell()}."
    raise RefusedError(msg)


def is_dunder(name: str) -> bool:
    """Whether a name has two underscores on both sides."""
    return len(name) > 4 and name.startswith("__") and name.endswith("__")
