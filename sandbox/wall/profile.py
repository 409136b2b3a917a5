"""The host's part of the wall: a profile's lists, as plain data for the worker.

Read as TOML and not by `load_code_profile`: a sandbox must not wait for pydantic to be imported.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from toolguild.policies import Capability

__all__ = ["wall_rules"]

_READ, _WRITE = Capability.READ, Capability.WRITE

# Methods named here lead to others by data: `TarFile` looks up in the first which of its attributes
# to call, and what the second makes fetches addresses.
_GADGETS = ("OPEN_METH", "createDOMBuilder")
# What a class of the library may hand on to an attribute of another object, and `ABC.register`.
_BY_DATA = ("register", "__getattr__")
_WITH_DESCRIPTORS = ("glob", "os", "os.path", "shutil")
"""Modules whose functions also take a file descriptor where others take a path."""


@cache
def wall_rules(
    profile: str = "balanced", capabilities: frozenset[Capability] = frozenset()
) -> dict[str, Any]:
    """Return what `rules.Rules.from_plain` reads, as JSON can carry it.

    What needs a capability that is not given is withheld; what needs the network always is, as the
    tier that has it has no wall.

    Raises:
        KeyError: the profile lacks a list.
    """
    file = resources.files("toolguild.policies") / "profiles" / f"{profile}.toml"
    code = tomllib.loads(file.read_text(encoding="utf-8"))["code"]
    modules, attributes = code["modules"], code["attributes"]
    # Whoever writes may also read: where it was given no leave to, the isolation shows it nothing
    # but what it wrote.
    opened = capabilities & {_READ, _WRITE} | ({_READ} if _WRITE in capabilities else set())
    needed = dict(_needs(modules))
    withheld = {name: needs for name, needs in needed.items() if needs not in opened}
    return {
        **{name: names for name, names in attributes.items() if name.startswith("dunder_")},
        "private": attributes["private"],
        "sunder_class_names": attributes["sunder_class_names"],
        "forbidden": [*attributes["forbidden"], *_GADGETS],
        "by_data": [*attributes["templates"], *_BY_DATA],
        "capabilities": sorted(opened),
        "builtins": code["builtins"]["free"],
        "bases": code["definitions"]["bases"],
        "metaclasses": code["definitions"]["metaclasses"],
        "modules": {
            module: [name for name in part["exports"] if f"{module}.{name}" not in withheld]
            for module, part in modules.items()
            if module not in withheld
        },
        "withheld": withheld,
        "methods": _withheld_methods(code["methods"], modules, opened),
        "paths": [name for name in needed if name.rpartition(".")[0] in _WITH_DESCRIPTORS],
        "instead": code["instead"],
    }


def _needs(modules: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the dotted names that need a capability, and which."""
    for module, part in modules.items():
        if "needs" in part:
            yield module, part["needs"]
        for capability in Capability:
            for name in part.get(capability, ()):
                yield f"{module}.{name}", capability.value


def _withheld_methods(
    methods: dict[str, Any], modules: dict[str, Any], opened: frozenset[Capability]
) -> dict[str, dict[str, str]]:
    """Return methods that read or write files, and attributes that lead to modules, by module.

    Those of what a single function or class gives are left out: what they open, they open by its
    name, as the program itself would.
    """
    found: dict[str, dict[str, str]] = {}
    for module, part in methods.items():
        if module in modules:
            names = dict.fromkeys(part.get("forbidden", ()), "")
            for capability in (_READ, _WRITE):
                if capability not in opened:
                    names.update(dict.fromkeys(part.get(capability, ()), capability.value))
            if not opened:
                names.update(dict.fromkeys(part.get("open", ()), _READ.value))
            found[module] = names
    found.setdefault("sqlite3", {})
    if _WRITE not in opened:
        # It would lift the limit on further databases: see `files`.
        found["sqlite3"]["setlimit"] = _WRITE.value
    return found
