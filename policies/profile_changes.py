"""What a house changes of a profile: the table `[profile]` of `toolguild.toml`, or a file.

A house may be stricter in everything. It may add modules, which the shipped profiles cannot know,
and ease rules about quality; what the other rules rely on it cannot take away. Mistakes are
errors that name the file and the field: a list with a typo in it protects nobody.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from toolguild.policies.code_rules import (
    CodeProfile,
    MethodRules,
    ModuleRules,
    RuleLevel,
    may_be_eased,
)
from toolguild.policies.errors import PolicyFileError
from toolguild.policies.evidence import MAX_INPUTS
from toolguild.policies.profile import Profile, Tables, merged
from toolguild.policies.tiers import Capability, Tier
from toolguild.policies.trust import MAX_USES_BETWEEN

__all__ = [
    "AddedModule",
    "DriftChanges",
    "EvidenceChanges",
    "ProfileChanges",
    "TrustChanges",
    "Without",
    "apply_changes",
    "faults_named",
]

Fault = tuple[str, str]
"""A field, and what is wrong with it."""

_SYSTEM_FOLDERS = ("/dev", "/proc", "/sys")
_BUILTINS = "builtins"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AddedModule(ModuleRules):
    """A module that tools of the house may import besides the shipped ones."""

    from_tier: Tier = Tier.RESTRICTED
    """Nobody has looked for ways out of it, so new tools do not get it unless a house says so."""
    methods: MethodRules = MethodRules()
    """Methods of what the module gives that read or write files, or lead to modules."""


class Without(_Part):
    """What the house takes away."""

    modules: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    """Dotted: `os.remove`, `builtins.print`."""
    methods: dict[str, frozenset[str]] = Field(default_factory=dict)
    """By module: attributes that no value may be asked for in a tool that imports it."""


class AddedPaths(_Part):
    """Places for files."""

    absolute: frozenset[str] = frozenset()
    """Folders below which tools may name absolute paths."""


class EvidenceChanges(_Part):
    """How much evidence a tool takes, as `evidence.Evidence` has it."""

    mutants_found: float | None = Field(default=None, ge=0, le=1, strict=True)
    inputs: int | None = Field(default=None, ge=1, le=MAX_INPUTS, strict=True)


class AskedChanges(_Part):
    """What one tier asks for, as `trust.Asked` has it."""

    keep: float | None = Field(default=None, gt=0, lt=1)
    uses: int | None = Field(default=None, ge=0, strict=True)
    rate: float | None = Field(default=None, ge=0, lt=1)
    bound: float | None = Field(default=None, ge=0, lt=1)
    age_h: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    approval: bool | None = Field(default=None, strict=True)


class BudgetChanges(_Part):
    """How much may change, as `trust.Budget` has it."""

    new_tools_a_cycle: int | None = Field(default=None, ge=0, strict=True)
    new_tools_a_day: int | None = Field(default=None, ge=0, strict=True)
    promotions_a_cycle: int | None = Field(default=None, ge=0, strict=True)
    promotions_a_day: int | None = Field(default=None, ge=0, strict=True)


class TrustChanges(_Part):
    """What trust takes, as `trust.Trust` has it."""

    sandbox: AskedChanges = AskedChanges()
    restricted: AskedChanges = AskedChanges()
    full: AskedChanges = AskedChanges()
    budget: BudgetChanges = BudgetChanges()
    alpha: float | None = Field(default=None, gt=0, lt=1)
    uses_between_false_alarms: int | None = Field(
        default=None, ge=1, le=MAX_USES_BETWEEN, strict=True
    )
    cooldown_h: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class DriftChanges(_Part):
    """When results have drifted, as `drift.DriftRules` has it."""

    calls: int | None = Field(default=None, ge=1, strict=True)
    share: float | None = Field(default=None, ge=0, le=1)
    values: bool | None = Field(default=None, strict=True)
    quarantine: bool | None = Field(default=None, strict=True)


_Share = Annotated[float | None, Field(gt=0, le=1)]
_Count = Annotated[int | None, Field(ge=0, strict=True)]


class ImprovementChanges(_Part):
    """How far an agent may change itself, as `improvement.ImprovementRules` has it."""

    success: _Share = None
    example: _Share = None
    similarity: _Share = None
    clauses: _Count = None
    lessons: _Count = None
    lessons_shown: _Count = None
    lesson_trial: _Count = None
    examples: _Count = None
    examples_shown: _Count = None
    example_days: _Count = None
    changes_a_cycle: _Count = None
    changes_a_day: _Count = None
    runs_between_false_alarms: int | None = Field(default=None, ge=1, strict=True)


class ProfileChanges(_Part):
    """One table `[profile]`; everything in it may be left out."""

    name: str = "house"
    description: str = ""
    extends: str = ""
    rules: dict[str, RuleLevel] = Field(default_factory=dict)
    """By code: `error`, `warning` or `off`."""
    limits: dict[str, int] = Field(default_factory=dict)
    """As `code_rules.TextLimits` has them."""
    work: dict[str, int] = Field(default_factory=dict)
    """As `code_rules.WorkLimits` has them."""
    modules: dict[str, AddedModule] = Field(default_factory=dict)
    without: Without = Without()
    evidence: EvidenceChanges = EvidenceChanges()
    trust: TrustChanges = TrustChanges()
    drift: DriftChanges = DriftChanges()
    improvement: ImprovementChanges = ImprovementChanges()
    paths: AddedPaths = AddedPaths()
    instead: dict[str, str] = Field(default_factory=dict)
    """What to write instead of a name or a module that is refused."""


def apply_changes(base: Profile, own: Tables, path: Path, table: str = "") -> Profile:
    """Return a profile with a house's changes worked in.

    Args:
        base: the profile that is changed.
        own: the table of changes, as TOML gives it.
        path: the file that it is from.
        table: the name of the table, for messages; empty where it is the whole file.

    Raises:
        PolicyFileError: a change is wrong or not allowed.
    """
    with faults_named(path, table):
        changes = ProfileChanges.model_validate(own)
    prefix = f"{table}." if table else ""
    faults = [f"{prefix}{field}: {fault}" for field, fault in _faults(changes, base.code)]
    if faults:
        msg = f"{path}: {'; '.join(faults)}"
        raise PolicyFileError(msg)
    tables = base.tables()
    _change(tables["code"], changes)
    tables.setdefault("evidence", {}).update(_plain(changes.evidence))
    tables["trust"] = merged(tables.get("trust", {}), _plain(changes.trust))
    tables.setdefault("drift", {}).update(_plain(changes.drift))
    tables.setdefault("improvement", {}).update(_plain(changes.improvement))
    profile = Profile.of_tables(changes.name, tables)
    with faults_named(path, table):
        profile.code  # noqa: B018 - checked by being read
    return profile


@contextmanager
def faults_named(path: Path, table: str) -> Iterator[None]:
    """Turn what pydantic finds wrong into one error that names the file and the fields.

    Raises:
        PolicyFileError: something is wrong.
    """
    try:
        yield
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, (table, *fault['loc']) if table else fault['loc']))}:"
            f" {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()
        )
        msg = f"{path}: {faults}"
        raise PolicyFileError(msg) from error


def _faults(changes: ProfileChanges, base: CodeProfile) -> Iterator[Fault]:
    """Yield what is wrong with changes to a profile."""
    for code, level in changes.rules.items():
        if code not in base.rules:
            yield (
                f"rules.{code}",
                "there is no such rule; `toolguild check --explain all` lists them",
            )
        elif level is not RuleLevel.ERROR and not may_be_eased(code):
            yield (
                f"rules.{code}",
                "stays an error at every tier, because other rules rely on it; to let tools use a"
                " module, add it under modules",
            )
    for name, module in changes.modules.items():
        for fault in _module_faults(name, module, base):
            yield f"modules.{name}", fault
    for name in sorted(changes.without.modules - base.modules.keys()):
        yield "without.modules", f"{name!r} is no module of the profile"
    for name in sorted(changes.without.names):
        if not _is_known(name, base):
            yield "without.names", f"{name!r} is no name of the profile, such as 'os.remove'"
    for name in sorted(changes.without.methods.keys() - base.modules.keys()):
        yield f"without.methods.{name}", "is no module of the profile"
    for folder in sorted(changes.paths.absolute):
        top = f"/{folder.strip('/').partition('/')[0]}"
        if posixpath.normpath(folder) != folder or top in ("/", *_SYSTEM_FOLDERS):
            yield "paths.absolute", f"{folder!r} is no absolute path of a folder for data"


def _module_faults(name: str, module: AddedModule, base: CodeProfile) -> Iterator[str]:
    """Yield what speaks against adding a module."""
    parts = name.split(".")
    inside = {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
    if not all(part.isidentifier() and not part.startswith("_") for part in parts):
        yield "is not the name of a public module"
    elif never := inside & base.never:
        yield f"{min(never)} gives a tool the interpreter or other processes, at whatever tier"
    elif name in base.modules:
        yield (
            "is in the profile already, with the names that lead nowhere else; take some away with"
            " without.names, or write a whole profile of your own in [code]"
        )
    if inside & base.network_modules and module.needs is not Capability.NETWORK:
        yield "talks to other machines: it takes needs = 'network'"
    if not module.exports:
        yield "exports: names what tools may take from the module"
    for export in sorted(module.exports):
        if not export.isidentifier() or export.startswith("_"):
            yield f"exports: {export!r} is not a public name"
        elif export in base.attributes.forbidden:
            yield f"exports: {export!r} is a name that leads to modules, frames or code"


def _is_known(dotted: str, base: CodeProfile) -> bool:
    module, _, name = dotted.rpartition(".")
    if module == _BUILTINS:
        return name in base.builtins.free | base.builtins.guarded
    return module in base.modules and name in base.modules[module].exports


def _change(code: Tables, changes: ProfileChanges) -> None:
    """Work changes into the table `code` of a profile."""
    code["rules"].update({rule: str(level) for rule, level in changes.rules.items()})
    code["limits"].update(changes.limits)
    code["work"].update(changes.work)
    code["instead"].update(changes.instead)
    code["paths"]["absolute"] = [*code["paths"]["absolute"], *changes.paths.absolute]
    for name, module in changes.modules.items():
        code["modules"][name] = _plain(module, leave_out={"methods"})
        code["methods"][name] = _plain(module.methods)
    for name in changes.without.modules:
        del code["modules"][name]
    code["methods"] = {
        giver: rules
        for giver, rules in code["methods"].items()
        if any(f"{giver}.".startswith(f"{module}.") for module in code["modules"])
    }
    for dotted in changes.without.names:
        module_name, _, name = dotted.rpartition(".")
        table = code["builtins"] if module_name == _BUILTINS else code["modules"][module_name]
        for key, names in table.items():
            if isinstance(names, list):
                table[key] = [kept for kept in names if kept != name]
    for module_name, methods in changes.without.methods.items():
        rules = code["methods"].setdefault(module_name, {})
        rules["forbidden"] = [*rules.get("forbidden", ()), *methods]


def _plain(part: BaseModel, leave_out: set[str] | None = None) -> dict[str, Any]:
    # Without what is None: readers of the plain tables ask whether a key is there.
    return part.model_dump(mode="json", exclude=leave_out, exclude_none=True)
