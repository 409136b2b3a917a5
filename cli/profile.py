"""`--profile`: what tools may contain, for the gate, for validation and for the sandbox alike."""

from __future__ import annotations

import os
from pathlib import Path

import click

from toolguild.cli.settings import SETTINGS_FILE
from toolguild.policies import (
    PolicyFileError,
    Profile,
    house_profile,
    load_profile,
    shipped_profiles,
)

__all__ = ["profile_option"]


class _ProfileType(click.ParamType):  # type: ignore[type-arg] # generic in newer versions only
    """A shipped profile by its name, or a file with one."""

    name = "profile"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Profile:
        """Read the profile; what was read before is returned as it is."""
        if isinstance(value, Profile):
            return value
        text = str(value)
        is_file = text.endswith(".toml") or os.sep in text
        try:
            return load_profile(Path(text) if is_file else text)
        except PolicyFileError as error:
            self.fail(str(error), param, ctx)


def _or_of_the_house(
    context: click.Context, parameter: click.Parameter, value: Profile | None
) -> Profile:
    return house_profile(SETTINGS_FILE) if value is None else value


profile_option = click.option(
    "--profile",
    envvar="TOOLGUILD_PROFILE",
    type=_ProfileType(),
    callback=_or_of_the_house,
    metavar="NAME|FILE",
    help=f"What tools may contain: {', '.join(shipped_profiles())}, or a TOML file. [default: what"
    f" [profile] in {SETTINGS_FILE} says, or balanced]",
)
"""Gives a command the parameter `profile`, a `Profile`."""
