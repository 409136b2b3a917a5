"""The host's part of the wall: a profile's lists, as plain data for the worker.

Read from the profile's plain tables and not from its `code`: a sandbox must not wait for pydantic
to be imported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any

from toolguild.policies import Capability, Profile, Tier, load_profile

__all__ = ["wall_rules"]

_READ, _WRITE = Capability.READ, Capability.WRITE

# What a class of the library may hand on to an attribute of another object, and `ABC.register`.
_BY_DATA = ("register", "__getattr__")
_WITH_DESCRIPTORS = ("glob", "os", "os.path", "shutil")
"""Modules whose functions also take a file descriptor where others take a path."""
_DUNDERS = (
    "dunder_reads",
    "dunder_methods",
    "dunder_hooks",
    "dunder_class_data",
    "dunder_module_data",
)

Names = list[str]


@lru_cache(maxsize=64)
def wall_rules(
    profile: Profile, capabilities: frozenset[Capability] = frozenset()
) -> dict[str, Any]:
    """Return what `rules.Rules.from_plain` reads, as JSON can carry it.

    What needs a capability that is not given is withheld; what needs the network always is, as the
    tier that has it has no wall. The same goes for modules of higher tiers.

    What the guards themselves rely on no profile can ease: of attributes, builtins and base classes
    it gets at most what the shipped one allows, and what that one never lets out stays inside.

    Raises:
        KeyError: the profile lacks a list.
    """
    code, shipped = profile.tables()["code"], load_profile().tables()["code"]
    attributes, known = code["attributes"], shipped["attributes"]
    forbidden = _both(attributes["forbidden"], known["forbidden"])
    modules = _modules(code, shipped, forbidden)
    # Whoever writes may also read: where it was given no leave to, the isolation shows it nothing
    # but what it wrote.
    opened = capabilities & {_READ, _WRITE} | ({_READ} if _WRITE in capabilities else set())
    needed = dict(_needs(modules, _both(code["network_modules"], shipped["network_modules"])))
    withheld = {name: needs for name, needs in needed.items() if needs not in opened}
    later = {name: part["from_tier"] for name, part in modules.items() if _is_later(part)}
    return {
        **{
            name: _shared(attributes[name], known[name])
            for name in (*_DUNDERS, "private", "sunder_class_names")
        },
        "forbidden": forbidden,
        "by_data": [*_both(attributes["templates"], known["templates"]), *_BY_DATA],
        "capabilities": sorted(opened),
        "builtins": [
            *_shared(code["builtins"]["free"], shipped["builtins"]["free"]),
            *_shared(code["builtins"]["guarded"], shipped["builtins"]["guarded"]),
        ],
        "bases": _shared(code["definitions"]["bases"], shipped["definitions"]["bases"]),
        "metaclasses": _shared(
            code["definitions"]["metaclasses"], shipped["definitions"]["metaclasses"]
        ),
        "modules": {
            module: [name for name in part["exports"] if f"{module}.{name}" not in withheld]
            for module, part in modules.items()
            if module not in withheld and module not in later
        },
        "withheld": withheld,
        "methods": _withheld_methods(code, shipped, modules, opened),
        "paths": [name for name in needed if name.rpartition(".")[0] in _WITH_DESCRIPTORS],
        "instead": {
            **code["instead"],
            **{
                name: f"Only tools of the tier `{later[name]}` and above have it." for name in later
            },
        },
    }


def _shared(names: Collection[str], allowed: Collection[str]) -> Names:
    return [*filter({*allowed}.__contains__, names)]


def _both(names: Collection[str], more: Collection[str]) -> Names:
    return sorted({*names, *more})


def _modules(code: Any, shipped: Any, forbidden: Names) -> dict[str, Any]:
    """Return a profile's modules without the names that stay inside whatever it says."""
    out_of_reach, never = {*forbidden}, {*_both(code["never"], shipped["never"])}
    modules: dict[str, Any] = {}
    for module, part in code["modules"].items():
        names = [n for n in part["exports"] if n not in out_of_reach and not n.startswith("_")]
        if not never.isdisjoint(_packages(module)):
            names = _shared(names, shipped["modules"].get(module, {}).get("exports", ()))
        if names:
            modules[module] = {**part, "exports": names}
    return modules


def _packages(module: str) -> Iterator[str]:
    """Yield a module's name, and those of the packages that it is in."""
    while module:
        yield module
        module = module.rpartition(".")[0]


def _is_later(part: dict[str, Any]) -> bool:
    return Tier(part.get("from_tier", Tier.SANDBOX)) > Tier.SANDBOX


def _needs(modules: dict[str, Any], network: Names) -> Iterator[tuple[str, str]]:
    """Yield the dotted names that need a capability, and which."""
    for module, part in modules.items():
        if module in network:
            yield module, Capability.NETWORK.value
        elif "needs" in part:
            yield module, part["needs"]
        for capability in Capability:
            for name in part.get(capability, ()):
                yield f"{module}.{name}", capability.value


def _withheld_methods(
    code: Any, shipped: Any, modules: dict[str, Any], opened: frozenset[Capability]
) -> dict[str, dict[str, str]]:
    """Return methods that read or write files, and attributes that lead to modules, by module.

    Those of what a single function or class gives are left out: what they open, they open by its
    name, as the program itself would.
    """
    found: dict[str, dict[str, str]] = {}
    for module in modules:
        part = code["methods"].get(module, {})
        names = dict.fromkeys(shipped["methods"].get(module, {}).get("forbidden", ()), "")
        names.update(dict.fromkeys(part.get("forbidden", ()), ""))
        for capability in (_READ, _WRITE):
            if capability not in opened:
                names.update(dict.fromkeys(part.get(capability, ()), capability.value))
        if not opened:
            names.update(dict.fromkeys(part.get("open", ()), _READ.value))
        if names:
            found[module] = names
    if _WRITE not in opened:
        # It would lift the limit on further databases: see `files`.
        found.setdefault("sqlite3", {})["setlimit"] = _WRITE.value
    return found
