"""The host's part of the wall: a profile's lists, as plain data for the worker.

Read as TOML and not by `load_code_profile`: a sandbox must not wait for pydantic to be imported.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

__all__ = ["wall_rules"]

_CAPABILITIES = ("read", "write", "network")


@cache
def wall_rules(profile: str = "balanced") -> dict[str, Any]:
    """Return what `wall_rules.Rules.from_plain` reads, as JSON can carry it.

    No program has access to files or to the network in this version: what needs that is withheld.

    Raises:
        KeyError: the profile lacks a list.
    """
    file = resources.files("toolguild.policies") / "profiles" / f"{profile}.toml"
    code = tomllib.loads(file.read_text(encoding="utf-8"))["code"]
    attributes = {
        name: names
        for name, names in code["attributes"].items()
        if name.startswith("dunder_")
        or name in ("forbidden", "private", "sunder_class_names", "templates")
    }
    withheld = _withheld(code["modules"])
    return {
        **attributes,
        "builtins": code["builtins"]["free"],
        "metaclasses": code["definitions"]["metaclasses"],
        "modules": {
            module: [name for name in part["exports"] if f"{module}.{name}" not in withheld]
            for module, part in code["modules"].items()
            if module not in withheld
        },
        "withheld": withheld,
        "methods": _withheld_methods(code["methods"], code["modules"]),
        "openers": {name: opener.get("harmless", []) for name, opener in code["openers"].items()},
        "instead": code["instead"],
    }


def _withheld(modules: dict[str, Any]) -> dict[str, str]:
    found = {}
    for module, part in modules.items():
        if "needs" in part:
            found[module] = part["needs"]
        for capability in _CAPABILITIES:
            found.update({f"{module}.{name}": capability for name in part.get(capability, ())})
    return found


def _withheld_methods(methods: dict[str, Any], modules: dict[str, Any]) -> dict[str, list[str]]:
    """Return methods that read or write files, and attributes that lead to modules, by module."""
    found: dict[str, list[str]] = {}
    for origin, part in methods.items():
        module = origin
        while module not in modules:
            module = module.rpartition(".")[0]
        for kind in ("read", "write", "open", "forbidden"):
            found.setdefault(module, []).extend(part.get(kind, ()))
    return found
