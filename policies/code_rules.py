"""What the text of a tool may contain, as plain data: the table `[code]` of a profile.

The static gate (`toolguild.synth.validation.static`) holds the rules; this module says what the
lists are that they consult, so that a house can be stricter or looser without touching code.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from toolguild.policies.profile import DEFAULT_PROFILE, load_profile
from toolguild.policies.tiers import Capability, Tier

__all__ = [
    "AttributeRules",
    "BuiltinRules",
    "CodeProfile",
    "CostlyArgument",
    "DefinitionRules",
    "FileArgument",
    "MethodRules",
    "ModuleRules",
    "OpenerRules",
    "PathRules",
    "RuleLevel",
    "TextLimits",
    "WorkLimits",
    "listed",
    "load_code_profile",
    "may_be_eased",
]

Names = frozenset[str]
Positive = Annotated[int, Field(gt=0)]
Position = Annotated[int, Field(ge=0)]
RuleCode = Annotated[str, Field(pattern=r"^TG[0-9]{3}$")]

_QUALITY_AND_WORK = ("TG4", "TG5")
_LEANT_UPON = frozenset({"TG401", "TG407", "TG408"})
"""Of these families, what decides which function is the tool and which other tools it calls."""


class RuleLevel(StrEnum):
    """What a finding of a rule means."""

    ERROR = "error"
    """The tool is refused."""
    WARNING = "warning"
    """The tool passes; somebody should look."""
    OFF = "off"
    """The rule is not asked."""


def may_be_eased(code: str) -> bool:
    """Whether a profile may make less than an error of a rule.

    Rules about text, imports, names and definitions (TG0 to TG3) hold at every tier: each of them
    relies on the others, so one hole opens all. Those about quality and about work that the
    sandbox would stop anyway are a matter of taste.
    """
    return code.startswith(_QUALITY_AND_WORK) and code not in _LEANT_UPON


class _Part(BaseModel):
    """A table of the file; an unknown key in it is a mistake, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TextLimits(_Part):
    """How big a tool may be; the bounds keep the answer to hostile text near a second."""

    max_bytes: Positive = Field(le=100_000)
    """Bytes of the text in UTF-8."""
    max_nodes: Positive = Field(le=30_000)
    """Nodes of the syntax tree."""
    max_depth: Positive = Field(le=200)
    """Levels of the syntax tree."""


class WorkLimits(_Part):
    """How much work may be visible in constants."""

    max_range: Positive
    """Steps of a `range`."""
    max_repeat: Positive
    """Items or characters of a sequence that is multiplied."""
    max_bits: Positive
    """Bits of a number that is raised to a power or shifted."""


class CostlyArgument(_Part):
    """An argument of a function that decides how much work a call is."""

    position: Position = 0
    keyword: str = ""
    most: Annotated[float, Field(gt=0)]
    """The largest constant that may stand there."""


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
    from_tier: Tier = Tier.SANDBOX
    """The lowest tier whose tools may import it."""
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

    def open_to(self, tier: Tier) -> bool:
        """Whether tools of a tier may import the module."""
        allowed = self.needs is None or self.needs in tier.capabilities
        return allowed and tier >= self.from_tier

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
    shared_read: Names = frozenset()
    """Methods that read files, of which values in memory have namesakes: they count as reading,
    and the sandbox's wall lets them be."""
    moves: Names = frozenset()
    """Methods that move a file where they are given one argument; namesakes take two."""
    sql: Names = frozenset()
    """Methods that run statements of SQL, which can open further files."""


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
    file_position: Position | None = None
    """Position at which it takes an open file instead of a path, where it does."""
    file_keyword: str = ""
    """The keyword for it."""


class FileArgument(_Part):
    """An argument that a function reads as a file, where it is given."""

    position: Position
    keyword: str


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

    rules: dict[RuleCode, RuleLevel]
    """What a finding of each rule means; a rule that is not listed is an error."""
    limits: TextLimits
    work: WorkLimits
    costly: dict[str, CostlyArgument]
    """Arguments that decide how much work a call is, by dotted name; methods start with a dot."""
    endless: Names
    """Functions whose result never ends."""
    builtins: BuiltinRules
    attributes: AttributeRules
    definitions: DefinitionRules
    paths: PathRules
    direct_calls: dict[str, Annotated[int, Field(ge=0)]]
    """Functions that are called directly or not used at all, with the most arguments they take."""
    openers: dict[str, OpenerRules]
    file_arguments: dict[str, FileArgument]
    methods: dict[str, MethodRules]
    modules: dict[str, ModuleRules]
    network_modules: Names
    """Modules that are known to talk to other machines."""
    never: Names
    """Modules that no house may add, with all that is inside of them."""
    instead: dict[str, str]
    """What to write instead of a name or a module that is refused."""

    @field_validator("rules")
    @classmethod
    def _safety_stands(cls, rules: dict[str, RuleLevel]) -> dict[str, RuleLevel]:
        eased = [code for code, level in rules.items() if level is not RuleLevel.ERROR]
        if fixed := [code for code in sorted(eased) if not may_be_eased(code)]:
            msg = (
                f"{', '.join(fixed)} cannot be less than an error: other rules rely on it at every"
                " tier; to let a tool use something, list it under modules"
            )
            raise ValueError(msg)
        return rules

    def level(self, code: str) -> RuleLevel:
        """Return what a finding of a rule means."""
        return self.rules.get(code, RuleLevel.ERROR)

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


def listed(names: Names, dotted: str) -> bool:
    """Whether a dotted name is in a list, itself or as `module.*`."""
    return dotted in names or f"{dotted.rpartition('.')[0]}.*" in names


def load_code_profile(profile: str | Path = DEFAULT_PROFILE) -> CodeProfile:
    """Return what the static gate takes from a profile.

    Args:
        profile: a shipped one's name such as `balanced`, or the path of a file.

    Raises:
        PolicyFileError: the profile cannot be used; the message names the file and the field.
    """
    return load_profile(profile).code
