"""One policy as one frozen value: what every part of toolguild decides by, and its digest.

Nothing here needs pydantic at import: a sandbox reads the shipped profile where programs start in
a hurry. Whatever comes from a house of its own is checked by it, see `profile_changes`.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolguild.policies.drift import DriftRules
from toolguild.policies.errors import PolicyFileError
from toolguild.policies.evidence import Evidence
from toolguild.policies.improvement import ImprovementRules
from toolguild.policies.trust import Trust

if TYPE_CHECKING:
    from toolguild.policies.code_rules import CodeProfile

__all__ = [
    "DEFAULT_PROFILE",
    "Profile",
    "house_profile",
    "load_profile",
    "merged",
    "shipped_profiles",
]

DEFAULT_PROFILE = "balanced"
_SUFFIX = ".toml"
_MAX_CHAIN = 5  # profiles that extend one another
_LABELS = frozenset({"name", "description", "extends"})
"""Keys of a profile that decide nothing."""

Tables = dict[str, Any]
"""A profile as TOML gives it; `code_rules.CodeProfile` and `Evidence` say what the tables are."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile with everything that it extends worked in; compares and hashes by its content.

    The static gate, validation, synthesis and the sandbox's wall are each handed this value, so
    that they cannot disagree about what a tool may do.
    """

    name: str = field(compare=False)
    text: str = field(repr=False)
    """Its tables as canonical JSON: keys and lists sorted."""

    @classmethod
    def of_tables(cls, name: str, tables: Tables) -> Profile:
        """Return the profile with these tables, which are taken to be complete and right."""
        kept = {key: value for key, value in tables.items() if key not in _LABELS}
        return cls(name, json.dumps(_sorted(kept), sort_keys=True, separators=(",", ":")))

    @property
    def digest(self) -> str:
        """SHA-256 of what it decides, in hexadecimal; its name and its comments do not count."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()

    @property
    def code(self) -> CodeProfile:
        """What the static gate takes from it."""
        return _code(self.text)

    @property
    def evidence(self) -> Evidence:
        """How much evidence a tool takes; what it leaves out is as in the default profile."""
        return _evidence(self.text)

    @property
    def trust(self) -> Trust:
        """What trust takes; what it leaves out is as in the default profile."""
        return _trust(self.text)

    @property
    def drift(self) -> DriftRules:
        """When results have drifted; what it leaves out is as in the default profile."""
        return _drift(self.text)

    @property
    def improvement(self) -> ImprovementRules:
        """How far agents may change; what it leaves out is as in the default profile."""
        return _improvement(self.text)

    def tables(self) -> Tables:
        """Return its tables as plain data of the caller's own."""
        tables: Tables = json.loads(self.text)
        return tables


def shipped_profiles() -> tuple[str, ...]:
    """Return the names of the profiles that come with toolguild."""
    entries = (entry.name for entry in (files("toolguild.policies") / "profiles").iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in entries if name.endswith(_SUFFIX)))


def load_profile(profile: str | Path = DEFAULT_PROFILE) -> Profile:
    """Read a profile: a shipped one by its name, or one of a house's own by the path of its file.

    A file holds a profile, or has one in its table `[profile]`, as `toolguild.toml` does. It says
    all of it (`[code]`), or what it changes of the one that it `extends`.

    Raises:
        PolicyFileError: there is no such profile, or it is not as profiles are; the message names
            the file and the field.
    """
    return _read(profile, ()) if isinstance(profile, Path) else _shipped(profile)


def house_profile(settings: Path) -> Profile:
    """Return the profile that a settings file gives in `[profile]`; the default one without.

    Raises:
        PolicyFileError: as `load_profile` does.
    """
    if settings.is_file() and "profile" in _document(settings):
        return load_profile(settings)
    return load_profile()


@lru_cache(maxsize=8)
def _shipped(name: str) -> Profile:
    if name not in shipped_profiles():
        known = ", ".join(shipped_profiles())
        msg = f"no profile is called {name!r}; shipped are: {known}. Give a path for a file."
        raise PolicyFileError(msg)
    path = Path(str(files("toolguild.policies") / "profiles" / f"{name}{_SUFFIX}"))
    return _resolved(_document(path), path, ())


def _read(path: Path, chain: tuple[Path, ...]) -> Profile:
    """Read a file of a house's own; `chain` holds the files that led to it."""
    document = _document(path)
    own = document.get("profile", document)
    if not isinstance(own, dict):
        msg = f"{path}: profile: has to be a table, such as [profile] with extends = 'strict'"
        raise PolicyFileError(msg)
    if own is document and not own.keys() & {"code", "extends"}:
        msg = f"{path}: extends: missing; name a profile, or give all of its tables in [code]"
        raise PolicyFileError(msg)
    profile = _resolved(own, path, chain, table="" if own is document else "profile")
    if "code" in own:
        from toolguild.policies.profile_changes import (
            DriftChanges,
            EvidenceChanges,
            TrustChanges,
            faults_named,
        )

        with faults_named(path, "code"):
            profile.code  # noqa: B018 - checked by being read
        with faults_named(path, "evidence"):
            EvidenceChanges.model_validate(own.get("evidence", {}))
        with faults_named(path, "trust"):
            TrustChanges.model_validate(own.get("trust", {}))
        with faults_named(path, "drift"):
            DriftChanges.model_validate(own.get("drift", {}))
    return profile


def _resolved(own: Tables, path: Path, chain: tuple[Path, ...], table: str = "") -> Profile:
    """Return the profile of these tables, with what it extends worked in."""
    if "code" in own:
        return Profile.of_tables(str(own.get("name", path.stem)), own)
    from toolguild.policies.profile_changes import apply_changes

    base = _extended(own.get("extends", DEFAULT_PROFILE), path, (*chain, path.resolve()))
    return apply_changes(base, own, path, table)


def _extended(base: object, path: Path, chain: tuple[Path, ...]) -> Profile:
    """Return the profile that a file extends: a shipped one, or one in a file beside it."""
    if isinstance(base, str) and base in shipped_profiles():
        return _shipped(base)
    if not isinstance(base, str) or not base.endswith(_SUFFIX):
        known = ", ".join(shipped_profiles())
        msg = f"{path}: extends: no profile is called {base!r}; shipped are: {known}"
        raise PolicyFileError(msg)
    file = path.parent / base
    if file.resolve() in chain or len(chain) == _MAX_CHAIN:
        msg = f"{path}: extends: {base!r} extends itself, or is the {_MAX_CHAIN + 1}th in a row"
        raise PolicyFileError(msg)
    return _read(file, chain)


def _document(path: Path) -> Tables:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}); check the path of the profile"
        raise PolicyFileError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path}: is not TOML: {error}"
        raise PolicyFileError(msg) from error


@lru_cache(maxsize=16)
def _code(text: str) -> CodeProfile:
    from toolguild.policies.code_rules import CodeProfile

    return CodeProfile.model_validate(json.loads(text)["code"])


@lru_cache(maxsize=16)
def _evidence(text: str) -> Evidence:
    shipped = _shipped(DEFAULT_PROFILE).tables()["evidence"]
    return Evidence(**{**shipped, **json.loads(text).get("evidence", {})})


@lru_cache(maxsize=16)
def _trust(text: str) -> Trust:
    shipped = _shipped(DEFAULT_PROFILE).tables()["trust"]
    return Trust.of_table(merged(shipped, json.loads(text).get("trust", {})))


@lru_cache(maxsize=16)
def _drift(text: str) -> DriftRules:
    shipped = _shipped(DEFAULT_PROFILE).tables()["drift"]
    return DriftRules(**{**shipped, **json.loads(text).get("drift", {})})


@lru_cache(maxsize=16)
def _improvement(text: str) -> ImprovementRules:
    shipped = _shipped(DEFAULT_PROFILE).tables()["improvement"]
    return ImprovementRules(**{**shipped, **json.loads(text).get("improvement", {})})


def merged(base: Tables, changes: Tables) -> Tables:
    """Return a table with the changes of another one, in its tables likewise."""
    both = {
        name: merged(base[name], value) if isinstance(value, dict) and name in base else value
        for name, value in changes.items()
    }
    return {**base, **both}


def _sorted(value: object) -> object:
    """Return plain data with its lists of names in one order: they are sets."""
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in value.items()}
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return sorted(set(value))
    return value
