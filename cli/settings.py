"""Settings: flags first, then `TOOLGUILD_*` in the environment, then `toolguild.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from click.types import OptionHelpExtra

from toolguild.cli.errors import SettingsError
from toolguild.cli.lazy import commands_of
from toolguild.registry.location import shown

__all__ = ["SETTINGS_FILE", "as_json", "default_map", "registry_option"]

SETTINGS_FILE = Path("toolguild.toml")
F = TypeVar("F", bound=Callable[..., Any])


class _RegistryOption(click.Option):
    """Shows its default without the password that a URL in the settings file may hold."""

    def get_help_extra(self, ctx: click.Context) -> OptionHelpExtra:
        """Return what stands behind the help text."""
        extra = super().get_help_extra(ctx)
        if "default" in extra:
            extra["default"] = shown(extra["default"])
        return extra


registry_option = click.option(
    "--registry",
    cls=_RegistryOption,
    envvar="TOOLGUILD_REGISTRY",
    default=".toolguild/registry.db",
    show_default=True,
    metavar="PATH|URL",
    help="Where tools are kept: a file, or an SQLAlchemy URL.",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")


def default_map(group: click.Group, path: Path = SETTINGS_FILE) -> dict[str, Any]:
    """Return the defaults that the settings file gives each command.

    Keys at the top of the file hold for every command that has such an option, keys in a table
    named as a command for that command only.

    Raises:
        SettingsError: the file cannot be read, or has a key that nothing knows.
    """
    if not path.is_file():
        return {}
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{path}: {error}; mend the file or move it away"
        raise SettingsError(message) from error
    if isinstance(document.get("profile"), dict):
        # What tools may contain: read by `house_profile`, and no command's.
        del document["profile"]
    if isinstance(document.get("trust"), dict):
        # Whose signatures count: read by `trusted_keys`.
        del document["trust"]
    shared = {key: value for key, value in document.items() if not isinstance(value, dict)}
    known = {name: _option_names(command) for name, command in commands_of(group).items()}
    for table in (shared, *(table for table in document.values() if isinstance(table, dict))):
        _check_lists(path, table, group)
    for key in shared.keys() - set.union(*known.values()):
        message = f"{path}: no command has an option {key!r}"
        raise SettingsError(message)
    defaults: dict[str, Any] = {
        name: {key: value for key, value in shared.items() if key in known[name]} for name in known
    }
    for name, table in document.items():
        if isinstance(table, dict):
            _check_table(path, name, table, known)
            defaults[name].update(table)
    return {name: _nested(commands_of(group)[name], values) for name, values in defaults.items()}


def _option_names(command: click.Command) -> set[str]:
    names = {parameter.name for parameter in command.params if parameter.name}
    if isinstance(command, click.Group):
        names = names.union(*map(_option_names, commands_of(command).values()))
    return names


def _check_lists(path: Path, table: Mapping[str, Any], group: click.Group) -> None:
    """Check that what an option takes several of stands there as a list."""
    several = {
        parameter.name
        for command in commands_of(group).values()
        for parameter in command.params
        if isinstance(parameter, click.Option) and parameter.multiple
    }
    for key in several & table.keys():
        if not isinstance(table[key], list):
            message = f'{path}: {key}: not a list; write {key} = ["..."]'
            raise SettingsError(message)


def _check_table(
    path: Path, name: str, table: Mapping[str, Any], known: Mapping[str, set[str]]
) -> None:
    if name not in known:
        message = f"{path}: [{name}] is no command; there are {', '.join(sorted(known))}"
        raise SettingsError(message)
    for key in table.keys() - known[name]:
        message = f"{path}: [{name}] has no option {key!r}; it has {', '.join(sorted(known[name]))}"
        raise SettingsError(message)


def _nested(command: click.Command, values: dict[str, Any]) -> dict[str, Any]:
    """Hand a group's defaults on to each of its commands, where click looks for them."""
    if not isinstance(command, click.Group):
        return values
    return {**values, **dict.fromkeys(commands_of(command), values)}
