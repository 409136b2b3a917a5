"""What came of `toolguild check`, as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from toolguild.cli.errors import ExitCode
from toolguild.policies import Capability, Profile, Tier
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.validation.static import Examination

__all__ = ["CheckReport", "CheckedFile", "ordered"]


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """One text and what the gate told of it."""

    name: str
    """The path as it was given, `<stdin>` for what came from there."""
    text: str
    told: Examination


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What came of one run of `toolguild check`."""

    tier: Tier
    profile: Profile
    files: tuple[CheckedFile, ...]
    unreadable: tuple[str, ...]
    """Why files could not be read, each with its name."""

    @property
    def exit_code(self) -> ExitCode:
        """2 where a file could not be read, 1 where one is refused, else 0."""
        if self.unreadable:
            return ExitCode.USAGE
        refused = any(file.told.refused for file in self.files)
        return ExitCode.REFUSED if refused else ExitCode.DONE

    def to_json(self) -> JsonObject:
        """Return the report as plain data."""
        findings: list[Json] = []
        effects: list[Json] = []
        files: list[Json] = []
        for file in self.files:
            told = file.told
            findings += [{"file": file.name, **finding.to_json()} for finding in told.findings]
            effects += [{"file": file.name, **use.to_json()} for use in told.effects]
            effects += [{"file": file.name, **use.to_json()} for use in told.tools]
            files.append(
                {
                    "file": file.name,
                    "refused": told.refused,
                    "needs": [str(need) for need in ordered(told.needs)],
                    "calls": [*dict.fromkeys(use.tool for use in told.tools)],
                    "lowest_tier": str(told.lowest_tier),
                }
            )
        return {
            "tier": str(self.tier),
            "profile": {"name": self.profile.name, "digest": self.profile.digest},
            "refused": any(file.told.refused for file in self.files),
            "files": files,
            "findings": findings,
            "effects": effects,
            "unreadable": [*self.unreadable],
        }


def ordered(needs: Iterable[Capability]) -> list[Capability]:
    """Return capabilities from the least to the most."""
    given = frozenset(needs)
    return [capability for capability in Capability if capability in given]
