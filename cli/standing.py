"""Where a version stands, as commands that move it say it."""

from __future__ import annotations

from toolguild.cli.console import print_json, say
from toolguild.registry import ToolVersion
from toolguild.sandbox import JsonObject

__all__ = ["show_standing", "standing_as_json"]


def show_standing(version: ToolVersion, *, as_json: bool) -> None:
    """Say where a version stands now."""
    if as_json:
        print_json(standing_as_json(version))
    else:
        say(f"{version.ref} is {version.state}, at {version.tier} now.")


def standing_as_json(version: ToolVersion) -> JsonObject:
    """Return where a version stands, as plain data."""
    return {
        "ref": version.ref,
        "digest": version.digest,
        "tier": version.tier.value,
        "state": version.state.value,
    }
