"""What the text of a tool may contain, as plain data: one `CodeProfile` per TOML file.

The static gate (`toolguild.synth.validation.static`) holds the rules; this module holds the lists
that they consult, so that a house can be stricter or looser without touching code.
"""

from __future__ import annotations

import tomllib
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from toolguild.policies.errors import PolicyFileError
from toolguild.policies.tiers import Capability

__all__ = [
    "AttributeRules",
    "BuiltinRules",
    "CodeProfile",
    "DefinitionRules",
    "MethodRules",
    "ModuleRules",
    "OpenerRules",
    "PathRules",
    "TextLimits",
    "WorkLimits",
    "code_profile_names",
    "listed",
    "load_code_profile",
]

Names = frozenset[str]
Positive = Annotated[int, Field(gt=0)]


class _Part(BaseModel):
    """A table of the file; an unknown key in it is a mistake, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TextLimits(_Part):
    """How big a tool may be; parsing hostile text past these takes seconds."""

    max_bytes: Positive
    """Bytes of the text in UTF-8."""
    max_nodes: Positive
    """Nodes of the syntax tree."""
    max_depth: Positive
    """Levels of the syntax tree."""


class WorkLimits(_Part):
    """How much work may be visible in constants."""

    max_range: Positive
    """Steps of a `range`."""
    max_repeat: Positive
    """Items or characters of a sequence that is multiplied."""
    max_bits: Positive
    """Bits of a number that is raised to a power or shifted."""


class BuiltinRules(_Part):
    """Names that a tool may use without defining them."""

    free: Names
    """Usable in any way."""
    guarded: Names
    """Usable as the function of a call only, and looked at closely there."""
    injected: Names
    """Globals that the sandbox adds."""


class ModuleRules(_Part):
    """What a tool may take from one module. All else in the module is out of reach."""

    exports: Names
    needs: Capability | None = None
    """The capability without which the module may not be imported at all."""
    read: Names = frozenset()
    """Exports that read from the file system."""
    write: Names = frozenset()
    """Exports that write to it."""
    network: Names = frozenset()
    """Exports that talk to other machines."""

    @model_validator(mode="after")
    def _effects_are_exports(self) -> Self:
        if stray := (self.read | self.write | self.network) - self.exports:
            msg = f"read, write and network list names that are not exports: {sorted(stray)}"
            raise ValueError(msg)
        return self

    def capability(self, name: str) -> Capability | None:
        """Return what using an export takes, or None where it touches nothing outside."""
        if name in self.network:
            return Capability.NETWORK
        if name in self.write:
            return Capability.WRITE
        return Capability.READ if name in self.read else self.needs


class MethodRules(_Part):
    """Methods that reach outside, of what a module or one of its exports gives."""

    read: Names = frozenset()
    write: Names = frozenset()
    open: Names = frozenset()
    """Methods that open a file and take the mode as their first argument."""
    forbidden: Names = frozenset()
    """Attributes that lead to modules."""


class OpenerRules(_Part):
    """A function that opens a file for reading or for writing, depending on an argument."""

    position: Annotated[int, Field(ge=0)] = 1
    """Position of the deciding argument, from 0."""
    keyword: str = "mode"
    default: str = "r"
    """What the argument is where it is left out."""
    harmless: Names = frozenset()
    """Values of the argument with which nothing outside memory is touched."""
    reading: bool = True
    """Whether values without `w`, `a`, `x` and `+` mean reading; otherwise all mean writing."""


class AttributeRules(_Part):
    """Which attributes of values a tool may name."""

    dunder_reads: Names
    """Attributes with two underscores around them that may be read."""
    dunder_methods: Names
    """Methods with two underscores around them that may be defined, called and read."""
    dunder_hooks: Names
    """Methods that may be defined, but read from `super()` only."""
    dunder_class_data: Names
    """Names with two underscores around them that may be assigned in a class body."""
    dunder_module_data: Names
    """Names with two underscores around them that may be assigned at the top of the module."""
    sunder_class_names: Names
    """Names with one underscore around them that may be defined in a class body."""
    private: Names
    """Attributes with a leading underscore that are public by documentation."""
    forbidden: Names
    """Attributes that lead to frames, code, modules, or to values that others hold."""
    templates: Names
    """Methods that read the attributes which their template names."""


class DefinitionRules(_Part):
    """What may run while the module is being loaded."""

    calls: Names
    """Functions, by their dotted origin; `module.*` stands for a whole module."""
    methods: Names
    """Methods, of any value, by name."""
    decorators: Names
    bases: Names
    """Classes that a tool's classes may derive from."""
    base_calls: Names
    """Functions whose result a class may derive from."""
    metaclasses: Names
    header_only: Names
    """Classes that are derived from, or named as a metaclass, and used in no other way."""
    decorator_only: Names
    """Functions that are decorators, and used in no other way."""


class PathRules(_Part):
    """Paths that may be written out in a tool."""

    absolute: tuple[str, ...]
    """Folders below which an absolute path may lie."""
    in_memory: Names
    """Functions whose result stands for a file, but is none: an opener given one opens nothing."""
    builders: Names
    """Functions whose result is a path that starts with their first argument."""
    functions: Names
    """Functions whose first argument is a path, besides openers and whatever reads or writes."""


class CodeProfile(_Part):
    """Everything that the rules of the static gate take from data."""

    limits: TextLimits
    work: WorkLimits
    builtins: BuiltinRules
    attributes: AttributeRules
    definitions: DefinitionRules
    paths: PathRules
    direct_calls: dict[str, Annotated[int, Field(ge=0)]]
    """Functions that are called directly or not used at all, with the most arguments they take."""
    openers: dict[str, OpenerRules]
    methods: dict[str, MethodRules]
    modules: dict[str, ModuleRules]
    network_modules: Names
    """Modules outside `modules` that are known to talk to other machines."""
    instead: dict[str, str]
    """What to write instead of a name or a module that is refused."""

    @cached_property
    def packages(self) -> Names:
        """Packages that hold an allowed module, such as `xml` and `xml.etree`."""
        return frozenset(
            name.rsplit(".", depth)[0]
            for name in self.modules
            for depth in range(1, name.count(".") + 1)
        )

    def is_module(self, dotted: str) -> bool:
        """Whether a dotted name is an allowed module or a package that holds one."""
        return dotted in self.modules or dotted in self.packages

    def capability(self, dotted: str) -> Capability | None:
        """Return what using a dotted name such as `os.listdir` takes; openers are not in here."""
        module, _, name = dotted.rpartition(".")
        if dotted in self.modules:
            return self.modules[dotted].needs
        return self.modules[module].capability(name) if module in self.modules else None


class _ProfileFile(BaseModel):
    """One TOML file; its other tables belong to other readers."""

    code: CodeProfile


def listed(names: Names, dotted: str) -> bool:
    """Whether a dotted name is in a list, itself or as `module.*`."""
    return dotted in names or f"{dotted.rpartition('.')[0]}.*" in names


def code_profile_names() -> tuple[str, ...]:
    """Return the names of the shipped profiles."""
    folder = files("toolguild.policies") / "profiles"
    shipped = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in shipped if name.endswith(".toml")))


def load_code_profile(profile: str | Path = "balanced") -> CodeProfile:
    """Read a profile: a shipped one by its name, or any TOML file by its path.

    Args:
        profile: a name such as `balanced`, or a `Path`.

    Raises:
        PolicyFileError: the file is missing, is not TOML, or a field of it is wrong; the message
            names the file and the field.
    """
    return _read(profile) if isinstance(profile, Path) else _shipped(profile)


@lru_cache(maxsize=8)
def _shipped(name: str) -> CodeProfile:
    if name not in code_profile_names():
        known = ", ".join(code_profile_names())
        msg = f"no code profile is called {name!r}; shipped are: {known}. Give a Path for a file."
        raise PolicyFileError(msg)
    return _read(Path(str(files("toolguild.policies") / "profiles" / f"{name}.toml")))


def _read(path: Path) -> CodeProfile:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}); check the path of the profile"
        raise PolicyFileError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path}: is not TOML: {error}"
        raise PolicyFileError(msg) from error
    try:
        return _ProfileFile.model_validate(data).code
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
        )
        msg = f"{path}: {faults}"
        raise PolicyFileError(msg) from error
